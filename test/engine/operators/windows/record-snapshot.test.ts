/** Goal: sessions go on from a snapshot in any number of tasks, those that came out and those on disk too, in one phase and in two. */
import fc from 'fast-check';
import { test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { SessionAggregateOperator } from '../../../../engine/operators/windows/session-aggregate-operator.ts';
import { firesOnce } from '../../../../engine/plan/window-spec.ts';
import type { Row, Step } from '../../../support/operator-harness.ts';
import { checkSnapshots, checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { firings, gaps, keyKinds, keyTypes, optionsOf, steps } from './session-cases.ts';

test('sessions of any keys, whatever comes, on disk too', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const room = fc.constantFrom(1, 1 << 20);
  fc.assert(
    fc.property(
      ...([steps, gaps, keyKinds, firings, room, seeds] as const),
      (given, gapMs, kind, firing, recordBytesMax, seed) => {
        const plain = optionsOf(kind.field, gapMs);
        const options = { ...plain, recordBytesMax, firing: { ...firesOnce, ...firing } };
        const build = (context: OperatorContext) => new SessionAggregateOperator(context, options);
        const keyed = given.map((step): Step => {
          if (!('row' in step)) return step;
          const { k } = step.row;
          return { row: { ...step.row, k: k === null ? null : kind.of(Number(k)) } };
        });
        checkSnapshotsOnce({ input: options.input, keys: ['k'], steps: keyed, build }, seed);
      },
    ),
    { numRuns: 100 },
  );
});

test('sessions that are long, of several pieces', () => {
  const options = optionsOf(keyTypes.int32.field, 4);
  const given = Array.from({ length: 150 }, (_, n): Step => {
    if (n % 10 === 9) return { watermark: Math.floor(n / 3) - 6 };
    const row: Row = { k: (n * 5) % 7, at: Math.floor(n / 3) + ((n * 7) % 9) - 4, v: n % 11 };
    return { row };
  });
  const build = (context: OperatorContext) => new SessionAggregateOperator(context, options);
  checkSnapshots({ input: options.input, keys: ['k'], steps: given, build });
});
