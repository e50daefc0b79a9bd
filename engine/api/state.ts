/**
 * `state`: what `process` keeps between rows, declared by kind and type. A declaration is data, and the functions
 * of reducing and aggregating states; the types say what a user's function may call.
 */
import { typedError } from '../../base/typed-error.ts';
import type { BroadcastSpec, StateKind, StateSpec, StateTtl } from '../plan/state-spec.ts';
import type { StateFunctions, ValueChange } from '../plan/user-functions.ts';
import { BroadcastDeclaration, type BroadcastStateOf, type BroadcastView } from './broadcast.ts';
import type { PairType } from './map-reduce.ts';
import { describe, type InputOf, type ValueOf } from './row.ts';
import { changesIn, type StateChanges } from './state-changes.ts';
import { type ColumnsOf, fieldOfType, ValueType } from './value-type.ts';

type One<T> = ColumnsOf<{ readonly value: T }>['value'];
type Read<T> = ValueOf<One<T>>;
type Given<T> = InputOf<One<T>>;

/** One value per key. */
export interface ValueStateOf<V, I> {
  /** Null when it was not set, was cleared, or has expired. */
  get(): V | null;
  /** Keeps this value. */
  set(value: I): void;
  /** Forgets it. */
  clear(): void;
}

/** A list per key. */
export interface ListStateOf<V, I> {
  /** All items, oldest first. */
  get(): V[];
  /** Puts an item at the end. */
  add(item: I): void;
  /** Replaces all items. */
  set(items: Iterable<I>): void;
  /** Forgets all items. */
  clear(): void;
}

/** A map per key; each of its entries is read and written alone. */
export interface MapStateOf<K, V, KI, VI> {
  /** The value of an entry; null when there is none. */
  get(key: KI): V | null;
  /** Whether there is an entry. */
  has(key: KI): boolean;
  /** Keeps a value under a key. */
  set(key: KI, value: VI): void;
  /** False when there is no such entry. */
  delete(key: KI): boolean;
  /** In the order in which keys came, as long as none was deleted. */
  entries(): [K, V][];
  /** The keys of all entries, in no order. */
  keys(): K[];
  /** The values of all entries, in the order of `keys`. */
  values(): V[];
  readonly size: number;
  /** Forgets all entries. */
  clear(): void;
}

/** A value per key to which others are added by a function. */
export interface ReducingStateOf<V, I> {
  /** Null when nothing was added. */
  get(): V | null;
  /** Reduces the value and this one to one. */
  add(value: I): void;
  /** Forgets it. */
  clear(): void;
}

/** The same by way of an accumulator of another type. */
export interface AggregatingStateOf<R, I> {
  /** Null when nothing was added. */
  get(): R | null;
  /** Adds a value to the accumulator. */
  add(value: I): void;
  /** Forgets the accumulator. */
  clear(): void;
}

/** When entries of a state go by themselves. */
export interface TtlOptions {
  /** How long an entry lives, in milliseconds: 1 or more. */
  readonly afterMs: number;
  /** What lets an entry live on: writing it, or reading it as well. @defaultValue 'write' */
  readonly renewedOn?: 'write' | 'read';
  /**
   * Event time: an entry counts from the latest event time that its task has seen when it is written, and goes when the
   * watermark has passed its end. Over bounded input in batch nothing goes but by timers. @defaultValue 'event'
   */
  readonly time?: 'event' | 'processing';
}

/** Options of all kinds of state. */
export interface StateOptions {
  /** @defaultValue entries stay until they are cleared */
  readonly ttl?: TtlOptions;
}

/** How an aggregating state folds what is added to it. */
export interface AggregatingOptions<A, I, R, M = A> extends StateOptions, StateChanges<A, M> {
  /** The type of accumulators. */
  readonly accumulator: A;
  /** What a key begins with. */
  readonly create: () => Given<A>;
  /** The accumulator with a value added; it may be the same object, changed. */
  readonly add: (accumulator: Read<A>, value: I) => Given<A>;
  /** What `get` answers. */
  readonly result: (accumulator: Read<A>) => R;
}

declare const handleType: unique symbol;

/** A declared state; `Handle` is what functions are given. Made by `state`. */
export class StateDeclaration<Handle> {
  declare readonly [handleType]: Handle;
  readonly spec: Omit<StateSpec, 'name'>;
  readonly functions: StateFunctions;
  readonly change: ValueChange;

  /** Made by `state` only. */
  constructor({ spec, change }: ReadSpec, functions: StateFunctions = {}) {
    this.spec = spec;
    this.functions = functions;
    this.change = change;
    Object.freeze(this);
  }
}

/** States by name. */
export type StateDeclarations = Readonly<
  Record<string, StateDeclaration<unknown> | BroadcastDeclaration<unknown, unknown>>
>;

/** What functions of rows are given for declared states. */
export type HandlesOf<S> = {
  readonly [Name in keyof S]: S[Name] extends StateDeclaration<infer Handle>
    ? Handle
    : S[Name] extends BroadcastDeclaration<infer View, unknown>
      ? View
      : never;
};

/**
 * Kinds of state for `process`.
 *
 * @example
 * ```ts
 * import { state, t } from 'millrace';
 *
 * const seen = state.map(t.utf8(), t.int64({ js: 'number' }), { ttl: { afterMs: 3_600_000 } });
 * seen.spec.kind; // => 'map'
 * ```
 */
