/**
 * Functions over state and timers, against a reference that goes row by row: random rows, watermarks and clock times,
 * in all ways that a task may run an operator.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import {
  ProcessOperator,
  type ProcessOperatorOptions,
} from '../../../engine/operators/process-operator.ts';
import type { StateSpec } from '../../../engine/plan/state-spec.ts';
import type { ProcessFunctions } from '../../../engine/plan/user-functions.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
  type Step,
} from '../../support/operator-harness.ts';
import { checkSnapshots, checkSnapshotsOnce } from '../../support/snapshot-harness.ts';

const number = { kind: 'int64', js: 'number' } as const;
const input = {
  fields: [
    fieldOf('user', utf8Type, true),
    fieldOf('at', { kind: 'timestamp', unit: 'ms' } as const),
    fieldOf('amount', number),
  ],
};
const output = {
  fields: [
    fieldOf('user', utf8Type, true),
    fieldOf('what', utf8Type),
    fieldOf('timeMs', number),
    fieldOf('sum', number),
  ],
};
const sumState: StateSpec = {
  ...{ name: 'sum', kind: 'value', value: fieldOf('value', number), key: null, ttl: null },
};

interface Context {
  readonly key: { readonly user: string | null };
  readonly state: { sum: { get(): number | null; set(value: number): void; clear(): void } };
  readonly timers: {
    eventTime(timeMs: number): void;
    processingTime(timeMs: number): void;
    cancelEventTime(timeMs: number): boolean;
  };
  readonly timeMs: number;
  readonly watermarkMs: number;
  readonly nowMs: number;
  emit(row: Row): void;
}

/** Sums by user; says the sum ten later, and again at the next full hundred; a zero cancels the first of these. */
const functions = {
  kind: 'process',
  states: {},
  onControl: null,
  onRow(row: Row, { key, state: { sum }, timers, timeMs, emit }: Context) {
    const total = (sum.get() ?? 0) + (row.amount as number);
    sum.set(total);
    if (timeMs !== row.at) throw new Error('the time of a row is that of its column');
    if (row.amount === 0) timers.cancelEventTime(timeMs + 10);
    else timers.eventTime(timeMs + 10);
    if (total % 7 === 0) emit({ user: key.user, what: 'seven', timeMs, sum: total });
  },
  onTimer(timeMs: number, { key, state: { sum }, timers, emit }: Context) {
    emit({ user: key.user, what: 'timer', timeMs, sum: sum.get() ?? -1 });
    if (timeMs % 100 === 0) sum.clear();
    else timers.eventTime(Math.ceil(timeMs / 100) * 100);
  },
} as unknown as ProcessFunctions;

function buildWith(changes: Partial<ProcessOperatorOptions> = {}) {
  return (context: OperatorContext) => {
    const { nowMs = () => 0 } = context;
    return new ProcessOperator(context, {
      ...{ input, output, functions, states: [sumState], fieldCount: 3, timeColumn: 'at' },
      keys: [{ name: 'user', column: 'user' }],
      clock: { mono: nowMs, wall: nowMs },
      ...changes,
    });
  };
}

/** The same by a Map and a list of timers. */
function expectedOf(steps: readonly Step[]): Row[] {
  const sums = new Map<unknown, number>();
  let timers: { user: string | null; timeMs: number }[] = [];
  const found: Row[] = [];
  const set = (user: string | null, timeMs: number) => {
    if (timers.some((one) => one.user === user && one.timeMs === timeMs)) return;
    timers.push({ user, timeMs });
  };
  const fire = (untilMs: number) => {
    for (;;) {
      timers.sort((a, b) => a.timeMs - b.timeMs || orderOf(a.user, b.user));
      const [first] = timers;
      if (first === undefined || first.timeMs > untilMs) return;
      timers.shift();
      const { user, timeMs } = first;
      found.push({ user, what: 'timer', timeMs, sum: sums.get(user) ?? -1 });
      if (timeMs % 100 === 0) sums.delete(user);
      else set(user, Math.ceil(timeMs / 100) * 100);
    }
  };
  for (const step of steps) {
    if ('watermark' in step) fire(step.watermark);
    if (!('row' in step)) continue;
    const { user, at, amount } = step.row as { user: string | null; at: number; amount: number };
    const total = (sums.get(user) ?? 0) + amount;
    sums.set(user, total);
    if (amount === 0) timers = timers.filter((one) => one.user !== user || one.timeMs !== at + 10);
    else set(user, at + 10);
    if (total % 7 === 0) found.push({ user, what: 'seven', timeMs: at, sum: total });
  }
  fire(Number.POSITIVE_INFINITY);
  return found;
}

/** Keys are ordered by their bytes: a null first, then the length, then the text. */
function orderOf(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a.length - b.length || (a < b ? -1 : 1);
}

const row = fc.record({
  user: fc.constantFrom('a', 'b', 'bb', 'somebody with a name', '', null),
  at: fc.integer({ min: 0, max: 300 }),
  amount: fc.integer({ min: 0, max: 9 }),
});
const steps = fc
  .array(fc.oneof(row, row, row, fc.integer({ min: 1, max: 60 })), { maxLength: 60 })
  .map((given) => {
    let watermark = 0;
    return given.map((step): Step => {
      if (typeof step !== 'number') return { row: step };
      watermark += step;
      return { watermark };
    });
  });

