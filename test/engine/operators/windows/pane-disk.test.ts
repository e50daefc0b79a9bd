/**
 * Goal: windows whose panes do not fit in memory are those of the reference, late rows too, in one phase and in two, and
 * nothing is left on disk; with the least memory that is said to do, and with less an error that says it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { WindowAggregateOperator } from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { firesOnce } from '../../../../engine/plan/window-spec.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import { expectDiskErrors, runWithinShare } from '../within-share.ts';
import { input, optionsOf, place, specs, steps, twoPhases } from './window-aggregate-cases.ts';
import { windowReference } from './window-reference.ts';

/** Counts what goes to disk. */
function counted(context: OperatorContext, onWritten: (bytes: number) => void): OperatorContext {
  return { ...context, spill: { ...context.spill, onWritten } };
}

/** The first window is merged in memory; a pane that the next one adds is on disk. */
const growing = {
  ...({ kind: 'cumulating', sizeMs: 4, stepMs: 2 } as const),
  ...({ offsetMs: 0, timeZone: null } as const),
};
const rowsBehind: Step[] = [2, 0, -17, 4, 0, -16].map((at) =>
  at < 0 ? { watermark: at } : { row: { k: null, at, v: null } },
);

describe('panes on disk', () => {
  test('make the windows of the reference, late rows too', () => {
    let spilledBytes = 0;
    const firings = fc.record({ lateness: fc.constantFrom(0, 5), isDiscarding: fc.boolean() });
    const room = fc.constantFrom(1, 9000, 40_000);
    fc.assert(
      fc.property(specs, steps, firings, room, (spec, given, of, paneBytesMax) => {
        const more = {
          allowedLatenessMs: of.lateness,
          isDiscarding: of.isDiscarding && spec.kind === 'tumbling',
        };
        const { rows, late } = windowReference(given, { spec, ...more });
        const options = { ...optionsOf(spec), paneBytesMax, firing: { ...firesOnce, ...more } };
        checkOperator({
          ...{ input, steps: given, isOrdered: false, hasMarks: true },
          build: (context) =>
            new WindowAggregateOperator(
              counted(context, (bytes) => {
                spilledBytes += bytes;
              }),
              options,
            ),
          expected: rows,
          expectedLate: late,
        });
      }),
      {
        numRuns: 40,
        examples: [[growing, rowsBehind, { lateness: 0, isDiscarding: false }, 9000]],
      },
    );
    expect(spilledBytes).toBeGreaterThan(0);
  });

  test('are the same in the final of two phases', () => {
    let spilledBytes = 0;
    fc.assert(
      fc.property(specs, steps, (spec, given) => {
        const { rows, late } = windowReference(given, { spec });
        const build = (context: OperatorContext) => {
          const onWritten = (bytes: number) => {
            spilledBytes += bytes;
          };
          return twoPhases(counted(context, onWritten), { ...optionsOf(spec), paneBytesMax: 1 });
        };
        checkOperator({
          ...{ input, steps: given, isOrdered: false, hasMarks: true, build },
          expected: rows,
          expectedLate: late,
        });
      }),
      { numRuns: 20 },
    );
    expect(spilledBytes).toBeGreaterThan(0);
  });

  test('are shown as such when a key is asked for', () => {
    const spec = { kind: 'tumbling', sizeMs: 5, ...place } as const;
    const given = [0, 7, 1, 8].map((at): Step => ({ row: { k: 1, at, v: 1 } }));
    const shown: unknown[] = [];
    const [, oneByOne] = runModes;
    if (oneByOne === undefined) throw new Error('there are modes');
    runOperator(
      {
        ...{ input, steps: given, expected: [] },
        build: (context) => {
          const options = { ...optionsOf(spec), paneBytesMax: 1 };
          const operator = new WindowAggregateOperator(context, options);
          const finish = operator.finish.bind(operator);
          operator.finish = (outbox) => {
            shown.push(operator.stateOf('1'));
            return finish(outbox);
          };
          return operator;
        },
      },
      oneByOne,
    );
    expect(shown[0]).toMatchObject({
      panes: [{ isPartOnDisk: true }, { isPartOnDisk: true, values: { n: 1 } }],
    });
  });
});

describe('a share of the memory', () => {
  const spec = { kind: 'sliding', sizeMs: 20, slideMs: 10, ...place } as const;
  const keyCount = 20_000;
  const addedAt = (index: number) => index % 7;
  /** Each key once in each of three panes. */
  const rowsOf = (count: number) =>
    Array.from({ length: count }, (_, index): Row => {
      const at = Math.floor(index / keyCount) * 10;
      return { k: index % keyCount, at, v: addedAt(index) };
    });
  const build = (context: OperatorContext) => {
    return new WindowAggregateOperator(context, optionsOf(spec));
  };

  test('that is the least holds windows of many times its tables', () => {
    const rows = rowsOf(3 * keyCount);
    const run = (shareBytes: number) => runWithinShare({ rows, build, schema: input, shareBytes });
    const error = typedErrorOf(() => run(1 << 20));
    expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
    const { found, spilledBytes } = run(Number(error?.info.details?.leastBytes));
    expect(spilledBytes).toBeGreaterThan(0);
    // Windows that end at 10, 20, 30 and 40; the two in the middle merge two panes.
    const columns = ['windowEnd', 'k', 'n', 'sum'];
    const kept = found.map((one) => columns.map((column) => one[column]).join(' '));
    const expected = [10, 20, 30, 40].flatMap((end) => {
      const panes = [end - 20, end - 10].filter((start) => start >= 0 && start <= 20);
      return Array.from({ length: keyCount }, (_, k) => {
        const sum = panes.reduce((all, start) => all + addedAt((start / 10) * keyCount + k), 0);
        return `${end} ${k} ${panes.length} ${sum}`;
      });
    });
    expect(kept.sort()).toEqual(expected.sort());
  });

  test('of which the disk fails at any call: a typed error, and nothing is left', () => {
    const options = { ...optionsOf(spec), paneBytesMax: 1 };
    expectDiskErrors((plan) => {
      return runWithinShare({
        ...{ rows: rowsOf(200), schema: input, plan, shareBytes: 8 << 20 },
        build: (context) => new WindowAggregateOperator(context, options),
      });
    });
  });
});
