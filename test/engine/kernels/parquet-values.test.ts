/** Goal: values of pages become values of columns as the references say; one that can't be is found. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  decimalOfBytes,
  dividedInt64Of,
  float16Value,
  joinedStreams,
  multipliedInt64Of,
  plainByteArrays,
  timestampOfInt96,
} from '../../../engine/kernels/parquet-values.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -10_000n, max: 10_000n }).map((value) => value * 1000n),
);

/** The values that a kernel wrote, and how many it says are right. */
function expectChecked<T>(expected: readonly (T | null)[], right: number, written: readonly T[]) {
  const wrong = expected.indexOf(null);
  const count = wrong < 0 ? expected.length : wrong;
  expect(right).toBe(count);
  expect(written.slice(0, count)).toEqual(expected.slice(0, count));
}

function plainBytes(texts: readonly Uint8Array[]): Uint8Array {
  const bytes = texts.flatMap((text) => [
    ...new Uint8Array(Uint32Array.of(text.length).buffer),
    ...text,
  ]);
  return Uint8Array.from(bytes);
}

test('byte arrays behind their lengths, cut anywhere', () => {
  const texts = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, fc.nat(), fc.integer({ min: 0, max: 5 }), (values, cut, more) => {
      arena.reset();
      const whole = plainBytes(values);
      const bytes = whole.subarray(0, cut % 3 === 0 ? cut % (whole.length + 1) : whole.length);
      const count = values.length + more;
      const from = arena.put(bytes, 3);
      const [out, result] = [arena.room(count * 16), arena.room(4)];
      const end = from + bytes.length;
      const done = arena.kernels.viewsFromPlain(from, end, count, out, result);
      const expected = plainByteArrays(bytes, count);
      expect(arena.texts(out, done)).toEqual(expected);
      expect(arena.uint32(result) - from).toBe(plainBytes(expected).length);
      expect(arena.isUntouched(out + count * 16)).toBe(true);
    }),
  );
});

test('a length beyond the page, also one near 2^32, ends the reading', () => {
  for (const size of [2, 0x7fff_ffff, 0xffff_ffff, 0xffff_fffb]) {
    const bytes = new Uint8Array(5);
    new DataView(bytes.buffer).setUint32(0, size, true);
    const from = arena.put(bytes);
    const out = arena.room(16);
    expect(arena.kernels.viewsFromPlain(from, from + 5, 1, out, arena.room(4))).toBe(0);
  }
});

test('views of values of fixed size', () => {
  for (const size of [1, 7, 8, 9, 16, 33]) {
    const values = Array.from({ length: 5 }, (_, index) =>
      Uint8Array.from({ length: size }, (_, byte) => index * 50 + byte),
    );
    const from = arena.put(values.flatMap((value) => [...value]));
    const out = arena.room(5 * 16);
    arena.kernels.viewsFromFixed(from, size, 5, out);
    expect(arena.texts(out, 5)).toEqual(values);
  }
});

test('ASCII is told from other bytes at every place', () => {
  for (let size = 0; size < 40; size++) {
    const bytes = new Uint8Array(size).fill(0x7f);
    const from = arena.put(bytes, 1);
    expect(arena.kernels.isAscii(from, from + size)).toBe(1);
    for (let at = 0; at < size; at++) {
      arena.bytes[from + at] = 0x80;
      expect(arena.kernels.isAscii(from, from + size)).toBe(0);
      arena.bytes[from + at] = 0x7f;
    }
  }
});

test.each`
  kernel            | isSigned | min        | max
  ${'checkedInt8'}  | ${1}     | ${-128}    | ${127}
  ${'checkedInt8'}  | ${0}     | ${0}       | ${255}
  ${'checkedInt16'} | ${1}     | ${-32_768} | ${32_767}
  ${'checkedInt16'} | ${0}     | ${0}       | ${65_535}
`('$kernel takes $min to $max', ({ kernel, isSigned, min, max }) => {
  const near = fc.integer({ min: min - 2, max: max + 2 });
  fc.assert(
    fc.property(fc.array(near, { maxLength: 50 }), (values) => {
      arena.reset();
      const { values: from } = arena.putInt32s(values);
      const bits = kernel === 'checkedInt8' ? 8 : 16;
      const out = arena.room(values.length * (bits / 8));
      const check = arena.kernels[kernel as 'checkedInt8'];
      const right = check(from, values.length, isSigned, out);
      const kind = `${isSigned === 1 ? 'Int' : 'Uint'}${bits}` as 'Int8';
      const expected = values.map((value) => (value < min || value > max ? null : value));
      expectChecked(expected, right, arena.smalls(kind, out, values.length));
    }),
  );
});

test('float16 of all bits', () => {
  const halves = Array.from({ length: 65_536 }, (_, bits) => bits);
  const { values: from } = arena.putSmall('Uint16', halves);
  const out = arena.room(halves.length * 4);
  expect(arena.kernels.float32FromFloat16(from, halves.length, out)).toBe(halves.length);
  expect(arena.smalls('Float32', out, halves.length)).toEqual(halves.map(float16Value));
});

test('int32 as float64', () => {
  const values = [0, -1, 2 ** 31 - 1, -(2 ** 31)];
  const out = arena.room(32);
  expect(arena.kernels.float64FromInt32(arena.putInt32s(values).values, 4, out)).toBe(4);
  expect(arena.float64s(out, 4)).toEqual(values);
});

