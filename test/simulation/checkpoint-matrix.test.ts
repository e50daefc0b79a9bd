/**
 * Goal: every step of the protocol of checkpoints × everything that can befall it, once each: more than a thousand different
 * runs, and each gives every row once. All places of all steps: `test/long/checkpoint-sweep.test.ts`.
 */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { checkCases, type MatrixCase, oneCaseEach } from '../support/checkpoint-matrix.ts';

const seeds = [2, 3, 7];
const distinctMin = 1_000;
/** One macrotask each, so that the test runner hears from us. */
const casesPerPiece = 50;

test(`at least ${distinctMin} different runs, every step struck by everything`, {
  timeout: 600_000,
}, async () => {
  const cases = await inMacrotask((): readonly MatrixCase[] => oneCaseEach(seeds));
  const count = { struck: 0, traces: new Set<string>() };
  for (let from = 0; from < cases.length; from += casesPerPiece) {
    await inMacrotask(() => checkCases(cases.slice(from, from + casesPerPiece), count));
  }
  // A death that comes first may keep the other from coming.
  expect(count.struck).toBeGreaterThan(0.95 * cases.length);
  expect(count.traces.size).toBeGreaterThanOrEqual(distinctMin);
});
