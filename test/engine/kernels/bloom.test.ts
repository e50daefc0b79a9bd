/** Goal: filters are the ones that the reference makes, and the hash is XXH64. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  bloomBlockBytes,
  bloomBlockOf,
  bloomWordsOf,
  xxh64,
} from '../../../engine/kernels/bloom.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

test.each`
  text                                                 | hash
  ${''}                                                | ${0xef46db3751d8e999n}
  ${'a'}                                               | ${0xd24ec4f1a98c6e5bn}
  ${'abc'}                                             | ${0x44bc2cf5ad770999n}
  ${'Call me Ishmael. Some years ago--never mind how'} | ${null}
`('the hash of "$text"', ({ text, hash }) => {
  if (hash !== null) expect(xxh64(encode(text))).toBe(hash);
  expect(xxh64(encode(text))).toBe(xxh64(encode(text)));
});

/** The filter of the reference. */
function filterOf(values: readonly Uint8Array[], blockCount: number): number[] {
  const words = new Uint32Array((blockCount * bloomBlockBytes) / 4);
  for (const value of values) {
    const hash = xxh64(value);
    const block = bloomBlockOf(hash, blockCount) * 8;
    bloomWordsOf(hash).forEach((bit, word) => {
      words[block + word] = ((words[block + word] ?? 0) | bit) >>> 0;
    });
  }
  return [...words];
}

function emptyFilter(blockCount: number): number {
  const blocks = arena.room(blockCount * bloomBlockBytes);
  arena.bytes.fill(0, blocks, blocks + blockCount * bloomBlockBytes);
  return blocks;
}

test('texts of every length', () => {
  const texts = fc.array(fc.string({ maxLength: 90, unit: 'grapheme' }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, fc.constantFrom(1, 3, 64), (given, blockCount) => {
      arena.reset();
      const blocks = emptyFilter(blockCount);
      const { values } = arena.putTexts(given.map(encode));
      arena.kernels.bloomAddTexts(values, given.length, blocks, blockCount);
      expect(arena.uint32s(blocks, blockCount * 8)).toEqual(
        filterOf(given.map(encode), blockCount),
      );
    }),
  );
});

test.each([4, 8])('values of %i bytes', (size) => {
  const words = fc.array(fc.nat(0xffff_ffff), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(words, (given) => {
      arena.reset();
      const count = Math.floor((given.length * 4) / size);
      const blocks = emptyFilter(16);
      const bytes = new Uint8Array(Uint32Array.from(given).buffer);
      const values = Array.from({ length: count }, (_, at) =>
        bytes.slice(at * size, at * size + size),
      );
      arena.kernels.bloomAddFixed(arena.putUint32(given), count, size, blocks, 16);
      expect(arena.uint32s(blocks, 16 * 8)).toEqual(filterOf(values, 16));
    }),
  );
});
