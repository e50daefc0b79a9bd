/**
 * Goal: broadcast states are what a Map would be, within their share of the memory and in the calls that may use them;
 * what is restored is what there was.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf } from '../../../engine/schema/schema.ts';
import { BroadcastStates } from '../../../engine/state/broadcast-state.ts';
import { spillSpace } from '../../support/spill-space.ts';
import { stateScene } from '../../support/state-scene.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const number = { kind: 'int64', js: 'number' } as const;
const limits = fieldOf('value', {
  kind: 'struct',
  fields: [
    fieldOf('most', number),
    fieldOf('names', { kind: 'list', item: { type: utf8Type, nullable: false } }),
  ],
});

function statesOf(
  scene: ReturnType<typeof stateScene>,
  shareBytes?: number,
  key: Field = fieldOf('key', utf8Type, true),
) {
  const context = { ...scene.context, name: 'checks', spill: spillSpace(shareBytes) };
  return new BroadcastStates(context, [
    { name: 'rules', key, value: limits },
    { name: 'switches', key: fieldOf('key', number), value: fieldOf('value', utf8Type, true) },
  ]);
}

type Given = {
  key: string | null;
  most: number;
  verb: 'set' | 'set' | 'delete' | 'clear' | 'switch';
};
const calls: fc.Arbitrary<Given[]> = fc.array(
  fc.record({
    // The text of one byte 0 is another key than null, whose bytes are that.
    key: fc.constantFrom('a', 'b', 'a longer name of a rule', '\0', '', null),
    most: fc.integer({ min: -5, max: 2 ** 50 }),
    verb: fc.constantFrom('set', 'set', 'set', 'delete', 'clear', 'switch'),
  }),
  { maxLength: 40 },
);

test('random calls give what Maps give, and so does what is restored of them', () => {
  fc.assert(
    fc.property(calls, (all) => {
      const scene = stateScene();
      const states = statesOf(scene);
      const { rules, switches } = states.handles;
      const [expected, others] = [new Map<string | null, unknown>(), new Map<number, string>()];
      states.access = 'write';
      for (const { key, most, verb } of all) {
        const value = { most, names: [`at most ${most}`] };
        if (verb === 'set') {
          rules?.set(key, value);
          expected.set(key, value);
        } else if (verb === 'delete') {
          expect(rules?.delete(key)).toBe(expected.delete(key));
        } else if (verb === 'switch') {
          switches?.set(BigInt(most % 3), 'on');
          others.set(most % 3, 'on');
        } else {
          rules?.clear();
          expected.clear();
        }
        expect(rules?.get(key)).toEqual(expected.get(key) ?? null);
        expect(rules?.has(key)).toBe(expected.has(key));
      }
      const restored = statesOf(scene);
      for (const name of ['rules', 'switches']) restored.restore(name, states.entries(name));
      restored.access = 'read';
      for (const one of [states, restored]) {
        expect(one.handles.rules?.entries()).toEqual([...expected]);
        expect(one.handles.rules?.keys()).toEqual([...expected.keys()]);
        expect(one.handles.rules?.values()).toEqual([...expected.values()]);
        expect(one.handles.rules?.size).toBe(expected.size);
        expect(one.handles.switches?.entries()).toEqual([...others]);
        expect(one.sizeBytes).toBe(states.sizeBytes);
      }
      const shown = (of: Map<unknown, unknown>) => (of.size === 0 ? null : [...of]);
      expect(states.lookAt()).toEqual({ rules: shown(expected), switches: shown(others) });
      scene.close();
    }),
  );
});

describe('values', () => {
  test('are those of their types, and can not be changed by who reads them', () => {
    const scene = stateScene();
    const states = statesOf(scene);
    const { rules } = states.handles;
    states.access = 'write';
    const given = { most: 1, names: ['first'] };
    rules?.set('a', given);
    given.names.push('never kept');
    const read = rules?.get('a') as typeof given;
    expect(read).toEqual({ most: 1, names: ['first'] });
    expect(() => read.names.push('second')).toThrow(TypeError);
    expect(() => Object.assign(read, { most: 2 })).toThrow(TypeError);
    scene.close();
  });

  test.each([
    ['a value of another type', 'a', { most: 'many', names: [] }],
    ['no value', 'a', null],
    ['a key of another type', 5, { most: 1, names: [] }],
  ])('%s is refused and changes nothing', (_, key, value) => {
    const scene = stateScene();
    const states = statesOf(scene);
    states.access = 'write';
    states.handles.rules?.set('a', { most: 7, names: [] });
    const before = states.sizeBytes;
    expect(() => states.handles.rules?.set(key, value)).toThrow(/rules/);
    expect(states.handles.rules?.entries()).toEqual([['a', { most: 7, names: [] }]]);
    expect(states.sizeBytes).toBe(before);
    scene.close();
  });

  test('more than the share is refused; what goes makes room', () => {
    const scene = stateScene();
    const states = statesOf(scene, 2000);
    const { rules } = states.handles;
    states.access = 'write';
    const fill = () => {
      for (let at = 0; at < 100; at++) rules?.set(`rule ${at}`, { most: at, names: [] });
    };
    const error = typedErrorOf(fill);
    expect(error?.info.code).toBe('BROADCAST_STATE_TOO_LARGE');
    expect(error?.message).toContain('broadcast state "rules" of operator "checks"');
    expect(error?.info.hint).toContain('--memory');
    expect(states.sizeBytes).toBeLessThanOrEqual(2000);
    const { size } = rules ?? { size: 0 };
    expect(size).toBeGreaterThan(5);
    rules?.delete('rule 0');
    rules?.set('other', { most: 1, names: [] });
    expect(rules?.size).toBe(size);
    rules?.clear();
    expect(states.sizeBytes).toBe(0);
    scene.close();
  });
});

describe('use', () => {
  test.each`
    access    | verb                                   | code
    ${'none'} | ${(one: Handle) => one.get('a')}       | ${'STATE_OUTSIDE_CALL'}
    ${'none'} | ${(one: Handle) => one.clear()}        | ${'STATE_OUTSIDE_CALL'}
    ${'none'} | ${(one: Handle) => one.size}           | ${'STATE_OUTSIDE_CALL'}
    ${'read'} | ${(one: Handle) => one.clear()}        | ${'STATE_READ_ONLY'}
    ${'read'} | ${(one: Handle) => one.delete('a')}    | ${'STATE_READ_ONLY'}
    ${'read'} | ${(one: Handle) => one.set('a', null)} | ${'STATE_READ_ONLY'}
  `('with access $access is refused: $verb', ({ access, verb, code }) => {
    const scene = stateScene();
    const states = statesOf(scene);
    states.access = access;
    const error = typedErrorOf(() => verb(states.handles.rules));
    expect(error?.info.code).toBe(code);
    expect(error?.message).toContain('state "rules" of operator "checks"');
    scene.close();
  });
});

type Handle = NonNullable<BroadcastStates['handles'][string]>;
