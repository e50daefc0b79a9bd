/**
 * Shift stage: lag and lead, which are columns of rows some places away in the same partition.
 *
 *     kept   b0 b1 b2 b3 b4        b2 goes out when the longest lead behind it is there; b0 goes when the
 *                  └─ next         longest lag no longer reaches it
 *
 * What has no such row gets the default of its own row, or null. Batches are kept in memory: a lag or lead over
 * more rows than fit is refused, with the memory that would do.
 */
import { assert } from '../../../base/assert.ts';
import { typedError } from '../../../base/typed-error.ts';
import { formatBytes } from '../../../base/units.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { batchRowsMax } from '../../batch/batch.ts';
import { HeldBlocks } from '../../batch/held-blocks.ts';
import { gatherOf } from '../../kernels/take-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../../schema/field-type.ts';
import type { Schema } from '../../schema/schema.ts';
import { ownTexts } from '../../stream/gather-rows.ts';
import type { OperatorContext } from '../operator.ts';
import { Rooms } from '../result-column.ts';
import { type RowStage, widened } from './row-stage.ts';
import type { SortedBatch } from './segment-marks.ts';

/** A column of the row that is `shift` places away: below 0 before, above 0 behind. */
export interface Shift {
  readonly shift: number;
  /** Index of the column, and of the one with its default; null where that is null. */
  readonly column: number;
  readonly fallback: number | null;
}

export interface ShiftStageOptions {
  readonly shifts: readonly Shift[];
  /** The columns of the input, then one for each shift. */
  readonly output: Schema;
  /** What the rows that lag and lead reach may hold; besides them there is a part of a batch at either end. */
  readonly bytesMax: number;
  /** Which part of the operator's share that is. */
  readonly part: number;
}

interface Kept {
  readonly rows: SortedBatch;
  /** u32 per row: the number of its partition. */
  readonly partitions: BlockHandle;
}

const nullBytes = batchRowsMax * 16;

export class ShiftStage implements RowStage {
  readonly #context: OperatorContext;
  readonly #before: RowStage;
  readonly #options: ShiftStageOptions;
  readonly #lagMax: number;
  readonly #leadMax: number;
  /** Zeroes: values and validity of nulls. */
  readonly #nulls: BlockHandle;
  #kept: Kept[] = [];
  /** Index among those that are kept of the one that goes out next. */
  #next = 0;
  #lastPartition = 0;
  #isAtEnd = false;

