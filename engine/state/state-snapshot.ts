/**
 * State snapshot: what keyed state hands out at a barrier, and how it goes on from there.
 *
 *     barrier    each table: its delta frozen, a view of it · timers: an epoch more          at once
 *                note: states with their types, clocks
 *     beside     parts `state-<name>`, `eventTimers`, `clockTimers`                          a batch at a time
 *     restore    parts, one after the other: entries and timers of the task's key groups     a batch per call
 *
 * A state that is declared in another way than it was: its values are changed as they are read (engine/state/value-change.ts).
 * A state that is not declared any more is left out: whether that may be has been asked before the job began.
 *
 * A table whose last snapshot is on disk hands out what has changed since. When much has come on top of the first
 * snapshot, or a change is not known any more, it hands out everything.
 *
 * Before: engine/state/keyed-state.ts. After: engine/state/entry-rows.ts, engine/state/timer-rows.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import type { DecoderInputs } from '../batch/nested-decode.ts';
import type { Json } from '../contracts/json.ts';
import {
  canAddTo,
  restoredCheckpointId,
  type SnapshotReader,
  type SnapshotWriter,
} from '../contracts/snapshot.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import { areKindsAlike, oldStateOf } from '../plan/state-change.ts';
import type { StateSpec } from '../plan/state-spec.ts';
import type { ValueChange } from '../plan/user-functions.ts';
import { isSameType, typeText } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import { EntryChange } from './entry-change.ts';
import { EntryRows, EntryRowsReader, entrySchema } from './entry-rows.ts';
import type { KeyCursor } from './key-cursor.ts';
import type { KeyedTable } from './keyed-table.ts';
import type { StateClock } from './table-layers.ts';
import type { TimerQueue } from './timer-queue.ts';
import { readTimerRows, timerSchema } from './timer-rows.ts';
import { changedValues } from './value-change.ts';

/** What keyed state is made of. */
export interface StateParts {
  readonly operator: string;
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly cursor: KeyCursor;
  readonly states: readonly StateSpec[];
  /** Of states that say how they have changed, by name. */
  readonly changes: Readonly<Record<string, ValueChange>>;
  readonly notSafe: DecoderInputs['notSafe'];
  /** Whether timers are of use: else those of a snapshot are left out. */
  readonly hasTimers: boolean;
  /** In the order of `states`. */
  readonly tables: readonly KeyedTable[];
  readonly eventTimers: TimerQueue;
  readonly processingTimers: TimerQueue;
  readonly eventClock: StateClock;
  readonly processingClock: StateClock;
}

/** A time as JSON, which has no numbers for the time before all others and behind. */
type NotedTime = number | 'start' | 'end';
type NotedClock = { readonly nowMs: NotedTime; readonly writtenAtMs: NotedTime };

type NotedState = {
  readonly name: string;
  readonly kind: string;
  readonly value: Json;
  readonly key: Json;
};

/** What a snapshot says of the state. On disk: fields are added, never renamed. */
export type StateNote = {
  readonly states: readonly NotedState[];
  readonly eventClock: NotedClock;
  readonly processingClock: NotedClock;
};

export class StateSnapshot {
  readonly #parts: StateParts;
  /** Of the last snapshot that was handed out. */
  #checkpointId: number | null = null;
  /** Parts that are still to be read; null before the first call. */
  #unread: ((reader: SnapshotReader) => boolean)[] | null = null;
  #entries: EntryRowsReader | null = null;
  /** By state: whether its part has the name, and its entries the bytes, that they have here. */
  #areAsBefore: readonly boolean[] = [];

  constructor(parts: StateParts) {
    this.#parts = parts;
  }

