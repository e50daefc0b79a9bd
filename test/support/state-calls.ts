/** Random calls on states of every kind, what each does, and what plain JavaScript has after it. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { StateSpec, StateTtl } from '../../engine/plan/state-spec.ts';
import { float64Type, utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf } from '../../engine/schema/schema.ts';
import type { KeyedState } from '../../engine/state/keyed-state.ts';
import type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  ValueState,
} from '../../engine/state/state-handles.ts';

const number = { kind: 'int64', js: 'number' } as const;

export function stateSpecs(ttl: StateTtl | null): StateSpec[] {
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

export const stateFunctions = {
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
export class Expected {
  value: Kept<number> | null = null;
  text: Kept<string | null> | null = null;
  list: Kept<number>[] = [];
  map = new Map<string, Kept<number>>();
  reducing: Kept<number> | null = null;
  aggregating: Kept<number[]> | null = null;
}

export interface StateCall {
  readonly key: number;
  readonly verb: string;
  readonly at: string;
  readonly n: number;
  /** Time that goes on before it. */
  readonly ms: number;
  readonly isUndone: boolean;
}

const verbs = [
  ...['set', 'clear', 'setText', 'setNull', 'clearText', 'add', 'add', 'setList', 'clearList'],
  ...['put', 'put', 'put', 'delete', 'clearMap', 'reduce', 'clearReduce', 'aggregate', 'freeze'],
];
export const stateCall: fc.Arbitrary<StateCall> = fc.record({
  key: fc.integer({ min: 0, max: 3 }),
  verb: fc.constantFrom(...verbs),
  at: fc.constantFrom('', 'a', 'b', 'café', 'a longer text as key', '6', '7', '8'),
  n: fc.integer({ min: -1e6, max: 2 ** 40 }),
  ms: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
  isUndone: fc.integer({ min: 0, max: 7 }).map((one) => one === 0),
});

/** Carries a call out on the state of the cursor's key. */
export function applyCall({ handles }: KeyedState, { verb, at, n }: StateCall): void {
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

/** The same on what is expected. */
export function applyExpected(
  own: Expected,
  { verb, at, n }: StateCall,
  nowMs: number,
  afterMs: number,
): void {
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

/** All that the cursor's key has. */
export function seenState({ handles }: KeyedState): unknown {
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

export function seenExpected(own: Expected, nowMs: number): unknown {
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