  constructor(context: OperatorContext, before: RowStage, options: ShiftStageOptions) {
    const { scope } = context;
    const shifts = options.shifts.map(({ shift }) => shift);
    this.#context = context;
    this.#before = before;
    this.#options = options;
    this.#lagMax = Math.max(0, ...shifts.map((shift) => -shift));
    this.#leadMax = Math.max(0, ...shifts);
    this.#nulls = scope.allocate(nullBytes);
    const nulls = addressOf(this.#nulls);
    scope.memory.bytes.fill(0, nulls, nulls + nullBytes);
  }

  next(): SortedBatch | 'more' | 'end' {
    if (this.#isReady()) return this.#giveOut();
    if (this.#isAtEnd) return 'end';
    const rows = this.#before.next();
    if (rows === 'more') return rows;
    if (rows === 'end') this.#isAtEnd = true;
    else this.#keep(rows);
    return 'more';
  }

  close(): void {
    for (const kept of this.#kept.splice(0)) this.#drop(kept);
    this.#context.scope.memory.release(this.#nulls);
  }

  /** Whether the next batch is there, and all rows that its leads may reach. */
  #isReady(): boolean {
    if (this.#next >= this.#kept.length) return false;
    return this.#isAtEnd || rowsOf(this.#kept.slice(this.#next + 1)) >= this.#leadMax;
  }

  #keep(rows: SortedBatch): void {
    const { scope, kernels } = this.#context;
    const { batch, partitions: marks } = rows;
    try {
      const partitions = scope.allocate(batch.rowCount * 4);
      this.#kept.push({ rows, partitions });
      const begins = marks !== 0 && scope.memory.bytes[marks] === 1;
      const first = this.#lastPartition + Number(begins);
      const out = addressOf(partitions);
      assert(marks !== 0, 'rows come here with their marks');
      this.#lastPartition = kernels.segmentRows(marks, batch.rowCount, first >>> 0, out, 0) >>> 0;
    } catch (error) {
      if (this.#kept.at(-1)?.rows !== rows) rows.release();
      throw error;
    }
    this.#checkSize();
  }

  #checkSize(): void {
    const { bytesMax, part } = this.#options;
    const held = new HeldBlocks(this.#context.scope.memory);
    for (const { rows } of this.#kept) held.add(rows.batch);
    const neededBytes = (this.#lagMax + this.#leadMax) * (held.bytes / rowsOf(this.#kept));
    if (held.bytes <= bytesMax || neededBytes <= bytesMax) return;
    const { name, spill } = this.#context;
    const leastBytes = Math.ceil(neededBytes / part);
    const total = Math.ceil(spill.share.totalFor(leastBytes) / 2 ** 20);
    const [needed, had] = [formatBytes(neededBytes), formatBytes(bytesMax)];
    const message = `"${name}" needs ${needed} of memory for the rows of lag and lead, and has ${had}`;
    throw typedError('MEMORY_TOO_SMALL', message, {
      hint: `Give the job --memory ${total}MB or more, or look fewer rows back and ahead.`,
      details: { operator: name, leastBytes, shareBytes: spill.share.bytes },
    });
  }

  #giveOut(): SortedBatch {
    const { scope } = this.#context;
    const kept = this.#kept[this.#next];
    assert(kept !== undefined, 'the next batch is there');
    const { batch } = kept.rows;
    const make = (rooms: Rooms) => this.#columns(batch, rooms);
    const out = widened(scope, kept.rows.retain(), { schema: this.#options.output, make });
    this.#next++;
    while (this.#next > 0 && this.#isPast()) {
      const [past] = this.#kept.splice(0, 1);
      if (past !== undefined) this.#drop(past);
      this.#next--;
    }
    return out;
  }

  /** Whether no lag reaches the first batch any more. */
  #isPast(): boolean {
    return rowsOf(this.#kept.slice(1, this.#next)) >= this.#lagMax;
  }

  #columns(batch: Batch, rooms: Rooms): Column[] {
    const { scope, kernels } = this.#context;
    const scratch = new Rooms(scope);
    try {
      const count = this.#kept.length;
      const words = scope.memory.uint32;
      const [partitions, rowCounts] = [scratch.room(count * 4), scratch.room(count * 4)];
      this.#kept.forEach((one, at) => {
        words[(partitions >>> 2) + at] = addressOf(one.partitions);
        words[(rowCounts >>> 2) + at] = one.rows.batch.rowCount;
      });
      const numbers = scratch.room(batch.rowCount * 4);
      const bases = scratch.room((count + 1) * 4);
      return this.#options.shifts.map(({ shift, ...from }) => {
        const missing = count * batchRowsMax;
        const at = this.#next;
        kernels.shiftRows(partitions, rowCounts, count, at, shift, missing, numbers);
        return this.#gathered(batch, from, { bases, numbers, rooms });
      });
    } finally {
      scratch.release();
    }
  }

  /** The column of the rows with these numbers; behind the batches are the defaults. */
  #gathered(
    batch: Batch,
    { column, fallback }: Omit<Shift, 'shift'>,
    { bases, numbers, rooms }: { bases: number; numbers: number; rooms: Rooms },
  ): Column {
    const { scope, kernels } = this.#context;
    const { rowCount } = batch;
    const nulls = addressOf(this.#nulls);
    const { type } = columnOf(batch, column);
    const none: Column = { type, values: nulls, validity: nulls };
    const sources = [
      ...this.#kept.map(({ rows }) => columnOf(rows.batch, column)),
      fallback === null ? none : columnOf(batch, fallback),
    ];
    const words = scope.memory.uint32;
    const set = (part: 'values' | 'validity') =>
      sources.forEach((source, at) => {
        words[(bases >>> 2) + at] = source[part];
      });
    const values = rooms.room(valuesSizeOf(type, rowCount));
    set('values');
    gatherOf(kernels, type)(bases, numbers, rowCount, values);
    const room = (sizeBytes: number) => rooms.room(sizeBytes);
    if (layoutOf(type) === 'view') ownTexts(kernels, { values, rowCount, room });
    if (sources.every(({ validity }) => validity === 0)) return { type, validity: 0, values };
    const validity = rooms.room(bitmapSizeOf(rowCount));
    set('validity');
    kernels.gatherAcross1Bit(bases, numbers, rowCount, validity);
    return { type, validity, values };
  }

  #drop({ rows, partitions }: Kept): void {
    rows.release();
    this.#context.scope.memory.release(partitions);
  }
}

function rowsOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { rows }) => sum + rows.batch.rowCount, 0);
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'the column is in the batch');
  return column;
}
