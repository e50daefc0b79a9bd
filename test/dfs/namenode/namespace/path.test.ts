/** Goal: every name that POSIX allows is a name, and what would lead elsewhere is none. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPath, parsePath, textOfName } from '../../../../dfs/namenode/namespace/path.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';

test.each`
  path                                            | names
  ${'/'}                                          | ${[]}
  ${'/a'}                                         | ${['a']}
  ${'//a///b/'}                                   | ${['a', 'b']}
  ${'/a:b/c d/e\nf/\u0001/%2e/*?"<>|\\/…/.x/x..'} | ${['a:b', 'c d', 'e\nf', '\u0001', '%2e', '*?"<>|\\', '…', '.x', 'x..']}
`('$path has the names $names', ({ path, names }) => {
  expect(parsePath(path).map(textOfName)).toEqual(names);
});

test.each`
  what                       | path
  ${'nothing'}               | ${''}
  ${'a relative one'}        | ${'a/b'}
  ${'the parent'}            | ${'/a/../b'}
  ${'the same'}              | ${'/./a'}
  ${'a NUL'}                 | ${'/a\0b'}
  ${'half a character'}      | ${'/\ud800'}
  ${'a name of 256 bytes'}   | ${`/${'ä'.repeat(128)}`}
  ${'a path of 8,001 bytes'} | ${`${`/${'a'.repeat(199)}`.repeat(40)}/`.padEnd(8_002, 'b')}
`('$what is refused', ({ path }) => {
  expect(typedErrorOf(() => parsePath(path))?.info.code).toBe('DFS_PATH');
});

test('the longest name and the longest path are allowed', () => {
  expect(parsePath(`/${'ä'.repeat(127)}a`)[0]?.length).toBe(255);
  expect(parsePath(`/${'a'.repeat(199)}`.repeat(40)).length).toBe(40);
});

test('a path that is formatted is parsed to the same names', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..');
  fc.assert(
    fc.property(fc.array(name, { maxLength: 20 }), (names) => {
      const parsed = parsePath(`/${names.join('/')}`);
      expect(parsed.map(textOfName)).toEqual(names);
      expect(parsePath(formatPath(parsed))).toEqual(parsed);
    }),
  );
});
