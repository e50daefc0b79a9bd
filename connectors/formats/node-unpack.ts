/**
 * Bytes that Node unpacks (gzip, zstd, Brotli), in the slot's memory: its buffer is copied over, and holds no
 * more than was expected.
 */
import type { ZlibOptions } from 'node:zlib';

/** Compressed bytes of a slot's memory, and where what they were goes. */
export interface PackedBytes {
  readonly from: number;
  readonly sizeBytes: number;
  readonly to: number;
  readonly toBytes: number;
}

/** A function such as `zstdDecompressSync`. */
export type NodeUnpack = (
  input: Uint8Array,
  options: Pick<ZlibOptions, 'maxOutputLength'>,
) => Uint8Array;

/** False where the bytes are damaged, or are another count. */
export function unpackByNode(unpack: NodeUnpack, packed: PackedBytes, bytes: Uint8Array): boolean {
  const { from, sizeBytes, to, toBytes } = packed;
  try {
    const output = unpack(bytes.subarray(from, from + sizeBytes), { maxOutputLength: toBytes });
    if (output.length !== toBytes) return false;
    bytes.set(output, to);
    return true;
  } catch (error) {
    // Zlib's own errors have a code; anything else is a fault of ours.
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
