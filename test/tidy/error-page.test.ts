/** Goal: the comparison of codes, page and sources sees what is missing on each side. */
import { expect, test } from 'vitest';
import { raisedCodes, sectionsOf } from './error-page.ts';

test('a section says its code, its kind, and something after it', () => {
  const page =
    '# E\n\n## A_B\n\nKind: user. When so. Do\nthis.\n\n## C_D\n\nNothing.\n\n## E_F\n\nKind: external.\n';
  expect(sectionsOf(page)).toEqual([
    { code: 'A_B', kind: 'user', sentences: 2 },
    { code: 'C_D', kind: null, sentences: 0 },
    { code: 'E_F', kind: 'external', sentences: 0 },
  ]);
});

test.each`
  path                     | code                                      | raised
  ${'engine/a.ts'}         | ${"throw typedError('A_B', 'text');"}     | ${['A_B']}
  ${'engine/a.ts'}         | ${"throw typedError('NOT_LISTED', 'x');"} | ${['NOT_LISTED']}
  ${'engine/a.ts'}         | ${"const entry = { code: 'A_B' };"}       | ${['A_B']}
  ${'engine/a.ts'}         | ${"fail(isX ? 'A_B' : 'C_D');"}           | ${['A_B', 'C_D']}
  ${'engine/a.ts'}         | ${"if (codeOf(error) === 'A_B') f();"}    | ${[]}
  ${'engine/a.ts'}         | ${"type Code = 'A_B'; // raises 'C_D'"}   | ${[]}
  ${'base/error-codes.ts'} | ${"const kinds = ['A_B'];"}               | ${[]}
  ${'test/a.test.ts'}      | ${"typedError('A_B', 'x');"}              | ${[]}
`('$code in $path raises $raised', ({ path, code, raised }) => {
  const found = raisedCodes([{ path, text: code }], ['A_B', 'C_D']);
  expect([...found]).toEqual(raised);
});
