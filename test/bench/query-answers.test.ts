/** Goal: answers of several queries are compared value by value, and a difference says where it is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { queryDifferenceOf, readQueryAnswers } from '../../bench/query-answers.ts';
import { tempFolder } from '../support/temp-folder.ts';

function answersOf(files: Readonly<Record<string, string>>) {
  const folder = tempFolder({});
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return readQueryAnswers(folder);
}

const right = () =>
  answersOf({
    'h1.csv': 'name,price\n"a, ""b""",12.50\nc,\n',
    'h2.csv': 'n\r\n3.0501446\r\n',
    'seconds.json': '{}',
  });

test('ways to show a number are level', () => {
  const other = answersOf({
    'h1.csv': 'name,price\n"a, ""b""",12.5000001\nc,""\n',
    'h2.csv': 'n\n3.050145\n',
  });
  expect(queryDifferenceOf(right(), other)).toBe(null);
});

test.each`
  what                     | h1                                       | difference
  ${'a value'}             | ${'name,price\n"a, ""b""",12.51\nc,\n'}  | ${'row 1 of h1 is a, "b",12.51, not a, "b",12.50'}
  ${'null for a number'}   | ${'name,price\n"a, ""b""",\nc,\n'}       | ${'row 1 of h1'}
  ${'a number for null'}   | ${'name,price\n"a, ""b""",12.50\nc,0\n'} | ${'row 2 of h1'}
  ${'a row missing'}       | ${'name,price\n"a, ""b""",12.50\n'}      | ${'h1 has 1 rows, not 2'}
  ${'rows in other order'} | ${'name,price\nc,\n"a, ""b""",12.50\n'}  | ${'row 1 of h1'}
  ${'a column missing'}    | ${'name\n"a, ""b"""\nc\n'}               | ${'row 0 of h1'}
`('$what', ({ h1, difference }) => {
  const other = answersOf({ 'h1.csv': h1, 'h2.csv': 'n\n3.050145\n' });
  expect(queryDifferenceOf(right(), other)).toContain(difference);
});

test('a query that is missing, or too many', () => {
  const one = answersOf({ 'h2.csv': 'n\n3.050145\n' });
  expect(queryDifferenceOf(right(), one)).toBe('h1 is missing');
  expect(queryDifferenceOf(one, right())).toBe('2 queries, not 1');
});
