/** Goal: a meta file says what was written into it, or that it is damaged: whichever bit flips, wherever it ends. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { crc32c } from '../../../../base/checksum.ts';
import {
  type DecodedMeta,
  decodeChecksums,
  decodeMeta,
  encodeChecksums,
  encodeMetaHeader,
  encodeRecord,
  headerChecksumOf,
  metaBytesOf,
  metaPrefixBytes,
  newerPlaceOf,
  type ReplicaRecord,
  recordStarts,
} from '../../../../dfs/datanode/replicas/meta-format.ts';

const header = { blockId: 2 ** 40 + 7, chunkBytes: 4_096 };
const first: ReplicaRecord = {
  sequence: 4,
  state: 'writing',
  generationStamp: 2 ** 33 + 1,
  lengthBytes: 9_000,
  syncedBytes: 8_192,
  tailChecksum: 0xfedc_ba98,
};
const second: ReplicaRecord = { ...first, sequence: 5, state: 'finalized', syncedBytes: 9_000 };

function prefixOf(a: ReplicaRecord, b: ReplicaRecord | null): Uint8Array {
  const bytes = new Uint8Array(metaPrefixBytes);
  const encoded = encodeMetaHeader(crc32c, header);
  bytes.set(encoded);
  bytes.set(encodeRecord(crc32c, headerChecksumOf(encoded), a), recordStarts[0]);
  if (b !== null) bytes.set(encodeRecord(crc32c, headerChecksumOf(encoded), b), recordStarts[1]);
  return bytes;
}

const decoded = (bytes: Uint8Array) => decodeMeta(crc32c, bytes) as DecodedMeta;

test('header and records are read as they were written; the newer record counts', () => {
  expect(decoded(prefixOf(first, second))).toMatchObject({ header, records: [first, second] });
  expect(newerPlaceOf(decoded(prefixOf(first, second)))).toBe(1);
  expect(newerPlaceOf(decoded(prefixOf(second, first)))).toBe(0);
  expect(newerPlaceOf(decoded(prefixOf(first, null)))).toBe(0);
  expect(newerPlaceOf({ ...decoded(prefixOf(first, null)), records: [null, null] })).toBeNull();
});

test('every bit that flips is noticed: in the header, or in the record that it is in', () => {
  const whole = prefixOf(first, second);
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bytes = whole.slice();
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const found = decodeMeta(crc32c, bytes);
    if (bit >> 3 < recordStarts[0]) expect(found).toBeTypeOf('string');
    else if (bit >> 3 < recordStarts[1]) expect(found).toMatchObject({ records: [null, second] });
    else expect(found).toMatchObject({ records: [first, null] });
  }
});

test('wherever it ends, nothing is read of what is not whole', () => {
  const whole = prefixOf(first, second);
  for (let length = 0; length < whole.length; length++) {
    const found = decodeMeta(crc32c, whole.subarray(0, length));
    if (length < recordStarts[0]) expect(found).toBeTypeOf('string');
    else if (length < recordStarts[1]) expect(found).toMatchObject({ records: [null, null] });
    else expect(found).toMatchObject({ records: [first, null] });
  }
});

test('a record of another replica is none of this one', () => {
  const bytes = prefixOf(first, second);
  const other = encodeMetaHeader(crc32c, { ...header, blockId: 8 });
  bytes.set(encodeRecord(crc32c, headerChecksumOf(other), second), recordStarts[1]);
  expect(decoded(bytes).records).toEqual([first, null]);
});

test('a later version is named', () => {
  const bytes = prefixOf(first, second);
  bytes[8] = 2;
  new DataView(bytes.buffer).setUint32(28, crc32c(bytes.subarray(0, 28)), true);
  expect(decodeMeta(crc32c, bytes)).toBe(
    'the meta file has version 2, this datanode reads version 1',
  );
});

test('a meta file has a checksum per complete chunk', () => {
  expect(metaBytesOf(0, 512)).toBe(112);
  expect(metaBytesOf(511, 512)).toBe(112);
  expect(metaBytesOf(512, 512)).toBe(116);
  const sums = Uint32Array.of(1, 0xffff_ffff, 0x8000_0000);
  expect(decodeChecksums(encodeChecksums(sums))).toEqual(sums);
});

test('a meta file of version 1 is read for ever', () => {
  const folder = resolve('test/fixtures/formats/v1/replica');
  const meta = readFileSync(`${folder}/blk_1073741825.meta`);
  const block = readFileSync(`${folder}/blk_1073741825`);
  const record = { state: 'finalized', generationStamp: 1_001, lengthBytes: 1_300 } as const;
  const found = decoded(meta.subarray(0, metaPrefixBytes));
  expect(found.header).toEqual({ blockId: 1_073_741_825, chunkBytes: 512 });
  expect(found.records).toMatchObject([record, record]);
  const sums = decodeChecksums(meta.subarray(metaPrefixBytes));
  expect([...sums]).toEqual([crc32c(block.subarray(0, 512)), crc32c(block.subarray(512, 1_024))]);
  expect(found.records[0]?.tailChecksum).toBe(crc32c(block.subarray(1_024)));
});
