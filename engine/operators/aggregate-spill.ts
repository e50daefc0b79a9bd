/**
 * What an aggregate puts on disk: its groups, as parts that are merged later, and the pairs of key and value
 * of each set of distinct values.
 *
 *     groups ─▶ partitions by key ──────────────────────────────────┐
 *     pairs  ─▶ partitions by key and value ─▶ each pair once ─▶ a row that counts 1 ─▶ merged ─▶ results
 *
 * Pairs are divided by their values too, so the distinct values of one key need not fit in memory. Counts in
 * groups that are written are of no use then: they go to disk as zeroes.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { aggregatePartsOf } from '../plan/aggregate-parts.ts';
import { layoutOf, valueSizeOf } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { SpillFiles } from '../spill/spill-files.ts';
import {
  type AggregateColumnOptions,
  type AggregatePlan,
  planAggregates,
} from './aggregate-plan.ts';
import type { AggregateTable } from './aggregate-table.ts';
import { type DistinctSet, pairSchemaOf } from './distinct-set.ts';
import { checkLargeRows } from './memory-too-small.ts';
import type { OperatorContext } from './operator.ts';
import {
  leastBytesFor,
  type PartitionSize,
  partitionSizeOf,
  tableBytesFor,
} from './partition-size.ts';
import { SpilledGroups } from './spilled-groups.ts';

export interface AggregateSpillOptions {
  readonly input: Schema;
  readonly output: Schema;
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  readonly slotsMax?: number;
}

/** The pairs of a column whose distinct values are counted. */
interface Pairs {
  readonly schema: Schema;
  /** The value's place in it. */
  readonly value: number;
  /** The parts that count them. */
  readonly parts: readonly number[];
  readonly groups: SpilledGroups;
  isDone: boolean;
}

export class AggregateSpill {
  readonly size: PartitionSize;
  readonly #context: OperatorContext;
  /** Of groups on disk. */
  readonly #schema: Schema;
  readonly #keyCount: number;
  readonly #files: SpillFiles;
  readonly #groups: SpilledGroups;
  /** By column of the input. */
  readonly #pairs = new Map<number, Pairs>();
  /** Ones, then zeroes; made when first needed. */
  #constants: BlockHandle = 0;
  #isUsed = false;
  /** What the largest group of those rows may have on disk that are larger than a block; 0: there are none. */
  #largeRowBytes = 0;
  /** Rows that count distinct values, on their way to the groups. */
  #batch: Batch | null = null;
  #row = 0;