export const state = Object.freeze({
  /** One value per key. */
  value<T extends PairType, M extends PairType = T>(
    type: T,
    options: StateOptions & StateChanges<T, M> = {},
  ): StateDeclaration<ValueStateOf<Read<T>, Given<T>>> {
    return new StateDeclaration(specOf('value', { type, options }));
  },

  /** A list per key. */
  list<T extends PairType, M extends PairType = T>(
    item: T,
    options: StateOptions & StateChanges<T, M> = {},
  ): StateDeclaration<ListStateOf<Read<T>, Given<T>>> {
    return new StateDeclaration(specOf('list', { type: item, options }));
  },

  /** A map per key. */
  map<K extends PairType, V extends PairType, M extends PairType = V>(
    key: K,
    value: V,
    options: StateOptions & StateChanges<V, M> = {},
  ): StateDeclaration<MapStateOf<Read<K>, Read<V>, Given<K>, Given<V>>> {
    return new StateDeclaration(specOf('map', { type: value, key, options }));
  },

  /**
   * A map that all tasks hold alike, whatever the key: `onControl` writes it for rows of the control stream, `onRow` and
   * `onTimer` read it.
   */
  broadcast<K extends PairType, V extends PairType, M extends PairType = V>(
    key: K,
    value: V,
    options: StateChanges<V, M> = {},
  ): BroadcastDeclaration<
    BroadcastView<Read<K>, Read<V>, Given<K>>,
    BroadcastStateOf<Read<K>, Read<V>, Given<K>, Given<V>>
  > {
    checkTypes('broadcast', value, key);
    const { history, change } = changesIn(options as never);
    const fields = { key: fieldOfType('key', key), value: fieldOfType('value', value) };
    return new BroadcastDeclaration({ ...fields, ...history }, change);
  },

  /** A value to which others are added: the first one stays as it is. */
  reducing<T extends PairType, M extends PairType = T>(
    type: T,
    reduce: (left: Read<T>, right: Read<T>) => Given<T>,
    options: StateOptions & StateChanges<T, M> = {},
  ): StateDeclaration<ReducingStateOf<Read<T>, Given<T>>> {
    const functions = { reduce: functionOf('reducing', reduce) };
    return new StateDeclaration(specOf('reducing', { type, options }), functions as never);
  },

  /** The same by way of an accumulator. */
  aggregating<A extends PairType, I, R, M extends PairType = A>(
    options: AggregatingOptions<A, I, R, M>,
  ): StateDeclaration<AggregatingStateOf<R, I>> {
    const { accumulator: type, create, add, result } = options;
    const functions = {
      create: functionOf('create of aggregating', create),
      add: functionOf('add of aggregating', add),
      result: functionOf('result of aggregating', result),
    };
    return new StateDeclaration(specOf('aggregating', { type, options }), functions as never);
  },
});

/** The specs and functions of states, and those that are broadcast. @throws JOB_ARGUMENT_INVALID */
export function statesIn(given: unknown): {
  specs: StateSpec[];
  broadcast: BroadcastSpec[];
  functions: Record<string, StateFunctions>;
  changes: Record<string, ValueChange>;
} {
  const entries = Object.entries(given ?? {}) as [string, unknown][];
  const specs: StateSpec[] = [];
  const broadcast: BroadcastSpec[] = [];
  const functions: Record<string, StateFunctions> = {};
  const changes: Record<string, ValueChange> = {};
  for (const [name, declared] of entries) {
    if (declared instanceof BroadcastDeclaration) {
      broadcast.push({ name, ...declared.spec });
      changes[name] = declared.change;
      continue;
    }
    if (!(declared instanceof StateDeclaration)) {
      throw typedError(
        'JOB_ARGUMENT_INVALID',
        `state "${name}" of process is ${describe(declared)}`,
        { hint: 'Declare it: state: { count: state.value(t.int64()) }.' },
      );
    }
    specs.push({ name, ...declared.spec });
    functions[name] = declared.functions;
    changes[name] = declared.change;
  }
  return { specs, broadcast, functions, changes };
}

interface Declared {
  readonly type: PairType;
  readonly key?: PairType;
  /** With what is said of changes. */
  readonly options: StateOptions;
}

/** A spec, and the functions of its changes. */
interface ReadSpec {
  readonly spec: Omit<StateSpec, 'name'>;
  readonly change: ValueChange;
}

function specOf(kind: StateKind, { type, key, options }: Declared): ReadSpec {
  checkTypes(kind, type, kind === 'map' ? key : type);
  const keyField = key === undefined ? null : fieldOfType('key', key);
  const { history, change } = changesIn(options as never);
  const fields = { value: fieldOfType('value', type), key: keyField };
  return { spec: { kind, ...fields, ttl: ttlOf(options.ttl), ...history }, change };
}

function checkTypes(kind: string, ...types: unknown[]): void {
  if (types.every((type) => type instanceof ValueType)) return;
  throw typedError('JOB_ARGUMENT_INVALID', `state.${kind} needs the type of its values`, {
    hint: 'Write state.value(t.int64()), state.map(t.utf8(), t.int64()).',
  });
}

function ttlOf(ttl: TtlOptions | undefined): StateTtl | null {
  if (ttl === undefined) return null;
  const { afterMs, renewedOn = 'write', time = 'event' } = ttl;
  const isKnown = ['write', 'read'].includes(renewedOn) && ['event', 'processing'].includes(time);
  if (Number.isSafeInteger(afterMs) && afterMs >= 1 && isKnown) return { afterMs, renewedOn, time };
  throw typedError('JOB_ARGUMENT_INVALID', `the ttl of a state is ${JSON.stringify(ttl)}`, {
    hint: "Write ttl: { afterMs: 3_600_000, renewedOn: 'write', time: 'event' }, in whole milliseconds from 1 on.",
  });
}

function functionOf(what: string, given: unknown): unknown {
  if (typeof given === 'function') return given;
  throw typedError(
    'JOB_ARGUMENT_INVALID',
    `state.${what} needs a function, got ${describe(given)}`,
    {
      hint: 'Write state.reducing(t.float64(), (left, right) => left + right).',
    },
  );
}
