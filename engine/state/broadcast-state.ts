/**
 * Broadcast state: maps that all tasks of an operator hold alike. The functions of a control stream write them, in every
 * task the same; functions of rows read them.
 *
 *     onControl  ─ set, delete, clear ─▶ map  key ▶ value, frozen      access 'write'
 *     onRow, onTimer ─ get, entries ──▶                                access 'read'
 *     between calls                                                    access 'none'
 *
 * It is no state of a key: it lies outside key groups, and is small beside them. So it is a JavaScript map on the thread's
 * heap, whose values are ready to be read: a rule is looked at once per row, and changed once a day. Its bytes are those
 * that its keys and values have in memory, and what a map needs besides; they are bounded by a share of the
 * operator's memory.
 *
 * Invariants:
 * - Values are frozen: a function that changed one would change it in its own task only.
 * - Entries are listed in the order in which their keys came, which is the same in all tasks.
 * - A value that does not fit its type, or has no room, leaves the state as it was.
 *
 * Contract: used during a call only (asserted: STATE_OUTSIDE_CALL), written in `onControl` only (asserted: STATE_READ_ONLY).
 * After: engine/state/value-codec.ts. @see docs/design/024-broadcast-state.md
 */
import { deepFreeze } from '../../base/deep-freeze.ts';
import { typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';
import type { BroadcastSpec } from '../plan/state-spec.ts';
import type { SpillContext } from '../spill/spill-space.ts';
import { type KeyValueCodec, keyCodecOf } from './value-codec.ts';

type Entry = readonly [key: unknown, value: unknown];

/** Of an entry, besides the bytes of key and value: two objects, and a place in a map. */
const entryBytes = 128;

/** What the functions that are under way may do. */
export type BroadcastAccess = 'none' | 'read' | 'write';

/** All broadcast states of one operator, in one task. */
export class BroadcastStates {
  /** By name; what a user's function is given. */
  readonly handles: Readonly<Record<string, BroadcastState>>;
  /** Set by the operator around calls of functions. */
  access: BroadcastAccess = 'none';
  readonly #context: SpillContext;
  readonly #maps: ReadonlyMap<string, BroadcastMap>;
  #sizeBytes = 0;

  /** @param context - Its share is what the states may hold together. */
  constructor(context: SpillContext, specs: readonly BroadcastSpec[]) {
    this.#context = context;
    this.#maps = new Map(specs.map((spec) => [spec.name, this.#mapOf(spec)]));
    const handles = [...this.#maps].map(([name, map]) => {
      return [name, new BroadcastState(map, (verb) => this.#check(name, verb))] as const;
    });
    this.handles = Object.freeze(Object.fromEntries(handles));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Keys and values of a state, in the order of their keys: what a snapshot keeps. */
  entries(name: string): readonly Entry[] {
    return this.#maps.get(name)?.entries() ?? [];
  }

  /** Takes in what `entries` gave, of any task: all had the same. @throws BROADCAST_STATE_TOO_LARGE */
  restore(name: string, entries: Iterable<Entry>): void {
    const map = this.#maps.get(name);
    for (const [key, value] of entries) map?.set(key, value);
  }

  /** What there is, by name, for people who look on; null: nothing in that state. */
  lookAt(): Record<string, unknown> {
    const shown = [...this.#maps].map(([name, map]) => {
      return [name, map.size === 0 ? null : map.entries()] as const;
    });
    return Object.fromEntries(shown);
  }

  #mapOf({ name, key, value }: BroadcastSpec): BroadcastMap {
    const { scope } = this.#context;
    const notSafe = (part: string, found: bigint) => this.#notSafe(part, found);
    return new BroadcastMap({
      keys: keyCodecOf({ ...key, name: `${name}.key` }, scope, notSafe),
      values: keyCodecOf({ ...value, name }, scope, notSafe),
      isOfText: key.type.kind === 'utf8' && !key.nullable,
      take: (bytes) => this.#take(name, bytes),
    });
  }

  /** Counts bytes that come, or go. */
  #take(name: string, bytes: number): void {
    const sizeBytes = this.#sizeBytes + bytes;
    const { share } = this.#context.spill;
    if (bytes > 0 && sizeBytes > share.bytes) throw this.#tooLarge(name, sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  #check(name: string, verb: 'read' | 'write'): void {
    if (this.access === verb || this.access === 'write') return;
    const operator = this.#context.name;
    if (this.access === 'none') {
      const message = `state "${name}" of operator "${operator}" was used outside of a call`;
      throw typedError('STATE_OUTSIDE_CALL', message, {
        hint: 'Use it in onControl, onRow and onTimer only, and not behind an await.',
        details: { operator, state: name },
      });
    }
    const message = `state "${name}" of operator "${operator}" is written outside of onControl`;
    throw typedError('STATE_READ_ONLY', message, {
      hint: 'All tasks hold the same broadcast state, and a row is seen by one of them: write it in onControl, or keep what belongs to a key in another state, state.map(…).',
      details: { operator, state: name },
    });
  }

  #tooLarge(name: string, sizeBytes: number): Error {
    const { share } = this.#context.spill;
    const operator = this.#context.name;
    const total = Math.ceil(share.totalFor(sizeBytes) / 2 ** 20);
    const message = `broadcast state "${name}" of operator "${operator}" does not fit into ${formatBytes(share.bytes)}`;
    return typedError('BROADCAST_STATE_TOO_LARGE', message, {
      hint: `Give the job --memory ${total}MB or more, or delete entries in onControl that no row needs. Every task holds all of it: what is looked up by a key is better joined.`,
      details: { operator, state: name, sizeBytes, shareBytes: share.bytes },
    });
  }

  #notSafe(name: string, value: bigint): never {
    const operator = this.#context.name;
    const message = `value ${value} of state "${name}" of operator "${operator}" does not fit a number`;
    throw typedError('VALUE_OUT_OF_RANGE', message, {
      hint: 'Declare the state as an int64 that is read as a bigint.',
      details: { operator, state: name, value: String(value) },
    });
  }
}

