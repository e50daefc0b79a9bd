/**
 * Ordered aggregate: one row per group, from rows that are sorted by keys and an order. For aggregates that
 * depend on the order of rows: the first, the last, texts joined, quantiles; all others are computed beside them.
 *
 *     rows ─▶ external sorter ─▶ marks ─▶ cells by segment, texts, digests ─▶ a row for each that has ended
 *
 * Why not the table of groups: it sees rows as they come, and would have to keep all of them.
 *
 * Invariants:
 * - One group is open, that of the last row: its cells, its texts, its digest and its keys are carried to the next batch.
 * - Without keys there is one group, whether there are rows or not.
 */
import { assert } from '../../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { OrderedAggregateColumn } from '../../plan/physical-graph.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { gatherRows } from '../../stream/gather-rows.ts';
import type { OrderColumn } from '../../stream/row-order.ts';
import { type AggregateColumnOptions, planAggregates } from '../aggregate-plan.ts';
import type { HeldRows } from '../external-sorter.ts';
import { groupOfNothing } from '../group-of-nothing.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { Rooms } from '../result-column.ts';
import type { GroupColumns } from './group-columns.ts';
import { QuantileColumns } from './quantile-columns.ts';
import { SegmentCells } from './segment-cells.ts';
import type { SegmentRecords } from './segment-records.ts';
import { SortedDrain } from './sorted-drain.ts';
import { SortedRows } from './sorted-rows.ts';
import { TextJoin } from './text-join.ts';

export interface OrderedAggregateOptions {
  readonly input: Schema;
  /** First the keys, then the results. */
  readonly output: Schema;
  readonly keys: readonly string[];
  readonly order: readonly OrderColumn[];
  readonly aggregates: readonly OrderedAggregateColumn[];
}

type GroupRecords = Pick<SegmentRecords, 'cellsOf' | 'arenas'>;

