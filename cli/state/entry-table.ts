/**
 * Entries of keyed state as a table that people know: the columns of the key, and the value by its type. In a checkpoint
 * they are bytes, several of one entry where later ones came on top of earlier ones (docs/formats/snapshot.md).
 *
 *     value      key ▶ value                       a row with the value
 *     list       key ▶ first, end; index ▶ item    a row for each item between, with its `index`
 *     map        key, map's key ▶ place, value     a row for each entry, with its `mapKey`
 *     timers     key ▶ time                        a row with `timeMs`
 *
 * All entries are held until the last one has come, for it may replace the first.
 *
 * Before: cli/state/state-reading.ts. After: engine/state/state-handles.ts, engine/batch/nested-decode.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { decoderOf } from '../../engine/batch/nested-decode.ts';
import { readRow } from '../../engine/batch/row-reader.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { addressOf, type MemoryScope } from '../../engine/memory/slot-memory.ts';
import { binaryType, float64Type, uint32Type } from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../../engine/schema/schema.ts';
import { entryTag, placeBytes } from '../../engine/state/entry-layout.ts';
import { keyCodecOf, valueCodecOf } from '../../engine/state/value-codec.ts';

/** A state as the note of its operator has it. */
export interface NotedState {
  readonly name: string;
  readonly kind: string;
  readonly value: Field;
  /** Of a map. */
  readonly key: Field | null;
}

interface Entry {
  readonly key: Uint8Array;
  readonly subKey: Uint8Array;
  readonly value: Uint8Array | null;
  readonly expiresAtMs: number;
  /** Of a timer. */
  readonly timeMs: number;
}

const keyed = ['keyGroup', 'hash', 'key'];

/** Whether rows of the schema are entries of keyed state, or timers. */
export function hasEntries({ fields }: Schema): boolean {
  return keyed.every((name, index) => fields[index]?.name === name);
}

/** The states that an operator has noted; none where its note has another form. */
export function notedStates(note: Json): readonly NotedState[] {
  const holder = propertyOf(note, 'state') ?? note;
  const states = propertyOf(holder, 'states');
  return Array.isArray(states) ? states : [];
}

function propertyOf(of: Json, name: string): Json {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return null;
  return Object.entries(of).find(([key]) => key === name)?.[1] ?? null;
}

export interface EntryTableOptions {
  readonly scope: MemoryScope;
  readonly keys: readonly Field[];
  /** Null: of timers, or of a state that is not known. */
  readonly state: NotedState | null;
  /** Whether rows of this key are wanted. */
  readonly isWanted: (key: Readonly<Record<string, unknown>>) => boolean;
}

export class EntryTable {
  readonly #options: EntryTableOptions;
  readonly #entries = new Map<string, Entry>();
  #hasTimers = false;

  constructor(options: EntryTableOptions) {
    this.#options = options;
  }

  /** Takes in rows; later ones replace earlier ones of the same entry. */
  add(batch: Batch): void {
    this.#hasTimers = batch.schema.fields.some(({ name }) => name === 'timeMs');
    for (let row = 0; row < batch.rowCount; row++) {
      const { subKey = new Uint8Array(), value = null, ...rest } = readRow(batch, row);
      const entry = { subKey, value, expiresAtMs: Number.POSITIVE_INFINITY, timeMs: 0, ...rest };
      this.#put(entry as unknown as Entry);
    }
  }

  #put(entry: Entry): void {
    const { key, subKey, value, timeMs } = entry;
    const id = `${textOf(key)} ${textOf(subKey)} ${timeMs}`;
    if (value === null && !this.#hasTimers) this.#entries.delete(id);
    else this.#entries.set(id, entry);
  }

