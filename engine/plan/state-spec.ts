/**
 * What an operator keeps between rows, as plain data: the states that a job declares for `process`, by name.
 * The functions of reducing and aggregating states are user functions (user-functions.ts).
 */
import type { DeclaredChanges } from '../schema/evolution.ts';
import type { Field } from '../schema/schema.ts';

/** `numbered` is for operators of the engine alone: values by number, which their owner knows. */
export type StateKind = 'value' | 'list' | 'map' | 'reducing' | 'aggregating' | 'numbered';

/** When entries of a state go by themselves. */
export interface StateTtl {
  /** How long an entry lives, in milliseconds. */
  readonly afterMs: number;
  /** What makes it live on: `write`, or `read` as well. */
  readonly renewedOn: 'write' | 'read';
  /** Event time: the watermark says when it is over. */
  readonly time: 'event' | 'processing';
}

/** A key of `process`: what functions call it, and the column that has it. */
export interface ProcessKey {
  readonly name: string;
  readonly column: string;
}

/** What a job says of how a state was declared when a checkpoint was taken. */
export interface StateHistory {
  /** The name that it had. @defaultValue the same */
  readonly was?: string;
  /** @defaultValue nothing */
  readonly declared?: DeclaredChanges;
  /** The type of values that a function of the job makes new ones of. @defaultValue there is none */
  readonly migratesFrom?: Field;
}

/** A map that all tasks of an operator hold alike: who writes to it is the control stream. */
export interface BroadcastSpec extends StateHistory {
  readonly name: string;
  readonly key: Field;
  readonly value: Field;
}

/** A stream whose rows go to every task of an operator, where they change broadcast states. */
export interface ControlSpec {
  readonly states: readonly BroadcastSpec[];
  /** The field of its rows with the event time; null: it has no say in how far time has come. */
  readonly timeColumn: string | null;
}

export interface StateSpec extends StateHistory {
  readonly name: string;
  readonly kind: StateKind;
  /** The type of values: of items of a list, of values of a map, of accumulators. */
  readonly value: Field;
  /** The type of a map's keys; null for other kinds. */
  readonly key: Field | null;
  readonly ttl: StateTtl | null;
}
