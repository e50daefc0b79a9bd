/**
 * Process call: the context that functions over keyed state are given: the key, its state and timers, the time,
 * and a way out for rows. One object per function; what it answers belongs to the call that is under way.
 */
import { typedError } from '../../base/typed-error.ts';
import { decoderOf } from '../batch/nested-decode.ts';
import type { ProcessOutlets } from '../compile/process-driver.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { ProcessCall } from '../plan/user-functions.ts';
import type { Field } from '../schema/schema.ts';
import type { KeyCursor } from '../state/key-cursor.ts';
import type { KeyedState } from '../state/keyed-state.ts';
import type { TimerQueue } from '../state/timer-queue.ts';

/** What the operator knows of time. */
export interface CallTimes {
  readonly watermarkMs: number;
  /** The host's clock. */
  readonly nowMs: number;
}

export interface ProcessCallOptions extends ProcessOutlets {
  readonly operator: string;
  readonly memory: SlotMemory;
  /** The key's fields, as functions name them. */
  readonly keys: readonly Field[];
  readonly state: KeyedState;
  /** States that are of no key, by name. */
  readonly broadcast: Readonly<Record<string, unknown>>;
  readonly times: CallTimes;
  /** Whether there is an `onTimer`. */
  readonly hasTimers: boolean;
}

export function processCallOf(options: ProcessCallOptions): ProcessCall {
  const { operator, memory, keys, state, broadcast, times, hasTimers, emit, timeMs } = options;
  const { cursor } = state;
  const readKey = keyReaderOf(memory, keys, operator);
  const timers = timersOf(state, { operator, hasTimers });
  return Object.freeze({
    state: Object.freeze({ ...state.handles, ...broadcast }),
    timers,
    emit,
    get key() {
      return readKey(cursor);
    },
    get timeMs() {
      return timeMs();
    },
    get watermarkMs() {
      return times.watermarkMs;
    },
    get nowMs() {
      return times.nowMs;
    },
  });
}

/**
 * The context of `onControl`. No key is under way then, and there is no way out for rows: all tasks call it with the same
 * row, so each row would come as often as there are tasks.
 */
export function controlCallOf({
  broadcast,
  times,
  timeMs,
}: Pick<ProcessCallOptions, 'broadcast' | 'times' | 'timeMs'>): ProcessCall {
  return Object.freeze({
    state: broadcast,
    get timeMs() {
      return timeMs();
    },
    get watermarkMs() {
      return times.watermarkMs;
    },
    get nowMs() {
      return times.nowMs;
    },
  });
}

/** Reads the key as an object: a field for each of its columns. */
export function keyReaderOf(
  memory: SlotMemory,
  keys: readonly Field[],
  operator: string,
): (cursor: KeyCursor) => unknown {
  const notSafe = (name: string, value: bigint): never => {
    const message = `the key "${name}" of operator "${operator}" is ${value}, which is no safe number`;
    throw typedError('VALUE_OUT_OF_RANGE', message, {
      hint: 'Declare the field as an int64 that is read as a bigint.',
      details: { operator, key: name, value: String(value) },
    });
  };
  const type = { kind: 'struct', fields: keys } as const;
  const decode = decoderOf(type, { memory, name: 'key', notSafe });
  return (cursor) => {
    // Also says so when there is no call.
    cursor.useKey();
    return Object.freeze(decode(cursor.address, cursor.keySize));
  };
}

interface TimerOwner {
  readonly operator: string;
  readonly hasTimers: boolean;
}

function timersOf({ cursor, eventTimers, processingTimers }: KeyedState, owner: TimerOwner) {
  const set = (queue: TimerQueue, timeMs: unknown): void => {
    if (!owner.hasTimers) throw noTimers(owner.operator);
    queue.set(cursor, checkedTime(timeMs, owner.operator));
  };
  return Object.freeze({
    eventTime: (timeMs: unknown) => set(eventTimers, timeMs),
    processingTime: (timeMs: unknown) => set(processingTimers, timeMs),
    cancelEventTime: (timeMs: unknown) =>
      eventTimers.cancel(cursor, checkedTime(timeMs, owner.operator)),
    cancelProcessingTime: (timeMs: unknown) =>
      processingTimers.cancel(cursor, checkedTime(timeMs, owner.operator)),
  });
}

function checkedTime(timeMs: unknown, operator: string): number {
  if (Number.isSafeInteger(timeMs)) return timeMs as number;
  const message = `a timer of operator "${operator}" is for ${String(timeMs)}, which is no whole number of milliseconds`;
  throw typedError('VALUE_OUT_OF_RANGE', message, {
    hint: 'Give milliseconds since 1970: ctx.timers.eventTime(row.at + 60_000). A row without a time has none to add to.',
    details: { operator, value: String(timeMs) },
  });
}

function noTimers(operator: string): Error {
  return typedError(
    'JOB_ARGUMENT_INVALID',
    `operator "${operator}" sets a timer and has no onTimer`,
    {
      hint: 'Say what is to be done then: process({ …, onTimer: (timeMs, ctx) => { … } }).',
      details: { operator },
    },
  );
}
