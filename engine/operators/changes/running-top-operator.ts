/**
 * Running top: the first rows of an order, of all rows that have come and not gone, and what changes of them.
 *
 *     rows, weights ─▶ all rows, counted ──everyMs──▶ first rows of the order ─▶ less those of before ─▶ -D, +I
 *
 * Why all rows: when one of the first goes, the next one of those behind takes its place. Where rows are
 * only added that can't be, and only the first are kept. All of them are read for each update, but no more often than a
 * fifth of the time: updates of a large state come later, and not at the cost of the rows.
 *
 * Rows that are equal in all columns are one with a count. What has changed is what is left of the new first rows
 * less the old ones; rows that go come before rows that come, so that there are never more than were asked for.
 *
 * Invariants:
 * - Between two calls each row is in the table, or not; while an update is made no row is added.
 * Before: coordinator/planner/lower-running-top.ts
 */
import { assert } from '../../../base/assert.ts';
import { Batch, type Column } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { SortKey } from '../../plan/logical-graph.ts';
import { rowKinds, rowKindType } from '../../plan/row-kind.ts';
import type { Schema } from '../../schema/schema.ts';
import { takeColumn } from '../../stream/take-column.ts';
import { type AggregatePlan, planAggregates } from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { SortOperator } from '../sort-operator.ts';

export interface RunningTopOptions {
  /** The rows, and behind them how often each comes, or, less than 0, goes: an int64. */
  readonly input: Schema;
  /** The rows, and the row kind. */
  readonly output: Schema;
  readonly order: readonly SortKey[];
  /** Rows wanted. */
  readonly count: number;
  /** Whether rows go; else those behind the first are forgotten. */
  readonly isOfChanges: boolean;
  readonly everyMs: number;
}

/** A part of the work: changes to give out, or null where it may rest. */
type Work = Generator<Batch | null, void>;

/** Of the time, the part that is not spent on updates, by theirs. */
const restShare = 4;

