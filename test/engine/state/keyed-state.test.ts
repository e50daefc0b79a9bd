/**
 * States of every kind against arrays and Maps: random calls for a few keys, with time that goes on, calls that
 * are undone, and a share so small that the base goes to disk.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StateSpec, StateTtl } from '../../../engine/plan/state-spec.ts';
import { float64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { KeyedState } from '../../../engine/state/keyed-state.ts';
import type {
  AggregatingState,
  ListState,
  MapState,
  NumberedState,
  ReducingState,
  ValueState,
} from '../../../engine/state/state-handles.ts';
import { hashOf, stateScene } from '../../support/state-scene.ts';

const number = { kind: 'int64', js: 'number' } as const;

function specsOf(ttl: StateTtl | null): StateSpec[] {
  const value = fieldOf('value', number);
  const numbers = fieldOf('value', { kind: 'list', item: { type: number, nullable: false } });
  return [
    { name: 'value', kind: 'value', value, key: null, ttl },
    { name: 'text', kind: 'value', value: fieldOf('value', utf8Type, true), key: null, ttl },
    { name: 'list', kind: 'list', value: fieldOf('value', float64Type), key: null, ttl },
    { name: 'map', kind: 'map', value, key: fieldOf('key', utf8Type), ttl },
    { name: 'reducing', kind: 'reducing', value, key: null, ttl },
    { name: 'aggregating', kind: 'aggregating', value: numbers, key: null, ttl },
  ];
}

const functions = {
  reducing: { reduce: (left: unknown, right: unknown) => (left as number) + (right as number) },
  aggregating: {
    create: () => [],
    add: (all: unknown, one: unknown) => [...(all as number[]), one as number].slice(-3),
    result: (all: unknown) => (all as number[]).join(),
  },
};

interface Kept<T> {
  readonly value: T;
  readonly expiresAtMs: number;
}

/** What one key has, by plain JavaScript. */
class Expected {
  value: Kept<number> | null = null;
  text: Kept<string | null> | null = null;
  list: Kept<number>[] = [];
  map = new Map<string, Kept<number>>();
  reducing: Kept<number> | null = null;
  aggregating: Kept<number[]> | null = null;
}

type Call = { key: number; verb: string; at: string; n: number; ms: number; isUndone: boolean };

const verbs = [
  ...['set', 'clear', 'setText', 'setNull', 'clearText', 'add', 'add', 'setList', 'clearList'],
  ...['put', 'put', 'put', 'delete', 'clearMap', 'reduce', 'clearReduce', 'aggregate', 'freeze'],
];
const calls = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 3 }),
    verb: fc.constantFrom(...verbs),
    at: fc.constantFrom('', 'a', 'b', 'café', 'a longer text as key', '6', '7', '8'),
    n: fc.integer({ min: -1e6, max: 2 ** 40 }),
    ms: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
    isUndone: fc.integer({ min: 0, max: 7 }).map((one) => one === 0),
  }),
  { maxLength: 120 },
);

function run(all: readonly Call[], ttl: StateTtl | null): void {
  const scene = stateScene();
  const limits = { deltaBytesMax: 5000, baseBytesMax: 5000 };
  const state = new KeyedState(scene.context, {
    ...{ states: specsOf(ttl), functions, canUndo: true },
    ...{ blockBytes: 512, limits },
  });
  let expected = new Map<number, Expected>();
  let nowMs = 1000;
  const own = (key: number) => expected.get(key) ?? new Expected();
  const load = (key: number) => {
    const name = `key ${key}`;
    const from = scene.load(name);
    state.cursor.load(from.address, from.keySize, hashOf(name));
  };
  for (const call of all) {
    nowMs += call.ms;
    state.setClock(nowMs);
    const before = structuredClone(expected);
    expected.set(call.key, own(call.key));
    load(call.key);
    apply(state, call);
    applyExpected(own(call.key), call, nowMs, ttl?.afterMs ?? Number.POSITIVE_INFINITY);
    if (call.isUndone) {
      state.undo();
      expected = before;
    } else {
      state.commit();
    }
    if (call.verb === 'freeze') state.freeze();
    while (!state.maintain());
    load(call.key);
    expect(seen(state), JSON.stringify(call)).toEqual(seenExpected(own(call.key), nowMs));
    state.commit();
  }
  for (const key of expected.keys()) {
    load(key);
    expect(seen(state)).toEqual(seenExpected(own(key), nowMs));
  }
  state.close();
  scene.close();
}

function apply({ handles }: KeyedState, { verb, at, n }: Call): void {
  const value = handles.value as ValueState;
  const text = handles.text as ValueState;
  const list = handles.list as ListState;
  const map = handles.map as MapState;
  const steps: Record<string, () => void> = {
    set: () => value.set(n),
    clear: () => value.clear(),
    setText: () => text.set(at),
    setNull: () => text.set(null),
    clearText: () => text.clear(),
    add: () => list.add(n / 3),
    setList: () => list.set([n, n + 1, n + 2]),
    clearList: () => list.clear(),
    put: () => map.set(at, n),
    delete: () => map.delete(at),
    clearMap: () => map.clear(),
    reduce: () => (handles.reducing as ReducingState).add(n),
    clearReduce: () => (handles.reducing as ReducingState).clear(),
    aggregate: () => (handles.aggregating as AggregatingState).add(n),
    freeze: () => undefined,
  };
  steps[verb]?.();
}

