/**
 * The rows that a join gives out: columns of the probe side's batch beside columns of the build side's
 * rows, or beside nulls.
 *
 *     probe side    taken by stored row; shared where every row comes once, in order
 *     build side    gathered by row number; texts stay where they are, and the batch holds them
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import { gatherOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { bitmapSizeOf, type FieldType, valuesSizeOf } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { ColumnBases, OwnedRows } from '../stream/owned-rows.ts';
import { takeColumn } from '../stream/take-column.ts';
import type { OperatorContext } from './operator.ts';

export interface JoinOutputOptions {
  /** What is given out: columns of both sides, by their names. */
  readonly output: Schema;
  readonly probe: Schema;
  readonly build: Schema;
  /** Whether `nullNumber` stands among the numbers of the build side. */
  readonly mayBeNull: boolean;
}

export interface JoinedRows {
  readonly count: number;
  /** Null: the columns of the probe side are null. */
  readonly probe: {
    readonly batch: Batch;
    /** Address of `count` stored rows; 0: all, in order. */
    readonly rows: number;
  } | null;
  /** Address of `count` row numbers; 0: the columns of the build side are null. */
  readonly numbers: number;
}

export class JoinOutput {
  readonly #context: OperatorContext;
  readonly #output: Schema;
  /** By field of the output: its column of the probe side, or -1. */
  readonly #probeIndexes: readonly number[];
  /** By field of the output: its place among the columns of the build side that are read, or -1. */
  readonly #buildPlaces: readonly number[];
  readonly #rows: OwnedRows;
  /** Columns of the build side that are read, and whether `nullNumber` is asked for. */
  readonly #read: readonly number[];
  readonly #mayBeNull: boolean;
  #bases: readonly ColumnBases[] = [];
  #basesBlock: BlockHandle = 0;
  /** Of the rows that `#bases` know; more may come where they are not sealed. */
  #version = -1;
  /** Zeroes for columns of nulls; made when first needed. */
  #nulls: Batch | null = null;

  constructor(context: OperatorContext, rows: OwnedRows, options: JoinOutputOptions) {
    const { output, probe, build, mayBeNull } = options;
    const names = output.fields.map(({ name }) => name);
    this.#context = context;
    this.#output = output;
    this.#probeIndexes = names.map((name) => fieldIndexOf(probe, name));
    const buildIndexes = names.map((name) => fieldIndexOf(build, name));
    this.#read = buildIndexes.filter((index) => index >= 0);
    this.#buildPlaces = buildIndexes.map((index) => this.#read.indexOf(index));
    this.#rows = rows;
    this.#mayBeNull = mayBeNull;
    this.#findChunks();
  }

  make({ count, probe, numbers }: JoinedRows): Batch {
    const { scope, kernels } = this.#context;
    const blocks: BlockHandle[] = [];
    const holds: Batch[] = [];
    this.#findChunks();
    try {
      const columns = this.#output.fields.map(({ type }, index): Column => {
        const from = this.#probeIndexes[index] ?? -1;
        const place = this.#buildPlaces[index] ?? -1;
        if (from >= 0 && probe !== null) {
          const column = probe.batch.columns[from];
          assert(column !== undefined, 'a batch has the columns of its schema');
          if (probe.rows === 0) return column;
          return takeColumn({ scope, kernels, blocks }, column, probe.rows, count);
        }
        const bases = this.#bases[place];
        if (from < 0 && numbers !== 0 && bases !== undefined) {
          return this.#gather(type, bases, { count, numbers, blocks });
        }
        if (holds.length === 0) holds.push(this.#nullBatch().retain());
        return this.#nullColumn(type);
      });
      if (numbers !== 0 && this.#bases.length > 0) holds.push(this.#rows.anchor.retain());
      const parts = { schema: this.#output, rowCount: count, columns, blocks, holds };
      if (probe === null) return new Batch(scope.memory, parts);
      return probe.batch.derive({ ...parts, storedRows: count, selection: 0 });
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      for (const held of holds) held.release();
      throw error;
    }
  }

  close(): void {
    this.#nulls?.release();
    if (this.#basesBlock !== 0) this.#context.scope.memory.release(this.#basesBlock);
  }

  #findChunks(): void {
    if (this.#version === this.#rows.version) return;
    const before = this.#basesBlock;
    [this.#bases, this.#basesBlock] = this.#rows.bases(this.#read, this.#mayBeNull);
    this.#version = this.#rows.version;
    if (before !== 0) this.#context.scope.memory.release(before);
  }

  #gather(
    type: FieldType,
    bases: ColumnBases,
    { count, numbers, blocks }: { count: number; numbers: number; blocks: BlockHandle[] },
  ): Column {
    const { scope, kernels } = this.#context;
    const room = (sizeBytes: number) => {
      const block = scope.allocate(sizeBytes);
      blocks.push(block);
      return addressOf(block);
    };
    const values = room(valuesSizeOf(type, count));
    gatherOf(kernels, type)(bases.values, numbers, count, values);
    if (bases.validity === 0) return { type, values, validity: 0 };
    const validity = room(bitmapSizeOf(count));
    kernels.gatherAcross1Bit(bases.validity, numbers, count, validity);
    return { type, values, validity };
  }

  #nullBatch(): Batch {
    if (this.#nulls !== null) return this.#nulls;
    const { scope } = this.#context;
    const sizeBytes = batchRowsMax * 16;
    const block = scope.allocate(sizeBytes);
    const start = addressOf(block);
    scope.memory.bytes.fill(0, start, start + sizeBytes);
    const column = { type: { kind: 'bool' }, values: start, validity: start } as const;
    const schema = { fields: [{ name: 'nulls', type: column.type, nullable: true }] };
    this.#nulls = new Batch(scope.memory, {
      schema,
      rowCount: batchRowsMax,
      columns: [column],
      blocks: [block],
    });
    return this.#nulls;
  }

  #nullColumn(type: FieldType): Column {
    const [column] = this.#nullBatch().columns;
    assert(column !== undefined, 'the batch of nulls has its column');
    return { ...column, type };
  }
}
