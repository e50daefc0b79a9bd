/**
 * Keyed state: all that an operator keeps by key: its states by name, and its timers.
 *
 *     load a key ─▶ the function uses handles and timers ─▶ commit, or undo ─▶ leave
 *     between batches: maintain
 *     barrier: snapshot ─▶ rows, taken beside the work
 *
 * Its share of the slot's memory is divided among the states: an eighth for what is written, half for the base,
 * three eighths for what is being merged, which a first delta may have. Timers are not spilled.
 *
 * Before: engine/operators/process-operator.ts. After: engine/state/keyed-table.ts, engine/state/timer-queue.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { StateSpec } from '../plan/state-spec.ts';
import type { StateFunctions, ValueChange } from '../plan/user-functions.ts';
import type { SpillContext } from '../spill/spill-space.ts';
import { KeyCursor } from './key-cursor.ts';
import { KeyedTable, type TableLimits } from './keyed-table.ts';
import { StateFiles } from './state-files.ts';
import {
  AggregatingState,
  type Aggregator,
  ListState,
  MapState,
  NumberedState,
  ReducingState,
  ValueState,
} from './state-handles.ts';
import { type StateNote, StateSnapshot } from './state-snapshot.ts';
import type { StateClock } from './table-layers.ts';
import { TimerQueue } from './timer-queue.ts';
import { UndoLog } from './undo-log.ts';
import { keyCodecOf, valueCodecOf } from './value-codec.ts';

export type StateHandle =
  | ValueState
  | ListState
  | MapState
  | NumberedState
  | ReducingState
  | AggregatingState;

export interface KeyedStateOptions {
  readonly states: readonly StateSpec[];
  /** Those of reducing and aggregating states, by name. */
  readonly functions: Readonly<Record<string, StateFunctions>>;
  /** How values of states have changed, by name. @defaultValue nothing is said */
  readonly changes?: Readonly<Record<string, ValueChange>>;
  /** Whether somebody is called for timers; else those of a snapshot are left out. @defaultValue true */
  readonly hasTimers?: boolean;
  /** Whether a call that throws is undone, and not the end of the job. */
  readonly canUndo: boolean;
  /** Bytes of a block on disk. @defaultValue 16 KiB */
  readonly blockBytes?: number;
  /** Of each state. @defaultValue parts of the share */
  readonly limits?: TableLimits;
}

const deltaBytesMin = 32 * 1024;
const baseBytesMin = 64 * 1024;

