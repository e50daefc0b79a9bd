/**
 * Goal: sessions that do not fit in memory are those of the reference, late rows too, and nothing is left on disk; with the
 * least memory that is said to do, and with less an error that says it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { SessionAggregateOperator } from '../../../../engine/operators/windows/session-aggregate-operator.ts';
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
import {
  firings,
  gaps,
  keyKinds,
  keyTypes,
  optionsOf,
  steps,
  stepsWithKeys,
  withKeys,
} from './session-cases.ts';
import { sessionReference } from './session-reference.ts';

describe('sessions on disk', () => {
  test('are those of the reference, late rows too', () => {
    let spilledBytes = 0;
    const counted = (context: OperatorContext): OperatorContext => {
      const onWritten = (bytes: number) => {
        spilledBytes += bytes;
      };
      return { ...context, spill: { ...context.spill, onWritten } };
    };
    const room = fc.constantFrom(1, 1, 70_000);
    fc.assert(
      fc.property(steps, gaps, firings, keyKinds, room, (given, gapMs, when, key, most) => {
        const expected = sessionReference(given, { gapMs, ...when });
        const firing = { ...firesOnce, ...when };
        const options = { ...optionsOf(key.field, gapMs), firing, recordBytesMax: most };
        checkOperator({
          ...{ input: options.input, steps: stepsWithKeys(given, key) },
          ...{ isOrdered: false, hasMarks: true },
          build: (context) => new SessionAggregateOperator(counted(context), options),
          expected: withKeys(expected.rows, key),
          expectedLate: withKeys(expected.late, key),
        });
      }),
      { numRuns: 60 },
    );
    expect(spilledBytes).toBeGreaterThan(0);
  });

  test('are told of when their key is asked for', () => {
    const given = [0, 90, 1, 91].map((at): Step => ({ row: { k: 1, at, v: 1 } }));
    const shown: unknown[] = [];
    const [, oneByOne] = runModes;
    if (oneByOne === undefined) throw new Error('there are modes');
    const options = { ...optionsOf(keyTypes.int32.field, 5), recordBytesMax: 1 };
    runOperator(
      {
        ...{ input: options.input, steps: [...given, { row: { k: 2, at: 0, v: 1 } }] },
        expected: [],
        build: (context) => {
          const operator = new SessionAggregateOperator(context, options);
          const finish = operator.finish.bind(operator);
          operator.finish = (outbox) => {
            shown.push(operator.stateOf('1'), operator.stateOf('2'), operator.stateOf('3'));
            return finish(outbox);
          };
          return operator;
        },
      },
      oneByOne,
    );
    const values = { n: 1, sum: 1, least: 1, mean: 1 };
    expect(shown).toEqual([
      { sessions: [], isPartOnDisk: true },
      { sessions: [expect.objectContaining({ values })] },
      undefined,
    ]);
  });
});

describe('a share of the memory', () => {
  const keyCount = 20_000;
  const gapMs = 1_000_000;
  const options = optionsOf(keyTypes.text.field, gapMs);
  /** Each key three times, in rows that are far from each other. */
  const rowsOf = (count: number) =>
    Array.from({ length: count }, (_, index): Row => {
      const key = `a key of more than 8 bytes, ${index % keyCount}`;
      return { k: key, at: index, v: index % 7 };
    });
  const build = (context: OperatorContext) => new SessionAggregateOperator(context, options);

  test('that is the least holds sessions of many times its records', () => {
    const rows = rowsOf(3 * keyCount);
    const run = (shareBytes: number) => {
      return runWithinShare({ rows, build, schema: options.input, shareBytes });
    };
    const error = typedErrorOf(() => run(1 << 20));
    expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
    const { found, spilledBytes } = run(Number(error?.info.details?.leastBytes));
    expect(spilledBytes).toBeGreaterThan(0);
    const sums = new Map<unknown, number>();
    for (const row of rows) sums.set(row['k'], (sums.get(row['k']) ?? 0) + Number(row['v']));
    const shown = found.map((one) => `${one['k']} ${one['n']} ${one['sum']}`);
    expect(shown.sort()).toEqual([...sums].map(([k, sum]) => `${k} 3 ${sum}`).sort());
  });

  test('of which the disk fails at any call: a typed error, and nothing is left', () => {
    expectDiskErrors((plan) => {
      return runWithinShare({
        ...{ rows: rowsOf(9000), schema: options.input, plan, shareBytes: 8 << 20 },
        build: (context) =>
          new SessionAggregateOperator(context, { ...options, recordBytesMax: 1 }),
      });
    });
  });
});
