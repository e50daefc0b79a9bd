/** Goal: two answers are equal exactly when every count is; a difference is named. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerOf, differenceOf, type WordAnswer } from '../../bench/word-answer.ts';

const answer = answerOf('word,count\nthe,5\na,5\nmill,1\n');

test('total, distinct and hash are those of the definition, ties go by the word', () => {
  expect(answer).toEqual({
    total: 11,
    distinct: 3,
    hash: 25 * 3 + 25 * 1 + 1 * 4,
    top: 'a:5 the:5 mill:1',
  });
});

test('the square is taken modulo the prime, exactly', () => {
  const count = 5_831_751;
  const expected = Number(BigInt(count) ** 2n % 1_000_003n) * 3;
  expect(answerOf(`word,count\nthe,${count}\n`).hash).toBe(expected);
});

test('the order of rows and the kind of line end do not matter', () => {
  const row = fc.tuple(fc.stringMatching(/^[a-z]{1,12}$/), fc.integer({ min: 1, max: 1e6 }));
  const rows = fc.uniqueArray(row, { selector: ([word]) => word, maxLength: 40 });
  fc.assert(
    fc.property(rows, (pairs) => {
      const csv = (list: typeof pairs, end: string) =>
        ['word,count', ...list.map((pair) => pair.join())].join(end) + end;
      expect(answerOf(csv(pairs.toReversed(), '\r\n'))).toEqual(answerOf(csv(pairs, '\n')));
    }),
  );
});

test('a file with another header is refused', () => {
  expect(() => answerOf('the,5\n')).toThrow('the first line is "the,5"');
});

test.each`
  change              | difference
  ${{}}               | ${null}
  ${{ top: 'a:5' }}   | ${null}
  ${{ total: 12 }}    | ${'total is 11, not 12'}
  ${{ distinct: 4 }}  | ${'distinct is 3, not 4'}
  ${{ hash: 1 }}      | ${'hash is 104, not 1'}
  ${{ top: 'the:5' }} | ${'top is "a:5 the:5 mill:1", not "the:5"'}
`('expecting $change gives $difference', ({ change, difference }) => {
  const expected: WordAnswer = { ...answer, ...change };
  expect(differenceOf(expected, answer)).toBe(difference);
});
