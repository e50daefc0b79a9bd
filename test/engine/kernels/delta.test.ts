/** Goal: streams of deltas are read as their reference reads them, in pieces of any size, also damaged. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { bytesOfDeltas, valuesOfDeltas } from '../../../engine/kernels/delta.ts';
import { deltaLayout } from '../../../engine/kernels/parquet-kernels.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 0n, max: 1000n }),
);

function readAll(bytes: Uint8Array, piece: number): bigint[] | null {
  arena.reset();
  const from = arena.put(bytes, 3);
  const state = arena.room(deltaLayout.size);
  const count = arena.kernels.startDelta(state, from, from + bytes.length);
  if (count < 0) return null;
  const values: bigint[] = [];
  const out = arena.room(piece * 8);
  while (values.length < count) {
    const wanted = Math.min(piece, count - values.length);
    const got = arena.kernels.readDelta(state, wanted, 8, out);
    values.push(...arena.int64s(out, got));
    if (got < wanted) return null;
  }
  expect(arena.isUntouched(out + piece * 8)).toBe(true);
  expect(arena.kernels.readDelta(state, 1, 8, out)).toBe(0);
  return values;
}

test('integers in pieces', () => {
  fc.assert(
    fc.property(
      fc.array(int64, { maxLength: 400 }),
      fc.integer({ min: 1, max: 200 }),
      (values, piece) => {
        const bytes = bytesOfDeltas(values);
        expect(valuesOfDeltas(bytes)?.values).toEqual(values);
        expect(readAll(bytes, piece)).toEqual(values);
      },
    ),
  );
});

test('differences of every width', () => {
  for (let width = 0; width < 64; width++) {
    const values = Array.from({ length: 100 }, (_, index) =>
      index % 2 === 0 ? 5n : BigInt.asIntN(64, 5n + 2n ** BigInt(width)),
    );
    expect(readAll(bytesOfDeltas(values), 7)).toEqual(values);
  }
});

test('int32 keep their low bits', () => {
  const values = [1n, -1n, 2n ** 31n - 1n, -(2n ** 31n)];
  const bytes = bytesOfDeltas(values);
  const from = arena.put(bytes);
  const state = arena.room(deltaLayout.size);
  arena.kernels.startDelta(state, from, from + bytes.length);
  const out = arena.room(16);
  expect(arena.kernels.readDelta(state, 4, 4, out)).toBe(4);
  expect(arena.smalls('Int32', out, 4)).toEqual(values.map(Number));
});

test('a stream is passed over to its end', () => {
  fc.assert(
    fc.property(fc.array(int64, { maxLength: 400 }), (values) => {
      arena.reset();
      const bytes = bytesOfDeltas(values);
      const from = arena.put([...bytes, 1, 2, 3]);
      const state = arena.room(deltaLayout.size);
      arena.kernels.startDelta(state, from, from + bytes.length + 3);
      expect((arena.kernels.skipDelta(state) >>> 0) - from).toBe(bytes.length);
      expect(valuesOfDeltas(bytes)?.end).toBe(bytes.length);
    }),
  );
});

test('a cut or changed stream gives an answer, and never the wrong memory', () => {
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat() });
  fc.assert(
    fc.property(fc.array(int64, { maxLength: 200 }), damage, (values, { at, byte, cut }) => {
      const bytes = bytesOfDeltas(values);
      const short = bytes.subarray(0, cut % bytes.length);
      const read = readAll(short, 50);
      // Zeroes at the end of packed values may be cut off unseen only by what they are.
      expect(read === null || read.length <= values.length).toBe(true);
      // The header says how many values there are: 2^31 would take long to read.
      const place = 8 + (at % Math.max(1, bytes.length - 8));
      if (place < bytes.length) bytes[place] = byte;
      readAll(bytes, 50);
    }),
    { numRuns: 500 },
  );
});

test.each`
  header                                | what
  ${[128, 1, 4, 3, 0]}                  | ${'miniblocks of 32, 3 values, no blocks'}
  ${[128, 1, 0, 0, 0]}                  | ${'no miniblocks'}
  ${[128, 1, 3, 0, 0]}                  | ${'miniblocks that do not divide the block'}
  ${[4, 4, 1, 0]}                       | ${'miniblocks of less than 8'}
  ${[255, 255, 255, 255, 255, 255, 15]} | ${'a block beyond all sizes'}
  ${[128, 1, 4]}                        | ${'cut off'}
`('a damaged header: $what', ({ header }) => {
  expect(readAll(Uint8Array.from(header), 10)).toBeNull();
});

test('texts by their lengths, and by what they share', () => {
  const words = ['', 'a', 'abcdefgh', 'abcdefghi', 'abcdefghijkl', 'abd', 'x'.repeat(100)];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words)), (texts) => {
      arena.reset();
      const all = texts.map(encode);
      const from = arena.put(all.flatMap((text) => [...text]));
      const end = from + all.reduce((sum, text) => sum + text.length, 0);
      const lengths = arena.putUint32(all.map((text) => text.length));
      const out = arena.room(all.length * 16);
      expect(arena.kernels.viewsFromLengths(lengths, all.length, from, end, out)).toBe(all.length);
      expect(arena.texts(out, all.length)).toEqual(all);
      if (end > from) {
        const short = arena.kernels.viewsFromLengths(lengths, all.length, from, end - 1, out);
        expect(short).toBeLessThan(all.length);
      }
      joinPrefixes(all);
    }),
  );
});

function joinPrefixes(all: readonly Uint8Array[]): void {
  const shared = all.map((text, index) => {
    const before = all[index - 1] ?? new Uint8Array();
    let size = 0;
    while (size < text.length && text[size] === before[size]) size++;
    return size;
  });
  const rests = all.map((text, index) => text.subarray(shared[index]));
  const from = arena.put(rests.flatMap((text) => [...text]));
  const end = from + rests.reduce((sum, text) => sum + text.length, 0);
  const prefixes = arena.putUint32(shared);
  const suffixes = arena.putUint32(rests.map((text) => text.length));
  const previous = arena.put(new Uint8Array(16));
  const sum = all.reduce((size, text) => size + text.length, 0);
  const [bytes, out] = [arena.room(sum + 16), arena.room(all.length * 16)];
  const join = (stop: number) =>
    arena.kernels.joinPrefixes(prefixes, suffixes, all.length, from, stop, previous, bytes, out);
  expect(join(end)).toBe(all.length);
  expect(arena.texts(out, all.length)).toEqual(all);
  expect(arena.isUntouched(bytes + sum + 16)).toBe(true);
  if (end > from) expect(join(end - 1)).toBeLessThan(all.length);
}

test('a text that shares more than there is, is damage', () => {
  const previous = arena.putTexts([encode('ab')]).values;
  const [prefixes, suffixes] = [arena.putUint32([3]), arena.putUint32([0])];
  const out = arena.room(16);
  const bytes = arena.room(32);
  expect(arena.kernels.joinPrefixes(prefixes, suffixes, 1, out, out, previous, bytes, out)).toBe(0);
});
