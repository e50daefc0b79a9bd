/** Goal: the kernel's CRC32C is the reference's, of any bytes in any parts. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { crc32c } from '../../../base/checksum.ts';
import { crcTableBytes, writeCrcTables } from '../../../engine/kernels/checksum-kernels.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
const words = new Uint32Array(arena.bytes.buffer);
beforeEach(() => arena.reset());

function checksum(bytes: Uint8Array, cut = 0): number {
  const tables = arena.room(crcTableBytes);
  writeCrcTables(words, tables);
  const from = arena.put(bytes, 3);
  const { kernels } = arena;
  const before = kernels.crc32c(tables, from, cut, 0);
  return kernels.crc32c(tables, from + cut, bytes.length - cut, before) >>> 0;
}

test('the checksum of RFC 3720', () => {
  expect(checksum(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(checksum(encode('123456789'))).toBe(0xe306_9283);
});

test('any bytes, in one part and in two', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
      arena.reset();
      expect(checksum(bytes, Math.min(at, bytes.length))).toBe(crc32c(bytes));
    }),
  );
});
