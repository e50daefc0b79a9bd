/** Goal: bytes come back as they were, step by step with any sizes, and damage is told. */
import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Codec,
  type Compression,
  compressionOf,
  withoutCompression,
} from '../../base/compression.ts';

/** Runs a codec over all of the input, in pieces of the given sizes; throws what is wrong. */
function run(codec: Codec, input: Uint8Array, inputSize: number, outputSize: number): Buffer {
  const pieces: Uint8Array[] = [];
  const output = new Uint8Array(outputSize);
  try {
    for (let from = 0; ; ) {
      const end = Math.min(from + inputSize, input.length);
      const isLast = end === input.length;
      const fault = codec.step(input, { from, end }, output, isLast);
      if (fault !== null) throw new Error(fault);
      from += codec.used;
      pieces.push(output.slice(0, codec.written));
      if (isLast && from === end && codec.written < output.length) return Buffer.concat(pieces);
    }
  } finally {
    codec.close();
  }
}

const compressions: Compression[] = ['gzip', 'zstd'];
const oneShot = { gzip: zlib.gzipSync, zstd: zlib.zstdCompressSync };
const oneShotBack = { gzip: zlib.gunzipSync, zstd: zlib.zstdDecompressSync };

describe.each(compressions)('%s', (compression) => {
  test('any bytes, in steps of any size, both ways', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.nat(400))
        .map(([piece, count]) => Buffer.concat(Array.from({ length: count }, () => piece))),
    );
    const inputSizes = fc.integer({ min: 1, max: 2000 });
    const outputSizes = fc.integer({ min: 32, max: 2000 });
    fc.assert(
      fc.property(bytes, inputSizes, outputSizes, (input, inputSize, outputSize) => {
        const packed = run(Codec.compress(compression), input, inputSize, outputSize);
        expect(oneShotBack[compression](packed)).toEqual(Buffer.from(input));
        const back = run(Codec.decompress(compression), packed, inputSize, outputSize);
        expect(back).toEqual(Buffer.from(input));
      }),
      { numRuns: 100 },
    );
  });

  test('streams one after the other are one', () => {
    const packed = ['one\n', '', 'two\n'].map((text) => oneShot[compression](Buffer.from(text)));
    expect(String(run(Codec.decompress(compression), Buffer.concat(packed), 7, 3))).toBe(
      'one\ntwo\n',
    );
  });

  test('what is cut off anywhere, or damaged, is an error', () => {
    const packed = oneShot[compression](Buffer.from('some text, '.repeat(50)));
    for (let length = 0; length < packed.length; length++) {
      expect(() =>
        run(Codec.decompress(compression), packed.subarray(0, length), 16, 64),
      ).toThrow();
    }
    const damaged = Buffer.from(packed);
    damaged.fill(0, damaged.length >> 1);
    expect(() => run(Codec.decompress(compression), damaged, 16, 64)).toThrow();
    const trailing = Buffer.concat([packed, Buffer.from('no stream')]);
    expect(() => run(Codec.decompress(compression), trailing, 1000, 64)).toThrow();
  });
});

test.each([
  ['a.csv.gz', 'gzip', 'a.csv'],
  ['b/C.NDJSON.ZST', 'zstd', 'b/C.NDJSON'],
  ['gz', null, 'gz'],
  ['c.zip', null, 'c.zip'],
])('%s is %s, without it %s', (path, compression, rest) => {
  expect(compressionOf(path)).toBe(compression);
  expect(withoutCompression(path)).toBe(rest);
});
