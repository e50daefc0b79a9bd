/** Goal: key groups tile the tasks, and the table agrees with the ranges. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as keys from '../../../engine/keys/key-group.ts';

test.each`
  groups | parallelism | taskIndex | start  | end
  ${128} | ${1}        | ${0}      | ${0}   | ${128}
  ${128} | ${3}        | ${0}      | ${0}   | ${43}
  ${128} | ${3}        | ${1}      | ${43}  | ${86}
  ${128} | ${3}        | ${2}      | ${86}  | ${128}
  ${128} | ${128}      | ${127}    | ${127} | ${128}
`('task $taskIndex of $parallelism owns $start to $end of $groups', (row) => {
  const range = keys.keyGroupRangeOf(row.groups, row.parallelism, row.taskIndex);
  expect(range).toEqual({ start: row.start, end: row.end });
});

test('the ranges of all tasks tile the key groups, with sizes within one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1024 }), fc.nat(), (groups, seed) => {
      const parallelism = 1 + (seed % groups);
      let next = 0;
      for (let taskIndex = 0; taskIndex < parallelism; taskIndex++) {
        const { start, end } = keys.keyGroupRangeOf(groups, parallelism, taskIndex);
        expect(start).toBe(next);
        expect(Math.floor(groups / parallelism)).toBeLessThanOrEqual(end - start);
        expect(end - start).toBeLessThanOrEqual(Math.ceil(groups / parallelism));
        next = end;
      }
      expect(next).toBe(groups);
    }),
  );
});

test('the table gives each key group the task whose range holds it', () => {
  for (let parallelism = 1; parallelism <= keys.keyGroupCount; parallelism++) {
    const table = keys.partitionOfKeyGroups(parallelism);
    expect(table.length).toBe(128);
    for (let keyGroup = 0; keyGroup < table.length; keyGroup++) {
      const { start, end } = keys.keyGroupRangeOf(128, parallelism, table[keyGroup] ?? -1);
      expect(start <= keyGroup && keyGroup < end).toBe(true);
    }
  }
});

test.each`
  hash          | keyGroup
  ${1}          | ${0}
  ${0x01ffffff} | ${0}
  ${0x02000000} | ${1}
  ${0xffffffff} | ${127}
  ${-1}         | ${127}
`('the key group of hash $hash is $keyGroup', ({ hash, keyGroup }) => {
  expect(keys.keyGroupOf(hash)).toBe(keyGroup);
});

test('arguments out of range are refused', () => {
  expect(() => keys.keyGroupRangeOf(128, 129, 0)).toThrow(/parallelism/);
  expect(() => keys.keyGroupRangeOf(128, 0, 0)).toThrow(/parallelism/);
  expect(() => keys.keyGroupRangeOf(128, 2, 2)).toThrow(/taskIndex/);
});
