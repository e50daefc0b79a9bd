/**
 * Goal: patterns match what JavaScript matches, with the same groups, in a count of steps that is
 * linear in the text; what can't be is refused with its place.
 */
import { createContext, runInContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RegexFinder } from '../../../../engine/expr/regex/regex-finder.ts';
import { parseRegex } from '../../../../engine/expr/regex/regex-parser.ts';
import { compileRegex } from '../../../../engine/expr/regex/regex-program.ts';
import { RegexTester } from '../../../../engine/expr/regex/regex-tester.ts';

function finderOf(pattern: string, flags = ''): RegexFinder {
  return new RegexFinder(compileRegex(parseRegex(pattern, flags)));
}

function testerOf(pattern: string, flags = ''): RegexTester {
  return new RegexTester(compileRegex(parseRegex(pattern, flags)));
}

/** The first match and its groups as JavaScript's `exec` has them. */
function groupsOf(pattern: string, flags: string, text: string): (string | undefined)[] | null {
  const regex = parseRegex(pattern, flags);
  const slots = new RegexFinder(compileRegex(regex)).find(text);
  if (slots === null) return null;
  return Array.from({ length: regex.groupCount + 1 }, (_, group) => {
    const [start = -1, end = -1] = [slots[group * 2], slots[group * 2 + 1]];
    return start < 0 || end < 0 ? undefined : text.slice(start, end);
  });
}

function javaScriptGroups(pattern: string, flags: string, text: string) {
  const found = new RegExp(pattern, `u${flags}`).exec(text);
  return found === null ? null : [...found];
}

/** V8 also looks for a match between the two halves of a surrogate pair; the standard does not. */
function isInsidePair(pattern: string, flags: string, text: string): boolean {
  const index = new RegExp(pattern, `u${flags}`).exec(text)?.index ?? 0;
  return index > 0 && (text.codePointAt(index - 1) ?? 0) > 0xffff;
}

const reach: { work?: () => unknown } = createContext({});
const reachMs = 2_000;

/** What JavaScript answers; null for the rare pattern that takes it exponential time: there is nothing to compare with then. */
function answerInTime<T>(work: () => T): T | null {
  reach.work = work;
  try {
    return runInContext('work()', reach, { timeout: reachMs }) as T;
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return null;
    throw error;
  }
}

const atoms = fc.constantFrom(
  ...['a', 'b', 'c', 'A', 'é', '😀', '.', '\\w', '\\W', '\\d', '\\s', '[ab]', '[^a]', '[a-c]'],
  ...['[^\\w]', '[😀é]', '\\u{1F600}', '\\n', '\\.', '\\b', '\\B', '^', '$', '[]', '[^]', ''],
);
const quantifiers = fc.constantFrom(
  ...[
    '',
    '',
    '',
    '*',
    '+',
    '?',
    '*?',
    '+?',
    '??',
    '{2}',
    '{0}',
    '{1,2}',
    '{0,2}',
    '{1,}',
    '{0,3}?',
  ],
);
const isAssertion = (atom: string) => ['\\b', '\\B', '^', '$', ''].includes(atom);

