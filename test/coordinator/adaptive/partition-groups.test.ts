/** Goal: neighbours are put together by size, large ones are found, and nothing is left out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { adaptiveDefaults } from '../../../coordinator/adaptive/adaptive-options.ts';
import {
  groupsOf,
  partBytesOf,
  skewedOf,
  sumOf,
  taskBytesOf,
} from '../../../coordinator/adaptive/partition-groups.ts';

const options = { ...adaptiveDefaults, taskBytesMin: 10, taskBytesMax: 100 };

function texts(bytes: readonly number[], groupBytes: number): string[] {
  return groupsOf(bytes, groupBytes).map(({ from, to }) => bytes.slice(from, to).join(' '));
}

test.each`
  bytes                       | groupBytes | groups
  ${[]}                       | ${10}      | ${[]}
  ${[0, 0, 0]}                | ${10}      | ${['0 0 0']}
  ${[5]}                      | ${10}      | ${['5']}
  ${[50]}                     | ${10}      | ${['50']}
  ${[1, 1, 1, 1]}             | ${10}      | ${['1 1 1 1']}
  ${[5, 5, 5, 5]}             | ${10}      | ${['5 5', '5 5']}
  ${[5, 5, 5, 5]}             | ${5}       | ${['5', '5', '5', '5']}
  ${[20, 20, 20]}             | ${10}      | ${['20', '20', '20']}
  ${[3, 3, 3, 3, 20, 3, 3]}   | ${6}       | ${['3 3', '3 3', '20', '3 3']}
  ${[1, 1, 40, 1, 1]}         | ${11}      | ${['1 1 40 1 1']}
  ${[4, 6, 5, 5]}             | ${10}      | ${['4 6', '5 5']}
  ${[30, 30, 1]}              | ${10}      | ${['30', '30 1']}
  ${[9, 9, 0, 0]}             | ${9}       | ${['9', '9 0 0']}
  ${[0, 0, 9, 0, 9, 0, 0, 9]} | ${9}       | ${['0 0 9', '0 9', '0 0 9']}
  ${[3, 3, 3, 3, 3, 3]}       | ${6}       | ${['3 3', '3 3', '3 3']}
`('$bytes in groups of $groupBytes', ({ bytes, groupBytes, groups }) => {
  expect(texts(bytes, groupBytes)).toEqual(groups);
});

test('each has its group, and a group is not too large for its largest member', () => {
  const sizes = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2000 })), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 500 }), (bytes, groupBytes) => {
      const groups = groupsOf(bytes, groupBytes);
      expect(groups[0]?.from).toBe(0);
      expect(groups.at(-1)?.to).toBe(bytes.length);
      for (const [at, { from, to }] of groups.entries()) {
        expect(to).toBeGreaterThan(from);
        if (at > 0) expect(from).toBe(groups[at - 1]?.to);
        const own = bytes.slice(from, to);
        expect(sumOf(own)).toBeLessThanOrEqual(groupBytes * 1.4 + Math.max(...own));
      }
      expect(groups.length).toBeLessThanOrEqual(Math.max(1, Math.ceil(sumOf(bytes) / groupBytes)));
    }),
  );
});

test.each`
  total   | slotCount | bytes
  ${0}    | ${2}      | ${10}
  ${15}   | ${2}      | ${10}
  ${60}   | ${2}      | ${30}
  ${61}   | ${2}      | ${31}
  ${9000} | ${2}      | ${100}
`('$total bytes for $slotCount slots: $bytes for a task', ({ total, slotCount, bytes }) => {
  expect(taskBytesOf(total, slotCount, options)).toBe(bytes);
});

test.each`
  bytes              | skewBytesMin | skewed
  ${[]}              | ${1}         | ${[]}
  ${[10, 10, 10]}    | ${1}         | ${[]}
  ${[10, 50, 10]}    | ${1}         | ${[]}
  ${[10, 51, 10]}    | ${1}         | ${[1]}
  ${[10, 51, 10]}    | ${60}        | ${[]}
  ${[1, 99]}         | ${1}         | ${[1]}
  ${[0, 0, 0, 7]}    | ${5}         | ${[3]}
  ${[99, 1, 1, 99]}  | ${1}         | ${[0, 3]}
  ${[99, 99, 99, 1]} | ${1}         | ${[]}
`('of $bytes, from $skewBytesMin on: $skewed', ({ bytes, skewBytesMin, skewed }) => {
  expect([...skewedOf(bytes, { ...options, skewFactor: 5, skewBytesMin })]).toEqual(skewed);
});

test('a part is as large as a partition that is not skewed, and not too small', () => {
  const small = { ...options, splitBytesMin: 4 };
  expect(partBytesOf([10, 90, 20], new Set([1]), small)).toBe(15);
  expect(partBytesOf([1, 90, 1], new Set([1]), small)).toBe(4);
  expect(partBytesOf([90], new Set([0]), small)).toBe(4);
});
