/** Goal: hashes are those of the reference, and spread sequential, strided and random keys alike. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { hashOfBytes, hashOfInt64, hashOfNull } from '../../../engine/kernels/hash.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('int64 keys, nulls and a selection agree with the reference', () => {
  fc.assert(
    fc.property(fc.array(fc.option(int64)), (keys) => {
      arena.reset();
      const column = arena.putInt64s(keys);
      const out = arena.room(keys.length * 4);
      arena.kernels.hashInt64(column.values, column.validity, 0, keys.length, out);
      const expected = keys.map((key) => (key === null ? hashOfNull : hashOfInt64(key)));
      expect(arena.uint32s(out, keys.length)).toEqual(expected);
      const odd = keys.flatMap((_, index) => (index % 2 === 1 ? [index] : []));
      const { values, validity } = column;
      arena.kernels.hashInt64(values, validity, arena.putUint32(odd), odd.length, out);
      expect(arena.uint32s(out, odd.length)).toEqual(odd.map((index) => expected[index]));
    }),
  );
});

test('16-byte numbers hash as their bytes', () => {
  const int128 = fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n });
  fc.assert(
    fc.property(fc.array(fc.option(int128)), (keys) => {
      arena.reset();
      const { values, validity } = arena.putInt128s(keys);
      const out = arena.room(keys.length * 4);
      arena.kernels.hashInt128(values, validity, 0, keys.length, out);
      const expected = keys.map((key, index) => {
        const at = values + index * 16;
        return key === null ? hashOfNull : hashOfBytes(arena.bytes.slice(at, at + 16));
      });
      expect(arena.uint32s(out, keys.length)).toEqual(expected);
    }),
  );
});

test('texts of every length agree with the reference', () => {
  const texts = Array.from({ length: 100 }, (_, length) =>
    encode('kernels'.repeat(20).slice(0, length)),
  );
  const column = arena.putTexts([...texts, null]);
  const out = arena.room(101 * 4);
  arena.kernels.hashUtf8(column.values, column.validity, 0, 101, out);
  expect(arena.uint32s(out, 101)).toEqual([...texts.map(hashOfBytes), hashOfNull]);
});

test('random texts agree with the reference', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.uint8Array({ maxLength: 40 }))), (texts) => {
      arena.reset();
      const column = arena.putTexts(texts);
      const out = arena.room(texts.length * 4);
      arena.kernels.hashUtf8(column.values, column.validity, 0, texts.length, out);
      const expected = texts.map((text) => (text === null ? hashOfNull : hashOfBytes(text)));
      expect(arena.uint32s(out, texts.length)).toEqual(expected);
    }),
  );
});

test('no key of 16 zero bytes has the hash of null', () => {
  expect(hashOfBytes(new Uint8Array(0))).not.toBe(hashOfNull);
  expect(hashOfInt64(0n)).not.toBe(hashOfNull);
});

const keyCount = 60_000;
const slots = 2 ** 17; // Load 0.46, as the group table has it between two growths.
let seed = 1n;
const random = () => {
  seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
  return BigInt.asIntN(64, seed);
};
const spread = (make: (index: bigint) => bigint) =>
  Array.from({ length: keyCount }, (_, i) => make(BigInt(i)));

test.each([
  ['sequential', spread((i) => i)],
  ['sequential from a high number', spread((i) => i + 2n ** 40n)],
  ['strided by 8', spread((i) => i * 8n)],
  ['strided by 4,096', spread((i) => i * 4096n)],
  ['strided by 2^32', spread((i) => BigInt.asIntN(64, i << 32n))],
  ['strided by 2^47', spread((i) => BigInt.asIntN(64, i << 47n))],
  ['multiples of 1,000,003', spread((i) => i * 1_000_003n)],
  ['random', spread(random)],
])('%s keys need less than 2 probes on average, and fill key groups evenly', (_, keys) => {
  const column = arena.putInt64s(keys);
  const out = arena.room(keyCount * 4);
  arena.kernels.hashInt64(column.values, 0, 0, keyCount, out);
  const hashes = arena.uint32s(out, keyCount);
  expect(probesOf(hashes)).toBeLessThan(2);
  expect(largestShare(hashes)).toBeLessThan(1.35);
});

test.each([
  ['numbered words', (i: number) => `key_${i}`],
  ['short words', (i: number) => i.toString(36)],
  ['long words with a number in the middle', (i: number) => `user-account-${i}-eu-central`],
  ['one prefix of 8 bytes', (i: number) => `absolute${i.toString(36)}`],
  ['one prefix of 16 bytes', (i: number) => `antidisestablish${i.toString(36)}`],
  ['one suffix of 8 bytes', (i: number) => `${i.toString(36)}absolute`],
  ['one prefix and one suffix of 8 bytes', (i: number) => `absolute${i.toString(36)}absolute`],
  [
    'long words that differ in their last byte and their first',
    (i: number) => `${i}/path/to/a/file/${i % 10}`,
  ],
])('%s need less than 2 probes on average', (_, make) => {
  const column = arena.putTexts(
    Array.from({ length: keyCount }, (_, index) => encode(make(index))),
  );
  const out = arena.room(keyCount * 4);
  arena.kernels.hashUtf8(column.values, 0, 0, keyCount, out);
  const hashes = arena.uint32s(out, keyCount);
  expect(probesOf(hashes)).toBeLessThan(2);
  expect(largestShare(hashes)).toBeLessThan(1.35);
});

/** Average probes to place distinct keys by linear probing. */
function probesOf(hashes: readonly number[]): number {
  const used = new Uint8Array(slots);
  let probes = 0;
  for (const hash of hashes) {
    let slot = hash & (slots - 1);
    for (probes++; used[slot] === 1; probes++) slot = (slot + 1) & (slots - 1);
    used[slot] = 1;
  }
  return probes / hashes.length;
}

/** Keys of the fullest key group against the mean. */
function largestShare(hashes: readonly number[]): number {
  const counts = new Array<number>(128).fill(0);
  for (const hash of hashes) counts[hash >>> 25] = (counts[hash >>> 25] ?? 0) + 1;
  return (Math.max(...counts) * 128) / hashes.length;
}