function applyExpected(own: Expected, { verb, at, n }: Call, nowMs: number, afterMs: number): void {
  const kept = <T>(value: T): Kept<T> => ({ value, expiresAtMs: nowMs + afterMs });
  const alive = <T>(one: Kept<T> | null): T | null =>
    one !== null && one.expiresAtMs > nowMs ? one.value : null;
  const steps: Record<string, () => void> = {
    set: () => {
      own.value = kept(n);
    },
    clear: () => {
      own.value = null;
    },
    setText: () => {
      own.text = kept(at);
    },
    setNull: () => {
      own.text = kept(null);
    },
    clearText: () => {
      own.text = null;
    },
    add: () => own.list.push(kept(n / 3)),
    setList: () => {
      own.list = [n, n + 1, n + 2].map(kept);
    },
    clearList: () => {
      own.list = [];
    },
    put: () => own.map.set(at, kept(n)),
    delete: () => own.map.delete(at),
    clearMap: () => own.map.clear(),
    reduce: () => {
      own.reducing = kept((alive(own.reducing) ?? 0) + n);
    },
    clearReduce: () => {
      own.reducing = null;
    },
    aggregate: () => {
      own.aggregating = kept([...(alive(own.aggregating) ?? []), n].slice(-3));
    },
  };
  steps[verb]?.();
}

function seen({ handles }: KeyedState): unknown {
  const map = handles.map as MapState;
  const entries = map.entries();
  expect(map.size).toBe(entries.length);
  for (const [key, value] of entries) expect(map.get(key)).toBe(value);
  expect(map.has('not there')).toBe(false);
  return {
    value: (handles.value as ValueState).get(),
    text: (handles.text as ValueState).get(),
    list: (handles.list as ListState).get(),
    map: new Map(entries as [string, number][]),
    reducing: (handles.reducing as ReducingState).get(),
    aggregating: (handles.aggregating as AggregatingState).get(),
  };
}

function seenExpected(own: Expected, nowMs: number): unknown {
  const alive = <T>(one: Kept<T> | null): T | null =>
    one !== null && one.expiresAtMs > nowMs ? one.value : null;
  const map = [...own.map].filter(([, { expiresAtMs }]) => expiresAtMs > nowMs);
  return {
    value: alive(own.value),
    text: alive(own.text),
    list: own.list.filter(({ expiresAtMs }) => expiresAtMs > nowMs).map(({ value }) => value),
    map: new Map(map.map(([key, { value }]) => [key, value])),
    reducing: alive(own.reducing),
    aggregating: alive(own.aggregating)?.join() ?? null,
  };
}

describe('every kind of state has what plain JavaScript has', () => {
  test('for ever', () => {
    fc.assert(
      fc.property(calls, (all) => run(all, null)),
      { numRuns: 60 },
    );
  });

  test('for a while', () => {
    const ttl: StateTtl = { afterMs: 100, renewedOn: 'write', time: 'processing' };
    fc.assert(
      fc.property(calls, (all) => run(all, ttl)),
      { numRuns: 60 },
    );
  });
});

describe('state outside of a call', () => {
  test('is refused, by the name of the operator', () => {
    const scene = stateScene();
    const options = { states: specsOf(null), functions, canUndo: false };
    const state = new KeyedState(scene.context, options);
    const value = state.handles.value as ValueState;
    expect(() => value.get()).toThrow('state or timers of operator "state" were used outside');
    scene.load('key');
    state.cursor.load(scene.cursor.address, scene.cursor.keySize, scene.cursor.keyHash);
    value.set(1);
    state.cursor.leave();
    expect(() => value.set(2)).toThrow('outside of a call');
    state.close();
    scene.close();
  });

  test('a value that does not fit leaves the old one', () => {
    const scene = stateScene();
    const options = { states: specsOf(null), functions, canUndo: false };
    const state = new KeyedState(scene.context, options);
    const value = state.handles.value as ValueState;
    scene.load('key');
    state.cursor.load(scene.cursor.address, scene.cursor.keySize, scene.cursor.keyHash);
    value.set(1);
    expect(() => value.set(1.5)).toThrow('the value 1.5 of column "value" does not fit int64');
    expect(() => value.set('2')).toThrow('should be a whole number');
    expect(value.get()).toBe(1);
    state.close();
    scene.close();
  });
});

test('values by number are those of a map, a key each', () => {
  const number = fc.integer({ min: 0, max: 6 });
  const change = fc.record({
    key: fc.constantFrom('a', 'b'),
    number,
    value: fc.option(fc.string()),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const scene = stateScene();
      const spec = { name: 'rows', kind: 'numbered', key: null, ttl: null } as const;
      const states = [{ ...spec, value: fieldOf('value', utf8Type) }];
      const state = new KeyedState(scene.context, { states, functions: {}, canUndo: false });
      const rows = state.handles.rows as NumberedState;
      const expected = new Map<string, string>();
      const enter = (key: string) => {
        const { address, keySize } = scene.load(key);
        state.cursor.load(address, keySize, hashOf(key));
      };
      for (const [at, { key, number: one, value }] of changes.entries()) {
        enter(key);
        if (value === null) rows.delete(one);
        else rows.set(one, value);
        if (value === null) expected.delete(`${key}${one}`);
        else expected.set(`${key}${one}`, value);
        if (at % 10 === 9) state.freeze();
        state.maintain();
      }
      for (const key of ['a', 'b']) {
        enter(key);
        for (let one = 0; one <= 6; one++) {
          expect(rows.get(one)).toBe(expected.get(`${key}${one}`) ?? null);
        }
      }
      state.close();
      scene.close();
    }),
    { numRuns: 50 },
  );
});
