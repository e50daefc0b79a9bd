/** Goal: however a block is cut into runs, each chunk ends up with the checksum of all its bytes; damage is placed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../base/checksum.ts';
import {
  checksumsOf,
  chunkCountOf,
  damagedChunkOf,
  isChunkSize,
} from '../../../dfs/transfer/chunk-checksums.ts';

const chunkBytes = 512;

test.each`
  start   | length  | count
  ${0}    | ${0}    | ${0}
  ${0}    | ${1}    | ${1}
  ${0}    | ${512}  | ${1}
  ${0}    | ${513}  | ${2}
  ${511}  | ${1}    | ${1}
  ${511}  | ${2}    | ${2}
  ${1024} | ${1024} | ${2}
  ${1025} | ${1024} | ${3}
`('$length bytes from $start on are in $count chunks', ({ start, length, count }) => {
  expect(chunkCountOf(start, length, chunkBytes)).toBe(count);
});

test.each`
  size       | is
  ${512}     | ${true}
  ${4096}    | ${true}
  ${1 << 20} | ${true}
  ${1 << 21} | ${false}
  ${256}     | ${false}
  ${513}     | ${false}
  ${0}       | ${false}
  ${-512}    | ${false}
`('chunks of $size bytes: $is', ({ size, is }) => {
  expect(isChunkSize(size)).toBe(is);
});

test('runs of any length give every chunk the checksum of all its bytes', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 1_400 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lengths, fc.nat(255), (runs, salt) => {
      const total = runs.reduce((sum, length) => sum + length, 0);
      const block = Uint8Array.from({ length: total }, (_, at) => (at * 7 + salt) & 255);
      const sums: number[] = [];
      let startBytes = 0;
      for (const length of runs) {
        const bytes = block.subarray(startBytes, startBytes + length);
        const first = Math.floor(startBytes / chunkBytes);
        const checksumBefore = startBytes % chunkBytes === 0 ? 0 : (sums[first] ?? 0);
        const run = { chunkBytes, startBytes, checksumBefore };
        for (const [index, sum] of checksumsOf(crc32c, bytes, run).entries())
          sums[first + index] = sum;
        startBytes += length;
      }
      const reference = Array.from({ length: Math.ceil(total / chunkBytes) }, (_, chunk) =>
        crc32c(block.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)),
      );
      expect(sums).toEqual(reference);
    }),
  );
});

test('the first damaged chunk is named by its place in the block', () => {
  const bytes = Uint8Array.from({ length: 1_500 }, (_, at) => at & 255);
  const before = bytes.subarray(0, 100);
  const run = { chunkBytes, startBytes: 5_220, checksumBefore: crc32c(before) };
  const sums = checksumsOf(crc32c, bytes, run);
  expect(damagedChunkOf(crc32c, bytes, run, sums)).toBeNull();
  for (const [at, chunkStart] of [
    [0, 5_120],
    [411, 5_120],
    [412, 5_632],
    [1_499, 6_656],
  ] as const) {
    const damaged = bytes.slice();
    damaged[at] = 255 - (damaged[at] ?? 0);
    expect(damagedChunkOf(crc32c, damaged, run, sums)).toBe(chunkStart);
  }
});
