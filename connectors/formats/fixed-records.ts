/**
 * Fixed records as a record format: as many bytes as the format says are a record. Fields of binary are views
 * of the very bytes that came from the disk; others are copied into columns.
 *
 *     file    │ record │ record │ record │ rec       a rest is an error, unless the last may be short
 *     range   ────────────┤                          its records are those that begin in it
 */
import { assert } from '../../base/assert.ts';
import { compressionOf } from '../../base/compression.ts';
import { typedError } from '../../base/typed-error.ts';
import { Batch, batchRowsMax, type Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize, writeView } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { SplitReader } from '../../engine/contracts/source.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { valuesSizeOf } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { FileRange } from '../filesystem/file-range.ts';
import type { FixedSourceOptions } from './fixed-fields.ts';
import type { RecordFormat, RecordSpan } from './record-format.ts';
import { RecordReader } from './record-reader.ts';

export interface FixedReaderSizes {
  /** @defaultValue 1 MiB; at least a record; tests set it low. */
  readonly bufferBytes?: number;
}

export function createFixedReader(
  options: FixedSourceOptions,
  context: SlotContext,
  sizes: FixedReaderSizes = {},
): SplitReader {
  const { recordBytes, isLastShort } = options;
  const borders = {
    kind: 'own',
    isBinary: true,
    firstRecord: ({ path, start, fileSize }: FileRange) => {
      const isWhole = fileSize % recordBytes === 0 || isLastShort || compressionOf(path) !== null;
      if (!isWhole) throw restError(path, fileSize - (fileSize % recordBytes), recordBytes);
      return Math.ceil(start / recordBytes) * recordBytes;
    },
    checkEnd: () => undefined,
  } as const;
  return new RecordReader(context, { borders, ...sizes }, () => new FixedRecords(context, options));
}

/** A column that is being filled, and what with. */
interface FilledColumn {
  readonly field: Field;
  readonly from: 'view' | 'value' | 'path' | 'byte';
  readonly offset: number;
  readonly bytes: number;
  values: BlockHandle;
}

class FixedRecords implements RecordFormat {
  readonly showsIntoBlock: boolean;
  readonly #context: SlotContext;
  readonly #options: FixedSourceOptions;
  readonly #columns: readonly FilledColumn[];
  #rowCount = 0;
  /** The paths that rows show into, the last one of the file that was read last. */
  #paths: { readonly path: string; readonly block: BlockHandle }[] = [];

