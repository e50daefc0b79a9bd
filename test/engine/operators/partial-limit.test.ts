/** Goal: a partial table grows where keys come again, is small where they don't, and never takes the slot's memory. */
import { expect, test } from 'vitest';
import { partialSlotsOf } from '../../../engine/operators/partial-limit.ts';

const mebibyte = 1024 * 1024;
const table = { groupCount: 49_152, slotCount: 65_536, sizeBytes: 2 * mebibyte };
const memoryBytes = 512 * mebibyte;

test.each`
  rowsPerGroup | slots      | why
  ${1}         | ${2 ** 13} | ${'no key has come twice'}
  ${1.01}      | ${2 ** 13} | ${'few keys come twice'}
  ${1.05}      | ${2 ** 17} | ${'some keys come twice'}
  ${4}         | ${2 ** 17} | ${'keys come often, and a larger table holds more of them'}
  ${8}         | ${2 ** 16} | ${'keys come so often that what goes on is little'}
`('$rowsPerGroup rows per group: $why', ({ rowsPerGroup, slots }) => {
  const rowCount = Math.round(table.groupCount * rowsPerGroup);
  expect(partialSlotsOf(table, rowCount, memoryBytes)).toBe(slots);
});

test('a table is at most 2^21 slots, and an eighth of the memory', () => {
  const rowCount = table.groupCount * 2;
  expect(partialSlotsOf({ ...table, slotCount: 2 ** 20 }, rowCount, memoryBytes)).toBe(2 ** 21);
  expect(partialSlotsOf({ ...table, slotCount: 2 ** 21 }, rowCount, memoryBytes)).toBe(2 ** 21);
  expect(partialSlotsOf(table, rowCount, 32 * mebibyte)).toBe(2 ** 17);
  expect(partialSlotsOf(table, rowCount, 31 * mebibyte)).toBe(2 ** 16);
});
