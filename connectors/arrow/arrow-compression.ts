/**
 * Compressed buffers of record batches. Each is compressed alone:
 *
 *     buffer   i64 bytes unpacked, or -1: stored as it is │ bytes      an empty buffer has neither
 *
 * Zstandard is Node's, LZ4 frames are a kernel's.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import {
  compressedBytesMax,
  compressTableBytes,
  unpackSlackBytes,
} from '../../engine/kernels/compression-kernels.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { unpackByNode } from '../formats/node-unpack.ts';

export type ArrowCodec = 'lz4' | 'zstd';

/** In front of a compressed buffer. */
export const sizePrefixBytes = 8;
const storedMark = -1;

/** Bytes in the slot's memory. */
export interface BodyPiece {
  readonly address: number;
  readonly sizeBytes: number;
}

/** What a buffer's prefix says: bytes unpacked; null: those behind it are stored as they are. */
export function unpackedBytesOf(prefix: DataView): number | null {
  const size = prefix.getInt32(4, true) * 2 ** 32 + prefix.getUint32(0, true);
  return size === storedMark ? null : size;
}

/** Unpacks into a new block; null, and none, where the bytes are damaged or another count. */
export function unpack(
  { scope, kernels }: SlotContext,
  codec: ArrowCodec,
  packed: BodyPiece,
  toBytes: number,
): BlockHandle | null {
  const block = scope.allocate(toBytes + unpackSlackBytes);
  const to = addressOf(block);
  const { address: from, sizeBytes } = packed;
  const isRight =
    codec === 'lz4'
      ? kernels.lz4FrameUncompress(from, sizeBytes, to, toBytes) === toBytes
      : unpackByNode(zstdDecompressSync, { from, sizeBytes, to, toBytes }, scope.memory.bytes);
  if (isRight) return block;
  scope.memory.release(block);
  return null;
}

/**
 * The buffer as it is written, in a new block, which is added to `blocks`; what does not get smaller is
 * stored as it is.
 */
export function pack(
  { scope, kernels }: SlotContext,
  codec: ArrowCodec,
  { address, sizeBytes }: BodyPiece,
  blocks: BlockHandle[],
): BodyPiece {
  if (sizeBytes === 0) return { address, sizeBytes };
  const { bytes } = scope.memory;
  const block = scope.allocate(sizePrefixBytes + compressedBytesMax(sizeBytes));
  blocks.push(block);
  const start = addressOf(block);
  const to = start + sizePrefixBytes;
  let packedBytes = 0;
  if (codec === 'lz4') {
    const table = scope.allocate(compressTableBytes);
    packedBytes = kernels.lz4FrameCompress(address, sizeBytes, to, addressOf(table));
    scope.memory.release(table);
  } else {
    const packed = zstdCompressSync(bytes.subarray(address, address + sizeBytes));
    packedBytes = packed.length;
    if (packedBytes < sizeBytes) bytes.set(packed, to);
  }
  const isSmaller = packedBytes < sizeBytes;
  if (!isSmaller) bytes.copyWithin(to, address, address + sizeBytes);
  const word = start >>> 2;
  scope.memory.int32[word] = isSmaller ? sizeBytes : storedMark;
  scope.memory.int32[word + 1] = isSmaller ? 0 : storedMark;
  return { address: start, sizeBytes: sizePrefixBytes + (isSmaller ? packedBytes : sizeBytes) };
}
