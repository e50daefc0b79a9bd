/**
 * A segment: rows of one side of a join of streams whose times are in one slice, with a table over their keys.
 *
 *     rows    owned copies, in chunks (engine/stream/owned-rows.ts)
 *     times   i64 by row          marks   a bit by row: it has had a partner
 *     table   keys to rows        texts   of keys that are views
 *
 * Nothing is taken out of a segment: when event time has passed all that its rows could be paired with, it
 * is closed as a whole. Rows without a partner are given out before that, where the join asks for them, each when its own
 * time has been passed (`takeUnmatched`).
 *
 * Before: engine/operators/stream-join/stream-side.ts · After: engine/kernels/growing-join-table.ts
 */
import { closeAll } from '../../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { GrowingJoinTable, growingRowsMax } from '../../kernels/growing-join-table.ts';
import type { KeyForm } from '../../kernels/key-layout.ts';
import { GrowingBlock } from '../../memory/growing-block.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import type { Schema } from '../../schema/schema.ts';
import { OwnedRows } from '../../stream/owned-rows.ts';
import { JoinOutput } from '../join-output.ts';
import type { OperatorContext } from '../operator.ts';

export interface JoinSegmentOptions {
  readonly schema: Schema;
  /** Of the other side. */
  readonly other: Schema;
  readonly output: Schema;
  /** The columns that the join's condition reads, of pairs; null where there is none. */
  readonly conditionColumns: Schema | null;
  readonly keyForm: KeyForm;
  /** Of tables. */
  readonly scratch: number;
  /** Whether it matters which rows have had a partner. */
  readonly hasMarks: boolean;
  /** Times from `start` up to `end`. */
  readonly start: number;
  readonly end: number;
}

/** Rows to be put in, and what is known of them. */
export interface SegmentRows {
  /** Of which the selection is put in. */
  readonly batch: Batch;
  /** `rowCount` keys, not shared, none of them null. */
  readonly keys: number;
  /** `rowCount` times. */
  readonly times: number;
  /** Bits of those that have had a partner, by stored row. */
  readonly bits: number;
}

/** Rows that stay as they are, and addresses of what changes: a bit, and a time, by row. */
export interface FrozenSegmentRows {
  readonly batch: Batch;
  readonly marks: number;
  readonly times: number;
}

const textBlockBytes = 1 << 13;
/** Texts are read and written up to 8 bytes past their end. */
const slackBytes = 8;
const highUnit = 2 ** 32;

export class JoinSegment {
  readonly start: number;
  readonly end: number;
  /** Pairs, and rows that come alone; the other side goes past it. */
  readonly output: JoinOutput;
  /** Pairs as the condition sees them. */
  readonly pairs: JoinOutput | null;
  readonly table: GrowingJoinTable;
  readonly #context: OperatorContext;
  readonly #options: JoinSegmentOptions;
  readonly #rows: OwnedRows;
  readonly #times: GrowingBlock;
  readonly #marks: GrowingBlock;
  readonly #texts: BlockHandle[] = [];
  readonly #parts: { close(): void }[] = [];
  /** Rows with all of their columns; made when first needed. */
  #whole: JoinOutput | null = null;
  #text = 0;
  #textEnd = 0;
  #textBytes = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: JoinSegmentOptions) {
    const { scope, kernels } = context;
    const { schema, other, output, conditionColumns, keyForm, scratch } = options;
    this.#context = context;
    this.#options = options;
    this.start = options.start;
    this.end = options.end;
    this.#times = this.#part(new GrowingBlock(scope));
    this.#marks = this.#part(new GrowingBlock(scope));
    try {
      this.#rows = this.#part(new OwnedRows({ scope, kernels, schema, isSmallAtFirst: true }));
      this.table = this.#part(new GrowingJoinTable({ scope, kernels, keyForm, scratch }));
      const sides = { probe: other, build: schema, mayBeNull: false };
      this.output = this.#part(new JoinOutput(context, this.#rows, { ...sides, output }));
      this.pairs =
        conditionColumns === null
          ? null
          : this.#part(new JoinOutput(context, this.#rows, { ...sides, output: conditionColumns }));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get rowCount(): number {
    return this.table.rowCount;
  }

  /** The least of its times that count, and the largest. */
  get least(): number {
    return this.#least;
  }

  get most(): number {
    return this.#most;
  }

  /** Address of times by row; it holds until rows are put in. */
  get times(): number {
    return this.#times.address;
  }

  /** Address of bits by row; it holds until rows are put in. */
  get marks(): number {
    return this.#marks.address;
  }

  get sizeBytes(): number {
    const { sizeBytes } = this.#rows;
    return sizeBytes + this.#textBytes + this.table.sizeBytesWith(0) + this.#listBytesWith(0);
  }

  /** What it would take with the rows of one more batch, about. */
  sizeBytesWith(batch: Batch, textBytes: number): number {
    const { rowCount } = batch;
    const rows = this.#rows.sizeBytesWith(batch) + this.#textBytes + textBytes;
    return rows + this.table.sizeBytesWith(rowCount) + this.#listBytesWith(rowCount);
  }