function int128s(address: number, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => {
    const at = address + index * 16;
    const low = arena.view.getBigUint64(at, true);
    return (arena.view.getBigInt64(at + 8, true) << 64n) | low;
  });
}

test('decimals of int32 and int64', () => {
  fc.assert(
    fc.property(fc.array(int64), (values) => {
      arena.reset();
      const out = arena.room(values.length * 16);
      arena.kernels.decimalsFromInt64(arena.putInt64s(values).values, values.length, out);
      expect(int128s(out, values.length)).toEqual(values);
      const small = values.map((value) => Number(BigInt.asIntN(32, value)));
      arena.kernels.decimalsFromInt32(arena.putInt32s(small).values, values.length, out);
      expect(int128s(out, values.length)).toEqual(small.map(BigInt));
    }),
  );
});

test('decimals of bytes, of any count', () => {
  const sizes = fc.integer({ min: 1, max: 20 });
  const signs = fc.constantFrom(0x00, 0x7f, 0x80, 0xff);
  fc.assert(
    fc.property(sizes, fc.array(fc.tuple(signs, fc.uint8Array({ minLength: 20 }))), (size, all) => {
      arena.reset();
      const values = all.map(([sign, rest], index) => {
        const value = rest.slice(0, size);
        // Bytes beyond the 16th only repeat the sign, in most.
        if (index % 4 > 0) value.fill(sign === 0xff ? 0xff : 0, 0, Math.max(0, size - 16));
        value[Math.max(0, size - 16)] = sign;
        return value;
      });
      const expected = values.map(decimalOfBytes);
      const out = arena.room(values.length * 16);
      const from = arena.put(values.flatMap((value) => [...value]));
      const right = arena.kernels.decimalsFromFixed(from, size, values.length, out);
      expectChecked(expected, right, int128s(out, values.length));
      const { values: views } = arena.putTexts(values);
      const same = arena.kernels.decimalsFromViews(views, values.length, out);
      expectChecked(expected, same, int128s(out, values.length));
    }),
  );
});

test('a decimal of no bytes is none', () => {
  const { values } = arena.putTexts([new Uint8Array()]);
  expect(arena.kernels.decimalsFromViews(values, 1, arena.room(16))).toBe(0);
});

test('int64 of other units', () => {
  const factors = fc.constantFrom(1, 1000, 1_000_000);
  fc.assert(
    fc.property(fc.array(int64), factors, (values, factor) => {
      arena.reset();
      const { values: from } = arena.putInt64s(values);
      const out = arena.room(values.length * 8);
      const more = arena.kernels.multipliedInt64(from, values.length, factor, out);
      const products = values.map((value) => multipliedInt64Of(value, factor));
      expectChecked(products, more, arena.int64s(out, values.length));
      const less = arena.kernels.dividedInt64(from, values.length, factor, out);
      const quotients = values.map((value) => dividedInt64Of(value, factor));
      expectChecked(quotients, less, arena.int64s(out, values.length));
      const positive = arena.kernels.checkedNotNegative(from, values.length, out);
      const expected = values.map((value) => (value < 0n ? null : value));
      expectChecked(expected, positive, arena.int64s(out, values.length));
    }),
  );
});

test('timestamps of 96 bits', () => {
  const nanos = fc.oneof(
    fc.bigInt({ min: 0n, max: 86_399_999_999_999n }).map((value) => (value / 1000n) * 1000n),
    fc.bigInt({ min: -5n, max: 86_400_000_000_000n }),
    int64,
  );
  const days = fc.oneof(fc.integer({ min: 2_400_000, max: 2_500_000 }), fc.integer());
  const units = fc.constantFrom(1, 1000, 1_000_000);
  fc.assert(
    fc.property(fc.array(fc.tuple(nanos, days)), units, (values, nanosPerUnit) => {
      arena.reset();
      const from = arena.room(values.length * 12);
      values.forEach(([nano, day], index) => {
        arena.view.setBigInt64(from + index * 12, nano, true);
        arena.view.setInt32(from + index * 12 + 8, day, true);
      });
      const out = arena.room(values.length * 8);
      const right = arena.kernels.timestampsFromInt96(from, values.length, nanosPerUnit, out);
      const expected = values.map(([nano, day]) =>
        timestampOfInt96(nano, BigInt(day), BigInt(nanosPerUnit)),
      );
      const written = arena.int64s(out, values.length);
      // At the very ends of the range, some 2 days of 292,000 years, the kernel refuses earlier.
      for (const [index, value] of written.slice(0, right).entries()) {
        expect(value).toBe(expected[index]);
      }
      const isFar = (value: bigint | null) =>
        value === null || value > 2n ** 62n || value < -(2n ** 62n);
      expect(right === values.length || isFar(expected[right] ?? null)).toBe(true);
    }),
  );
});

test('streams of bytes', () => {
  for (const size of [2, 4, 8, 16]) {
    const streams = Uint8Array.from({ length: size * 10 }, (_, index) => index * 3);
    const from = arena.put(streams);
    const out = arena.room(4 * size);
    arena.kernels.joinStreams(from + 5, 10, size, 4, out);
    const expected = joinedStreams(streams, 10, size).slice(5, 9);
    expect([...arena.bytes.slice(out, out + 4 * size)]).toEqual(
      expected.flatMap((value) => [...value]),
    );
    expect(arena.isUntouched(out + 4 * size)).toBe(true);
  }
});
