/**
 * Goal: windows go on from a snapshot in any number of tasks: none is lost, none comes twice, late rows are late, and what
 * the clock or rows bring out early comes when it would have come.
 */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { WindowAggregateOperator } from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { firesOnce, type TimeWindowSpec } from '../../../../engine/plan/window-spec.ts';
import type { Step } from '../../../support/operator-harness.ts';
import { checkSnapshots, checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { input, optionsOf, place, specs, steps, twoPhases } from './window-aggregate-cases.ts';

const tumbling = { kind: 'tumbling', sizeMs: 5, ...place } as const;
const sliding = { kind: 'sliding', sizeMs: 6, slideMs: 2, ...place } as const;
const seeds = fc.integer({ min: 1, max: 1_000_000 });
const keyed = { input, keys: ['k'] };

function many(rowCount: number): Step[] {
  return Array.from({ length: rowCount }, (_, n): Step => {
    if (n % 11 === 10) return { watermark: Math.floor(n / 4) - 3 };
    return n % 13 === 12
      ? { wake: n * 10 }
      : { row: { k: (n * 5) % 9, at: Math.floor(n / 4) + ((n * 7) % 16) - 12, v: n % 17 } };
  });
}

describe('windows that come once', () => {
  test.each<TimeWindowSpec>([
    tumbling,
    sliding,
    { kind: 'cumulating', sizeMs: 9, stepMs: 3, ...place },
    { kind: 'global' },
  ])('of kind $kind', (spec) => {
    const build = (context: OperatorContext) =>
      new WindowAggregateOperator(context, optionsOf(spec));
    checkSnapshots({ ...keyed, steps: many(120), build });
  });

  test('of any kind, whatever comes, on disk too', () => {
    fc.assert(
      fc.property(specs, steps, fc.constantFrom(1, 1 << 20), seeds, (spec, given, room, seed) => {
        const options = { ...optionsOf(spec), paneBytesMax: room };
        const build = (context: OperatorContext) => new WindowAggregateOperator(context, options);
        checkSnapshotsOnce({ ...keyed, steps: given, build }, seed);
      }),
      { numRuns: 40 },
    );
  });

  test('in two phases', () => {
    fc.assert(
      fc.property(specs, steps, seeds, (spec, given, seed) => {
        const build = (context: OperatorContext) => twoPhases(context, optionsOf(spec));
        checkSnapshotsOnce({ ...keyed, steps: given, build }, seed);
      }),
      { numRuns: 20 },
    );
  });

  test('without keys, in the one task that there is', () => {
    const { output, ...options } = optionsOf(sliding);
    const fields = output.fields.filter(({ name }) => name !== 'k');
    const build = (context: OperatorContext) =>
      new WindowAggregateOperator(context, { ...options, keys: [], output: { fields } });
    checkSnapshots({ input, keys: [], steps: many(80), build });
  });
});

describe('windows that come again', () => {
  const lateness = { ...firesOnce, allowedLatenessMs: 6 };

  test.each([
    ['for late rows', lateness],
    ['for late rows, discarding', { ...lateness, isDiscarding: true }],
    ['for each late row', { ...lateness, isLatePerRow: true }],
    ['by the clock', { ...firesOnce, everyMs: 100 }],
    ['by the clock, discarding', { ...firesOnce, everyMs: 100, isDiscarding: true }],
    ['by event time', { ...lateness, everyEventTimeMs: 3 }],
  ])('%s', (_, firing) => {
    const options = { ...optionsOf(tumbling), firing };
    const build = (context: OperatorContext) => new WindowAggregateOperator(context, options);
    checkSnapshots({ ...keyed, steps: many(160), build });
  });

  test('though they overlap, in one task', () => {
    fc.assert(
      fc.property(specs, steps, seeds, (spec, given, seed) => {
        const options = { ...optionsOf(spec), firing: { ...lateness, everyEventTimeMs: 4 } };
        const build = (context: OperatorContext) => new WindowAggregateOperator(context, options);
        checkSnapshotsOnce({ input, keys: [], steps: given, build }, seed);
      }),
      { numRuns: 40 },
    );
  });
});
