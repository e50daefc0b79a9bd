/** Goal: two answers of the Kafka bench are alike but for the last windows, or the first difference is named. */
import { expect, test } from 'vitest';
import { countsDifference } from '../../bench/kafka-report.ts';

const lineOf = (windowMs: number, auction: number, bids = 1) => {
  const value = { windowStart: new Date(windowMs).toISOString(), auction, bids, total: 2 };
  return JSON.stringify({ value: JSON.stringify(value) });
};
const own = [lineOf(0, 1), lineOf(0, 2), lineOf(10_000, 1)];

test.each`
  other                                      | difference
  ${own}                                     | ${null}
  ${own.slice(0, 2)}                         | ${null}
  ${own.slice(0, 1)}                         | ${'0 2 is missing'}
  ${[...own.slice(1, 2), lineOf(0, 1, 3)]}   | ${'0 1 is 1 2 and 3 2'}
  ${[...own.slice(0, 2), lineOf(20_000, 1)]} | ${'20000 1 is undefined and 1 2'}
  ${[]}                                      | ${'one of them is empty'}
`('$other beside it: $difference', ({ other, difference }) => {
  expect(countsDifference(own.join('\n'), other.join('\n'))).toBe(difference);
});

test('as many windows as large benches have', () => {
  const many = Array.from({ length: 200_000 }, (_, n) => lineOf(n * 10_000, 1)).join('\n');
  expect(countsDifference(many, many)).toBe(null);
});

test('a window that is there twice is an error', () => {
  expect(() => countsDifference([...own, own[0]].join('\n'), own.join('\n'))).toThrow(
    '0 1 is counted twice',
  );
});
