/** Goal: two answers are equal exactly when all their rows are, and a difference is told. */
import { expect, test } from 'vitest';
import { sumAnswerOf, sumDifferenceOf } from '../../bench/sum-answer.ts';

const csv = 'auction,bids,total\n1,2,30\n5,1,7\n';

test('rows are counted and summed, line ends do not matter', () => {
  const answer = sumAnswerOf(csv);
  expect(answer).toMatchObject({ auctions: 2, bids: 3, total: 37 });
  expect(sumDifferenceOf(answer, sumAnswerOf(csv.replaceAll('\n', '\r\n')))).toBeNull();
});

test.each([
  ['another count', '1,3,30\n5,1,7', 'bids is 4, not 3'],
  ['another sum', '1,2,30\n5,1,8', 'total is 38, not 37'],
  ['a row less', '1,2,30', 'auctions is 1, not 2'],
  ['other groups of the same sums', '1,2,30\n6,1,7', 'hash is '],
])('%s is a difference', (_what, rows, difference) => {
  const other = sumAnswerOf(`auction,bids,total\n${rows}\n`);
  expect(sumDifferenceOf(sumAnswerOf(csv), other)).toContain(difference);
});

test('another table is refused', () => {
  expect(() => sumAnswerOf('a,b\n1,2\n')).toThrow('the first line is "a,b"');
});
