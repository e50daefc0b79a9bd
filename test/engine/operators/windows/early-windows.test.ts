/**
 * Goal: windows that come out early by event time, and for each late row, are those of the reference, however batches and
 * marks come: accumulating and discarding, with late rows, in memory and on disk.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WindowAggregateOperator } from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { firesOnce } from '../../../../engine/plan/window-spec.ts';
import { checkOperator, type Step } from '../../../support/operator-harness.ts';
import { input, optionsOf, place, specs, steps } from './window-aggregate-cases.ts';
import { windowReference } from './window-reference.ts';

const firings = fc.record({
  everyEventTimeMs: fc.constantFrom(null, 1, 3, 10),
  isLatePerRow: fc.boolean(),
  allowedLatenessMs: fc.constantFrom(0, 5, 30),
  isDiscarding: fc.boolean(),
});
const rowOf = (k: number, at: number, v = 1): Step => ({ row: { k, at, v } });
const tumbling = { kind: 'tumbling', sizeMs: 5, ...place } as const;

/** Windows of those kinds that have no rows in common. */
const areApart = (kind: string) => kind === 'tumbling' || kind === 'global';

test('windows come out early, and for each late row, as those of the reference do', () => {
  const room = fc.constantFrom(undefined, undefined, 1);
  fc.assert(
    fc.property(specs, steps, firings, room, (spec, given, wanted, paneBytesMax) => {
      const when = { ...wanted, isDiscarding: wanted.isDiscarding && areApart(spec.kind) };
      const { rows, late } = windowReference(given, { spec, ...when });
      const firing = { ...firesOnce, ...when };
      const disk = paneBytesMax === undefined ? {} : { paneBytesMax };
      checkOperator({
        ...{ input, steps: given, isOrdered: false, hasMarks: true },
        build: (context) =>
          new WindowAggregateOperator(context, { ...optionsOf(spec), ...disk, firing }),
        expected: rows,
        expectedLate: late,
      });
    }),
    { numRuns: 120 },
  );
});

test('late rows of one key in a batch bring their window out as often as there are some', () => {
  const given = [
    ...[rowOf(1, 1), rowOf(2, 2), { watermark: 5 }],
    ...[rowOf(1, 3), rowOf(2, 3), rowOf(1, 4), rowOf(1, 0)],
  ];
  const firing = { ...firesOnce, allowedLatenessMs: 9, isLatePerRow: true };
  const { rows } = windowReference(given, { spec: tumbling, ...firing });
  const counts = rows.map(({ k, n }) => [k, n]);
  expect(counts.slice(3)).toEqual([
    ...[
      [1, 2n],
      [2, 2n],
    ],
    ...[
      [1, 3n],
      [1, 4n],
    ],
  ]);
  checkOperator({
    ...{ input, steps: given, isOrdered: false, hasMarks: true, expected: rows },
    build: (context) => new WindowAggregateOperator(context, { ...optionsOf(tumbling), firing }),
  });
});

test('without keys each late row is one by itself', () => {
  const given = [rowOf(1, 1), { watermark: 5 }, rowOf(1, 3), rowOf(2, 3), rowOf(3, 9)];
  const { output, aggregates, ...options } = optionsOf(tumbling);
  const fields = output.fields.filter(({ name }) => name.startsWith('window') || name === 'n');
  const bounds = { windowStart: 0n, windowEnd: 5n };
  checkOperator({
    ...{ input, steps: given, isOrdered: false, hasMarks: true },
    build: (context) =>
      new WindowAggregateOperator(context, {
        ...options,
        ...{ output: { fields }, keys: [], aggregates: aggregates.slice(0, 1) },
        firing: { ...firesOnce, allowedLatenessMs: 9, isLatePerRow: true },
      }),
    expected: [
      ...[{ ...bounds, n: 1n }, { watermark: 5 }, { ...bounds, n: 2n }, { ...bounds, n: 3n }],
      { windowStart: 5n, windowEnd: 10n, n: 1n },
    ],
  });
});
