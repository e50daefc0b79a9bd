/**
 * Texts and binary values of Arrow record batches as views: by offsets, by indexes into a dictionary, or by
 * Arrow's own views. All that the file says is checked before it is followed.
 */
import { batchTextBytesMax } from '../../engine/batch/batch-builder.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { Field } from '../../engine/schema/field-type.ts';
import type { ColumnSource, Rows, TextOffsets, ViewBuffers } from './arrow-column-source.ts';
import { corruptError, invalidTextError } from './arrow-errors.ts';

/**
 * Reads the offsets of a column's texts; `blocks` are the caller's to release.
 * @throws ARROW_CORRUPT
 */
export function readOffsets(source: ColumnSource, rows: Rows): TextOffsets {
  const { body, plan, context, blocks, field } = source;
  const { memory } = context.scope;
  const buffer = body.firstBufferOf(plan) + 1;
  const size = plan.encoding === 'text' || plan.encoding === 'list' ? 4 : 8;
  const part = { from: rows.from * size, sizeBytes: (rows.count + 1) * size };
  const address = body.read(buffer, part, blocks);
  if (size === 4) {
    const start = memory.int32[address >>> 2] ?? 0;
    return { address, start, base: start };
  }
  const word = address >>> 2;
  const start = (memory.int32[word + 1] ?? 0) * 2 ** 32 + (memory.uint32[word] ?? 0);
  const block = context.scope.allocate((rows.count + 1) * 4);
  blocks.push(block);
  const narrow = addressOf(block);
  const right = context.kernels.narrowOffsets(address, rows.count, narrow);
  if (right <= rows.count) throw offsetsError(body.path, field);
  return { address: narrow, start, base: 0 };
}

/**
 * How many of the rows have about a megabyte of text at most: a multiple of 8, or all.
 * @throws ARROW_CORRUPT
 */
export function rowsWithin(source: ColumnSource, offsets: TextOffsets, count: number): number {
  const { int32 } = source.context.scope.memory;
  const word = offsets.address >>> 2;
  const first = int32[word] ?? 0;
  const sizeOf = (rows: number) => (int32[word + rows] ?? 0) - first;
  if (sizeOf(count) <= batchTextBytesMax) return count;
  let fitting = 8;
  for (let step = 4096; step >= 8; step /= 2) {
    if (fitting + step <= count && sizeOf(fitting + step) <= batchTextBytesMax) fitting += step;
  }
  return Math.min(fitting, count);
}

/** The address of the views. */
export function readTexts(
  source: ColumnSource,
  { from, count }: Rows,
  { address, start, base }: TextOffsets,
  validity: number,
): number {
  const { body, plan, field, context, blocks } = source;
  const { kernels, scope } = context;
  const { int32 } = scope.memory;
  const sizeBytes = (int32[(address >>> 2) + count] ?? 0) - base;
  if (start < 0 || sizeBytes < 0) throw offsetsError(body.path, field);
  const buffer = body.firstBufferOf(plan) + 2;
  const text = body.read(buffer, { from: start, sizeBytes }, blocks);
  const isText = field.type.kind === 'utf8' ? 1 : 0;
  const right = kernels.checkOffsets(address, count, text - base, isText);
  if (right < count) {
    const word = (address >>> 2) + right;
    const isDescending = (int32[word + 1] ?? 0) < (int32[word] ?? 0);
    if (isDescending) throw offsetsError(body.path, field);
    throw invalidTextError(body.path, field.name, from + right);
  }
  const views = scope.allocate(count * utf8ViewSize);
  blocks.push(views);
  const at = addressOf(views);
  kernels.utf8FromArrow(address, text - base, count, at);
  if (validity !== 0) kernels.zeroNullViews(at, validity, count);
  if (isText === 1 && !isUtf8(context, text, sizeBytes)) checkTexts(source, at, { from, count });
  return at;
}

