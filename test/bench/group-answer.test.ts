/** Goal: two answers of the groupby benches are equal when their groups are. */
import { expect, test } from 'vitest';
import { groupAnswerOf, groupDifferenceOf } from '../../bench/group-answer.ts';

const csv = 'groups,rows,squares,products,most\n2,5,13,70,20\n';

test('an answer is read, and the same one has no difference', () => {
  const answer = groupAnswerOf(csv);
  expect(answer).toEqual({ groups: 2, rows: 5, squares: 13, products: 70, most: 20 });
  expect(groupDifferenceOf(answer, groupAnswerOf(csv.replaceAll('\n', '\r\n')))).toBe(null);
});

test('a row in another group is seen', () => {
  const other = groupAnswerOf(csv.replace('13', '17'));
  expect(groupDifferenceOf(groupAnswerOf(csv), other)).toBe('squares is 17, not 13');
});

test('another header, and more than a row, are refused', () => {
  expect(() => groupAnswerOf('n\n1\n')).toThrow('the first line is "n"');
  expect(() => groupAnswerOf(`${csv}1,1,1,1,1\n`)).toThrow('there are 2 rows, not 1');
});