export class OrderedAggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: OrderedAggregateOptions;
  readonly #keySchema: Schema;
  readonly #sorted: SortedRows;
  readonly #cells: SegmentCells;
  readonly #others: readonly GroupColumns[];
  readonly #drain: SortedDrain;
  /** The keys of the open group: a batch of one row; null before the first row. */
  #openKey: Batch | null = null;
  #isAtEnd = false;

  constructor(context: OperatorContext, options: OrderedAggregateOptions) {
    const { input, output, keys, order, aggregates } = options;
    this.#context = context;
    this.#options = options;
    this.#keySchema = { fields: output.fields.slice(0, keys.length) };
    this.#sorted = new SortedRows(context, { schema: input, partition: keys, order });
    this.#cells = new SegmentCells(
      context,
      planAggregates(input, 'whole', aggregates.filter(isPlain)),
      false,
    );
    this.#others = otherColumns(context, input, aggregates);
    this.#drain = new SortedDrain(context, { sorted: this.#sorted, make: () => this.#next() });
  }

  process(batch: Batch, fromRow: number): number {
    return this.#sorted.offer(batch) ? batch.rowCount : fromRow;
  }

  /** All rows so far, as of `ExternalSorter`. */
  held(): HeldRows {
    return this.#sorted.held();
  }

  finish(outbox: Outbox): boolean {
    return this.#drain.run(outbox);
  }

  close(): void {
    this.#drain.close();
    this.#openKey?.release();
    this.#openKey = null;
    for (const one of this.#others) one.close();
    this.#cells.close();
    this.#sorted.close();
  }

  /** Takes the next rows; the groups that end there. */
  #next(): Batch | 'more' | 'end' {
    if (this.#isAtEnd) return 'end';
    const rows = this.#sorted.next();
    if (rows === null) {
      this.#isAtEnd = true;
      return this.#lastGroup() ?? 'end';
    }
    const { batch, partitions } = rows;
    const rooms = new Rooms(this.#context.scope);
    let groups: Batch | null = null;
    try {
      const records = this.#cells.add(batch, { marks: partitions, partitions });
      try {
        const others = this.#others.flatMap((one) => one.add(batch, records, rooms));
        const ended = records.count - 1;
        if (ended > 0) groups = this.#groups(batch, records, { ended, others, rooms });
        else rooms.release();
      } finally {
        records.release();
      }
      this.#keepKey(batch, groups !== null);
      return groups ?? 'more';
    } catch (error) {
      if (groups === null) rooms.release();
      else groups.release();
      throw error;
    } finally {
      rows.release();
    }
  }

  #lastGroup(): Batch | null {
    const { scope } = this.#context;
    const { keys, output } = this.#options;
    const records = this.#cells.carried;
    if (records === null) return keys.length > 0 ? null : groupOfNothing(scope, output);
    const rooms = new Rooms(scope);
    // The open group is the last one there.
    const last = { cellsOf: () => records.cellsOf(records.count - 1), arenas: records.arenas };
    try {
      const others = this.#others.flatMap((one) => one.end(rooms));
      const key = this.#openKey;
      assert(key !== null, 'an open group has keys');
      return this.#batchOf(key.columns, last, { ended: 1, others, rooms, holds: [key.retain()] });
    } catch (error) {
      rooms.release();
      throw error;
    }
  }

  /** The first groups of a batch, of which the very first may have begun before it. */
  #groups(
    batch: Batch,
    records: SegmentRecords,
    { ended, others, rooms }: { ended: number; others: readonly Column[]; rooms: Rooms },
  ): Batch {
    const { scope, kernels } = this.#context;
    const { memory } = scope;
    const keyed = this.#keysOf(batch);
    const open = this.#openKey;
    const places = scope.allocate(ended * 4);
    try {
      const out = addressOf(places);
      const rowsOfBatch = open === null ? 0 : batchRowsMax;
      for (let segment = 0; segment < ended; segment++) {
        const row = memory.uint32[(records.starts >>> 2) + segment] ?? 0;
        // The keys of the first group are those that are kept, where there are some.
        memory.uint32[(out >>> 2) + segment] = segment === 0 ? 0 : rowsOfBatch + row;
      }
      const batches = open === null ? [keyed] : [open, keyed];
      const target = { scope, kernels, schema: this.#keySchema, batches, showsTexts: true };
      const keys = this.#keySchema.fields.length === 0 ? null : gatherRows(target, out, ended);
      const holds = [keyed.retain(), ...(open === null ? [] : [open.retain()])];
      if (keys !== null) holds.push(keys);
      return this.#batchOf(keys?.columns ?? [], records, { ended, others, rooms, holds });
    } finally {
      memory.release(places);
      keyed.release();
    }
  }

  /** Keys beside the results of the first records; takes over what it holds. */
  #batchOf(
    keys: readonly Column[],
    records: GroupRecords,
    options: { ended: number; others: readonly Column[]; rooms: Rooms; holds: readonly Batch[] },
  ): Batch {
    const { memory } = this.#context.scope;
    const { output, aggregates } = this.#options;
    const { ended, rooms, holds } = options;
    try {
      const fields = output.fields.slice(this.#keySchema.fields.length);
      const plainFields = fields.filter((_, at) =>
        isPlain(aggregates[at] as OrderedAggregateColumn),
      );
      const plain = this.#cells.results(records, ended, { fields: plainFields, rooms });
      const others = [...options.others];
      rooms.retain(records.arenas);
      const results = aggregates.map((one) => {
        const column = isPlain(one) ? plain.shift() : others.shift();
        assert(column !== undefined, 'there is a column for each aggregate');
        return column;
      });
      const columns = [...keys, ...results];
      const { blocks } = rooms;
      return new Batch(memory, { schema: output, rowCount: ended, columns, blocks, holds });
    } catch (error) {
      for (const held of holds) held.release();
      throw error;
    }
  }

  /** Keeps the keys of the last row, unless they are those that are kept. */
  #keepKey(batch: Batch, isNew: boolean): void {
    if (this.#openKey !== null && !isNew) return;
    const { scope, kernels } = this.#context;
    const keyed = this.#keysOf(batch);
    const place = scope.allocate(4);
    try {
      scope.memory.uint32[addressOf(place) >>> 2] = batch.rowCount - 1;
      const target = { scope, kernels, schema: this.#keySchema, batches: [keyed] };
      const kept = gatherRows(target, addressOf(place), 1);
      this.#openKey?.release();
      this.#openKey = kept;
    } finally {
      scope.memory.release(place);
      keyed.release();
    }
  }

  #keysOf(batch: Batch): Batch {
    const { input, keys } = this.#options;
    const columns = keys.map((key) => batch.columns[fieldIndexOf(input, key)]);
    return batch.derive({
      schema: this.#keySchema,
      columns: columns.filter((column) => column !== undefined),
    });
  }
}

/** Columns of what no cells can hold, in the order of the aggregates; quantiles of one digest share it. */
function otherColumns(
  context: OperatorContext,
  input: Schema,
  aggregates: readonly OrderedAggregateColumn[],
): GroupColumns[] {
  const indexOf = (name = '') => fieldIndexOf(input, name);
  const quantiles = aggregates.flatMap((one) => {
    return one.function === 'approxQuantile' ? [one] : [];
  });
  if (quantiles.length > 0) {
    assert(quantiles.length === aggregates.length, 'quantiles are planned alone');
    const [means, weights] = quantiles[0]?.columns ?? [];
    const wanted = quantiles.map(({ quantile = 0 }) => quantile);
    const places = { means: indexOf(means), weights: indexOf(weights), quantiles: wanted };
    return [new QuantileColumns(context, places)];
  }
  return aggregates.flatMap((one) => {
    if (one.function !== 'stringAgg') return [];
    return [new TextJoin(context, indexOf(one.input), one.separator)];
  });
}

function isPlain(
  one: OrderedAggregateColumn,
): one is OrderedAggregateColumn & AggregateColumnOptions {
  return one.function !== 'stringAgg' && one.function !== 'approxQuantile';
}
