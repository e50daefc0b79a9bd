/**
 * Text as a record format: a row per line, a view of the line's bytes where they were read. A line ends
 * with "\n" or "\r\n"; an empty line is a row; after the last line break there is no further row.
 *
 * Invariants:
 * - A batch has at most 8,192 rows and shows into one block (and blocks of repaired text).
 * - UTF-8 is checked over whole lines, so no sequence is judged before all of it is there.
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { BadRecords } from './bad-records.ts';
import { PathColumn } from './path-column.ts';
import type { RecordFormat, RecordSpan } from './record-format.ts';
import { invalidUtf8Error, lineTooLongError, longerThan } from './text-errors.ts';

/** What a text source does with bytes that are not UTF-8. */
export type InvalidUtf8 = 'fail' | 'replace';

export interface TextLinesOptions {
  /** What bytes that are not UTF-8 do: end the job, or become U+FFFD. */
  readonly invalidUtf8: InvalidUtf8;
  readonly lineBytesMax: number;
  /** The column with the path of each line's file; null for none. */
  readonly pathColumn: string | null;
}

const newline = 10;
const carriageReturn = 13;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Lines whose views were written, among them one that is bad. */
interface DamagedLines {
  /** Addresses of the lines' bytes. */
  readonly from: number;
  readonly end: number;
  readonly isLast: number;
  /** Address of their views. */
  readonly views: number;
  readonly count: number;
}

export class TextLines implements RecordFormat {
  readonly showsIntoBlock = true;
  readonly #context: SlotContext;
  readonly #options: TextLinesOptions;
  readonly #bad: BadRecords;
  #views: BlockHandle = 0;
  #rowCount = 0;
  /** Null when nobody reads it. */
  readonly #paths: PathColumn | null;
  /** Blocks of repaired text that rows of the next batch show into. */
  #repaired: BlockHandle[] = [];
  /** Where kernels write their second answer. */
  #result: BlockHandle = 0;

  constructor(context: SlotContext, options: TextLinesOptions, bad: BadRecords) {
    const { fields } = context.schema;
    const isPath = ({ name }: Field) => name === options.pathColumn;
    const texts = fields.filter((field) => !isPath(field));
    assert(
      texts.length <= 1 && fields.every(({ type }) => type.kind === 'utf8'),
      'one is the text',
    );
    this.#paths = fields.some(isPath) ? new PathColumn(context.scope) : null;
    this.#context = context;
    this.#options = options;
    this.#bad = bad;
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get isFull(): boolean {
    return this.#rowCount === batchRowsMax;
  }

  /** @throws TEXT_INVALID_UTF8, TEXT_LINE_TOO_LONG. */
  addRows(span: RecordSpan): number {
    const { kernels, scope } = this.#context;
    const { uint32 } = scope.memory;
    if (this.#views === 0) this.#views = scope.allocate(batchRowsMax * utf8ViewSize);
    if (this.#result === 0) this.#result = scope.allocate(8);
    let from = span.from;
    while (!this.isFull) {
      const rowsMax = batchRowsMax - this.#rowCount;
      const views = addressOf(this.#views) + this.#rowCount * utf8ViewSize;
      const result = addressOf(this.#result);
      const isLast = span.isLast ? 1 : 0;
      const count = kernels.splitLines(from, span.end, isLast, views, rowsMax, result);
      if (count === 0) break;
      const end = uint32[result >>> 2]!;
      // Only the first line can have been carried over, and so be longer than a buffer.
      const isLong = uint32[views >>> 2]! > this.#options.lineBytesMax;
      const isInvalid = kernels.findInvalidUtf8(from, end, result) !== 0;
      const lines = { from, end, isLast, views, count };
      if (isInvalid && this.#options.invalidUtf8 === 'replace') this.#repair(lines);
      const isBad = isLong || (isInvalid && this.#options.invalidUtf8 === 'fail');
      const added = isBad ? this.#withoutBadLines(span, lines) : count;
      this.#paths?.add(span.path, added);
      this.#rowCount += added;
      from = end;
    }
    return from;
  }

  takeBatch(block: BlockHandle): Batch {
    const { schema, scope } = this.#context;
    scope.memory.retain(block);
    const texts = addressOf(this.#views);
    const { pathColumn } = this.#options;
    const paths = this.#paths?.take() ?? { values: 0, blocks: [] };
    const batch = new Batch(scope.memory, {
      schema,
      rowCount: this.#rowCount,
      columns: schema.fields.map(({ name, type }) => {
        return { type, validity: 0, values: name === pathColumn ? paths.values : texts };
      }),
      blocks: [this.#views, block, ...this.#repaired, ...paths.blocks],
    });
    this.#views = 0;
    this.#repaired = [];
    this.#rowCount = 0;
    return batch;
  }

  close(): void {
    this.#paths?.close();
    this.#rowCount = 0;
    for (const block of [this.#views, this.#result, ...this.#repaired]) {
      if (block !== 0) this.#context.scope.memory.release(block);
    }
    this.#views = this.#result = 0;
    this.#repaired = [];
  }

  /** Copies lines with U+FFFD for what is not UTF-8, and lets their views show into the copy. */
  #repair({ from, end, isLast, views, count }: DamagedLines): void {
    const { scope, kernels } = this.#context;
    const repaired = encoder.encode(decoder.decode(scope.memory.bytes.subarray(from, end)));
    const block = scope.allocate(repaired.length);
    this.#repaired.push(block);
    const address = addressOf(block);
    scope.memory.bytes.set(repaired, address);
    const addressEnd = address + repaired.length;
    const result = addressOf(this.#result);
    const again = kernels.splitLines(address, addressEnd, isLast, views, count, result);
    assert(again === count, 'a repair keeps line breaks where they are');
  }

  /** Rejects the lines that are bad, and moves the views of the others together; answers their count. */
  #withoutBadLines(span: RecordSpan, { from, end, views, count }: DamagedLines): number {
    const { bytes, uint32 } = this.#context.scope.memory;
    let kept = 0;
    let start = from;
    for (let line = 0; line < count; line++) {
      const found = bytes.subarray(start, end).indexOf(newline);
      const lineEnd = found < 0 ? end : start + found;
      if (!this.#isRejected(span, start, lineEnd)) {
        const word = (views >>> 2) + line * 4;
        uint32.copyWithin((views >>> 2) + kept * 4, word, word + 4);
        kept++;
      }
      start = lineEnd + 1;
    }
    return kept;
  }

  #isRejected(span: RecordSpan, start: number, lineEnd: number): boolean {
    const { kernels, scope } = this.#context;
    const { bytes } = scope.memory;
    const { invalidUtf8, lineBytesMax } = this.#options;
    const { path } = span;
    const hasReturn = lineEnd > start && bytes[lineEnd - 1] === carriageReturn;
    const size = lineEnd - start - (hasReturn ? 1 : 0);
    const byteOffset = span.offsetOf(start);
    const record = { path, byteOffset, bytes: bytes.subarray(start, start + size) };
    if (size > lineBytesMax) {
      const error = () => lineTooLongError(path, byteOffset, lineBytesMax);
      this.#bad.add({ ...record, reason: `is ${longerThan(lineBytesMax)}` }, error);
      return true;
    }
    if (invalidUtf8 === 'replace') return false;
    const invalid = kernels.findInvalidUtf8(start, lineEnd, addressOf(this.#result)) >>> 0;
    if (invalid === 0) return false;
    const error = () => invalidUtf8Error(path, span.offsetOf(invalid));
    this.#bad.add({ ...record, reason: 'is not UTF-8' }, error);
    return true;
  }
}