export class RunningTopOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RunningTopOptions;
  readonly #plan: AggregatePlan;
  /** All rows, counted. */
  #rows: AggregateTable;
  /** The first rows, as they were given out, with their counts. */
  #top: readonly Batch[] = [];
  #work: Work | null = null;
  #pending: Batch | null = null;
  #beganMs = 0;
  #tookMs = 0;
  wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(context: OperatorContext, options: RunningTopOptions) {
    const { input } = options;
    const weight = input.fields.at(-1)?.name ?? '';
    this.#context = context;
    this.#options = options;
    const total = { name: weight, function: 'sum', columns: [weight] } as const;
    this.#plan = planAggregates(input, 'final', [total]);
    this.#rows = this.#newTable();
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#work !== null && !this.#give(outbox)) return row;
      if (this.wakeAtMs === Number.POSITIVE_INFINITY) {
        const restMs = Math.max(this.#options.everyMs, this.#tookMs * restShare);
        this.wakeAtMs = this.#nowMs() + restMs;
      }
      row = this.#rows.add(batch, row);
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  wake(nowMs: number, outbox: Outbox): boolean {
    return this.#work === null && nowMs < this.wakeAtMs ? true : this.#give(outbox);
  }

  finish(outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  close(): void {
    this.#work?.return();
    this.#work = null;
    this.#pending?.release();
    this.#pending = null;
    for (const batch of this.#top) batch.release();
    this.#top = [];
    this.#rows.close();
  }

  #nowMs(): number {
    return this.#context.nowMs?.() ?? 0;
  }

  /** Makes an update and gives it out; false asks to be called again. */
  #give(outbox: Outbox): boolean {
    if (this.#work === null) this.#beganMs = this.#nowMs();
    this.#work ??= this.#update();
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      const { done, value } = this.#work.next();
      if (done === true) break;
      this.#pending = value;
      if (value === null && this.#context.shouldYield()) return false;
    }
    this.#work = null;
    this.#tookMs = this.#nowMs() - this.#beganMs;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    return true;
  }

  *#update(): Work {
    const { input } = this.#options;
    const changes = this.#newTable();
    const next: Batch[] = [];
    try {
      yield* this.#first(next);
      for (const batch of next) yield* added(changes, batch.retain());
      for (const batch of this.#top) yield* added(changes, negative(this.#context, batch));
      for (const kind of [rowKinds.delete, rowKinds.insert]) {
        yield* readOut(
          changes,
          (table) => table.next(this.#plan.results, input),
          (batch) => {
            return this.#changesOf(batch, kind);
          },
        );
      }
      // Of rows that were only added, those behind the first never are among them.
      if (!this.#options.isOfChanges) yield* this.#keepOnly(next);
      for (const batch of this.#top) batch.release();
      this.#top = next.splice(0);
    } finally {
      for (const batch of next) batch.release();
      changes.close();
    }
  }

  /** The first rows, with as many of each as are wanted, to `into`. */
  *#first(into: Batch[]): Work {
    const { input: schema, order, count } = this.#options;
    const sorter = new SortOperator(this.#context, { schema, order, count });
    const found: Batch[] = [];
    const outbox = { offer: (batch: Batch) => found.push(batch) > 0 };
    try {
      const read = (table: AggregateTable) => table.next(this.#plan.results, schema);
      yield* readOut(this.#rows, read, (batch) => {
        const present = withWeights(this.#context, batch, (weight) => Math.max(0, weight));
        if (present === null) return null;
        const taken = sorter.process(present, 0);
        assert(taken === present.rowCount, 'a sort takes batches whole');
        present.release();
        return null;
      });
      while (!sorter.finish(outbox)) yield null;
      let left = count;
      for (const batch of found) {
        const cut = withWeights(this.#context, batch, (weight) => {
          const wanted = Math.min(weight, left);
          left -= wanted;
          return wanted;
        });
        if (cut !== null) into.push(cut);
      }
    } finally {
      for (const batch of found) batch.release();
      sorter.close();
    }
  }

  *#keepOnly(top: readonly Batch[]): Work {
    const kept = this.#newTable();
    try {
      for (const batch of top) yield* added(kept, batch.retain());
    } catch (error) {
      kept.close();
      throw error;
    }
    this.#rows.close();
    this.#rows = kept;
  }

  /** The rows that come, or go, each as often as it does; null for none. */
  #changesOf(batch: Batch, kind: number): Batch | null {
    const { scope, kernels } = this.#context;
    const { memory } = scope;
    const chosen: number[] = [];
    const sign = kind === rowKinds.insert ? 1 : -1;
    for (let row = 0; row < batch.rowCount; row++) {
      for (let times = weightOf(batch, row) * sign; times > 0; times--) chosen.push(row);
    }
    if (chosen.length === 0) return null;
    const rowCount = chosen.length;
    const numbers = scope.allocate(rowCount * 4);
    const blocks: BlockHandle[] = [numbers];
    memory.uint32.set(chosen, addressOf(numbers) >>> 2);
    const kinds = scope.allocate(rowCount);
    blocks.push(kinds);
    memory.bytes.fill(kind, addressOf(kinds), addressOf(kinds) + rowCount);
    const columns = batch.columns.slice(0, -1).map((column): Column => {
      return takeColumn({ scope, kernels, blocks }, column, addressOf(numbers), rowCount);
    });
    columns.push({ type: rowKindType, values: addressOf(kinds), validity: 0 });
    const holds = [batch.retain()];
    return new Batch(memory, { schema: this.#options.output, rowCount, columns, blocks, holds });
  }

  #newTable(): AggregateTable {
    const { input } = this.#options;
    const keys = input.fields.slice(0, -1).map(({ name }) => name);
    return new AggregateTable(this.#context, { input, keys, plan: this.#plan });
  }
}

/** Adds a batch, which it takes over. */
function* added(table: AggregateTable, batch: Batch): Work {
  try {
    for (let row = 0; row < batch.rowCount; row = table.add(batch, row)) yield null;
  } finally {
    batch.release();
  }
}

/** Reads all groups; `work` answers what is to be given out of a batch. */
function* readOut(
  table: AggregateTable,
  read: (table: AggregateTable) => Batch | null,
  work: (batch: Batch) => Batch | null,
): Work {
  while (!table.settle()) yield null;
  table.rewind();
  while (!table.isReadOut) {
    const batch = read(table);
    if (batch === null) {
      yield null;
      continue;
    }
    let made: Batch | null;
    try {
      made = work(batch);
    } finally {
      batch.release();
    }
    yield made;
  }
  table.rewind();
}

/** Weights are whole numbers below 2^53. */
function weightOf(batch: Batch, row: number): number {
  const at = ((batch.columns.at(-1)?.values ?? 0) >>> 2) + batch.storedRowOf(row) * 2;
  const { uint32 } = batch.memory;
  return ((uint32[at + 1] ?? 0) | 0) * 2 ** 32 + (uint32[at] ?? 0);
}

/** The rows whose weight is not 0 then, with it; null for none. The caller still owns the batch. */
function withWeights(
  { scope }: OperatorContext,
  batch: Batch,
  weigh: (weight: number) => number,
): Batch | null {
  const { uint32 } = scope.memory;
  const { storedRows } = batch;
  const weights = scope.allocate(storedRows * 8);
  const rows = scope.allocate(Math.max(1, batch.rowCount) * 4);
  const [to, selection] = [addressOf(weights), addressOf(rows)];
  let rowCount = 0;
  for (let row = 0; row < batch.rowCount; row++) {
    const weight = weigh(weightOf(batch, row));
    if (weight === 0) continue;
    const stored = batch.storedRowOf(row);
    const at = (to >>> 2) + stored * 2;
    uint32[at] = weight;
    uint32[at + 1] = Math.floor(weight / 2 ** 32);
    uint32[(selection >>> 2) + rowCount++] = stored;
  }
  const blocks = [weights, rows];
  if (rowCount === 0) {
    for (const block of blocks) scope.memory.release(block);
    return null;
  }
  const weight = batch.columns.at(-1);
  assert(weight !== undefined, 'rows have a weight behind them');
  const columns = [...batch.columns.slice(0, -1), { ...weight, values: to, validity: 0 }];
  return batch.derive({ rowCount, selection, columns, blocks });
}

function negative(context: OperatorContext, batch: Batch): Batch {
  const taken = withWeights(context, batch, (weight) => -weight);
  assert(taken !== null, 'rows that were given out have a weight');
  return taken;
}
