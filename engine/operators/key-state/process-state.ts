/**
 * What functions over keyed state keep for a key that somebody asks for: each state, and the times of its timers; and
 * broadcast states, which are the same for all keys.
 * No function of the user is called for it, so an aggregating state shows its accumulator.
 */
import type { Batch } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import type { Field } from '../../schema/schema.ts';
import type { BroadcastStates } from '../../state/broadcast-state.ts';
import type { KeyedState } from '../../state/keyed-state.ts';
import { RowKeys } from '../../state/row-keys.ts';
import type { TimerQueue } from '../../state/timer-queue.ts';
import type { OperatorContext } from '../operator.ts';
import { askedKey } from './asked-key.ts';
import { shownTime, shownValue } from './shown-value.ts';

export interface ProcessStateOptions {
  readonly fields: readonly Field[];
  readonly state: KeyedState;
  /** Shown beside the states of the key; null: there are none. */
  readonly broadcast: BroadcastStates | null;
  readonly key: string;
}

/** `{ states, eventTimers, processingTimers }`; undefined when there is nothing of the key. @throws STATE_KEY_INVALID */
export function processState(
  context: OperatorContext,
  { fields, state, broadcast, key }: ProcessStateOptions,
): Json | undefined {
  const { cursor, eventTimers, processingTimers } = state;
  enterKey(context, fields, state, key);
  try {
    const keyed = state.lookAt();
    const shared = broadcast?.lookAt() ?? {};
    const [event, processing] = [timesOf(eventTimers, state), timesOf(processingTimers, state)];
    // Who keeps nothing by key has what all tasks have, whatever the key.
    const own = Object.keys(keyed).length === 0 ? shared : keyed;
    const isEmpty = Object.values(own).every((value) => value === null);
    if (isEmpty && event.length === 0 && processing.length === 0) return undefined;
    const states = { ...keyed, ...shared };
    return { states: shownValue(states), eventTimers: event, processingTimers: processing };
  } finally {
    cursor.leave();
  }
}

/** Puts the key that is asked for into the cursor: it is free between two calls of the operator. */
export function enterKey(
  context: OperatorContext,
  fields: readonly Field[],
  { cursor }: KeyedState,
  key: string,
): void {
  const { scope, kernels } = context;
  const names = fields.map(({ name }) => name);
  const keys = new RowKeys({ scope, kernels, schema: { fields } }, names);
  let batch: Batch | null = null;
  try {
    batch = askedKey(context, fields, key);
    keys.read(batch);
    keys.load(cursor, 0, batch.storedRowOf(0));
  } finally {
    keys.close();
    batch?.release();
  }
}

function timesOf(timers: TimerQueue, { cursor }: KeyedState): Json[] {
  return timers.timesOf(cursor).map(shownTime);
}
