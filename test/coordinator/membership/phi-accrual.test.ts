/** Goal: suspicion grows with silence, is calm in a calm rhythm, and patient in an unsteady one. */
import { expect, test } from 'vitest';
import { firstRhythm, phiOf, withInterval } from '../../../coordinator/membership/phi-accrual.ts';

const config = { heartbeatMs: 500, deviationMsMin: 100 };

function rhythmOf(...intervals: readonly number[]) {
  let rhythm = firstRhythm(config);
  for (let round = 0; round < 60; round++) {
    for (const interval of intervals) rhythm = withInterval(rhythm, interval);
  }
  return rhythm;
}

test.each`
  rhythm                  | silenceMs | least  | most
  ${rhythmOf(500)}        | ${0}      | ${0}   | ${0.001}
  ${rhythmOf(500)}        | ${500}    | ${0.3} | ${0.31}
  ${rhythmOf(500)}        | ${700}    | ${1.5} | ${1.8}
  ${rhythmOf(500)}        | ${1_000}  | ${5}   | ${8}
  ${rhythmOf(500)}        | ${60_000} | ${1e6} | ${1e9}
  ${rhythmOf(200, 2_000)} | ${2_500}  | ${1}   | ${3}
  ${rhythmOf(200, 2_000)} | ${20_000} | ${40}  | ${1e6}
  ${firstRhythm(config)}  | ${1_000}  | ${1.5} | ${1.8}
`(
  'a silence of $silenceMs ms is between phi $least and $most',
  ({ rhythm, silenceMs, least, most }) => {
    const phi = phiOf(rhythm, silenceMs, config);
    expect(phi).toBeGreaterThanOrEqual(least);
    expect(phi).toBeLessThanOrEqual(most);
  },
);

test('phi never falls while the silence lasts', () => {
  for (const rhythm of [rhythmOf(500), rhythmOf(100, 900), firstRhythm(config)]) {
    let before = -1;
    for (let silenceMs = 0; silenceMs < 1e7; silenceMs = silenceMs * 1.3 + 1) {
      const phi = phiOf(rhythm, silenceMs, config);
      expect(Number.isFinite(phi)).toBe(true);
      expect(phi).toBeGreaterThanOrEqual(before);
      before = phi;
    }
  }
});
