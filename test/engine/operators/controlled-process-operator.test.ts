/**
 * Functions over state with a control stream, against a reference that goes row by row: control rows, rows and watermarks
 * in random turn, and control first, in all ways that a task may run an operator.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ProcessAfterControl,
  ProcessBesideControl,
} from '../../../engine/operators/controlled-process-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import type { ProcessOperatorOptions } from '../../../engine/operators/process-operator.ts';
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
import { spillSpace } from '../../support/spill-space.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const number = { kind: 'int64', js: 'number' } as const;
const time = { kind: 'timestamp', unit: 'ms' } as const;
const input = {
  fields: [fieldOf('user', utf8Type), fieldOf('at', time), fieldOf('amount', number)],
};
/** The most that a user, or everybody (`*`), may spend at once; null: no such rule any more. */
const controlInput = {
  fields: [fieldOf('user', utf8Type), fieldOf('most', number, true), fieldOf('since', time)],
};
const output = {
  fields: [
    fieldOf('user', utf8Type),
    fieldOf('what', utf8Type),
    fieldOf('amount', number),
    fieldOf('since', number, true),
  ],
};
const control = {
  states: [
    {
      name: 'rules',
      key: fieldOf('key', utf8Type),
      value: fieldOf('value', {
        kind: 'struct',
        fields: [fieldOf('most', number), fieldOf('since', number)],
      }),
    },
  ],
  timeColumn: 'since',
  input: controlInput,
};

interface Rule {
  readonly most: number;
  readonly since: number;
}

interface Rules {
  get(user: string): Rule | null;
  set(user: string, rule: Rule): void;
  delete(user: string): boolean;
  entries(): [string, Rule][];
}

interface Context {
  readonly key: { readonly user: string };
  readonly state: {
    readonly rules: Rules;
    readonly spent: { get(): number | null; set(value: number): void };
  };
  readonly timers: { eventTime(timeMs: number): void };
  readonly timeMs: number;
  emit(row: Row): void;
}

/** Rows above the limit come out; ten later the sum of all is compared with ten times the limit of everybody. */
const functions = {
  kind: 'process',
  states: {},
  onControl({ user, most, since }: Row, { state: { rules }, timeMs }: Context) {
    if (timeMs !== since) throw new Error('the time of a control row is that of its column');
    if (most === null) rules.delete(user as string);
    else rules.set(user as string, { most: most as number, since: since as number });
  },
  onRow({ user, at, amount }: Row, { state: { rules, spent }, timers, emit }: Context) {
    const rule = rules.get(user as string) ?? rules.get('*');
    spent.set((spent.get() ?? 0) + (amount as number));
    if (rule !== null && (amount as number) > rule.most) {
      emit({ user, what: 'row', amount, since: rule.since });
    }
    timers.eventTime((at as number) + 10);
  },
  onTimer(_: number, { key: { user }, state: { rules, spent }, emit }: Context) {
    const sum = rules.entries().reduce((all, [, { most }]) => all + most, 0);
    emit({ user, what: 'timer', amount: spent.get() ?? 0, since: sum });
  },
} as unknown as ProcessFunctions;

function optionsOf({ nowMs = () => 0 }: OperatorContext): ProcessOperatorOptions {
  return {
    ...{ input, output, functions, fieldCount: 3, timeColumn: 'at', control },
    states: [
      { name: 'spent', kind: 'value', value: fieldOf('value', number), key: null, ttl: null },
    ],
    keys: [{ name: 'user', column: 'user' }],
    clock: { mono: nowMs, wall: nowMs },
  };
}

const beside = (context: OperatorContext) => new ProcessBesideControl(context, optionsOf(context));
const after = (context: OperatorContext) => new ProcessAfterControl(context, optionsOf(context));

/** The same by two Maps and a list of timers. */
function expectedOf(steps: readonly Step[]): Row[] {
  const rules = new Map<unknown, Rule>();
  const spent = new Map<string, number>();
  let timers: { user: string; timeMs: number }[] = [];
  const found: Row[] = [];
  const fire = (untilMs: number) => {
    const due = timers.filter(({ timeMs }) => timeMs <= untilMs);
    timers = timers.filter(({ timeMs }) => timeMs > untilMs);
    due.sort((a, b) => a.timeMs - b.timeMs || (a.user < b.user ? -1 : 1));
    const sum = [...rules.values()].reduce((all, { most }) => all + most, 0);
    for (const { user } of due) {
      found.push({ user, what: 'timer', amount: spent.get(user) ?? 0, since: sum });
    }
  };
  for (const step of steps) {
    if ('watermark' in step) fire(step.watermark);
    if ('right' in step) {
      const { user, most, since } = step.right as {
        user: string;
        most: number | null;
        since: number;
      };
      if (most === null) rules.delete(user);
      else rules.set(user, { most, since });
    }
    if (!('row' in step)) continue;
    const { user, at, amount } = step.row as { user: string; at: number; amount: number };
    const rule = rules.get(user) ?? rules.get('*');
    spent.set(user, (spent.get(user) ?? 0) + amount);
    if (rule !== undefined && amount > rule.most) {
      found.push({ user, what: 'row', amount, since: rule.since });
    }
    const timer = { user, timeMs: at + 10 };
    if (!timers.some((one) => one.user === user && one.timeMs === timer.timeMs)) timers.push(timer);
  }
  fire(Number.POSITIVE_INFINITY);
  return found;
}

