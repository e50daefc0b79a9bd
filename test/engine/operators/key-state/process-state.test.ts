/**
 * The state of a key of functions over state, against plain objects: what was written last is what is shown, and who
 * looks on changes nothing, neither entries that live on when they are read nor what comes out.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProcessBesideControl } from '../../../../engine/operators/controlled-process-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { ProcessOperator } from '../../../../engine/operators/process-operator.ts';
import type { StateKind, StateSpec, StateTtl } from '../../../../engine/plan/state-spec.ts';
import type { ProcessFunctions } from '../../../../engine/plan/user-functions.ts';
import { utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
} from '../../../support/operator-harness.ts';

const number = { kind: 'int64', js: 'number' } as const;
const input = {
  fields: [
    fieldOf('user', utf8Type, true),
    fieldOf('shop', number),
    fieldOf('at', { kind: 'timestamp', unit: 'ms' } as const),
    fieldOf('amount', number),
  ],
};

function specOf(name: string, kind: StateKind, ttl: StateTtl | null = null): StateSpec {
  const key = kind === 'map' ? fieldOf('key', utf8Type) : null;
  return { name, kind, value: fieldOf('value', number), key, ttl };
}

type Handles = Record<
  string,
  Record<'get' | 'set' | 'add' | 'clear', (...given: unknown[]) => unknown>
>;
interface Call {
  readonly state: Handles;
  readonly timers: Record<'eventTime' | 'processingTime' | 'cancelEventTime', (at: number) => void>;
}

const functions = {
  kind: 'process',
  states: {
    most: { reduce: Math.max },
    mean: {
      create: () => 0,
      add: (sum: number, value: number) => sum + value,
      result: () => {
        throw new Error('no function is called for who looks on');
      },
    },
  },
  onControl: null,
  onRow(row: Row, { state, timers }: Call) {
    const { last, all, byKind, most, mean } = state;
    const amount = row.amount as number;
    if (amount === 0) {
      for (const one of [last, all, byKind, most, mean]) one?.clear();
      timers.cancelEventTime((row.at as number) + 100);
      return;
    }
    last?.set(amount);
    for (const one of [all, most, mean]) one?.add(amount);
    byKind?.set(amount % 2 === 0 ? 'even' : 'odd', amount);
    timers.eventTime((row.at as number) + 100);
    if (amount % 5 === 0) timers.processingTime(amount);
  },
  onTimer() {},
} as unknown as ProcessFunctions;

function build(context: OperatorContext): ProcessOperator {
  return new ProcessOperator(context, {
    ...{ input, output: { fields: [fieldOf('n', number)] }, functions, fieldCount: 4 },
    states: [
      specOf('last', 'value'),
      specOf('all', 'list'),
      specOf('byKind', 'map'),
      specOf('most', 'reducing'),
      specOf('mean', 'aggregating'),
    ],
    timeColumn: 'at',
    keys: ['user', 'shop'].map((name) => ({ name, column: name })),
    clock: { mono: () => 0, wall: () => 0 },
  });
}

/** The same in plain objects; undefined when there is nothing. */
function expectedOf(rows: readonly Row[]) {
  let all: number[] = [];
  let byKind = new Map<string, number>();
  const [event, processing] = [new Set<number>(), new Set<number>()];
  for (const row of rows) {
    const [amount, at] = [row.amount as number, row.at as number];
    if (amount === 0) {
      [all, byKind] = [[], new Map()];
      event.delete(at + 100);
      continue;
    }
    all.push(amount);
    byKind.set(amount % 2 === 0 ? 'even' : 'odd', amount);
    event.add(at + 100);
    if (amount % 5 === 0) processing.add(amount);
  }
  if (all.length + event.size + processing.size === 0) return undefined;
  const times = (set: Set<number>) =>
    [...set].sort((a, b) => a - b).map((at) => new Date(at).toISOString());
  const has = all.length > 0;
  return {
    states: {
      last: all.at(-1) ?? null,
      all: has ? all : null,
      byKind: has ? [...byKind] : null,
      most: has ? Math.max(...all) : null,
      mean: has ? all.reduce((sum, one) => sum + one, 0) : null,
    },
    eventTimers: times(event),
    processingTimers: times(processing),
  };
}

