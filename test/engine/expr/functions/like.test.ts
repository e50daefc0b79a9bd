/** Goal: `like` means what SQL means by it, and never goes back more than to the last `%`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { likeMatcherOf } from '../../../../engine/expr/functions/like.ts';

test.each`
  text      | pattern     | isLike
  ${''}     | ${''}       | ${true}
  ${''}     | ${'%'}      | ${true}
  ${''}     | ${'_'}      | ${false}
  ${'abc'}  | ${'a%'}     | ${true}
  ${'abc'}  | ${'%c'}     | ${true}
  ${'abc'}  | ${'%b%'}    | ${true}
  ${'abc'}  | ${'b'}      | ${false}
  ${'abc'}  | ${'a_c'}    | ${true}
  ${'a😀c'} | ${'a_c'}    | ${true}
  ${'a.c'}  | ${'a.c'}    | ${true}
  ${'abc'}  | ${'a.c'}    | ${false}
  ${'100%'} | ${'100\\%'} | ${true}
  ${'1000'} | ${'100\\%'} | ${false}
  ${'a_b'}  | ${'a\\_b'}  | ${true}
  ${'a\\b'} | ${'a\\\\b'} | ${true}
  ${'a\\b'} | ${'a\\b'}   | ${true}
  ${'a\\'}  | ${'a\\'}    | ${true}
  ${'aab'}  | ${'%ab'}    | ${true}
  ${'a\nb'} | ${'a%b'}    | ${true}
  ${'ABC'}  | ${'abc'}    | ${false}
`('"$text" like "$pattern" is $isLike', ({ text, pattern, isLike }) => {
  expect(likeMatcherOf(pattern)(text)).toBe(isLike);
});

const signs = (list: readonly string[]) =>
  fc.array(fc.constantFrom(...list), { maxLength: 8 }).map((parts) => parts.join(''));

test('it matches what the same regular expression matches', () => {
  fc.assert(
    fc.property(
      signs(['a', 'b', '😀', '\n']),
      signs(['a', 'b', '😀', '%', '_']),
      (text, pattern) => {
        const regex = pattern.replaceAll('%', '.*').replaceAll('_', '.');
        expect(likeMatcherOf(pattern)(text)).toBe(new RegExp(`^${regex}$`, 'su').test(text));
      },
    ),
    { numRuns: 1000 },
  );
});