describe('process gives what a reference row by row gives', () => {
  test('with watermarks between rows', () => {
    fc.assert(
      fc.property(steps, (all) => {
        checkOperator({ input, steps: all, build: buildWith(), expected: expectedOf(all) });
      }),
      { numRuns: 15 },
    );
  });

  test('with a key that is computed, of several columns', () => {
    const keys = [
      { name: 'user', column: 'user' },
      { name: 'amount', column: 'amount' },
    ];
    const rows = [
      { user: 'a', at: 1, amount: 7 },
      { user: 'a', at: 2, amount: 7 },
      { user: 'b', at: 3, amount: 7 },
      { user: null, at: 4, amount: 14 },
    ];
    const expected = [
      { user: 'a', what: 'seven', timeMs: 1, sum: 7 },
      { user: 'a', what: 'seven', timeMs: 2, sum: 14 },
      { user: 'b', what: 'seven', timeMs: 3, sum: 7 },
      { user: null, what: 'seven', timeMs: 4, sum: 14 },
      { user: 'a', what: 'timer', timeMs: 11, sum: 14 },
      { user: 'a', what: 'timer', timeMs: 12, sum: 14 },
      { user: 'b', what: 'timer', timeMs: 13, sum: 7 },
      { user: null, what: 'timer', timeMs: 14, sum: 14 },
      { user: null, what: 'timer', timeMs: 100, sum: 14 },
      { user: 'a', what: 'timer', timeMs: 100, sum: 14 },
      { user: 'b', what: 'timer', timeMs: 100, sum: 7 },
    ];
    checkOperator({ input, rows, build: buildWith({ keys }), expected, isOrdered: false });
  });

  test('more keys than the share holds go to disk', () => {
    const rows = Array.from({ length: 12_000 }, (_, number) => ({
      ...{ user: `user number ${number % 4000}`, at: 1, amount: number < 8000 ? 1 : 5 },
    }));
    const expected = Array.from({ length: 4000 }, (_, number) => ({
      ...{ user: `user number ${number}`, what: 'seven', timeMs: 1, sum: 7 },
    }));
    const quiet = {
      ...functions,
      onTimer: null,
      onRow: withoutTimers,
    } as unknown as ProcessFunctions;
    const build = buildWith({ functions: quiet });
    const given = { input, rows, build, expected, shareBytes: 100_000 };
    checkOperator({ ...given, isOrdered: false, isNotRestarted: true });
  });
});

function withoutTimers(row: Row, { key, state: { sum }, timeMs, emit }: Context): void {
  sum.set((sum.get() ?? 0) + (row.amount as number));
  if (sum.get() === 7) emit({ user: key.user, what: 'seven', timeMs, sum: 7 });
}

describe('the clock', () => {
  const timed = {
    ...functions,
    onRow: (row: Row, { timers, nowMs }: Context) =>
      timers.processingTime(nowMs + (row.amount as number)),
    onTimer: (timeMs: number, { key, emit }: Context) =>
      emit({ user: key.user, what: 'clock', timeMs, sum: 0 }),
  } as unknown as ProcessFunctions;
  const fired = (user: string, timeMs: number) => ({ user, what: 'clock', timeMs, sum: 0 });

  test('calls timers when they are due, and those that are left at the end', () => {
    checkOperator({
      input,
      steps: [
        { row: { user: 'a', at: 0, amount: 50 } },
        { row: { user: 'b', at: 0, amount: 40 } },
        { wake: 45 },
        { row: { user: 'a', at: 0, amount: 5 } },
        { row: { user: 'c', at: 0, amount: 500 } },
        { wake: 60 },
      ],
      build: buildWith({ functions: timed }),
      expected: [fired('b', 40), fired('a', 50), fired('c', 545)],
      hasMarks: true,
    });
  });
});

describe('process goes on from a snapshot', () => {
  const interrupted = { input, keys: ['user'], orderedBy: ['user'] };

  test('with sums and timers of event time, in other tasks', () => {
    fc.assert(
      fc.property(steps, fc.nat(1e6), (all, seed) => {
        checkSnapshotsOnce({ ...interrupted, steps: all, build: buildWith() }, seed);
      }),
      { numRuns: 60 },
    );
    const all = fc.sample(steps, { numRuns: 3, seed: 7 });
    for (const given of all) checkSnapshots({ ...interrupted, steps: given, build: buildWith() });
  });

  test('with timers of the clock, those that became due meanwhile among them', () => {
    const clock = {
      ...functions,
      onRow: (one: Row, { timers, nowMs }: Context) =>
        timers.processingTime(nowMs + (one.amount as number)),
      onTimer: (timeMs: number, { key, emit }: Context) =>
        emit({ user: key.user, what: 'clock', timeMs, sum: 0 }),
    } as unknown as ProcessFunctions;
    const given = ['a', 'b', 'c', null].flatMap((user, at): Step[] => [
      { row: { user, at: 0, amount: 50 - at } },
      { row: { user, at: 0, amount: 7 * at } },
      { wake: 10 * at },
    ]);
    const build = buildWith({ functions: clock });
    checkSnapshots({ ...interrupted, steps: [...given, { wake: 60 }], build });
  });

  test('with more keys than the share holds', () => {
    const quiet = { ...functions, onTimer: null, onRow: withoutTimers } as never;
    const rows = Array.from({ length: 3000 }, (_, number) => ({
      ...{ user: `user number ${number % 1000}`, at: 1, amount: number < 2000 ? 1 : 5 },
    }));
    const given = { ...interrupted, rows, build: buildWith({ functions: quiet }) };
    checkSnapshotsOnce({ ...given, shareBytes: 50_000 }, 3);
  });
});