const row = fc.record({
  user: fc.constantFrom('a', 'b', 'a user with a long name', null),
  shop: fc.integer({ min: 1, max: 2 }),
  at: fc.integer({ min: 0, max: 20 }),
  amount: fc.integer({ min: 0, max: 9 }),
});

test('states and timers of a key are what was written last', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const { context, memory, scope } = newContext('process');
      const operator = build(context);
      const batch = batchOf(scope, input, rows);
      feed(operator, batch, new CollectingOutbox());
      batch.release();
      for (const user of ['a', 'b', 'a user with a long name', null, 'nobody']) {
        for (const shop of [1, 2]) {
          const own = rows.filter((one) => one.user === user && one.shop === shop);
          const found = operator.stateOf(JSON.stringify([user, shop]));
          expect(found).toEqual(expectedOf(own));
        }
      }
      operator.close();
      memory.assertEmpty();
    }),
    { numRuns: 40 },
  );
});

test('to look on renews no entry that lives on when it is read', () => {
  const ttl = { afterMs: 10, renewedOn: 'read', time: 'event' } as const;
  const seen = (state: Handles) =>
    (['last', 'byKind'] as const).map((name) => state[name]?.get('k'));
  const own = {
    ...functions,
    onRow(row: Row, call: Call & { emit(row: Row): void }) {
      if (row.amount === 0) call.emit({ n: seen(call.state).filter((one) => one !== null).length });
      call.state.last?.set(1);
      call.state.byKind?.set('k', 1);
    },
  } as unknown as ProcessFunctions;
  const rowOf = (user: string, at: number, amount: number) => ({
    row: { user, shop: 1, at, amount },
  });
  checkOperator({
    input,
    steps: [
      ...[rowOf('a', 0, 1), { watermark: 9 }, rowOf('b', 9, 1), { watermark: 15 }],
      ...[rowOf('a', 15, 0), rowOf('b', 15, 0)],
    ],
    asked: ['["a", 1]'],
    build: (context) =>
      new ProcessOperator(context, {
        ...{ input, output: { fields: [fieldOf('n', number)] }, functions: own, fieldCount: 4 },
        states: [specOf('last', 'value', ttl), specOf('byKind', 'map', ttl)],
        ...{ timeColumn: 'at', clock: { mono: () => 0, wall: () => 0 } },
        keys: ['user', 'shop'].map((name) => ({ name, column: name })),
      }),
    expected: [{ n: 0 }, { n: 2 }],
  });
});

test('broadcast states are shown beside those of a key, and alone where nothing is kept by key', () => {
  const control = {
    states: [{ name: 'limits', key: fieldOf('key', utf8Type), value: fieldOf('value', number) }],
    ...{ timeColumn: null, input: { fields: [fieldOf('name', utf8Type)] } },
  };
  const own = {
    ...functions,
    onControl: (row: Row, { state }: Call) => state.limits?.set(row.name, 5),
    onRow: (_: Row, { state }: Call) => state.last?.set(1),
  } as unknown as ProcessFunctions;
  for (const states of [[specOf('last', 'value')], []]) {
    const { context, memory, scope } = newContext('process');
    const operator = new ProcessBesideControl(context, {
      ...{ input, output: { fields: [fieldOf('n', number)] }, functions: own, fieldCount: 4 },
      ...{ states, control, timeColumn: 'at', clock: { mono: () => 0, wall: () => 0 } },
      keys: [{ name: 'shop', column: 'shop' }],
    });
    expect(operator.stateOf('1')).toBeUndefined();
    const rules = batchOf(scope, control.input, [{ name: 'card' }, { name: 'cash' }]);
    const rows = batchOf(scope, input, [{ user: 'a', shop: 1, at: 0, amount: 1 }]);
    operator.processRight(rules, 0);
    feed(operator, rows, new CollectingOutbox());
    const limits = [
      ['card', 5],
      ['cash', 5],
    ];
    const found = (keyed: object) => ({
      ...{ states: { ...keyed, limits }, eventTimers: [], processingTimers: [] },
    });
    const isKeyed = states.length > 0;
    expect(operator.stateOf('1')).toEqual(found(isKeyed ? { last: 1 } : {}));
    expect(operator.stateOf('2')).toEqual(isKeyed ? undefined : found({}));
    operator.close();
    for (const batch of [rules, rows]) batch.release();
    memory.assertEmpty();
  }
});
