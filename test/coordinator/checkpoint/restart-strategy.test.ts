/** Goal: each strategy allows the attempts that its options say, at the delays that they say, for any failures. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  initialRestarts,
  type RestartOptions,
  type RestartStrategy,
  restartStrategy,
  stepRestart,
} from '../../../coordinator/checkpoint/restart-strategy.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

/** The delay after each failure; null where the job ends. Failures come so long after the attempt has begun. */
function delays(options: RestartOptions, lifesMs: readonly number[], chance = 0.5) {
  const strategy = restartStrategy(options);
  let state = initialRestarts;
  let nowMs = 0;
  return lifesMs.map((lifeMs) => {
    nowMs += lifeMs;
    const step = stepRestart(state, { nowMs, chance }, strategy);
    state = step.state;
    nowMs += step.delayMs ?? 0;
    return step.delayMs;
  });
}

test.each`
  options                                                                                        | lifes                      | expected
  ${{ kind: 'none' }}                                                                            | ${[5]}                     | ${[null]}
  ${{ kind: 'fixed-delay' }}                                                                     | ${[5, 5]}                  | ${[1_000, null]}
  ${{ kind: 'fixed-delay', attempts: 3, delayMs: 7 }}                                            | ${[5, 5, 5, 5]}            | ${[7, 7, 7, null]}
  ${{ kind: 'fixed-delay', attempts: 0 }}                                                        | ${[5]}                     | ${[null]}
  ${{ kind: 'exponential-delay' }}                                                               | ${[5, 5, 5]}               | ${[1_000, 1_500, 2_250]}
  ${{ kind: 'exponential-delay', maxBackoffMs: 1_200 }}                                          | ${[5, 5, 5]}               | ${[1_000, 1_200, 1_200]}
  ${{ kind: 'exponential-delay', resetBackoffThresholdMs: 9_000 }}                               | ${[5, 5, 8_999, 9_000, 5]} | ${[1_000, 1_500, 2_250, 1_000, 1_500]}
  ${{ kind: 'exponential-delay', attempts: 2, resetBackoffThresholdMs: 9_000 }}                  | ${[5, 5, 9_000, 5, 5]}     | ${[1_000, 1_500, 1_000, 1_500, null]}
  ${{ kind: 'failure-rate' }}                                                                    | ${[5, 5]}                  | ${[1_000, null]}
  ${{ kind: 'failure-rate', delayMs: 0, failureRateIntervalMs: 100 }}                            | ${[5, 100, 100, 99]}       | ${[0, 0, 0, null]}
  ${{ kind: 'failure-rate', delayMs: 1, failureRateIntervalMs: 100, maxFailuresPerInterval: 2 }} | ${[5, 5, 95, 5, 5]}        | ${[1, 1, 1, 1, null]}
`('$options after lives of $lifes ms: $expected', ({ options, lifes, expected }) => {
  expect(delays(options, lifes)).toEqual(expected);
});

test('chance moves a delay by its share at most, and never past the longest', () => {
  const options = { kind: 'exponential-delay', jitterFactor: 0.2, maxBackoffMs: 1_100 } as const;
  expect(delays(options, [5], 0)).toEqual([800]);
  expect(delays(options, [5], 0.999_999)).toEqual([1_100]);
  const anyNumber = fc.record({
    chance: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    jitterFactor: fc.double({ min: 0, max: 1, noNaN: true }),
    lifes: fc.array(fc.nat(10_000), { maxLength: 20 }),
  });
  fc.assert(
    fc.property(anyNumber, ({ chance, jitterFactor, lifes }) => {
      const found = delays({ kind: 'exponential-delay', jitterFactor }, lifes, chance);
      found.forEach((delayMs, index) => {
        const plainMs = Math.min(1_000 * 1.5 ** index, 60_000);
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(plainMs * (1 - jitterFactor)));
        expect(delayMs).toBeLessThanOrEqual(
          Math.min(60_000, Math.ceil(plainMs * (1 + jitterFactor))),
        );
      });
    }),
  );
});

test('a failure rate allows as many failures in any interval as it says, and no more', () => {
  const intervalMs = 1_000;
  fc.assert(
    fc.property(fc.array(fc.nat(600)), fc.integer({ min: 1, max: 4 }), (lifes, max) => {
      const options = {
        kind: 'failure-rate',
        delayMs: 0,
        failureRateIntervalMs: intervalMs,
      } as const;
      const found = delays({ ...options, maxFailuresPerInterval: max }, lifes);
      let nowMs = 0;
      const times = lifes.map((lifeMs) => (nowMs += lifeMs));
      times.forEach((time, index) => {
        const inInterval = times.slice(0, index + 1).filter((one) => one > time - intervalMs);
        expect(found[index] === null).toBe(inInterval.length > max);
      });
    }),
  );
});

test('the reason says what was used up', () => {
  const reasonOf = (options: RestartOptions) => {
    const strategy: RestartStrategy = restartStrategy(options);
    let step = stepRestart(initialRestarts, { nowMs: 0, chance: 0 }, strategy);
    if (step.delayMs !== null) step = stepRestart(step.state, { nowMs: 9, chance: 0 }, strategy);
    return step.reason;
  };
  expect(reasonOf({ kind: 'none' })).toBe('its restart strategy is "none"');
  expect(reasonOf({ kind: 'fixed-delay' })).toBe('it was started again 1 times');
  expect(reasonOf({ kind: 'failure-rate' })).toBe(
    'it had 2 failures within 1m 0s, and 1 are allowed',
  );
});

test.each([
  [{ kind: 'fixed-delay', attempts: -1 }, 'option "attempts" is -1'],
  [{ kind: 'fixed-delay', delayMs: Number.NaN }, 'option "delayMs" is NaN'],
  [{ kind: 'exponential-delay', backoffMultiplier: 0.5 }, 'it has to be from 1 to 1000'],
  [{ kind: 'exponential-delay', initialBackoffMs: 90_000 }, 'is above the longest, 60000'],
  [{ kind: 'failure-rate', failureRateIntervalMs: 0 }, 'in restart strategy "failure-rate"'],
  [{ kind: 'fixed' }, 'there is no restart strategy "fixed"'],
])('%j is refused', (options, message) => {
  const error = typedErrorOf(() => restartStrategy(options as RestartOptions));
  expect(error?.info.code).toBe('RESTART_OPTION_INVALID');
  expect(error?.message).toContain(message);
  expect(error?.info.hint).toMatch(/\.$/);
});
