/**
 * Arrow's arrays of texts and bytes, in all their forms, into the slot's memory: the bytes are copied and
 * texts checked, then views made by the kernel that threads use.
 *
 *     Utf8, Binary          offsets of 4 bytes, of 8 in their large forms
 *     FixedSizeBinary       all of one length
 *     Utf8View, BinaryView  16 bytes per value: length, then up to 12 bytes, or 4 bytes, the number
 *                           of a buffer and an offset in it
 */
import * as arrow from 'apache-arrow';
import { typedError } from '../../base/typed-error.ts';
import { addressOf } from '../memory/slot-memory.ts';
import type { Field } from '../schema/schema.ts';
import { allocate, bytesOf, corruptError, isValidAt, offsetsOf, type Part } from './arrow-part.ts';
import { isText } from './arrow-schema.ts';
import { utf8ViewSize } from './utf8-view.ts';

const arrowViewSize = 16;
const arrowInlineMax = 12;

/** Bytes that lie one after the other, and where each value starts: `rowCount + 1` numbers. */
interface Run {
  readonly bytes: Uint8Array;
  readonly offsetAt: (row: number) => number;
}

/** The address of the views of a part of a column. */
export function importViews(part: Part, validity: number): number {
  const { rowCount, scope, kernels, field } = part;
  const { memory } = scope;
  const views = allocate(part, rowCount * utf8ViewSize);
  if (rowCount === 0) return views;
  const { bytes, offsetAt } = runOf(part, validity);
  const [start, end] = [offsetAt(0), offsetAt(rowCount)];
  if (start < 0 || end > bytes.length) throw corruptError(field, 'text for its offsets');
  const text = allocate(part, end - start);
  const offsetsBlock = scope.allocate((rowCount + 1) * 4);
  try {
    const offsets = addressOf(offsetsBlock);
    let previous = start;
    for (let row = 0; row <= rowCount; row++) {
      const offset = offsetAt(row);
      if (offset < previous) throw corruptError(field, 'ascending offsets');
      memory.uint32[offsets / 4 + row] = offset - start;
      previous = offset;
    }
    memory.bytes.set(bytes.subarray(start, end), text);
    if (isText(part.data.type)) checkTexts(part, validity, { text, offsets, start });
    kernels.utf8FromArrow(offsets, text, rowCount, views);
  } finally {
    memory.release(offsetsBlock);
  }
  if (validity !== 0) kernels.zeroNullViews(views, validity, rowCount);
  return views;
}

function runOf(part: Part, validity: number): Run {
  const { data, field, fromRow } = part;
  const { type } = data;
  if (arrow.DataType.isUtf8View(type) || arrow.DataType.isBinaryView(type)) {
    return runOfViews(part, validity);
  }
  const bytes = bytesOf(data.values);
  if (arrow.DataType.isFixedSizeBinary(type)) {
    return { bytes, offsetAt: (row) => (fromRow + row) * type.byteWidth };
  }
  const offsetAt = offsetsOf(part);
  if (offsetAt === null) throw corruptError(field, 'offsets for its rows');
  return { bytes, offsetAt };
}

/** Gathers the bytes of Arrow's views. */
function runOfViews(part: Part, validity: number): Run {
  const { data, field, fromRow, rowCount, scope } = part;
  const all = bytesOf(data.values);
  const [from, to] = [fromRow * arrowViewSize, (fromRow + rowCount) * arrowViewSize];
  if (to > all.length) throw corruptError(field, 'views for its rows');
  const views = new DataView(all.buffer, all.byteOffset + from, to - from);
  const buffers = data.variadicBuffers.map(bytesOf);
  const values: Uint8Array[] = [];
  const ends = new Float64Array(rowCount + 1);
  for (let row = 0; row < rowCount; row++) {
    ends[row + 1] = ends[row] ?? 0;
    if (!isValidAt(scope.memory.bytes, validity, row)) continue;
    const value = valueOfView(views, row, buffers);
    if (value === null) throw corruptError(field, 'bytes for its views');
    values.push(value);
    ends[row + 1] = (ends[row] ?? 0) + value.length;
  }
  const bytes = new Uint8Array(ends[rowCount] ?? 0);
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
  }
  return { bytes, offsetAt: (row) => ends[row] ?? 0 };
}

/** The bytes of a view; null when it shows past its buffers. */
function valueOfView(
  views: DataView,
  row: number,
  buffers: readonly Uint8Array[],
): Uint8Array | null {
  const at = row * arrowViewSize;
  const size = views.getInt32(at, true);
  if (size < 0) return null;
  if (size <= arrowInlineMax) {
    return new Uint8Array(views.buffer, views.byteOffset + at + 4, size);
  }
  const buffer = buffers[views.getInt32(at + 8, true)];
  const start = views.getInt32(at + 12, true);
  if (buffer === undefined || start < 0 || start + size > buffer.length) return null;
  return buffer.subarray(start, start + size);
}

interface Texts {
  readonly text: number;
  /** Address of the offsets, from 0. */
  readonly offsets: number;
  /** What the first offset was. */
  readonly start: number;
}

/**
 * Checks that each value is well-formed: the whole text is, and no value starts amid a character. What
 * lies under nulls may be anything, so if there are some and the whole is not, values are checked one by
 * one.
 */
function checkTexts(part: Part, validity: number, { text, offsets, start }: Texts): void {
  const { field, rowCount, scope } = part;
  const { uint32, bytes } = scope.memory;
  const offsetAt = (row: number) => uint32[offsets / 4 + row] ?? 0;
  const end = text + offsetAt(rowCount);
  const invalid = firstInvalid(part, text, end);
  let wrong = invalid === 0 ? -1 : invalid - text;
  for (let row = 0; row < rowCount && wrong < 0; row++) {
    const at = text + offsetAt(row);
    if (at < end && ((bytes[at] ?? 0) & 0xc0) === 0x80) wrong = offsetAt(row);
  }
  if (wrong < 0) return;
  if (validity === 0) throw invalidTextError(field, start + wrong);
  for (let row = 0; row < rowCount; row++) {
    if (!isValidAt(bytes, validity, row)) continue;
    const found = firstInvalid(part, text + offsetAt(row), text + offsetAt(row + 1));
    if (found !== 0) throw invalidTextError(field, start + found - text);
  }
}

/** The address of the first byte that is not UTF-8; 0 when there is none. */
function firstInvalid({ scope, kernels }: Part, from: number, end: number): number {
  const result = scope.allocate(8);
  const invalid = kernels.findInvalidUtf8(from, end, addressOf(result)) >>> 0;
  scope.memory.release(result);
  return invalid;
}

function invalidTextError(field: Field, byteOffset: number): Error {
  return typedError(
    'TEXT_INVALID_UTF8',
    `the Arrow column "${field.name}" has bytes that are not UTF-8 at byte ${byteOffset} of its text`,
    {
      hint: 'Write the column as binary, or convert the text to UTF-8 before it comes here.',
      details: { column: field.name, byteOffset },
    },
  );
}
