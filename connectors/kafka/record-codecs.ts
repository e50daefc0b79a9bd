/**
 * The codecs of record batches: compressed records become bytes in a block of the slot's memory.
 *
 *     1 gzip     Node's zlib
 *     2 snappy   blocks behind the header of snappy-java (82 "SNAPPY" 00), each with its size, or one bare block
 *     3 lz4      frames, whose blocks don't say how large they were: their sequences are added up first
 *     4 zstd     Node's zlib
 */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { unpackSlackBytes } from '../../engine/kernels/compression-kernels.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../../engine/memory/slot-memory.ts';

/** A producer's batch is a few MB at most; more than this is damage, or an attack. */
const unpackedBytesMax = 256 << 20;
const snappyJavaMagic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0];
/** Behind the magic: two versions. */
const snappyJavaHeaderBytes = 16;

export interface Unpacked {
  readonly block: BlockHandle;
  readonly sizeBytes: number;
}

export interface UnpackTools {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
}

/** Null where the bytes are damaged, `unknown` where nobody knows the codec. */
export function unpackRecords(
  codec: number,
  from: number,
  end: number,
  tools: UnpackTools,
): Unpacked | null | 'unknown' {
  switch (codec) {
    case 1:
      return byNode(gunzipSync, from, end, tools);
    case 2:
      return unpackSnappy(from, end, tools);
    case 3:
      return unpackLz4(from, end, tools);
    case 4:
      return byNode(zstdDecompressSync, from, end, tools);
    default:
      return 'unknown';
  }
}

function byNode(
  unpack: typeof gunzipSync | typeof zstdDecompressSync,
  from: number,
  end: number,
  { scope }: UnpackTools,
): Unpacked | null {
  try {
    const packed = scope.memory.bytes.subarray(from, end);
    const output = unpack(packed, { maxOutputLength: unpackedBytesMax });
    const block = scope.allocate(output.length);
    scope.memory.bytes.set(output, addressOf(block));
    return { block, sizeBytes: output.length };
  } catch (error) {
    // Zlib's own errors have a code; that of a memory that is full has another name for it.
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

function unpackSnappy(from: number, end: number, tools: UnpackTools): Unpacked | null {
  const { bytes, view } = tools.scope.memory;
  const isFramed = snappyJavaMagic.every((byte, at) => bytes[from + at] === byte);
  const blocks: { from: number; size: number; to: number; toBytes: number }[] = [];
  let total = 0;
  for (let at = isFramed ? from + snappyJavaHeaderBytes : from; at < end; ) {
    if (isFramed && at + 4 > end) return null;
    const size = isFramed ? view.getInt32(at) : end - at;
    if (isFramed) at += 4;
    if (size <= 0 || at + size > end) return null;
    const toBytes = snappySizeOf(bytes, at);
    blocks.push({ from: at, size, to: total, toBytes });
    total += toBytes;
    at += size;
  }
  return unpackInto(total, tools, (to) =>
    blocks.every((one) => {
      const room = to + one.to;
      return tools.kernels.snappyUncompress(one.from, one.size, room, one.toBytes) === one.toBytes;
    }),
  );
}

/** The count of bytes that a block of Snappy begins with. */
function snappySizeOf(bytes: Uint8Array, at: number): number {
  let size = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[at + index]!;
    size += (byte & 0x7f) * 2 ** (index * 7);
    if (byte < 0x80) break;
  }
  return size;
}

function unpackLz4(from: number, end: number, tools: UnpackTools): Unpacked | null {
  const total = lz4FramesSizeOf(tools.scope.memory, from, end);
  if (total === null) return null;
  const { kernels } = tools;
  return unpackInto(total, tools, (to) => {
    return kernels.lz4FrameUncompress(from, end - from, to, total) === total;
  });
}

/** Bytes that frames of LZ4 hold; null where they are damaged. */
function lz4FramesSizeOf(memory: SlotMemory, from: number, end: number): number | null {
  const cursor = { at: from };
  let total = 0;
  while (cursor.at < end) {
    const size = passFrame(memory, cursor, end);
    if (size === null) return null;
    total += size;
  }
  return total;
}

/** Moves the cursor behind a frame of LZ4; answers with the bytes that it holds. */
function passFrame(
  { bytes, view }: SlotMemory,
  cursor: { at: number },
  end: number,
): number | null {
  const flags = bytes[cursor.at + 4]!;
  const checkBytes = (flags & 16) !== 0 ? 4 : 0;
  cursor.at += (flags & 8) !== 0 ? 15 : 7;
  let total = 0;
  for (;;) {
    if (cursor.at + 4 > end) return null;
    const head = view.getUint32(cursor.at, true);
    cursor.at += 4;
    if (head === 0) break;
    const size = head % 2 ** 31;
    if (cursor.at + size > end) return null;
    total += head >= 2 ** 31 ? size : lz4BlockSizeOf(bytes, cursor.at, cursor.at + size);
    cursor.at += size + checkBytes;
  }
  if ((flags & 4) !== 0) cursor.at += 4;
  return total;
}

/** Bytes that a block of LZ4 holds: its sequences of literals and copies, added up. */
function lz4BlockSizeOf(bytes: Uint8Array, from: number, end: number): number {
  const cursor = { at: from };
  let total = 0;
  while (cursor.at < end) {
    const token = bytes[cursor.at++]!;
    const literals = lz4Length(token >> 4, bytes, cursor);
    cursor.at += literals;
    total += literals;
    if (cursor.at >= end) break;
    cursor.at += 2; // How far back the copy lies.
    total += lz4Length(token & 15, bytes, cursor) + 4;
  }
  return total;
}

/** A length that goes on, where four bits are too few, in bytes up to one below 255. */
function lz4Length(bits: number, bytes: Uint8Array, cursor: { at: number }): number {
  let length = bits;
  for (let more = bits === 15 ? 255 : 0; more === 255; length += more) more = bytes[cursor.at++]!;
  return length;
}

function unpackInto(
  sizeBytes: number,
  { scope }: UnpackTools,
  unpack: (to: number) => boolean,
): Unpacked | null {
  if (sizeBytes > unpackedBytesMax) return null;
  const block = scope.allocate(sizeBytes + unpackSlackBytes);
  if (unpack(addressOf(block))) return { block, sizeBytes };
  scope.memory.release(block);
  return null;
}
