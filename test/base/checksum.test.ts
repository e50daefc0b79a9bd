/** Goal: CRC32C as RFC 3720 defines it, at every length, against a bit-by-bit reference. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../base/checksum.ts';

test.each`
  what                    | bytes                                                 | checksum
  ${'nothing'}            | ${[]}                                                 | ${0}
  ${'32 zeros'}           | ${new Array(32).fill(0)}                              | ${0x8a9136aa}
  ${'32 times 255'}       | ${new Array(32).fill(255)}                            | ${0x62a8ab43}
  ${'0 to 31'}            | ${Array.from({ length: 32 }, (_, index) => index)}    | ${0x46dd794e}
  ${'the text 123456789'} | ${[...'123456789'].map((char) => char.charCodeAt(0))} | ${0xe3069283}
`('checksum of $what', ({ bytes, checksum }) => {
  expect(crc32c(new Uint8Array(bytes))).toBe(checksum);
});

test('equals the bit-by-bit reference', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      let crc = 0xffffffff;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
      }
      expect(crc32c(bytes)).toBe((crc ^ 0xffffffff) >>> 0);
    }),
  );
});

test('bytes may come in pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const [first, rest] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect(crc32c(rest, crc32c(first))).toBe(crc32c(bytes));
    }),
  );
});
