/** Goal: a glob says where to start and how deep to go, and matches what shells match. */
import { expect, test } from 'vitest';
import { isGlob, matchesGlob, parseGlob } from '../../../connectors/filesystem/glob.ts';

test.each`
  path                    | base      | pattern             | depthMax    | seesHidden
  ${'*.md'}               | ${'.'}    | ${'*.md'}           | ${0}        | ${false}
  ${'/*.md'}              | ${'/'}    | ${'*.md'}           | ${0}        | ${false}
  ${'logs/2024-??/*.log'} | ${'logs'} | ${'2024-??/*.log'}  | ${1}        | ${false}
  ${'/a/b/**/*.{ts,js}'}  | ${'/a/b'} | ${'**/*.{ts,js}'}   | ${Infinity} | ${false}
  ${'a/{b,c/d}/*.txt'}    | ${'a'}    | ${'{b,c/d}/*.txt'}  | ${Infinity} | ${false}
  ${'a/[bc]/.hidden/*'}   | ${'a'}    | ${'[bc]/.hidden/*'} | ${2}        | ${true}
  ${'../x/{.a,b}'}        | ${'../x'} | ${'{.a,b}'}         | ${0}        | ${true}
`('$path starts at $base with $pattern', ({ path, base, pattern, depthMax, seesHidden }) => {
  expect(isGlob(path)).toBe(true);
  expect(parseGlob(path)).toEqual({ base, pattern, depthMax, seesHidden });
});

test.each`
  pattern             | path             | isMatch
  ${'x/**/*.md'}      | ${'a.md'}        | ${true}
  ${'x/**/*.md'}      | ${'a/b/c.md'}    | ${true}
  ${'x/**/*.md'}      | ${'a/b/c.txt'}   | ${false}
  ${'x/*.{md,txt}'}   | ${'a.txt'}       | ${true}
  ${'x/*.{md,txt}'}   | ${'a/b.txt'}     | ${false}
  ${'x/f?.log'}       | ${'f1.log'}      | ${true}
  ${'x/f?.log'}       | ${'f10.log'}     | ${false}
  ${'x/[a-c]*.log'}   | ${'beta.log'}    | ${true}
  ${'x/[a-c]*.log'}   | ${'delta.log'}   | ${false}
  ${'x/**'}           | ${'a/.hidden/b'} | ${false}
  ${'x/*'}            | ${'.hidden'}     | ${false}
  ${'x/**/.hidden/*'} | ${'a/.hidden/b'} | ${true}
`('$pattern and $path: $isMatch', ({ pattern, path, isMatch }) => {
  expect(matchesGlob(parseGlob(pattern), path)).toBe(isMatch);
});

test('plain paths are no globs', () => {
  expect(['a/b.txt', '/x y/z', 'C:/a(1).txt'].some(isGlob)).toBe(false);
});