const row = fc.record({
  user: fc.constantFrom('a', 'b', 'c'),
  at: fc.integer({ min: 0, max: 100 }),
  amount: fc.integer({ min: 0, max: 9 }),
});
const rule = fc.record({
  user: fc.constantFrom('a', 'b', '*'),
  most: fc.option(fc.integer({ min: 0, max: 8 })),
  since: fc.integer({ min: 0, max: 100 }),
});
const steps = fc
  .array(
    fc.oneof(
      row.map((one): Step => ({ row: one })),
      rule.map((one): Step => ({ right: one })),
      fc.integer({ min: 1, max: 20 }),
    ),
    { maxLength: 60 },
  )
  .map((given) => {
    let watermark = 0;
    return given.map((step): Step => {
      if (typeof step !== 'number') return step;
      watermark += step;
      return { watermark };
    });
  });

describe('process with control gives what a reference row by row gives', () => {
  test('with rows of both streams and watermarks in any turn', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const given = { input, rightInput: controlInput, steps: all, build: beside };
        checkOperator({ ...given, expected: expectedOf(all), asked: ['a', 'c'] });
      }),
      { numRuns: 25 },
    );
  });

  test('with all of control first', () => {
    fc.assert(
      fc.property(steps, fc.array(rule, { maxLength: 12 }), (all, rules) => {
        const rest = all.filter((step) => !('right' in step));
        const first = rules.map((one) => ({ right: one }));
        checkOperator({
          ...{ input, steps: rest, build: after, asked: ['b'] },
          buildSide: { schema: controlInput, rows: rules },
          expected: expectedOf([...first, ...rest]),
        });
      }),
      { numRuns: 25 },
    );
  });
});

describe('functions that do what they may not', () => {
  const rows = [{ user: 'a', at: 1, amount: 1 }];
  const rules = [{ user: 'a', most: 1, since: 5 }];

  /** What the operator ends with when it is given a control row and a row; null: nothing. */
  function errorOf(changes: Partial<Record<keyof ProcessFunctions, unknown>>) {
    const { scope, memory, context } = newContext('limits');
    const small = { ...context, spill: spillSpace(100_000) };
    const given = { ...functions, ...changes } as ProcessFunctions;
    const operator = new ProcessBesideControl(small, { ...optionsOf(small), functions: given });
    const [right, left] = [batchOf(scope, controlInput, rules), batchOf(scope, input, rows)];
    const outbox = new CollectingOutbox();
    const error = typedErrorOf(() => {
      operator.processRight(right, 0);
      feed(operator, left, outbox);
      while (!operator.finish(outbox));
    });
    operator.close();
    right.release();
    left.release();
    memory.assertEmpty();
    return error;
  }

  test('an error of onControl ends the job with the control row', () => {
    const onControl = () => {
      throw new Error('no such user');
    };
    const error = errorOf({ onControl });
    expect(error?.message).toBe(
      'user function "onControl" of operator "limits" failed: no such user',
    );
    expect(error?.info.code).toBe('USER_FUNCTION_FAILED');
    expect(error?.info.details?.row).toBe('{"user":"a","most":1,"since":5}');
    const stack = expect.stringContaining('controlled-process-operator.test.ts');
    expect(error?.cause).toMatchObject({ stack });
  });

  test.each([
    ['onRow', { onRow: (_: Row, { state: { rules: all } }: Context) => all.delete('a') }],
    ['onTimer', { onTimer: (_: number, { state: { rules: all } }: Context) => all.delete('a') }],
  ])('%s can not write', (_, changes) => {
    const error = errorOf(changes);
    expect(error?.message).toBe(
      'state "rules" of operator "limits" is written outside of onControl',
    );
    expect(error?.info.code).toBe('STATE_READ_ONLY');
    expect(error?.info.hint).toContain('write it in onControl');
  });

  test('a state that is kept is refused after its call', () => {
    const kept: Rules[] = [];
    const onControl = (_: Row, { state }: Context) => kept.push(state.rules);
    expect(errorOf({ onControl })).toBeNull();
    expect(kept).toHaveLength(1);
    expect(typedErrorOf(() => kept[0]?.get('a'))?.info.code).toBe('STATE_OUTSIDE_CALL');
  });

  test('what no task has room for ends the job', () => {
    const onControl = (_: Row, { state: { rules: all } }: Context) => {
      for (let at = 0; at < 1000; at++) all.set(`user ${at}`, { most: at, since: 0 });
    };
    expect(errorOf({ onControl })?.info.code).toBe('BROADCAST_STATE_TOO_LARGE');
  });
});