const patterns: fc.Arbitrary<string> = fc.letrec<{ pattern: string; term: string }>((tie) => ({
  pattern: fc
    .array(fc.array(tie('term'), { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((options) => options.map((terms) => terms.join('')).join('|')),
  term: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.tuple(atoms, quantifiers).map(([atom, times]) => (isAssertion(atom) ? atom : atom + times)),
    fc
      .tuple(fc.constantFrom('(', '(?:'), tie('pattern'), quantifiers)
      .map(([open, inside, times]) => `${open}${inside})${times}`),
  ),
})).pattern;
/** Short, for JavaScript's time is exponential in the length. */
const texts = fc
  .array(fc.constantFrom('a', 'b', 'c', 'A', 'B', 'é', '😀', ' ', '\n', '1', '.', '_'), {
    maxLength: 7,
  })
  .map((signs) => signs.join(''));
const flagSets = fc.subarray(['i', 'm', 's']).map((flags) => flags.join(''));

test('any pattern finds the match and the groups that JavaScript finds', () => {
  fc.assert(
    fc.property(patterns, flagSets, texts, (pattern, flags, text) => {
      const answer = answerInTime(() => ({
        isInside: isInsidePair(pattern, flags, text),
        expected: javaScriptGroups(pattern, flags, text),
      }));
      fc.pre(answer !== null && !answer.isInside);
      const expected = answer?.expected ?? null;
      expect(groupsOf(pattern, flags, text)).toEqual(expected);
      expect(testerOf(pattern, flags).test(text)).toBe(expected !== null);
    }),
    { numRuns: 2000 },
  );
});

test('a tester gives the same for one text after another', () => {
  fc.assert(
    fc.property(patterns, flagSets, fc.array(texts), (pattern, flags, all) => {
      const answer = answerInTime(() => {
        const list = all.filter((text) => !isInsidePair(pattern, flags, text));
        const expression = new RegExp(pattern, `u${flags}`);
        return { list, expected: list.map((text) => expression.test(text)) };
      });
      fc.pre(answer !== null);
      const tester = testerOf(pattern, flags);
      expect(answer?.list.map((text) => tester.test(text))).toEqual(answer?.expected);
    }),
    { numRuns: 500 },
  );
});

test.each`
  pattern                               | flags  | text
  ${'(|a)+'}                            | ${''}  | ${'aa'}
  ${'(|a){0,2}'}                        | ${''}  | ${'a'}
  ${'(?:(a)|b)*'}                       | ${''}  | ${'ab'}
  ${'(([é😀])*?)*'}                     | ${''}  | ${'😀é'}
  ${'(a*)*'}                            | ${''}  | ${'b'}
  ${'(z)((a+)?(b+)?(c))*'}              | ${''}  | ${'zaacbbbcac'}
  ${'a??b'}                             | ${''}  | ${'ab'}
  ${'^b'}                               | ${'m'} | ${'a\nb'}
  ${'a$'}                               | ${'m'} | ${'a\r\nb'}
  ${'a.b'}                              | ${'s'} | ${'a\nb'}
  ${'ß'}                                | ${'i'} | ${'ẞ'}
  ${'k'}                                | ${'i'} | ${'\u212a'}
  ${'\\w'}                              | ${'i'} | ${'ſ'}
  ${'\\W'}                              | ${'i'} | ${'s'}
  ${'[^\\W]'}                           | ${'i'} | ${'ſ'}
  ${'\\bſ'}                             | ${'i'} | ${'!ſ'}
  ${'[^x]'}                             | ${'i'} | ${'X'}
  ${'\\p{Lu}\\P{Lu}'}                   | ${''}  | ${'aÉé'}
  ${'\\p{Script=Greek}+'}               | ${''}  | ${'a αβγ'}
  ${'\\ud83d\\ude00|\\x41|\\cJ|\\0'}    | ${''}  | ${'😀'}
  ${'[\\b\\-\\]]'}                      | ${''}  | ${'-'}
  ${'(?<year>\\d{4})-(?<month>\\d\\d)'} | ${''}  | ${'on 2026-11-26'}
  ${'"([^"\\\\]|\\\\.)*"'}              | ${''}  | ${'say "a \\" b" !'}
`('$pattern with "$flags" finds in $text what JavaScript finds', ({ pattern, flags, text }) => {
  const expected = javaScriptGroups(pattern, flags, text);
  expect(groupsOf(pattern, flags, text)).toEqual(expected);
  expect(testerOf(pattern, flags).test(text)).toBe(expected !== null);
});

test.each`
  pattern             | what                          | position
  ${'a(b'}            | ${'a "(" without a ")"'}      | ${1}
  ${'a)'}             | ${'a ")" without a "("'}      | ${1}
  ${'[a'}             | ${'a "[" without a "]"'}      | ${0}
  ${'*a'}             | ${'a "*" with nothing'}       | ${0}
  ${'^*'}             | ${'nothing to repeat'}        | ${1}
  ${'a{2,1}'}         | ${'from 2 down to 1'}         | ${1}
  ${'a{,2}'}          | ${'a "{" that stands alone'}  | ${1}
  ${'}'}              | ${'"}" that stands alone'}    | ${0}
  ${'[b-a]'}          | ${'runs backwards'}           | ${1}
  ${'[\\d-a]'}        | ${'a range with a class'}     | ${1}
  ${'\\q'}            | ${'"\\q", which has no'}      | ${0}
  ${'\\'}             | ${'a "\\" at its end'}        | ${0}
  ${'\\p{Nope}'}      | ${'no property of Unicode'}   | ${0}
  ${'\\u{110000}'}    | ${'above 10FFFF'}             | ${10}
  ${'(a)\\1'}         | ${'a backreference'}          | ${3}
  ${'(?<n>a)\\k<n>'}  | ${'a backreference'}          | ${7}
  ${'(?=a)'}          | ${'lookahead, which is not'}  | ${0}
  ${'(?<!a)'}         | ${'lookbehind, which is not'} | ${0}
  ${'(?<1>a)'}        | ${'a group name'}             | ${3}
  ${'(?<a>)(?<a>)'}   | ${'a second group named "a"'} | ${11}
  ${'(?i:a)'}         | ${'"(?" that opens no group'} | ${1}
  ${'a{1001}'}        | ${'too high a count'}         | ${1}
  ${'(a{99}){99}'}    | ${'more states than'}         | ${0}
  ${'((){999}){999}'} | ${'more states than'}         | ${0}
`('$pattern is refused: $what at $position', ({ pattern, what, position }) => {
  expect(() => compileRegex(parseRegex(pattern))).toThrow(
    expect.objectContaining({
      name: 'EXPR_REGEX',
      message: expect.stringContaining(what),
      info: expect.objectContaining({ details: { position } }),
    }),
  );
});

test('brackets up to a depth, and flags that change nothing else', () => {
  expect(() => parseRegex('('.repeat(300))).toThrow('too many nested brackets');
  expect(() => parseRegex('a', 'g')).toThrow('the flag "g"');
  expect(testerOf('a', 'u').test('ba')).toBe(true);
});

test.each(['(a+)+$', '(a|aa)*b', '(.*)*x', '(a?){30}a{30}', '(?:a|b|ab)*c', '\\b(?:a+\\b)*!'])(
  '%s takes steps that are linear in the text',
  (pattern) => {
    const stepsOf = (size: number) => {
      const text = `${'a'.repeat(size)}\n`;
      const [finder, tester] = [finderOf(pattern), testerOf(pattern)];
      expect(finder.find(text) !== null).toBe(tester.test(text));
      return { found: finder.stepCount, tested: tester.stepCount };
    };
    const states = compileRegex(parseRegex(pattern)).instructions.length;
    const size = 20_000;
    const { found, tested } = stepsOf(size);
    expect(found).toBeLessThanOrEqual(2 * states * (size + 2));
    expect(found).toBeLessThanOrEqual(stepsOf(size / 2).found * 2 + states * 4);
    // The automaton has made its few states long before.
    expect(tested).toBeLessThanOrEqual(states * 200);
  },
);

test('an automaton with too many states forgets them and goes on', () => {
  // The 12th sign from the end is an a: 2^12 states.
  const pattern = 'a[ab]{11}$';
  const tester = testerOf(pattern);
  const expression = new RegExp(pattern);
  let seed = 1;
  const text = Array.from({ length: 20_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % 2 === 0 ? 'a' : 'b';
  }).join('');
  for (let end = text.length - 5; end < text.length; end++) {
    expect(tester.test(text.slice(0, end))).toBe(expression.test(text.slice(0, end)));
  }
  const states = compileRegex(parseRegex(pattern)).instructions.length;
  expect(tester.stepCount).toBeLessThanOrEqual(5 * text.length * states);
});