  /** Between calls; the note is for the operator's own. */
  take(writer: SnapshotWriter): StateNote {
    const { scope, kernels, states, tables, eventTimers, processingTimers } = this.#parts;
    for (const [at, table] of tables.entries()) {
      const part = partOf(states[at]!);
      const isAdded =
        table.knowsChanges && canAddTo(writer.written?.(part) ?? null, this.#checkpointId);
      const view = table.view(isAdded ? 'changes' : 'everything');
      writer.rows(part, entrySchema, new EntryRows({ scope, kernels }, view), isAdded);
    }
    writer.rows('eventTimers', timerSchema, eventTimers.snapshot());
    writer.rows('clockTimers', timerSchema, processingTimers.snapshot());
    this.#checkpointId = writer.checkpointId;
    return {
      states: states.map(({ name, kind, value, key }) => ({
        ...{ name, kind, value: value as unknown as Json, key: key as unknown as Json },
      })),
      eventClock: notedClock(this.#parts.eventClock),
      processingClock: notedClock(this.#parts.processingClock),
    };
  }

  /** False asks to be called again. @throws STATE_CHANGED; SPILL_DISK_FULL; MEMORY_EXHAUSTED */
  restore(reader: SnapshotReader, notes: readonly StateNote[]): boolean {
    const { states, tables, eventTimers, processingTimers, hasTimers } = this.#parts;
    if (this.#unread === null) {
      const restored = states.map((spec) => this.#restoredOf(spec, notes));
      this.#areAsBefore = restored.map(
        ({ part, change }, at) => part === partOf(states[at]!) && change === null,
      );
      this.#unread = [
        ...tables.map(
          (table, at) => (from: SnapshotReader) => this.#readEntries(from, restored[at]!, table),
        ),
        (from) => this.#readTimers(from, 'eventTimers', hasTimers ? eventTimers : null),
        (from) => this.#readTimers(from, 'clockTimers', hasTimers ? processingTimers : null),
      ];
      restoreClock(
        this.#parts.eventClock,
        notes.map(({ eventClock }) => eventClock),
      );
      restoreClock(
        this.#parts.processingClock,
        notes.map(({ processingClock }) => processingClock),
      );
    }
    const [next] = this.#unread;
    if (next?.(reader) === true) this.#unread.shift();
    if (this.#unread.length > 0) return false;
    if (reader.isOwn === true) this.#keepChanges();
    this.close();
    return true;
  }

  /** The next snapshot adds to what was read; of a state whose bytes are others now it has all. */
  #keepChanges(): void {
    this.#checkpointId = restoredCheckpointId;
    for (const [at, table] of this.#parts.tables.entries()) {
      if (this.#areAsBefore[at] === true) table.keepChanges();
    }
  }

  close(): void {
    this.#entries?.close();
    this.#entries = null;
  }

  /** The next batch of a table's rows; true when there is none. */
  #readEntries(
    reader: SnapshotReader,
    { part, change }: RestoredState,
    table: KeyedTable,
  ): boolean {
    if (!table.settle()) return false;
    this.#entries ??= new EntryRowsReader(this.#parts.scope);
    const entries = this.#entries;
    return !withBatch(reader, part, (batch) =>
      entries.read(
        batch,
        reader.keyGroups,
        (key, valueSize, expiresAtMs) => table.restore(key, valueSize, expiresAtMs),
        change,
      ),
    );
  }

  /** @param timers - Null: nobody is called for them. */
  #readTimers(reader: SnapshotReader, part: string, timers: TimerQueue | null): boolean {
    const { cursor } = this.#parts;
    const isRead = withBatch(reader, part, (batch) => {
      if (timers === null) return;
      readTimerRows(batch, reader.keyGroups, cursor, (timeMs) => timers.set(cursor, timeMs));
    });
    timers?.commit();
    return !isRead;
  }

  /** The part of a state, and what becomes of its values: the same for all tasks, which ran the same job. @throws STATE_CHANGED */
  #restoredOf(spec: StateSpec, notes: readonly StateNote[]): RestoredState {
    const old = oldStateOf(spec, notes[0]?.states ?? []) as unknown as StateSpec | null;
    if (old === null) return { part: partOf(spec), change: null };
    const { scope, changes, notSafe } = this.#parts;
    const { name, kind } = spec;
    const isAlike = areKindsAlike(old.kind, kind) && haveSameKeys(old, spec);
    const values = isAlike ? changedValues(old.value, spec, changes[name]) : 'its kind is another';
    if (typeof values === 'string') throw this.#changed(old, spec, values);
    const options = { memory: scope.memory, kind, now: { ...spec.value, name }, notSafe };
    const change = values && new EntryChange({ ...options, values });
    return { part: partOf(old), change };
  }

  #changed(old: StateSpec, spec: StateSpec, why: string) {
    const { operator } = this.#parts;
    const message = `state "${old.name}" of operator "${operator}" was ${textOf(old)} and is now ${textOf(spec)}: ${why}`;
    return typedError('STATE_CHANGED', message, {
      hint: 'Declare the state as it was when the checkpoint was taken, or say how its values change: migrate: { from, with }.',
      details: { operator, state: old.name },
    });
  }
}

/** What a state goes on from. */
interface RestoredState {
  readonly part: string;
  /** Null: values are as they were. */
  readonly change: EntryChange | null;
}

/** Entries of a map are found by the bytes of their keys. */
function haveSameKeys({ key: old }: StateSpec, { key: now }: StateSpec): boolean {
  if (old === null || now === null) return old === now;
  return old.nullable === now.nullable && isSameType(old.type, now.type);
}

function partOf({ name }: Pick<StateSpec, 'name'>): string {
  return `state-${name}`;
}

/** `map of utf8 to int64?`: kind and types of a state. */
function textOf({ kind, key, value }: Pick<StateSpec, 'kind' | 'key' | 'value'>): string {
  const fieldText = ({ type, nullable }: Field) => `${typeText(type)}${nullable ? '?' : ''}`;
  return `${kind} of ${key === null ? '' : `${fieldText(key)} to `}${fieldText(value)}`;
}

/** Reads the next batch of a part; false at its end. */
function withBatch(reader: SnapshotReader, part: string, read: (batch: Batch) => void): boolean {
  const batch = reader.read(part);
  if (batch === null) return false;
  try {
    read(batch);
  } finally {
    batch.release();
  }
  return true;
}

function notedClock({ nowMs, writtenAtMs }: StateClock): NotedClock {
  return { nowMs: notedTime(nowMs), writtenAtMs: notedTime(writtenAtMs) };
}

/** To the latest time of all tasks. */
function restoreClock(clock: StateClock, noted: readonly NotedClock[]): void {
  clock.nowMs = Math.max(clock.nowMs, ...noted.map(({ nowMs }) => timeOf(nowMs)));
  clock.writtenAtMs = Math.max(
    clock.writtenAtMs,
    ...noted.map(({ writtenAtMs }) => timeOf(writtenAtMs)),
  );
}

function notedTime(timeMs: number): NotedTime {
  if (Number.isFinite(timeMs)) return timeMs;
  return timeMs < 0 ? 'start' : 'end';
}

function timeOf(noted: NotedTime): number {
  if (typeof noted === 'number') return noted;
  return noted === 'start' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
