/**
 * The operator interface: how rows go through a chain, a few at a time, on a thread that others
 * share.
 *
 *     task ──process(batch, fromRow)──▶ operator ──offer(batch)──▶ outbox (the next operator)
 *       ◀──────── next row ────────────              true: taken over; false: full
 *
 * Why a position comes back: an operator that makes more rows than the outbox takes stops at a row
 * border and is called again from there, so nobody waits and nothing is queued without bound. The
 * position belongs to the task. Between two calls the operator's state is whole.
 *
 * Contract:
 * - `process` is called with `fromRow` as the call before returned it (asserted by the task).
 * - An operator never awaits, and works for at most about 5 ms a call: it asks `shouldYield()`.
 * - The caller owns the input batch; what the operator keeps of it, it retains or derives.
 * - `advance` and `wake` come between batches: no batch is worked on then (asserted by the chain).
 * - A batch is the operator's until `offer` answers true; `close` releases what is left.
 *
 * @see Hazelcast Jet, `Processor`: the same idea of a cooperative operator with a bounded outbox.
 */
import type { Batch } from '../batch/batch.ts';
import type { Json } from '../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import type { SpillContext } from '../spill/spill-space.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { StreamMark } from '../stream/stream-element.ts';

export type { Outbox } from '../stream/outbox.ts';

/** What an operator makes of idleness. */
export type IdleAnswer = 'pass' | 'hold' | 'again';

export interface Operator {
  /** Works on rows from `fromRow` on; answers the next row, `batch.rowCount` when all are done. */
  process(batch: Batch, fromRow: number, outbox: Outbox): number;
  /**
   * Of an operator with two streams (no build side): the same for the rows of the second one, port 1. The rows
   * of both come as they are there; what has to wait for the other stream is the operator's to keep.
   */
  processRight?(batch: Batch, fromRow: number, outbox: Outbox): number;
  /**
   * Event time has come to `timeMs`: no row with a time before it follows, but late ones. Gives out what is
   * complete now; false asks to be called again, with the same time, before any other call but `close`.
   * Times only grow; behind `restore` they may begin anew, at or before where they were, and nothing comes of those.
   * The end of the input comes as `finish` and stands for the end of time.
   * @defaultValue the operator does not look at event time
   */
  advance?(timeMs: number, outbox: Outbox): boolean;
  /**
   * What may be promised behind this operator once `advance(timeMs)` has answered true: `timeMs` or less.
   * @defaultValue `timeMs`
   */
  watermarkBehind?(timeMs: number): number;
  /**
   * No rows come for now: others need not wait for this task. What the operator holds would then be late, so it gives
   * that out first and passes idleness on; or it holds it, as long as it has rows; or asks to be called again.
   * @defaultValue an operator with `advance` holds it, others pass it on
   */
  idle?(outbox: Outbox): IdleAnswer;
  /** Of an operator that makes watermarks: the next mark that goes on behind it, or null. Asked between batches. */
  takeMark?(nowMs: number): StreamMark | null;
  /**
   * When the operator wants `wake`, or else `takeMark`, to be called, in milliseconds of the context's clock; infinity for never. Asked
   * after every other call. @defaultValue never
   */
  readonly wakeAtMs?: number;
  /** That time has come: gives out what is due. False asks to be called again. */
  wake?(nowMs: number, outbox: Outbox): boolean;
  /**
   * Rows that went another way than others, so far, by what is said of them: `late`, `future`. Told in the summary,
   * so that nothing is lost in silence. @defaultValue there are none
   */
  readonly notedRows?: Readonly<Record<string, number>>;
  /**
   * True when the operator stopped short, and can go on only after something outside has rung the doorbell, or
   * `wakeAtMs` has come: the task may sleep. @defaultValue false
   */
  readonly isWaiting?: boolean;
  /** True when no further input can change the output: a source in front may stop reading. */
  readonly hasEnough?: boolean;
  /**
   * What the operator holds and waits for, for people who ask why nothing comes out: plain data, made in
   * microseconds. Called between two other calls. @defaultValue it has nothing to tell
   */
  inspect?(): Json;
  /**
   * The state of a key, as people wrote the key: a value of the key column as text, or several as a JSON list.
   * Undefined when this task holds none of it. Called as `inspect` is. @defaultValue the operator keeps no state by key
   * A text that is no key of the operator's is a typed error.
   */
  stateOf?(key: string): Json | undefined;
  /**
   * A barrier has come: all rows before it have been worked on and none behind it. Gives out what was made of them and
   * is still held back, then hands to the writer what a new task needs to go on from here. False asks to be called
   * again before any other call but `close`; the writer is told nothing then.
   * @defaultValue the operator keeps nothing between two batches
   */
  snapshot?(writer: SnapshotWriter, outbox: Outbox): boolean;
  /**
   * Before any other call: takes in what `snapshot` wrote in the tasks of an earlier attempt, all rows of each part.
   * False asks to be called again; the work of a call is a few milliseconds. Counts of `notedRows` go on in the task
   * that has the first key group, as the sum of all.
   */
  restore?(reader: SnapshotReader): boolean;
  /**
   * Whether a snapshot may fall between two calls of `process`: all rows in front of the position are then in what `snapshot` hands out, and
   * those from it on have had no effect. Asked between two calls. @defaultValue false: a barrier waits for the end of the batch
   */
  readonly isStoppable?: boolean;
  /** The input has ended: gives out what is left. False asks to be called again. */
  finish(outbox: Outbox): boolean;
  /** Releases all memory; called once, also after a failure. */
  close(): void;
}

/**
 * An operator with two inputs: all of the build side comes before the first row of the probe side, which
 * goes through `process` as usual.
 */
export interface JoinOperator extends Operator {
  /** Takes rows of the build side from `fromRow` on; answers the next row, as `process` does. */
  build(batch: Batch, fromRow: number): number;
  /** The build side has ended. False asks to be called again, before any call of `process`. */
  buildEnded(): boolean;
}

export function hasBuildSide(operator: Operator): operator is JoinOperator {
  return 'build' in operator;
}

/** What an operator may use: its name, for errors, memory, kernels, room on disk, and this. */
export interface OperatorContext extends SpillContext {
  /** Where records go that a user's function fails on. @defaultValue they end the job */
  readonly deadLetters?: Outbox | null;
  /** Where rows go that come too late for what they belong to. @defaultValue they are only counted */
  readonly late?: Outbox | null;
  /** The clock, for what depends on processing time; the same as of `wake`. @defaultValue it stands at 0 */
  readonly nowMs?: () => number;
  /** Makes the task run again, from any place: what the operator waited for is there. @defaultValue nothing is waited for */
  readonly ring?: () => void;
  /** Is told that a window was given out, and its end in milliseconds of event time. @defaultValue nobody measures that */
  readonly gaveWindow?: ((endMs: number) => void) | null;
  /** Whether the time slice is used up. */
  readonly shouldYield: () => boolean;
}
