/**
 * Goal: state goes on from a snapshot where it was declared in another way: wider, with more fields, under other names, or by
 * a function of the job; each value is what a slow reference makes of it, and what can't be is refused.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StateHistory, StateKind, StateSpec } from '../../../engine/plan/state-spec.ts';
import type { ValueChange } from '../../../engine/plan/user-functions.ts';
import { evolutionOf } from '../../../engine/schema/evolution.ts';
import {
  boolType,
  dateType,
  type Field,
  type FieldType,
  float32Type,
  float64Type,
  int32Type,
  int64Type,
  uint8Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { KeyedState } from '../../../engine/state/keyed-state.ts';
import type { ListState, MapState, ValueState } from '../../../engine/state/state-handles.ts';
import type { StateNote } from '../../../engine/state/state-snapshot.ts';
import { SnapshotCopies, SnapshotTaker, type TaskCopy } from '../../support/snapshot-copy.ts';
import { stateScene } from '../../support/state-scene.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

/** An old type, a new one that follows from it, values of the old one, and what each becomes. */
interface Pair {
  readonly old: Nullable;
  readonly now: Nullable;
  readonly value: fc.Arbitrary<unknown>;
  readonly become: (value: never) => unknown;
}
type Nullable = Pick<Field, 'type' | 'nullable'>;

const pair = (
  old: FieldType,
  now: FieldType,
  value: fc.Arbitrary<unknown>,
  become: Pair['become'] = (one) => one,
): Pair => ({
  ...{ old: { type: old, nullable: false }, now: { type: now, nullable: false } },
  ...{ value, become },
});
const decimal = (precision: number, scale: number) =>
  ({ kind: 'decimal', precision, scale }) as const;