  /**
   * @param columns - Of the input, whose distinct values are counted.
   * @throws MEMORY_EXHAUSTED
   */
  constructor(
    context: OperatorContext,
    options: AggregateSpillOptions,
    columns: readonly number[],
  ) {
    const { input, output, keys, aggregates, slotsMax } = options;
    const { schema, aggregates: merges } = aggregatePartsOf(options, input);
    this.#context = context;
    this.#keyCount = keys.length;
    // A row that counts a value has no other parts.
    this.#schema = columns.length === 0 ? schema : withNullableParts(schema, keys.length);
    const plan = planAggregates(this.#schema, 'final', merges);
    this.size = sizeOf(this.#schema, { plan, output, columns, context });
    const limit = { size: this.size, ...(slotsMax !== undefined && { slotsMax }) };
    this.#files = new SpillFiles(context, this.size);
    const groups = { ...limit, files: this.#files, keys, output, schema: this.#schema, plan };
    this.#groups = new SpilledGroups(context, groups);
    for (const column of columns) {
      const pairSchema = pairSchemaOf({ input, keys, column });
      const names = pairSchema.fields.map(({ name }) => name);
      const value = input.fields[column]?.name ?? '';
      const parts = aggregates.flatMap(({ function: kind, columns: [of] }, index) => {
        if (kind !== 'countDistinct' || of !== value) return [];
        return [fieldIndexOf(this.#schema, merges[index]?.columns[0] ?? '')];
      });
      this.#pairs.set(column, {
        schema: pairSchema,
        value: names.indexOf(value),
        parts,
        isDone: false,
        groups: new SpilledGroups(context, {
          ...{ ...limit, files: this.#files, keys: names, output: pairSchema, schema: pairSchema },
          plan: planAggregates(pairSchema, 'whole', []),
        }),
      });
    }
  }

  /** Whether anything was written: then all has to be, and the results come from here. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Rows of the input have so many bytes at most, more than a block; what a table may have then. */
  expectRows(rowBytes: number): { readonly bytesMax: number } {
    const texts = this.#schema.fields.filter(({ type }) => layoutOf(type) === 'view').length;
    this.#largeRowBytes = rowBytes * Math.max(1, texts);
    return { bytesMax: tableBytesFor(this.size, this.#largeRowBytes) };
  }

  /** Writes the groups of a table, made by `plan`; false when the slice ended before. */
  writeGroups(table: AggregateTable, plan: AggregatePlan): boolean {
    this.#use();
    return this.#groups.writeOut(table, () => table.next(plan.parts, this.#schema));
  }

  /** Writes the pairs of a set; false when the slice ended before. */
  writePairs(column: number, set: DistinctSet): boolean {
    this.#use();
    const pairs = this.#pairs.get(column);
    assert(pairs !== undefined, 'a set of distinct values has pairs');
    return pairs.groups.writeOut(set, () => set.next(pairs.schema));
  }

  /** The next results, when all has been written; null when this slice has none. */
  next(): Batch | null | 'end' {
    for (const pairs of this.#pairs.values()) {
      if (pairs.isDone) continue;
      this.#countPairs(pairs);
      return null;
    }
    return this.#groups.next();
  }

  /** Releases all memory and removes all files. */
  close(): void {
    this.#batch?.release();
    this.#batch = null;
    if (this.#constants !== 0) this.#context.scope.memory.release(this.#constants);
    this.#constants = 0;
    const groups = [...this.#pairs.values()].map((pairs) => pairs.groups);
    closeAll([...groups, this.#groups, this.#files]);
  }

  #use(): void {
    this.#isUsed = true;
    const rowBytes = this.#largeRowBytes;
    const leastBytes = leastBytesFor(this.size, rowBytes);
    checkLargeRows(this.#context, { verb: 'group', leastBytes, rowBytes });
  }

  /** Works on one batch of pairs. */
  #countPairs(pairs: Pairs): void {
    if (this.#batch !== null) {
      this.#row = this.#groups.add(this.#batch, this.#row);
      if (this.#row < this.#batch.rowCount) return;
      this.#batch.release();
      this.#batch = null;
      return;
    }
    const batch = pairs.groups.next();
    if (batch === 'end') {
      pairs.groups.close();
      pairs.isDone = true;
    } else if (batch !== null) {
      this.#batch = this.#countingRows(batch, pairs);
      this.#row = 0;
    }
  }

  /** Group rows that count 1 for each pair with a value; takes the pairs over. */
  #countingRows(batch: Batch, { schema, value, parts }: Pairs): Batch {
    const { memory } = this.#context.scope;
    const [ones, zeroes] = this.#constantsAt();
    const columnOf = (index: number): Column => {
      const column = batch.columns[index];
      assert(column !== undefined, 'pairs have the columns of their schema');
      return column;
    };
    const columns = this.#schema.fields.map(({ name, type }, index): Column => {
      if (index < this.#keyCount) return columnOf(fieldIndexOf(schema, name));
      if (!parts.includes(index)) return { type, values: zeroes, validity: zeroes };
      return { type, values: ones, validity: columnOf(value).validity };
    });
    const { rowCount } = batch;
    const parts_ = { schema: this.#schema, rowCount, columns, blocks: [], holds: [batch] };
    return new Batch(memory, parts_);
  }

  #constantsAt(): readonly [ones: number, zeroes: number] {
    const { memory } = this.#context.scope;
    const onesBytes = batchRowsMax * 8;
    const isNew = this.#constants === 0;
    if (isNew) this.#constants = this.#context.scope.allocate(onesBytes * 3);
    const ones = addressOf(this.#constants);
    if (isNew) {
      memory.bytes.fill(0, ones, ones + onesBytes * 3);
      for (let row = 0; row < batchRowsMax; row++) memory.uint32[(ones >>> 2) + row * 2] = 1;
    }
    return [ones, ones + onesBytes];
  }
}

function withNullableParts({ fields }: Schema, keyCount: number): Schema {
  return {
    fields: fields.map((field, index) => ({
      ...field,
      nullable: field.nullable || index >= keyCount,
    })),
  };
}

/** Scratch of keys, and of columns that are widened for their accumulators. */
const keyScratchBytes = batchRowsMax * 28;

function sizeOf(
  schema: Schema,
  from: {
    readonly plan: AggregatePlan;
    readonly output: Schema;
    readonly columns: readonly number[];
    readonly context: OperatorContext;
  },
): PartitionSize {
  const { plan, output, columns, context } = from;
  const scratchBytes = plan.inputs.reduce((sum, input) => {
    if (input.kind === 'moments') return sum + batchRowsMax * 24;
    if (input.kind !== 'column') return sum;
    const type = schema.fields[input.index]?.type;
    const isWide = type === undefined || layoutOf(type) === 'view' || valueSizeOf(type) >= 8;
    return isWide ? sum : sum + batchRowsMax * 8;
  }, keyScratchBytes);
  const tables = columns.length === 0 ? 1 : columns.length + 1;
  const writers = columns.length + 1;
  const options = { batches: [schema, output], writers, tables, scratchBytes };
  return partitionSizeOf(options, context.spill.share.bytes);
}
