/** Goal: a partial table grows where keys come again, and only there, and never takes the slot's memory. */
import { expect, test } from 'vitest';
import { largerPartialTable } from '../../../engine/operators/partial-limit.ts';

const mebibyte = 1024 * 1024;
const table = { groupCount: 49_152, slotCount: 65_536, sizeBytes: 2 * mebibyte };
const memoryBytes = 512 * mebibyte;

test.each`
  rowsPerGroup | slots      | why
  ${1}         | ${null}    | ${'no key has come twice'}
  ${1.01}      | ${null}    | ${'few keys come twice'}
  ${1.05}      | ${2 ** 17} | ${'some keys come twice'}
  ${4}         | ${2 ** 17} | ${'keys come often, and a larger table holds more of them'}
  ${8}         | ${null}    | ${'keys come so often that what goes on is little'}
`('$rowsPerGroup rows per group: $why', ({ rowsPerGroup, slots }) => {
  const rowCount = Math.round(table.groupCount * rowsPerGroup);
  expect(largerPartialTable(table, rowCount, memoryBytes)).toBe(slots);
});

test('a table is at most 2^21 slots, and an eighth of the memory', () => {
  const rowCount = table.groupCount * 2;
  expect(largerPartialTable({ ...table, slotCount: 2 ** 20 }, rowCount, memoryBytes)).toBe(2 ** 21);
  expect(largerPartialTable({ ...table, slotCount: 2 ** 21 }, rowCount, memoryBytes)).toBe(null);
  expect(largerPartialTable(table, rowCount, 32 * mebibyte)).toBe(2 ** 17);
  expect(largerPartialTable(table, rowCount, 31 * mebibyte)).toBe(null);
});
