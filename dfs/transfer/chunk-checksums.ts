/**
 * Checksums of a block, one CRC32C per chunk, as client, wire and disk have them alike:
 *
 *     block     │ chunk 0        │ chunk 1        │ chunk 2 …
 *     a run          [■■■■■■■■■■■■■■■■■■■■■■]             begins and ends anywhere
 *     its sums       c0 of chunk 0   c1 of chunk 1, as far as the run goes
 *
 * A sum is that of its chunk *from the chunk's first byte* to the last one that the run has of it, also when the run
 * begins later. So the sum that the client has computed is the one that lies on the disk in the end: nobody between
 * has to read a chunk again and compute one of his own, over bytes that may have been damaged meanwhile.
 */
import type { Checksum } from '../../base/checksum.ts';

const chunkBytesMin = 512;
const chunkBytesMax = 1024 * 1024;

/** Whether chunks may have that size: a power of two in the limits. */
export function isChunkSize(chunkBytes: number): boolean {
  const isPower = Number.isInteger(Math.log2(chunkBytes));
  return isPower && chunkBytes >= chunkBytesMin && chunkBytes <= chunkBytesMax;
}

/** Where a run of bytes lies in its block. */
export interface ChunkRun {
  readonly chunkBytes: number;
  /** Of the first byte, in the block. */
  readonly startBytes: number;
  /** The sum of the bytes that its first chunk has in front of the run; 0 when there are none. */
  readonly checksumBefore: number;
}

/** How many chunks bytes from `startBytes` on, `lengthBytes` of them, are in. */
export function chunkCountOf(startBytes: number, lengthBytes: number, chunkBytes: number): number {
  if (lengthBytes === 0) return 0;
  return Math.ceil(((startBytes % chunkBytes) + lengthBytes) / chunkBytes);
}

/** The sums of a run. */
export function checksumsOf(checksum: Checksum, bytes: Uint8Array, run: ChunkRun): Uint32Array {
  const { chunkBytes, startBytes, checksumBefore } = run;
  const sums = new Uint32Array(chunkCountOf(startBytes, bytes.length, chunkBytes));
  let from = 0;
  for (let index = 0; index < sums.length; index++) {
    const end = Math.min(bytes.length, from + chunkBytes - ((startBytes + from) % chunkBytes));
    sums[index] = checksum(bytes.subarray(from, end), index === 0 ? checksumBefore : 0);
    from = end;
  }
  return sums;
}

/**
 * Where the first byte of the first chunk that is not what it should be lies in the block; null: all are. With another count of
 * checksums than of chunks nothing is right.
 */
export function damagedChunkOf(
  checksum: Checksum,
  bytes: Uint8Array,
  run: ChunkRun,
  expected: Uint32Array,
): number | null {
  const found = checksumsOf(checksum, bytes, run);
  const isCounted = found.length === expected.length;
  const index = isCounted ? found.findIndex((sum, at) => sum !== expected[at]) : 0;
  if (index < 0) return null;
  const firstChunk = Math.floor(run.startBytes / run.chunkBytes);
  return (firstChunk + index) * run.chunkBytes;
}
