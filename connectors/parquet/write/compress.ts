/** Pages to compressed bytes, by the codec of the sink's options. */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { compressedBytesMax } from '../../../engine/kernels/compression-kernels.ts';
import { codecs } from '../parquet-metadata.ts';
import type { WriteRoom } from './write-room.ts';

/** The codecs that a sink may be told to use. */
export const writtenCodecs = {
  snappy: codecs.snappy,
  zstd: codecs.zstd,
  gzip: codecs.gzip,
  none: codecs.none,
} as const;

export type WrittenCodec = keyof typeof writtenCodecs;

/** Bytes of the slot's memory; valid until the next page. */
export interface PageBytes {
  readonly start: number;
  readonly sizeBytes: number;
}

export function compress(
  { scope, kernels }: SlotContext,
  room: WriteRoom,
  codec: WrittenCodec,
  { start, sizeBytes }: PageBytes,
): PageBytes {
  if (codec === 'none') return { start, sizeBytes };
  const { packed } = room;
  packed.length = 0;
  if (codec === 'snappy') {
    const to = packed.reserve(compressedBytesMax(sizeBytes));
    return {
      start: to,
      sizeBytes: kernels.snappyCompress(start, sizeBytes, to, room.compressTable),
    };
  }
  const input = scope.memory.bytes.subarray(start, start + sizeBytes);
  const output = codec === 'zstd' ? zstdCompressSync(input) : gzipSync(input);
  const to = packed.reserve(output.length);
  scope.memory.bytes.set(output, to);
  return { start: to, sizeBytes: output.length };
}
