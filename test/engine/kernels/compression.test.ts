/** Goal: what Snappy and LZ4 compress, they give back; what is damaged they refuse, and write nowhere else. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  lz4FrameUncompressed,
  lz4Uncompressed,
  snappyUncompressed,
} from '../../../engine/kernels/compression.ts';
import {
  compressedBytesMax,
  compressTableBytes,
  unpackSlackBytes,
} from '../../../engine/kernels/compression-kernels.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

type Codec = 'snappy' | 'lz4' | 'lz4Frame';
const codecs: readonly Codec[] = ['snappy', 'lz4', 'lz4Frame'];

function compress(codec: Codec, input: Uint8Array): Uint8Array {
  arena.reset();
  const from = arena.put(input, 3);
  const to = arena.room(compressedBytesMax(input.length), 1);
  const table = arena.room(compressTableBytes);
  const size = arena.kernels[`${codec}Compress`](from, input.length, to, table);
  expect(size).toBeLessThanOrEqual(compressedBytesMax(input.length) - 48);
  expect(arena.isUntouched(to + compressedBytesMax(input.length))).toBe(true);
  return arena.bytes.slice(to, to + size);
}

function uncompress(codec: Codec, input: Uint8Array, size: number): Uint8Array | null {
  arena.reset();
  const from = arena.put(input, 1);
  const to = arena.room(size + unpackSlackBytes, 5);
  const count = arena.kernels[`${codec}Uncompress`](from, input.length, to, size);
  expect(arena.isUntouched(to + size + unpackSlackBytes)).toBe(true);
  if (count < 0) return null;
  expect(count).toBe(size);
  return arena.bytes.slice(to, to + size);
}

const references = {
  snappy: snappyUncompressed,
  lz4: lz4Uncompressed,
  lz4Frame: lz4FrameUncompressed,
};

/** Bytes with repetitions, near and far ones. */
const repetitive = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ bytes, times: 1 })),
      fc.record({
        bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
        times: fc.integer({ min: 1, max: 200 }),
      }),
      fc.constantFrom(...['the ', 'quick brown ', 'fox ']).map((text) => ({
        bytes: encode(text),
        times: 3,
      })),
    ),
    { maxLength: 40 },
  )
  .map((pieces) =>
    Uint8Array.from(
      pieces.flatMap(({ bytes, times }) =>
        Array(times)
          .fill([...bytes])
          .flat(),
      ),
    ),
  );

test.each(codecs)('%s gives back what it compressed, and so does its reference', (codec) => {
  fc.assert(
    fc.property(repetitive, (input) => {
      const compressed = compress(codec, input);
      expect(uncompress(codec, compressed, input.length)).toEqual(input);
      expect(references[codec](compressed, input.length)).toEqual(input);
    }),
  );
});

test.each(codecs)('%s of inputs longer than a fragment', (codec) => {
  const noise = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 2_654_435_761) >>> 24);
  const zeroes = new Uint8Array(300_000);
  const text = encode('a line of text that is repeated, number 17\n'.repeat(5000));
  for (const input of [noise, zeroes, text]) {
    expect(uncompress(codec, compress(codec, input), input.length)).toEqual(input);
  }
  expect(compress(codec, zeroes).length).toBeLessThan(20_000);
});

test.each(codecs)('%s agrees with its reference on damaged input', (codec) => {
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.nat() });
  fc.assert(
    fc.property(repetitive, damage, fc.integer({ min: -3, max: 3 }), (input, change, more) => {
      const compressed = compress(codec, input);
      compressed[change.at % Math.max(1, compressed.length)] = change.byte;
      const cut = compressed.subarray(0, change.cut % (compressed.length + 1));
      for (const bytes of [compressed, cut]) {
        const size = Math.max(0, input.length + more);
        expect(uncompress(codec, bytes, size)).toEqual(references[codec](bytes, size));
      }
    }),
    { numRuns: 1000 },
  );
});

test('Snappy of long lengths and far copies, as other writers make them', () => {
  // A literal whose length takes 4 bytes, a copy with a distance of 4 bytes, one of 1 byte and one of 2.
  const literal = Uint8Array.from({ length: 70 }, (_, index) => index);
  const input = [74 + 5 + 6, (63 << 2) | 0, 69, 0, 0, 0, ...literal];
  input.push((3 << 2) | 3, 70, 0, 0, 0, (1 << 2) | 1, 1, (5 << 2) | 2, 3, 0);
  const bytes = Uint8Array.from(input);
  const expected = snappyUncompressed(bytes, 85);
  expect(expected).not.toBeNull();
  expect(uncompress('snappy', bytes, 85)).toEqual(expected);
});

test('LZ4 frames as others write them: with sizes and checks, of linked blocks, several of them', () => {
  const header = [0x04, 0x22, 0x4d, 0x18];
  const flags = 0x40 | 16 | 8 | 4;
  const size = [12, 0, 0, 0, 0, 0, 0, 0];
  const stored = [3, 0, 0, 0x80, 97, 98, 99, 1, 2, 3, 4];
  // No literals, 5 bytes from 3 before; then 4 literals.
  const linked = [8, 0, 0, 0, 0x01, 3, 0, 0x40, 100, 101, 102, 103, 5, 6, 7, 8];
  const frame = [...header, flags, 0x40, 0, ...size, ...stored, ...linked, 0, 0, 0, 0, 9, 9, 9, 9];
  const bytes = Uint8Array.from(frame);
  expect(uncompress('lz4Frame', bytes, 12)).toEqual(encode('abcabcabdefg'));
  expect(lz4FrameUncompressed(bytes, 12)).toEqual(encode('abcabcabdefg'));
  const twice = Uint8Array.from([...frame, ...frame]);
  expect(uncompress('lz4Frame', twice, 24)).toEqual(encode('abcabcabdefg'.repeat(2)));
  expect(lz4FrameUncompressed(twice, 24)).toEqual(encode('abcabcabdefg'.repeat(2)));
});
