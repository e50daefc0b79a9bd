/**
 * States of every kind against arrays and Maps: random calls for a few keys, with time that goes on, calls that
 * are undone, and a share so small that the base goes to disk.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StateTtl } from '../../../engine/plan/state-spec.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { KeyedState } from '../../../engine/state/keyed-state.ts';
import type { NumberedState, ValueState } from '../../../engine/state/state-handles.ts';
import {
  applyCall,
  applyExpected,
  Expected,
  type StateCall,
  seenExpected,
  seenState,
  stateCall,
  stateFunctions,
  stateSpecs,
} from '../../support/state-calls.ts';
import { hashOf, stateScene } from '../../support/state-scene.ts';

/** Takes a snapshot that nobody wants: deltas are frozen. */
function snapshotFor(state: KeyedState): void {
  state.snapshot({
    checkpointId: 1,
    note: () => undefined,
    rows: (_part, _schema, rows) => rows.close(),
  });
}

function run(all: readonly StateCall[], ttl: StateTtl | null): void {
  const scene = stateScene();
  const limits = { deltaBytesMax: 5000, baseBytesMax: 5000 };
  const state = new KeyedState(scene.context, {
    ...{ states: stateSpecs(ttl), functions: stateFunctions, canUndo: true },
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
    applyCall(state, call);
    applyExpected(own(call.key), call, nowMs, ttl?.afterMs ?? Number.POSITIVE_INFINITY);
    if (call.isUndone) {
      state.undo();
      expected = before;
    } else {
      state.commit();
    }
    if (call.verb === 'freeze') snapshotFor(state);
    while (!state.maintain());
    load(call.key);
    expect(seenState(state), JSON.stringify(call)).toEqual(seenExpected(own(call.key), nowMs));
    state.commit();
  }
  for (const key of expected.keys()) {
    load(key);
    expect(seenState(state)).toEqual(seenExpected(own(key), nowMs));
  }
  state.close();
  scene.close();
}

describe('every kind of state has what plain JavaScript has', () => {
  test('for ever', () => {
    fc.assert(
      fc.property(fc.array(stateCall, { maxLength: 120, size: 'max' }), (all) => run(all, null)),
      { numRuns: 60 },
    );
  });

  test('for a while', () => {
    const ttl: StateTtl = { afterMs: 100, renewedOn: 'write', time: 'processing' };
    fc.assert(
      fc.property(fc.array(stateCall, { maxLength: 120, size: 'max' }), (all) => run(all, ttl)),
      { numRuns: 60 },
    );
  });
});

test('an entry of a map that takes the place of a deleted one lives no longer for it', () => {
  const call = { key: 0, at: '', n: 0, ms: 0, isUndone: false };
  const kept = { ...call, verb: 'put', at: 'kept' };
  const wait = { ...call, verb: 'freeze', ms: 39 };
  const all = [{ ...call, verb: 'put' }, kept, { ...call, verb: 'delete', ms: 30 }, wait, wait];
  run(all, { afterMs: 100, renewedOn: 'write', time: 'processing' });
});

describe('state outside of a call', () => {
  test('is refused, by the name of the operator', () => {
    const scene = stateScene();
    const options = { states: stateSpecs(null), functions: stateFunctions, canUndo: false };
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
    const options = { states: stateSpecs(null), functions: stateFunctions, canUndo: false };
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
        if (at % 10 === 9) snapshotFor(state);
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