  constructor(context: SlotContext, options: FixedSourceOptions) {
    this.#context = context;
    this.#options = options;
    this.#columns = context.schema.fields.map((field) => filledColumn(field, options));
    this.showsIntoBlock = this.#columns.some(({ from }) => from === 'view');
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get isFull(): boolean {
    return this.#rowCount === batchRowsMax;
  }

  /** @throws SOURCE_DAMAGED when the file ends in the middle of a record. */
  addRows(span: RecordSpan): number {
    const { recordBytes, isLastShort } = this.#options;
    const { from, end, isLast, limit } = span;
    const inRange = Math.max(0, Math.ceil((limit - from) / recordBytes));
    const whole = Math.floor((end - from) / recordBytes);
    const count = Math.min(whole, inRange, batchRowsMax - this.#rowCount);
    if (count > 0) this.#fill(span, count);
    const used = from + count * recordBytes;
    const hasRest = isLast && count === whole && count < inRange && used < end && !this.isFull;
    if (!hasRest) return used;
    const size = end - used;
    const last = this.#options.fields.at(-1);
    if (!isLastShort || last === undefined || size < last.offset) {
      throw restError(span.path, span.offsetOf(used), recordBytes);
    }
    this.#fill({ ...span, from: used }, 1, recordBytes - size);
    return end;
  }

  takeBatch(block: BlockHandle): Batch {
    const { schema, scope } = this.#context;
    const blocks = this.#columns.map(({ values }) => values);
    for (const { block: path } of this.#paths) blocks.push(path);
    if (this.showsIntoBlock) {
      scope.memory.retain(block);
      blocks.push(block);
    }
    const columns = this.#columns.map(
      ({ field, values }): Column => ({ type: field.type, validity: 0, values: addressOf(values) }),
    );
    const batch = new Batch(scope.memory, { schema, rowCount: this.#rowCount, columns, blocks });
    this.#forget();
    return batch;
  }

  close(): void {
    const { memory } = this.#context.scope;
    for (const { values } of this.#columns) if (values !== 0) memory.release(values);
    for (const { block } of this.#paths) memory.release(block);
    this.#forget();
  }

  #forget(): void {
    for (const column of this.#columns) column.values = 0;
    this.#paths = [];
    this.#rowCount = 0;
  }

  /** Makes rows of whole records; of a last one the last field lacks `missing` bytes. */
  #fill(span: RecordSpan, count: number, missing = 0): void {
    const { scope } = this.#context;
    const last = this.#options.fields.at(-1)?.name;
    for (const column of this.#columns) {
      const size = valuesSizeOf(column.field.type, batchRowsMax);
      if (column.values === 0) column.values = scope.allocate(size);
      const lacks = column.field.name === last ? missing : 0;
      this.#fillColumn(column, span, count, lacks);
    }
    this.#rowCount += count;
  }

  #fillColumn(column: FilledColumn, span: RecordSpan, count: number, missing: number): void {
    const { kernels } = this.#context;
    const { recordBytes } = this.#options;
    const { from, offset, bytes } = column;
    const field = span.from + offset;
    const values = addressOf(column.values);
    const at = values + this.#rowCount * (from === 'value' ? bytes : utf8ViewSize);
    if (from === 'view') kernels.viewsOfRecords(field, recordBytes, bytes - missing, count, at);
    else if (from === 'value') kernels.valuesOfRecords(field, recordBytes, bytes, count, at);
    else if (from === 'path') this.#fillPaths(span.path, at, count);
    else this.#fillBytes(span.offsetOf(span.from), values + this.#rowCount * 8, count);
  }

  #fillPaths(path: string, views: number, count: number): void {
    const { memory } = this.#context.scope;
    const text = new TextEncoder().encode(path);
    const block = this.#pathBlock(path, text);
    writeView(memory, views, addressOf(block), text.length);
    const first = memory.uint32.slice(views >>> 2, (views >>> 2) + 4);
    for (let row = 1; row < count; row++) memory.uint32.set(first, (views >>> 2) + row * 4);
  }

  #pathBlock(path: string, text: Uint8Array): BlockHandle {
    const { scope } = this.#context;
    const last = this.#paths.at(-1);
    if (last?.path === path) return last.block;
    const block = scope.allocate(text.length);
    scope.memory.bytes.set(text, addressOf(block));
    this.#paths.push({ path, block });
    return block;
  }

  /** Byte offsets of records as int64: whole numbers below 2^53, in two halves. */
  #fillBytes(first: number, values: number, count: number): void {
    const { uint32 } = this.#context.scope.memory;
    for (let row = 0; row < count; row++) {
      const offset = first + row * this.#options.recordBytes;
      uint32[(values >>> 2) + row * 2] = offset % 2 ** 32;
      uint32[(values >>> 2) + row * 2 + 1] = Math.floor(offset / 2 ** 32);
    }
  }
}

function filledColumn(field: Field, options: FixedSourceOptions): FilledColumn {
  const none = { field, offset: 0, bytes: 0, values: 0 };
  if (field.name === options.path) return { ...none, from: 'path' };
  if (field.name === options.byte) return { ...none, from: 'byte' };
  const place = options.fields.find(({ name }) => name === field.name);
  assert(place !== undefined, 'a split has the places of all columns of its source');
  const from = field.type.kind === 'binary' ? 'view' : 'value';
  return { ...none, from, offset: place.offset, bytes: place.bytes };
}

function restError(path: string, byteOffset: number, recordBytes: number) {
  const message = `file "${path}" ends in the middle of the record at byte ${byteOffset}`;
  return typedError('SOURCE_DAMAGED', message, {
    hint: `Records have ${recordBytes} bytes, and the file's size is no multiple of that. Is it cut off, or of another format?`,
    details: { path, byteOffset },
  });
}