  /** Whether so many more rows can be put in. */
  hasRoomFor(rowCount: number): boolean {
    return this.rowCount + rowCount <= growingRowsMax;
  }

  /** Copies rows; `least` and `most` are those of their times. @throws MEMORY_EXHAUSTED */
  append({ batch, keys, times, bits }: SegmentRows, least: number, most: number): void {
    const { kernels, scope } = this.#context;
    const { rowCount } = batch;
    const first = this.rowCount;
    this.#ownTexts(keys, rowCount);
    const to = this.#times.ensure((first + rowCount) * 8, first * 8) + first * 8;
    scope.memory.bytes.copyWithin(to, times, times + rowCount * 8);
    if (this.#options.hasMarks) {
      const marks = this.#marks.ensure(markBytesOf(first + rowCount), markBytesOf(first));
      kernels.appendBits(bits, batch.selection, rowCount, marks, first);
    }
    this.#rows.append(batch);
    this.table.insert(keys, rowCount);
    this.#least = Math.min(this.#least, least);
    this.#most = Math.max(this.#most, most);
  }

  /** The rows so far, which are the caller's, and where their marks and times are now. */
  frozen(): FrozenSegmentRows[] {
    return this.#rows.frozen().map((batch, chunk) => ({
      ...{ batch, times: this.times + chunk * batchRowsMax * 8 },
      marks: this.marks + (chunk * batchRowsMax) / 8,
    }));
  }

  /** Whole rows by their numbers (u32 at an address), as a batch without a selection. */
  rowsAt(numbers: number, count: number): Batch {
    const { schema } = this.#options;
    const sides = { probe: { fields: [] }, build: schema, mayBeNull: false };
    this.#whole ??= this.#part(
      new JoinOutput(this.#context, this.#rows, { ...sides, output: schema }),
    );
    return this.#whole.make({ count, probe: null, numbers });
  }

  /**
   * The next rows from `fromRow` on with times before `bound` that have had no partner, up to 8,192 looked at; their
   * numbers at `out`. They are marked, as if they had had one.
   */
  takeUnmatched(
    fromRow: number,
    bound: number,
    out: number,
  ): { readonly count: number; readonly nextRow: number } {
    const { kernels, scope } = this.#context;
    const nextRow = Math.min(fromRow + batchRowsMax, this.rowCount);
    let count = kernels.rowsByMark(this.marks, 0, fromRow, nextRow, 0, out);
    if (bound < this.end) {
      const { uint32 } = scope.memory;
      let kept = 0;
      for (let at = out >>> 2; at < (out >>> 2) + count; at++) {
        const row = uint32[at] ?? 0;
        if (this.#timeOf(row) < bound) uint32[(out >>> 2) + kept++] = row;
      }
      count = kept;
    }
    if (count > 0) kernels.markRows(this.marks, out, count);
    return { count, nextRow };
  }

  /** Rows with times before `bound` count no more; answers whether there are others. */
  passTo(bound: number): boolean {
    if (bound >= this.end) return false;
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.rowCount; row++) {
      const time = this.#timeOf(row);
      if (time >= bound && time < least) least = time;
    }
    this.#least = least;
    return least !== Number.POSITIVE_INFINITY;
  }

  close(): void {
    closeAll(this.#parts.splice(0).reverse());
    for (const block of this.#texts.splice(0)) this.#context.scope.memory.release(block);
  }

  #timeOf(row: number): number {
    const { int32, uint32 } = this.#context.scope.memory;
    const at = (this.times >>> 2) + row * 2;
    return (int32[at + 1] ?? 0) * highUnit + (uint32[at] ?? 0);
  }

  #listBytesWith(count: number): number {
    const rowCount = this.rowCount + count;
    const marks = this.#options.hasMarks ? markBytesOf(rowCount) : 0;
    return this.#times.sizeBytesFor(rowCount * 8) + this.#marks.sizeBytesFor(marks);
  }

  #ownTexts(keys: number, count: number): void {
    if (this.#options.keyForm !== 'view') return;
    const { kernels, scope } = this.#context;
    const sizeBytes = kernels.longTextSizeOf(keys, count);
    if (sizeBytes === 0) return;
    if (this.#text + sizeBytes > this.#textEnd) {
      const blockBytes = Math.max(textBlockBytes, sizeBytes);
      const block = scope.allocate(blockBytes + slackBytes);
      this.#texts.push(block);
      this.#textBytes += blockBytes + slackBytes;
      this.#text = addressOf(block);
      this.#textEnd = this.#text + blockBytes;
    }
    kernels.copyLongTexts(keys, count, this.#text);
    this.#text += Math.ceil(sizeBytes / 8) * 8;
  }

  #part<T extends { close(): void }>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}

/** Bits are written in whole words. */
function markBytesOf(rowCount: number): number {
  return rowCount === 0 ? 0 : bitmapSizeOf(rowCount) + 8;
}