export class KeyedState {
  readonly cursor: KeyCursor;
  /** By name; what a user's function is given. */
  readonly handles: Readonly<Record<string, StateHandle>>;
  readonly eventTimers: TimerQueue;
  readonly processingTimers: TimerQueue;
  readonly #context: SpillContext;
  readonly #options: KeyedStateOptions;
  readonly #tables: KeyedTable[] = [];
  readonly #undo: UndoLog | null;
  readonly #eventClock: StateClock = clockAtStart();
  readonly #processingClock: StateClock = clockAtStart();
  /** What a state has of the cursor's key, by its name. */
  readonly #readers: { readonly name: string; readonly read: () => unknown }[] = [];
  readonly #snapshot: StateSnapshot;
  #files: StateFiles | null = null;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: SpillContext, options: KeyedStateOptions) {
    const { scope, kernels } = context;
    const { states, canUndo, changes = {}, hasTimers = true } = options;
    this.#context = context;
    this.#options = options;
    this.cursor = new KeyCursor(scope);
    this.#undo = canUndo ? new UndoLog(scope) : null;
    this.eventTimers = new TimerQueue(scope, canUndo);
    this.processingTimers = new TimerQueue(scope, canUndo);
    this.handles = Object.freeze(
      Object.fromEntries(states.map((spec) => [spec.name, this.#handleOf(spec)])),
    );
    this.#snapshot = new StateSnapshot({
      ...{ operator: context.name, scope, kernels, states, tables: this.#tables },
      cursor: this.cursor,
      ...{ changes, hasTimers, notSafe: (part, value) => this.#notSafe(part, value) },
      ...{ eventTimers: this.eventTimers, processingTimers: this.processingTimers },
      ...{ eventClock: this.#eventClock, processingClock: this.#processingClock },
    });
  }

  /** Bytes in memory, timers included. */
  get sizeBytes(): number {
    const timers = this.eventTimers.sizeBytes + this.processingTimers.sizeBytes;
    return this.#tables.reduce((sum, table) => sum + table.sizeBytes, timers);
  }

  /** Event time has come to `timeMs`; entries that have expired by it are not found any more. */
  setWatermark(timeMs: number): void {
    const clock = this.#eventClock;
    clock.nowMs = Math.max(clock.nowMs, timeMs);
    this.setEventTime(timeMs);
  }

  /** The time of the row or timer whose function is called next; entries that it writes live from then on. */
  setEventTime(timeMs: number): void {
    const clock = this.#eventClock;
    if (timeMs > clock.writtenAtMs) clock.writtenAtMs = timeMs;
  }

  /** The host's clock says `timeMs`. One that steps back is taken to stand still. */
  setClock(timeMs: number): void {
    const clock = this.#processingClock;
    clock.nowMs = Math.max(clock.nowMs, timeMs);
    clock.writtenAtMs = clock.nowMs;
  }

  /**
   * What the states have of the cursor's key, by name, for people who look on: accumulators in place of what a
   * function makes of them, and no entry lives on for it. Null: that state has nothing.
   */
  lookAt(): Record<string, unknown> {
    for (const table of this.#tables) table.isLookedAt = true;
    try {
      return Object.fromEntries(this.#readers.map(({ name, read }) => [name, read()]));
    } finally {
      for (const table of this.#tables) table.isLookedAt = false;
    }
  }

  /** Loads what rows with these hashes of keys, u32 at an address, will look up. */
  touch(hashes: number, count: number): void {
    for (const table of this.#tables) table.touch(hashes, count);
  }

  /** Between calls: false asks to be called again before the next row is worked on. */
  maintain(): boolean {
    let hasRoom = true;
    for (const table of this.#tables) hasRoom = table.maintain() && hasRoom;
    return hasRoom;
  }

  /** Between calls: hands out all of it, in parts `state-<name>`, `eventTimers`, `clockTimers`; the note is for the operator's. */
  snapshot(writer: SnapshotWriter): StateNote {
    return this.#snapshot.take(writer);
  }

  /**
   * Before the first call: takes in what the tasks of an earlier attempt have handed out. False asks to be called again.
   * @param notes - What `snapshot` answered there.
   */
  restore(reader: SnapshotReader, notes: readonly StateNote[]): boolean {
    return this.#snapshot.restore(reader, notes);
  }

  /** What the call did stays. */
  commit(): void {
    if (this.#undo === null) return;
    this.#undo.clear();
    this.eventTimers.commit();
    this.processingTimers.commit();
  }

  /** All is as it was before the call. */
  undo(): void {
    this.#undo?.undo();
    for (const table of this.#tables) table.forget();
    this.eventTimers.undo();
    this.processingTimers.undo();
  }

  close(): void {
    this.#snapshot.close();
    for (const table of this.#tables) table.close();
    this.#undo?.close();
    this.eventTimers.close();
    this.processingTimers.close();
    this.cursor.close();
    this.#files?.close();
  }

  #handleOf(spec: StateSpec): StateHandle {
    const { scope } = this.#context;
    const { memory } = scope;
    const { name, kind } = spec;
    const notSafe = (part: string, value: bigint) => this.#notSafe(part, value);
    const codec = valueCodecOf({ ...spec.value, name }, memory, notSafe);
    const parts = { memory, cursor: this.cursor, table: this.#tableOf(spec), codec };
    const functions = this.#options.functions[name] ?? {};
    const reads = (read: () => unknown) => this.#readers.push({ name, read });
    const listed = (items: readonly unknown[]) => (items.length === 0 ? null : items);
    switch (kind) {
      // Only its owner knows which numbers there are, and shows them.
      case 'numbered':
        return new NumberedState(parts);
      case 'list': {
        const list = new ListState(parts);
        reads(() => listed(list.get()));
        return list;
      }
      case 'map': {
        const keyField = { ...(spec.key ?? spec.value), name: `${name}.key` };
        const map = new MapState(parts, keyCodecOf(keyField, scope, notSafe));
        reads(() => listed(map.entries()));
        return map;
      }
    }
    const value = new ValueState(parts);
    reads(() => value.get());
    switch (kind) {
      case 'value':
        return value;
      case 'reducing': {
        const { reduce } = functions as { reduce: (left: unknown, right: unknown) => unknown };
        return new ReducingState(parts, reduce);
      }
      case 'aggregating':
        return new AggregatingState(parts, functions as Aggregator);
    }
  }

  #tableOf({ ttl }: StateSpec): KeyedTable {
    const { scope, kernels, spill } = this.#context;
    const bytes = spill.share.bytes / this.#options.states.length;
    const table = new KeyedTable(scope, {
      kernels,
      ttl: ttl && { afterMs: ttl.afterMs, isRenewedOnRead: ttl.renewedOn === 'read' },
      clock: ttl?.time === 'processing' ? this.#processingClock : this.#eventClock,
      limits: this.#options.limits ?? {
        deltaBytesMax: Math.max(deltaBytesMin, bytes / 8),
        unmergedBytesMax: (bytes * 3) / 8,
        baseBytesMax: Math.max(baseBytesMin, bytes / 2),
      },
      undo: this.#undo,
      files: () => this.#stateFiles(),
    });
    this.#tables.push(table);
    return table;
  }

  #stateFiles(): StateFiles {
    this.#files ??= new StateFiles(this.#context, this.#options.blockBytes);
    return this.#files;
  }

  #notSafe(name: string, value: bigint): never {
    const message = `value ${value} of state "${name}" of operator "${this.#context.name}" does not fit a number`;
    throw typedError('VALUE_OUT_OF_RANGE', message, {
      hint: 'Declare the state as an int64 that is read as a bigint.',
      details: { operator: this.#context.name, state: name, value: String(value) },
    });
  }
}

function clockAtStart(): StateClock {
  return { nowMs: Number.NEGATIVE_INFINITY, writtenAtMs: Number.NEGATIVE_INFINITY };
}
