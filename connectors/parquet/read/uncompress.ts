/**
 * Compressed pages to the bytes that they were. Snappy and LZ4 are kernels, which work where the bytes
 * are; what Node has (gzip, zstd, Brotli) gives a buffer that is copied over.
 */
import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { type PackedBytes, unpackByNode } from '../../formats/node-unpack.ts';
import { codecs } from '../parquet-metadata.ts';

export interface Compressed extends PackedBytes {
  readonly codec: number;
  /** Room for `toBytes` and `unpackSlackBytes`. */
  readonly to: number;
}

/** Codecs that can be read. */
export function isKnownCodec(codec: number): boolean {
  const { none, snappy, gzip, brotli, lz4, zstd, lz4Raw } = codecs;
  return [none, snappy, gzip, brotli, lz4, zstd, lz4Raw].some((one) => one === codec);
}

export function codecName(codec: number): string {
  return Object.entries(codecs).find(([, one]) => one === codec)?.[0] ?? `codec ${codec}`;
}

/** False where the bytes are damaged, or are another count. */
export function uncompress({ scope, kernels }: SlotContext, page: Compressed): boolean {
  const { codec, from, sizeBytes, to, toBytes } = page;
  const { bytes } = scope.memory;
  // Of a page without values some writers leave the bytes out, whatever the codec.
  if (toBytes === 0) return true;
  switch (codec) {
    case codecs.none:
      if (sizeBytes !== toBytes) return false;
      bytes.copyWithin(to, from, from + sizeBytes);
      return true;
    case codecs.snappy:
      return kernels.snappyUncompress(from, sizeBytes, to, toBytes) === toBytes;
    case codecs.lz4Raw:
      return kernels.lz4Uncompress(from, sizeBytes, to, toBytes) === toBytes;
    case codecs.lz4:
      return (
        uncompressHadoop(page, bytes, (block) => {
          const { lz4Uncompress } = kernels;
          return lz4Uncompress(block.from, block.sizeBytes, block.to, block.toBytes) >= 0;
        }) || kernels.lz4Uncompress(from, sizeBytes, to, toBytes) === toBytes
      );
    case codecs.gzip:
      return unpackByNode(unzipSync, page, bytes);
    case codecs.brotli:
      return unpackByNode(brotliDecompressSync, page, bytes);
    default:
      return unpackByNode(zstdDecompressSync, page, bytes);
  }
}

/**
 * The older LZ4 is framed as Hadoop frames it, by most writers: for each block the count of bytes
 * unpacked and packed, both with the highest byte first.
 */
function uncompressHadoop(
  { from, sizeBytes, to, toBytes }: Compressed,
  bytes: Uint8Array,
  work: (block: PackedBytes) => boolean,
): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = from;
  let done = 0;
  while (at < from + sizeBytes) {
    if (at + 8 > from + sizeBytes) return false;
    const unpacked = view.getUint32(at);
    const packed = view.getUint32(at + 4);
    at += 8;
    if (at + packed > from + sizeBytes || done + unpacked > toBytes) return false;
    if (!work({ from: at, sizeBytes: packed, to: to + done, toBytes: unpacked })) return false;
    at += packed;
    done += unpacked;
  }
  return done === toBytes;
}
