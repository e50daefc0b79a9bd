/** Goal: the ratchet excuses what it lists, and can only be made shorter. */
import { expect, test } from 'vitest';
import { applyRatchet, checkRatchet } from './ratchet.ts';

const problem = (path: string) => ({ path, line: 7, message: 'too long' });

test('a listed file is excused, any other is not', () => {
  const problems = [problem('a.ts'), problem('b.ts')];
  expect(applyRatchet({ short: ['a.ts'] }, 'short', problems)).toEqual([problem('b.ts')]);
  expect(applyRatchet({ other: ['a.ts'] }, 'short', problems)).toEqual(problems);
});

test('an excuse that is no longer needed must go', () => {
  const [found, ...more] = applyRatchet({ short: ['a.ts'] }, 'short', []);
  expect(found?.message).toContain('a.ts keeps the rule "short" now');
  expect(more).toEqual([]);
});

test.each`
  before                         | now                    | messages
  ${{}}                          | ${{}}                  | ${[]}
  ${{ short: ['a.ts', 'b.ts'] }} | ${{ short: ['b.ts'] }} | ${[]}
  ${{ short: ['a.ts'] }}         | ${{}}                  | ${[]}
  ${{}}                          | ${{ short: ['a.ts'] }} | ${['a.ts is new: the list may only shrink']}
  ${{ short: ['a.ts'] }}         | ${{ short: ['b.ts'] }} | ${['b.ts is new: the list may only shrink']}
  ${{}}                          | ${{ novel: [] }}       | ${['there is no rule "novel"']}
`('from $before to $now: $messages', ({ before, now, messages }) => {
  const problems = checkRatchet(before, now, ['short']);
  expect(problems.map(({ message }) => message)).toEqual(messages);
});