/** Whether all the bytes are; those of nulls, which are among them, need not be. */
function isUtf8({ kernels, scope }: SlotContext, address: number, sizeBytes: number): boolean {
  const result = scope.allocate(8);
  const invalid = kernels.findInvalidUtf8(address, address + sizeBytes, addressOf(result));
  scope.memory.release(result);
  return invalid === 0;
}

export function readIndexed(source: ColumnSource, { from, count }: Rows, validity: number): number {
  const { body, plan, context, blocks, dictionary, field } = source;
  const { kernels, scope } = context;
  const indexSize = plan.dictionary?.indexSize ?? 4;
  const part = { from: from * indexSize, sizeBytes: count * indexSize };
  const indexBlocks: BlockHandle[] = [];
  const views = scope.allocate(count * utf8ViewSize);
  blocks.push(views);
  try {
    const indexes = body.read(body.firstBufferOf(plan) + 1, part, indexBlocks);
    const { views: chosen = 0, count: known = 0 } = dictionary ?? {};
    const at = addressOf(views);
    const right = kernels.viewsFromIndexes(indexes, indexSize, validity, count, chosen, known, at);
    if (right < count) {
      throw corruptError(body.path, `has an index beyond the dictionary of column "${field.name}"`);
    }
    for (const block of dictionary?.blocks ?? []) {
      scope.memory.retain(block);
      blocks.push(block);
    }
    return at;
  } finally {
    for (const block of indexBlocks) scope.memory.release(block);
  }
}

export function readViews(source: ColumnSource, { from, count }: Rows, validity: number): number {
  const { body, plan, context, blocks, viewBuffersOf, field } = source;
  const viewBuffers = viewBuffersOf(plan);
  const { kernels, scope } = context;
  const part = { from: from * utf8ViewSize, sizeBytes: count * utf8ViewSize };
  // Texts of 9 to 12 bytes lie in Arrow's views, so these stay with the batch.
  const arrowViews = body.read(body.firstBufferOf(plan) + 1, part, blocks);
  const views = scope.allocate(count * utf8ViewSize);
  blocks.push(views);
  const at = addressOf(views);
  const { table, count: known } = viewBuffers;
  const right = kernels.viewsFromArrow(arrowViews, validity, count, table, known, at);
  if (right < count) {
    throw corruptError(body.path, `has a view beyond the texts of column "${field.name}"`);
  }
  for (const block of viewBuffers.blocks) {
    scope.memory.retain(block);
    blocks.push(block);
  }
  if (field.type.kind === 'utf8') checkTexts(source, at, { from, count });
  return at;
}

/** @throws TEXT_INVALID_UTF8 */
function checkTexts({ context, field, body }: ColumnSource, views: number, rows: Rows): void {
  const { kernels, scope } = context;
  const result = scope.allocate(8);
  const right = kernels.findInvalidText(views, rows.count, addressOf(result));
  scope.memory.release(result);
  if (right < rows.count) throw invalidTextError(body.path, field.name, rows.from + right);
}

/** Reads all buffers of bytes of a column of views; the caller owns the blocks. */
export function readViewBuffers(
  { body, plan, context }: Pick<ColumnSource, 'body' | 'plan' | 'context'>,
  blocks: BlockHandle[],
): ViewBuffers {
  const count = body.viewBuffersOf(plan.viewsBefore);
  const first = body.firstBufferOf(plan) + 2;
  const table = context.scope.allocate(Math.max(count, 1) * 8);
  blocks.push(table);
  const word = addressOf(table) >>> 2;
  const { uint32 } = context.scope.memory;
  for (let index = 0; index < count; index++) {
    const sizeBytes = body.sizeOf(first + index);
    uint32[word + index * 2] = body.read(first + index, { from: 0, sizeBytes }, blocks);
    uint32[word + index * 2 + 1] = sizeBytes;
  }
  return { table: addressOf(table), count, blocks };
}

function offsetsError(path: string, field: Field): Error {
  return corruptError(path, `has damaged offsets in column "${field.name}"`);
}
