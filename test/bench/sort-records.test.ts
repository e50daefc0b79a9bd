/** Goal: an answer of the bench of records is read as what it is, and one that differs is told. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRecordsAnswer, recordsDifferenceOf } from '../../bench/sort-records.ts';
import { writeRecord } from '../../jobs/sort/generate.ts';
import { tempFolder } from '../support/temp-folder.ts';

function records(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 100);
  numbers.forEach((number, index) => {
    writeRecord(bytes, index * 100, { number, seed: 1, isText: true });
    bytes.fill(65 + number, index * 100, index * 100 + 10);
  });
  return bytes;
}

const answerOf = (bytes: Uint8Array) => {
  const folder = tempFolder({ 'a.bin': bytes });
  return readRecordsAnswer(join(folder, 'a.bin'));
};

test('order, count and checksum', () => {
  const right = answerOf(records([0, 1, 2]));
  expect(right).toMatchObject({ records: 3, isAscending: true });
  expect(recordsDifferenceOf(right, right)).toBeNull();
  const mixed = answerOf(records([1, 0, 2]));
  expect(mixed.checksum).toBe(right.checksum);
  expect(recordsDifferenceOf(right, mixed)).toBe('its records do not ascend');
  expect(recordsDifferenceOf(right, answerOf(records([0, 1])))).toContain('records is 2, not 3');
  expect(recordsDifferenceOf(right, answerOf(records([0, 1, 1])))).toContain('checksum is');
});

test('a folder is its parts in order, without the marks and checksums beside them', () => {
  const files = {
    'part-r-00001': records([2, 3]),
    'part-r-00000': records([0, 1]),
    _SUCCESS: '',
    '.part-r-00000.crc': 'not a record',
  };
  expect(readRecordsAnswer(tempFolder(files))).toEqual(answerOf(records([0, 1, 2, 3])));
});
