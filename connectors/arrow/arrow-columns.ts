/**
 * Columns of Arrow record batches into the slot's memory: rows of each buffer are read where they are
 * used, so memory holds one batch of ours, however large a record batch of the file is.
 *
 *     bits, fixed   the bytes as they are in the file
 *     text          offsets and bytes, checked; views made by a kernel      (arrow-texts.ts)
 *     dictionary    indexes; views of the dictionary's texts                (arrow-texts.ts)
 *     list, struct  their parts as columns, packed                          (arrow-nested.ts)
 *
 * After: connectors/arrow/arrow-reader.ts
 */
import type { Column } from '../../engine/batch/batch.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';
import { bitmapSizeOf, valueSizeOf } from '../../engine/schema/field-type.ts';
import type { ColumnSource, Rows, TextOffsets } from './arrow-column-source.ts';
import { nullError } from './arrow-errors.ts';
import { readNested } from './arrow-nested.ts';
import { readIndexed, readOffsets, readTexts, readViews } from './arrow-texts.ts';

/** @param offsets - Of texts whose offsets were read before. */
export function readColumn(source: ColumnSource, rows: Rows, offsets?: TextOffsets): Column {
  const validity = readValidity(source, rows);
  return { type: source.field.type, validity, values: readValues(source, rows, validity, offsets) };
}

function readValues(
  source: ColumnSource,
  rows: Rows,
  validity: number,
  offsets: TextOffsets | undefined,
): number {
  const { field, plan, body, blocks } = source;
  if (plan.dictionary !== null) return readIndexed(source, rows, validity);
  const buffer = body.firstBufferOf(plan) + 1;
  switch (plan.encoding) {
    case 'bits':
      return readBits(source, buffer, rows);
    case 'text':
    case 'largeText':
      return readAllTexts(source, rows, validity, offsets);
    case 'textViews':
      return readViews(source, rows, validity);
    case 'list':
    case 'largeList':
    case 'struct':
      return readNested(source, rows, validity, readColumn);
    default: {
      const size = valueSizeOf(field.type);
      const part = { from: rows.from * size, sizeBytes: rows.count * size };
      return body.read(buffer, part, blocks);
    }
  }
}

function readAllTexts(
  source: ColumnSource,
  rows: Rows,
  validity: number,
  known: TextOffsets | undefined,
): number {
  if (known !== undefined) return readTexts(source, rows, known, validity);
  const temporary: BlockHandle[] = [];
  try {
    const offsets = readOffsets({ ...source, blocks: temporary }, rows);
    return readTexts(source, rows, offsets, validity);
  } finally {
    for (const block of temporary) source.context.scope.memory.release(block);
  }
}

/** The address of the bitmap; 0 when none of the rows is null. */
function readValidity(source: ColumnSource, rows: Rows): number {
  const { body, plan, field, context } = source;
  if (body.layout.nullCounts[plan.node] === 0) return 0;
  const buffer = body.firstBufferOf(plan);
  // Without a bitmap nothing is null, whatever the count says.
  if (body.sizeOf(buffer) === 0) return 0;
  const validity = readBits(source, buffer, rows);
  const row = firstZeroBit(context.scope.memory.bytes, validity, rows.count);
  if (row === rows.count) return 0;
  if (!field.nullable) throw nullError(body.path, field.name, rows.from + row);
  return validity;
}

/** The address of a bitmap; the file's may start at any bit. */
function readBits({ body, context, blocks }: ColumnSource, buffer: number, rows: Rows): number {
  const from = rows.from >>> 3;
  const shift = rows.from & 7;
  const sizeBytes = (shift + rows.count + 7) >>> 3;
  const address = body.read(buffer, { from, sizeBytes }, blocks);
  const { bytes } = context.scope.memory;
  if (shift > 0) {
    for (let at = address; at < address + sizeBytes; at++) {
      const high = at + 1 < address + sizeBytes ? (bytes[at + 1] ?? 0) : 0;
      bytes[at] = ((bytes[at] ?? 0) | (high << 8)) >>> shift;
    }
  }
  // Kernels take whole words; a block has room for them.
  bytes.fill(0, address + ((rows.count + 7) >>> 3), address + bitmapSizeOf(rows.count));
  return address;
}

function firstZeroBit(bytes: Uint8Array, bitmap: number, count: number): number {
  let row = 0;
  while (row + 8 <= count && bytes[bitmap + (row >>> 3)] === 0xff) row += 8;
  while (row < count && (((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1) row++;
  return row;
}
