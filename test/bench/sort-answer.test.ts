/** Goal: an answer of the sort bench tells sorted rows from rows that only look so. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordBatchFileWriter, tableFromArrays } from 'apache-arrow';
import { expect, test } from 'vitest';
import { readSortAnswer, sortDifferenceOf } from '../../bench/sort-answer.ts';
import { tempFolder } from '../support/temp-folder.ts';

function answerOf(keys: number[], values: number[]) {
  const path = join(tempFolder({}), 'out.arrow');
  const table = tableFromArrays({
    key: Int32Array.from(keys),
    value: BigInt64Array.from(values.map(BigInt)),
  });
  writeFileSync(path, RecordBatchFileWriter.writeAll(table).toUint8Array(true));
  return readSortAnswer(path);
}

const right = () => answerOf([1, 2, 2, 5], [30, 10, 20, 40]);

test('ties may stand in any order', () => {
  expect(right()).toEqual({ rows: 4, isAscending: true, keySum: '21.0000000000', valueSum: '100' });
  expect(sortDifferenceOf(right(), answerOf([1, 2, 2, 5], [30, 20, 10, 40]))).toBe(null);
});

test.each`
  what                | keys            | values              | difference
  ${'rows unsorted'}  | ${[2, 1, 2, 5]} | ${[10, 30, 20, 40]} | ${'its rows do not ascend'}
  ${'a row missing'}  | ${[1, 2, 5]}    | ${[30, 10, 40]}     | ${'rows is 3, not 4'}
  ${'a key repeated'} | ${[1, 1, 2, 5]} | ${[30, 10, 20, 40]} | ${'keySum is 20.0000000000, not 21.0000000000'}
  ${'another value'}  | ${[1, 2, 2, 5]} | ${[30, 10, 20, 41]} | ${'valueSum is 101, not 100'}
`('$what', ({ keys, values, difference }) => {
  expect(sortDifferenceOf(right(), answerOf(keys, values))).toContain(difference);
});