describe('a function that throws', () => {
  const failing = {
    ...functions,
    onRow(row: Row, context: Context) {
      functions.onRow(row, context as never);
      context.emit({ user: 'never', what: 'seen', timeMs: 0, sum: 0 });
      if (row.amount === 3) throw new Error('three is too much');
    },
    onTimer(timeMs: number, context: Context) {
      functions.onTimer?.(timeMs, context as never);
      if (timeMs === 12) throw new Error('not at twelve');
    },
  } as unknown as ProcessFunctions;
  const rows = [
    { user: 'a', at: 1, amount: 1 },
    { user: 'a', at: 2, amount: 3 },
    { user: 'b', at: 2, amount: 2 },
    { user: 'a', at: 5, amount: 6 },
  ];

  test('ends the job with the row', () => {
    const { scope, memory, context } = newContext('sums');
    const operator = buildWith({ functions: failing })(context);
    const batch = batchOf(scope, input, rows);
    const run = () => feed(operator, batch, new CollectingOutbox());
    expect(run).toThrow('user function "onRow" of operator "sums" failed: three is too much');
    operator.close();
    batch.release();
    memory.assertEmpty();
  });

  test('leaves no trace where its records go to dead letters', () => {
    const { scope, memory, context } = newContext('sums');
    const letters = new CollectingOutbox();
    const operator = buildWith({ functions: failing })({ ...context, deadLetters: letters });
    const batch = batchOf(scope, input, rows);
    const outbox = new CollectingOutbox();
    feed(operator, batch, outbox);
    while (!operator.finish(outbox));
    operator.close();
    batch.release();
    memory.assertEmpty();
    expect(outbox.rows.filter(({ user }) => user !== 'never')).toEqual([
      { user: 'a', what: 'seven', timeMs: 5, sum: 7 },
      { user: 'a', what: 'timer', timeMs: 11, sum: 7 },
      { user: 'a', what: 'timer', timeMs: 15, sum: 7 },
      { user: 'a', what: 'timer', timeMs: 100, sum: 7 },
    ]);
    expect(outbox.rows.filter(({ user }) => user === 'never')).toHaveLength(3);
    expect(letters.rows).toMatchObject([
      { reason: expect.stringContaining('three is too much (5 calls)') },
      { reason: expect.stringContaining('not at twelve'), text: expect.stringContaining('"b"') },
    ]);
  });

  test('a row that does not fit ends the job, and so does a timer without onTimer', () => {
    const cases = [
      [{ onRow: (_: Row, { emit }: Context) => emit({ user: 1 }) }, 'USER_FUNCTION_RESULT'],
      [{ onRow: (_: Row, { emit }: Context) => emit(null as never) }, 'USER_FUNCTION_RESULT'],
      [{ onTimer: null }, 'JOB_ARGUMENT_INVALID'],
      [
        { onRow: (_: Row, { timers }: Context) => timers.eventTime(Number.NaN) },
        'VALUE_OUT_OF_RANGE',
      ],
    ] as const;
    for (const [changes, code] of cases) {
      const { scope, memory, context } = newContext('sums');
      const given = { ...functions, ...changes } as unknown as ProcessFunctions;
      const operator = buildWith({ functions: given })(context);
      const batch = batchOf(scope, input, rows);
      let found: unknown = null;
      try {
        feed(operator, batch, new CollectingOutbox());
      } catch (error) {
        found = error;
      }
      expect(codeOf(found)).toBe(code);
      operator.close();
      batch.release();
      memory.assertEmpty();
    }
  });

  test('a context that is kept is refused after its call', () => {
    const { scope, memory, context } = newContext('sums');
    let kept: Context | null = null;
    const keeping = {
      ...functions,
      onRow: (_: Row, given: Context) => {
        kept = given;
      },
    } as unknown as ProcessFunctions;
    const operator = buildWith({ functions: keeping })(context);
    const batch = batchOf(scope, input, rows);
    feed(operator, batch, new CollectingOutbox());
    const late = kept as unknown as Context;
    expect(() => late.key).toThrow('outside of a call');
    expect(() => late.timers.eventTime(5)).toThrow('outside of a call');
    expect(() => late.emit({})).toThrow('after the call');
    operator.close();
    batch.release();
    memory.assertEmpty();
  });
});
