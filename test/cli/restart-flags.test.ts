/** Goal: how often and how soon a job is started again is what the flags say, and their usual values on a machine and a cluster. */
import { expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { restartOf } from '../../cli/restart-flags.ts';

test.each`
  flags                                                        | place        | strategy
  ${{}}                                                        | ${'machine'} | ${{ kind: 'exponential-delay', attempts: 10, initialBackoffMs: 1_000, maxBackoffMs: 60_000 }}
  ${{}}                                                        | ${'cluster'} | ${{ kind: 'exponential-delay', attempts: null, initialBackoffMs: 1_000, maxBackoffMs: 5_000 }}
  ${{ restartAttempts: 'any' }}                                | ${'machine'} | ${{ attempts: null }}
  ${{ restartAttempts: '3', restartDelay: '10s' }}             | ${'cluster'} | ${{ attempts: 3, initialBackoffMs: 10_000, maxBackoffMs: 10_000 }}
  ${{ restartDelayMax: '2s' }}                                 | ${'cluster'} | ${{ maxBackoffMs: 2_000 }}
  ${{ restartStrategy: 'none' }}                               | ${'machine'} | ${{ kind: 'none' }}
  ${{ restartStrategy: 'fixed-delay', restartDelay: '500ms' }} | ${'machine'} | ${{ kind: 'fixed-delay', delayMs: 500, attempts: 10 }}
`('$flags on a $place', ({ flags, place, strategy }) => {
  expect(restartOf(flags, place)).toMatchObject(strategy);
});

test.each`
  flags                           | code
  ${{ restartStrategy: 'often' }} | ${'FLAG_VALUE'}
  ${{ restartAttempts: '-1' }}    | ${'FLAG_VALUE'}
  ${{ restartDelay: 'soon' }}     | ${'FLAG_VALUE'}
  ${{ restartDelayMax: '500ms' }} | ${'RESTART_OPTION_INVALID'}
`('$flags is refused', ({ flags, code }) => {
  let found: unknown = null;
  try {
    restartOf(flags, 'machine');
  } catch (error) {
    found = codeOf(error);
  }
  expect(found).toBe(code);
});