/** What a user's function calls. */
export class BroadcastState {
  readonly #map: BroadcastMap;
  readonly #check: (verb: 'read' | 'write') => void;

  constructor(map: BroadcastMap, check: (verb: 'read' | 'write') => void) {
    this.#map = map;
    this.#check = check;
  }

  /** Null when there is no such entry. */
  get(key: unknown): unknown {
    this.#check('read');
    return this.#map.find(key)?.pair[1] ?? null;
  }

  has(key: unknown): boolean {
    this.#check('read');
    return this.#map.find(key) !== undefined;
  }

  entries(): readonly Entry[] {
    this.#check('read');
    return this.#map.entries();
  }

  keys(): unknown[] {
    return this.entries().map(([key]) => key);
  }

  values(): unknown[] {
    return this.entries().map(([, value]) => value);
  }

  get size(): number {
    this.#check('read');
    return this.#map.size;
  }

  set(key: unknown, value: unknown): void {
    this.#check('write');
    this.#map.set(key, value);
  }

  /** False when there is no such entry. */
  delete(key: unknown): boolean {
    this.#check('write');
    return this.#map.delete(key);
  }

  clear(): void {
    this.#check('write');
    this.#map.clear();
  }
}

interface Held {
  readonly pair: Entry;
  readonly sizeBytes: number;
}

interface BroadcastMapOptions {
  readonly keys: KeyValueCodec;
  readonly values: KeyValueCodec;
  /** Whether keys are texts and never null: they are found as they are. */
  readonly isOfText: boolean;
  /** Counts bytes that come, or go. @throws BROADCAST_STATE_TOO_LARGE */
  readonly take: (bytes: number) => void;
}

class BroadcastMap {
  readonly #options: BroadcastMapOptions;
  /** By a text that is the key's, or stands for its bytes. */
  readonly #held = new Map<string, Held>();
  /** All pairs, made when they are asked for. */
  #pairs: readonly Entry[] | null = null;

  constructor(options: BroadcastMapOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  find(key: unknown): Held | undefined {
    return this.#held.get(this.#textOf(key));
  }

  entries(): readonly Entry[] {
    this.#pairs ??= Object.freeze([...this.#held.values()].map(({ pair }) => pair));
    return this.#pairs;
  }

  set(key: unknown, value: unknown): void {
    const { keys, values, take } = this.#options;
    const sizeBytes = keys.encode(key) + values.encode(value) + entryBytes;
    // As they are read back, and not as they were given.
    const pair = [keys.decode(keys.written), values.decode(values.written)] as const;
    const text = this.#textOf(pair[0]);
    take(sizeBytes - (this.#held.get(text)?.sizeBytes ?? 0));
    this.#held.set(text, { pair: deepFreeze(pair), sizeBytes });
    this.#pairs = null;
  }

  delete(key: unknown): boolean {
    const text = this.#textOf(key);
    const held = this.#held.get(text);
    if (held === undefined) return false;
    this.#options.take(-held.sizeBytes);
    this.#held.delete(text);
    this.#pairs = null;
    return true;
  }

  clear(): void {
    for (const { sizeBytes } of this.#held.values()) this.#options.take(-sizeBytes);
    this.#held.clear();
    this.#pairs = null;
  }

  /** @throws VALUE_… when it is no key of this map. */
  #textOf(key: unknown): string {
    const { keys, isOfText } = this.#options;
    if (isOfText && typeof key === 'string') return key;
    keys.encode(key);
    let text = '';
    for (const byte of keys.written) text += String.fromCharCode(byte);
    return text;
  }
}