  get schema(): Schema {
    const { keys, state } = this.#options;
    return { fields: [...keys, ...this.#ownFields(state)] };
  }

  #ownFields(state: NotedState | null): Field[] {
    if (this.#hasTimers) return [fieldOf('timeMs', float64Type)];
    const value: Field = { ...(state?.value ?? fieldOf('value', binaryType)), name: 'value' };
    const expires = fieldOf('expiresAtMs', float64Type, true);
    switch (state?.kind) {
      case 'list':
        return [fieldOf('index', uint32Type), value, expires];
      case 'map':
        return [{ ...(state.key ?? value), name: 'mapKey' }, value, expires];
      default:
        return [value, expires];
    }
  }

  /** The table, a batch at a time, which the caller owns. */
  *batches(): Generator<Batch> {
    const { scope } = this.#options;
    const builder = new BatchBuilder(scope, this.schema);
    try {
      for (const row of this.#rows()) {
        builder.appendRow(row);
        if (builder.isFull) yield builder.build();
      }
      if (builder.rowCount > 0) yield builder.build();
    } finally {
      builder.discard();
    }
  }

  *#rows(): Generator<readonly unknown[]> {
    const { keys, state, isWanted } = this.#options;
    const readKey = this.#reader({ kind: 'struct', fields: keys });
    const readOwn = this.#hasTimers ? ({ timeMs }: Entry) => [timeMs] : this.#ownReader(state);
    for (const entry of this.#entries.values()) {
      const key = readKey(entry.key) as Record<string, unknown>;
      if (!isWanted(key)) continue;
      const own = readOwn(entry);
      if (own !== null) yield [...keys.map(({ name }) => key[name]), ...own];
    }
  }

  /** The values of an entry's own columns; null for one that only says how others lie. */
  #ownReader(state: NotedState | null): (entry: Entry) => readonly unknown[] | null {
    if (state === null) return ({ value, expiresAtMs }) => [value, timeOf(expiresAtMs)];
    const { memory } = this.#options.scope;
    const codec = valueCodecOf(state.value, memory, notSafe);
    const read = (bytes: Uint8Array) => this.#inMemory(bytes, codec.read.bind(codec));
    const mapKey = state.key === null ? null : keyCodecOf(state.key, this.#options.scope, notSafe);
    return ({ key, subKey, value, expiresAtMs }) => {
      if (value === null) return null;
      const time = timeOf(expiresAtMs);
      if (state.kind === 'list') {
        const index = subKey.length === 4 ? numberAt(subKey, 0) : -1;
        return this.#isListed(key, index) ? [index, read(value), time] : null;
      }
      if (mapKey === null) return [read(value), time];
      if (subKey.at(-1) !== entryTag || subKey.length === 0) return null;
      return [mapKey.decode(subKey.subarray(0, -1)), read(value.subarray(placeBytes)), time];
    };
  }

  /** Items in front of the first one are on their way out. */
  #isListed(key: Uint8Array, index: number): boolean {
    const range = this.#entries.get(`${textOf(key)}  0`)?.value ?? null;
    if (index < 0 || range === null) return false;
    return index >= numberAt(range, 0) && index < numberAt(range, 4);
  }

  #reader(type: Field['type']): (bytes: Uint8Array) => unknown {
    const { memory } = this.#options.scope;
    const decode = decoderOf(type, { memory, name: 'key', notSafe });
    return (bytes) => this.#inMemory(bytes, decode);
  }

  /** Decoders read where slots have their values. */
  #inMemory(bytes: Uint8Array, decode: (address: number, size: number) => unknown): unknown {
    const { scope } = this.#options;
    const block = scope.allocate(Math.max(8, bytes.length));
    try {
      scope.memory.bytes.set(bytes, addressOf(block));
      return decode(addressOf(block), bytes.length);
    } finally {
      scope.memory.release(block);
    }
  }
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Null: never. */
function timeOf(expiresAtMs: number): number | null {
  return Number.isFinite(expiresAtMs) ? expiresAtMs : null;
}

function notSafe(name: string, value: bigint): never {
  throw typedError('VALUE_OUT_OF_RANGE', `"${name}" is ${value}, which is no safe number`, {
    hint: 'Declare the field as an int64 that is read as a bigint.',
    details: { name, value: String(value) },
  });
}
