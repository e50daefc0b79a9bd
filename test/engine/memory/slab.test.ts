/** Goal: size classes hold what is asked for and waste less than half; handles are checked. */
import { expect, test } from 'vitest';
import { pageBytes, Slab, sizeClassOf, slabBlockBytesMax } from '../../../engine/memory/slab.ts';

test.each`
  sizeBytes | blockBytes
  ${0}      | ${64}
  ${1}      | ${64}
  ${64}     | ${64}
  ${65}     | ${128}
  ${128}    | ${128}
  ${4097}   | ${8192}
  ${32767}  | ${32768}
  ${32768}  | ${32768}
`('$sizeBytes bytes go into a block of $blockBytes', ({ sizeBytes, blockBytes }) => {
  const slab = new Slab(sizeClassOf(sizeBytes));
  expect(slab.blockBytes).toBe(blockBytes);
  expect(slab.blockBytes).toBeLessThanOrEqual(slabBlockBytesMax);
});

test('a slab gives out each of its blocks once, and again when they came back', () => {
  const slab = new Slab(sizeClassOf(4096));
  slab.page = 3;
  const take = () => Array.from({ length: pageBytes / 4096 }, () => slab.take(7));
  const blocks = take();
  expect(slab.isFull).toBe(true);
  expect(() => slab.take(7)).toThrow('has a free block');
  expect(new Set(blocks).size).toBe(16);
  for (const block of blocks) {
    expect(slab.ownerOf(block)).toBe(7);
    slab.retain(block);
    expect(slab.release(block)).toBe(false);
    expect(slab.release(block)).toBe(true);
  }
  expect(slab.usedCount).toBe(0);
  expect(take().sort()).toEqual(blocks.sort());
});

test('a handle into the middle of a block is noticed', () => {
  const slab = new Slab(sizeClassOf(256));
  const block = slab.take(0);
  expect(() => slab.release(block + 1)).toThrow('points at the start');
});
