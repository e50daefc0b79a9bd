/** The kernels that compress bytes, as TypeScript sees them. Conventions: engine/kernels/kernels.ts. */

/** Bytes that an unpacking kernel may write past the room for what is unpacked. */
export const unpackSlackBytes = 64;
/** Bytes of the table that a compressing kernel works with; what is in it does not matter. */
export const compressTableBytes = 32 << 10;

/** Room that compressed bytes may need, with what is written past them. */
export function compressedBytesMax(sizeBytes: number): number {
  return 64 + sizeBytes + Math.ceil(sizeBytes / 6);
}

/**
 * Blocks of bytes, compressed and back. Who unpacks knows how many bytes there will be; any other
 * count, and any damage, answers with -1.
 */
export interface CompressionKernels {
  /** @returns `toBytes`, or -1. */
  snappyUncompress(from: number, sizeBytes: number, to: number, toBytes: number): number;
  /** `to`: room for `compressedBytesMax`. @returns Count of bytes. */
  snappyCompress(from: number, sizeBytes: number, to: number, table: number): number;
  /** @returns `toBytes`, or -1. */
  lz4Uncompress(from: number, sizeBytes: number, to: number, toBytes: number): number;
  /** `to`: room for `compressedBytesMax`. @returns Count of bytes. */
  lz4Compress(from: number, sizeBytes: number, to: number, table: number): number;
  /** A frame, or several. @returns `toBytes`, or -1. */
  lz4FrameUncompress(from: number, sizeBytes: number, to: number, toBytes: number): number;
  /** `to`: room for `compressedBytesMax`. @returns Count of bytes. */
  lz4FrameCompress(from: number, sizeBytes: number, to: number, table: number): number;
}