const int32 = fc.integer();
const leaves: readonly Pair[] = [
  pair(utf8Type, utf8Type, fc.string({ unit: 'grapheme', maxLength: 9 })),
  pair(boolType, boolType, fc.boolean()),
  pair(dateType, dateType, fc.constantFrom('2026-11-27', '1969-01-01')),
  pair(int64Type, int64Type, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  pair({ kind: 'int64', js: 'number' }, int64Type, fc.maxSafeInteger(), BigInt as never),
  pair(int32Type, int64Type, int32, BigInt as never),
  pair(int32Type, float64Type, int32),
  pair(uint8Type, { kind: 'int16' }, fc.nat(255)),
  pair(uint8Type, float32Type, fc.nat(255)),
  pair(
    float32Type,
    float64Type,
    fc.float({ noNaN: true }).map((value) => value + 0),
  ),
  pair(
    decimal(5, 2),
    decimal(9, 3),
    fc.constantFrom('0.00', '-1.25', '999.99'),
    ((text: string) => `${text}0`) as never,
  ),
];

function nullable(inner: Pair, old: boolean, now: boolean): Pair {
  const value = old ? fc.option(inner.value, { nil: null }) : inner.value;
  const become = ((one: never) => (one === null ? null : inner.become(one))) as Pair['become'];
  return {
    old: { ...inner.old, nullable: old },
    now: { ...inner.now, nullable: old || now },
    value,
    become,
  };
}

function listOf(item: Pair): Pair {
  const list = (one: Nullable): FieldType => ({ kind: 'list', item: one });
  const become = (items: never[]) => items.map(item.become);
  return pair(
    list(item.old),
    list(item.now),
    fc.array(item.value, { maxLength: 4 }),
    become as never,
  );
}

interface StructPart {
  readonly inner: Pair;
  readonly fate: 'kept' | 'dropped' | 'added' | 'renamed' | 'defaulted';
}

/** Fields are in another order; only the outermost struct has names and defaults said. */
function structOf(
  parts: readonly StructPart[],
  isOutermost: boolean,
): Pair & { readonly changes: Changes } {
  const said = (fate: StructPart['fate']) =>
    isOutermost || fate === 'kept' || fate === 'dropped' ? fate : 'added';
  const named = parts.map(({ inner, fate }, at) => ({
    inner,
    fate: said(fate),
    old: `f${at}`,
    now: said(fate) === 'renamed' ? `g${at}` : `f${at}`,
  }));
  const before = named.filter(({ fate }) => fate !== 'added' && fate !== 'defaulted');
  const after = named.filter(({ fate }) => fate !== 'dropped').toReversed();
  const struct = (fields: Field[]): FieldType => ({ kind: 'struct', fields });
  const old = struct(before.map(({ old: name, inner }) => ({ ...inner.old, name })));
  const now = struct(
    after.map(({ now: name, inner, fate }) => {
      if (fate === 'defaulted') return fieldOf(name, utf8Type);
      return { ...inner.now, name, nullable: inner.now.nullable || fate === 'added' };
    }),
  );
  const value = fc.record(
    Object.fromEntries(before.map(({ old: name, inner }) => [name, inner.value])),
  );
  const become = (row: Record<string, never>) =>
    Object.fromEntries(
      after.map(({ old: was, now: name, inner, fate }) => {
        if (fate === 'defaulted') return [name, 'none'];
        return [name, fate === 'added' ? null : inner.become(row[was] as never)];
      }),
    );
  const renamed = Object.fromEntries(
    named.flatMap(({ fate, old: was, now: name }) => (fate === 'renamed' ? [[name, was]] : [])),
  );
  const defaulted = named.flatMap(({ fate, now: name }) => (fate === 'defaulted' ? [name] : []));
  const defaults = Object.fromEntries(defaulted.map((name) => [name, 'none']));
  const changes = {
    history: { declared: { renamed, defaulted } },
    change: { defaults, migrate: null },
  };
  return { ...pair(old, now, value, become as never), changes };
}

interface Changes {
  readonly history: StateHistory;
  readonly change: ValueChange;
}

const leaf = fc
  .tuple(fc.constantFrom(...leaves), fc.boolean(), fc.boolean())
  .map(([one, old, now]) => nullable(one, old, now));
const fates = fc.constantFrom<StructPart['fate']>(
  'kept',
  'kept',
  'dropped',
  'added',
  'renamed',
  'defaulted',
);
const partsOf = (inner: fc.Arbitrary<Pair>) =>
  fc
    .array(fc.record({ inner, fate: fates }), { minLength: 1, maxLength: 4 })
    // A struct has a field, before and after.
    .map((parts): StructPart[] => [{ inner: leaves[0] as Pair, fate: 'kept' }, ...parts]);
const nested = fc.oneof(
  leaf,
  leaf.map(listOf),
  partsOf(leaf).map((parts) => structOf(parts, false)),
);
const outermost = fc.oneof(
  nested.map((one) => ({ ...one, changes: null })),
  partsOf(nested).map((parts) => structOf(parts, true)),
);

type Handle = ValueState & ListState & MapState;
type Handles = Readonly<Record<string, Handle>>;

/** Puts values into the state of an old job; answers what it hands out. */
function written(
  specs: readonly StateSpec[],
  put: (states: Handles, load: (key: string) => void) => void,
): TaskCopy {
  const scene = stateScene();
  const { context, scope } = scene;
  const place = { scope, kernels: context.kernels };
  const state = new KeyedState(context, { states: specs, functions: {}, canUndo: false });
  put(state.handles as never, (key) => loadKey(scene, state, key));
  const taker = new SnapshotTaker(place, { start: 0, end: 128 }, 1);
  taker.note(state.snapshot(taker) as never);
  state.commit();
  taker.take(Number.POSITIVE_INFINITY);
  const { copy } = taker;
  state.close();
  return copy;
}

type Scene = ReturnType<typeof stateScene>;

function loadKey({ load, memory }: Scene, state: KeyedState, key: string): void {
  const cursor = load(key);
  state.cursor.load(cursor.address, cursor.keySize, cursor.hash);
  expect(memory).toBeDefined();
}

/** Goes on from it as a new job declares it. */
function restored(
  copy: TaskCopy,
  spec: StateSpec,
  given: ValueChange | null,
): { readonly state: KeyedState; readonly enter: (key: string) => void } {
  const scene = stateScene();
  const { context, scope } = scene;
  const changes = given === null ? {} : { [spec.name]: given };
  const state = new KeyedState(context, { states: [spec], functions: {}, changes, canUndo: false });
  const reader = new SnapshotCopies({ scope, kernels: context.kernels }, [copy], {
    start: 0,
    end: 128,
  });
  while (!state.restore(reader, [copy.note as unknown as StateNote]));
  return { state, enter: (key) => loadKey(scene, state, key) };
}

const specOf = (
  kind: StateKind,
  value: Nullable,
  name: string,
  history: StateHistory = {},
): StateSpec => ({
  ...{ name, kind, ttl: null, value: { ...value, name: 'value' } },
  ...{ key: kind === 'map' ? fieldOf('key', utf8Type) : null, ...history },
});

/** A value is the last one; a map has them under keys of their own. */
function fill(handle: Handle | undefined, kind: StateKind, all: readonly unknown[]): void {
  if (kind === 'value') handle?.set(all.at(-1) as never, undefined as never);
  for (const [at, one] of all.entries()) {
    if (kind === 'list') handle?.add(one);
    if (kind === 'map') handle?.set(`k${at}` as never, one as never);
  }
}

function contentOf(handle: Handle | undefined, kind: StateKind): unknown[] {
  if (kind === 'map') {
    return (handle?.entries() ?? []).map(([key, value], at) => {
      expect(key).toBe(`k${at}`);
      return value;
    });
  }
  const found: unknown = handle?.get(undefined as never);
  if (kind === 'list') return found as unknown[];
  // A value that is null is no other than none.
  return found === null ? [] : [found];
}

test('whatever has changed that may, values are those of the reference', () => {
  const cases = outermost.chain((given) =>
    fc.record({
      given: fc.constant(given),
      kind: fc.constantFrom<StateKind>('value', 'list', 'map'),
      isRenamed: fc.boolean(),
      values: fc.dictionary(
        fc.constantFrom('a', 'b', 'c', 'd'),
        fc.array(given.value, { minLength: 1, maxLength: 3 }),
      ),
    }),
  );
  fc.assert(
    fc.property(cases, ({ given, kind, isRenamed, values }) => {
      const { history = {}, change = null } = given.changes ?? {};
      const old = specOf(kind, given.old, isRenamed ? 'before' : 'kept');
      const now = specOf(
        kind,
        given.now,
        'kept',
        isRenamed ? { ...history, was: 'before' } : history,
      );
      expect(evolutionOf(old.value, now.value, now.declared).kind).not.toBe('incompatible');
      const copy = written([old], (states, load) => {
        for (const [key, all] of Object.entries(values)) {
          load(key);
          fill(states[old.name], kind, all);
        }
      });
      const { state, enter } = restored(copy, now, change);
      const { kept } = state.handles as unknown as Handles;
      for (const key of ['a', 'b', 'c', 'd']) {
        const expected = (values[key] ?? []).map((one) => given.become(one as never));
        enter(key);
        const last = expected.slice(-1).filter((one) => one !== null);
        expect(contentOf(kept, kind)).toEqual(kind === 'value' ? last : expected);
      }
      state.close();
    }),
    { numRuns: 80 },
  );
});

const whole = (type: FieldType): Nullable => ({ type, nullable: false });

test('a function of the job makes new values of those of the type that it is for, and of no others', () => {
  const from = fieldOf('value', int64Type);
  const now = specOf('value', whole(utf8Type), 'sum', { migratesFrom: from });
  const migrate = (old: unknown) => `${old} in all`;
  const change = { defaults: {}, migrate };
  const put = (value: unknown) => (states: Handles, load: (key: string) => void) => {
    load('a');
    states.sum?.set(value as never, undefined as never);
  };
  const restoredFrom = (type: FieldType, value: unknown) => {
    const copy = written([specOf('value', whole(type), 'sum')], put(value));
    const { state, enter } = restored(copy, now, change);
    enter('a');
    const found = (state.handles as unknown as Handles).sum?.get(undefined as never);
    state.close();
    return found;
  };
  expect(restoredFrom(int64Type, 7n)).toBe('7 in all');
  expect(restoredFrom(utf8Type, 'new already')).toBe('new already');
  const error = typedErrorOf(() => restoredFrom(boolType, true));
  expect(error?.info.code).toBe('STATE_CHANGED');
  expect(error?.message).toContain('was value of bool and is now value of utf8: bool is no utf8');
});

test('entries that were deleted stay so, and what is not declared any more is left out', () => {
  const specs = [specOf('value', whole(int32Type), 'n'), specOf('value', whole(utf8Type), 'gone')];
  const copy = written(specs, (states, load) => {
    for (const key of ['a', 'b']) {
      load(key);
      states.n?.set(1 as never, undefined as never);
      states.gone?.set('x' as never, undefined as never);
    }
    states.n?.clear();
  });
  const { state, enter } = restored(copy, specOf('value', whole(int64Type), 'n'), null);
  const handle = (state.handles as unknown as Handles).n;
  enter('a');
  expect(handle?.get(undefined as never)).toBe(1n);
  enter('b');
  expect(handle?.get(undefined as never)).toBe(null);
  state.close();
});
