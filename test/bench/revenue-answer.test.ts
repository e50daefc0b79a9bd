/** Goal: answers are equal whatever the order of rows and the digits, and a difference is named. */
import { expect, test } from 'vitest';
import { revenueAnswerOf, revenueDifferenceOf } from '../../bench/revenue-answer.ts';

const answer = revenueAnswerOf('id,revenue\n1,400000.5\n7,499999.995\n');

test('rows, ids and cents are summed', () => {
  expect(answer).toEqual({ rows: 2, idSum: 8, cents: 40_000_050 + 50_000_000 });
});

test('order, digits and line ends do not matter', () => {
  const other = revenueAnswerOf('id,revenue\r\n7,499999.99500000002\r\n1,4.000005e5\r\n');
  expect(revenueDifferenceOf(answer, other)).toBeNull();
});

test.each([
  ['id,revenue\n1,400000.5\n', 'rows is 1, not 2'],
  ['id,revenue\n1,400000.5\n8,499999.995\n', 'idSum is 9, not 8'],
  ['id,revenue\n1,400000.5\n7,499999.97\n', 'cents is 90000047, not 90000050'],
])('%j differs', (csv, difference) => {
  expect(revenueDifferenceOf(answer, revenueAnswerOf(csv))).toBe(difference);
});

test('another header is refused', () => {
  expect(() => revenueAnswerOf('a,b\n')).toThrow('the first line is "a,b"');
});
