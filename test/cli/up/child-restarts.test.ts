/** Goal: a child that ends again and again is started more and more seldom, one that ran well at once again. */
import { expect, test } from 'vitest';
import { nextRestart, noRestarts } from '../../../cli/up/child-restarts.ts';

test.each`
  ends    | ranMs     | delayMs   | next
  ${0}    | ${0}      | ${500}    | ${1}
  ${1}    | ${0}      | ${1_000}  | ${2}
  ${5}    | ${59_999} | ${16_000} | ${6}
  ${6}    | ${0}      | ${30_000} | ${7}
  ${5000} | ${0}      | ${30_000} | ${5001}
  ${6}    | ${60_000} | ${500}    | ${1}
`('after $ends ends and $ranMs ms: again in $delayMs ms', ({ ends, ranMs, delayMs, next }) => {
  expect(nextRestart({ ends }, ranMs)).toEqual({ state: { ends: next }, delayMs });
});

test('the first end waits least', () => {
  expect(nextRestart(noRestarts, 0).delayMs).toBe(500);
});
