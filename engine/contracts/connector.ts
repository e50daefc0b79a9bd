/**
 * Connectors: how a plan, which is plain data, finds the code that reads and writes. A plan names a
 * connector and its options; `connectors/registry.ts` has the factories.
 */
import type { Disk, SyncDisk } from '../../base/env/disk.ts';
import type { Timers } from '../../base/env/timers.ts';
import type { Expr } from '../expr/expr.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { RingOptions } from '../memory/ring.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import type { Json } from './json.ts';
import type { CheckpointCommitter, SinkCommitter, SinkWriter } from './sink.ts';
import type { SplitEnumerator, SplitReader } from './source.ts';

/** What a connector's parts in the coordinator may use. */
export interface RoleContext {
  readonly disk: Disk;
  /** Unique per job; part of temporary names. */
  readonly attemptId: string;
  /** For calls with a deadline. */
  readonly clock?: { mono(): number };
  readonly timers?: Pick<Timers, 'after'>;
  /** Of a sink: the tasks that write. @defaultValue one */
  readonly taskCount?: number;
  /** Of a sink whose work is committed at checkpoints. @defaultValue it is committed once, at the end */
  readonly attempt?: SinkAttempt;
  /** Of a source: as `SourceSpec.predicate`. */
  readonly predicate?: Expr | null;
  /** Of a source: whether its splits are to say which sequence they belong to. @defaultValue false */
  readonly isOrdered?: boolean;
  /** Of a source: the columns that dynamic filters will ask of. @defaultValue none */
  readonly filteredColumns?: readonly string[];
}

/** The attempt of a job with checkpoints that a sink works for. */
export interface SinkAttempt {
  /** Greater than that of all attempts before it. */
  readonly epoch: number;
  /** Of the job's checkpoints. What a sink keeps beside them is below `staged/`, in a folder of its own. */
  readonly folder: string;
  /** Where paths in what it goes on from begin: that folder, or another one. */
  readonly restoredFrom: string;
  /**
   * Whether no other attempt has taken over. What is looked at in an outside system before this answers, and changed
   * after it only where it is still as it was, can't be the work of a successor.
   *
   * @throws CHECKPOINT_FENCED
   */
  checkCurrent(): Promise<void>;
}

/** What a connector's parts in a slot thread may use. */
export interface SlotContext {
  readonly disk: SyncDisk;
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  /** Of the rows that a reader gives out, or a writer is given: of a source those fields that are read. */
  readonly schema: Schema;
  readonly taskIndex: number;
  /** Which try of the task it is, from 1 on; part of temporary names. */
  readonly attempt: number;
  /** Of a sink: whether its work is committed at checkpoints. @defaultValue false: once, at the end */
  readonly commitsAtCheckpoints?: boolean;
  /** For rows that are due at a time, and for calls with a deadline. */
  readonly clock?: { mono(): number; wall?(): number };
  readonly timers?: Pick<Timers, 'after'>;
  /** Makes the task run again, from any place: what a reader or a writer waited for is there. */
  readonly ring?: () => void;
  /** Whether bad records of a source go to a sink of their own; without it they end the job. */
  readonly hasDeadLetters: boolean;
  /** Of a source: as `SourceSpec.predicate`. */
  readonly predicate?: Expr | null;
  /** The way to the program that runs the job, for connectors that use one; null on other machines. */
  readonly programRing?: ProgramRing | null;
}

/** A ring between a task and the program that runs the job in its own process. */
export interface ProgramRing {
  readonly ring: RingOptions;
  /** Rings the doorbell of the program's thread. */
  readonly wakeProgram: () => void;
}

export interface Connector {
  readonly name: string;
  /** Whether its sources and sinks exchange rows with the program that runs the job. */
  readonly usesProgram?: boolean;
  enumerator?(options: Json, context: RoleContext): SplitEnumerator;
  reader?(options: Json, context: SlotContext): SplitReader;
  /** Whether its readers go on within a split (`SplitReader.snapshot`). @defaultValue false: no source of a job with checkpoints */
  readonly isReplayable?: true;
  committer?(options: Json, context: RoleContext): SinkCommitter;
  /** Of a sink that can commit at checkpoints; the writer has `prepareCommit` then. */
  checkpointCommitter?(options: Json, context: RoleContext): CheckpointCommitter;
  /**
   * Of a sink: how often a row counts when a job goes on from a checkpoint and writes again what came behind it.
   * @defaultValue exactly once with a `checkpointCommitter`; without one it is no sink of a job with checkpoints
   */
  deliveryOf?(options: Json): Delivery;
  /** @param prepared - What the committer's `prepare` answered. */
  writer?(options: Json, prepared: Json, context: SlotContext): SinkWriter;
}

/** How often rows count in what others see; `effectivelyOnce`: the last row of each key is right in the end. */
export type Delivery = 'exactlyOnce' | 'effectivelyOnce' | 'atLeastOnce';

/** A source as a plan names it. */
export interface SourceSpec {
  readonly connector: string;
  readonly options: Json;
  readonly schema: Schema;
  /** Whether the connector looks at `predicate`; otherwise a plan has none. */
  readonly usesPredicate?: true;
  /** Whether its splits can be read more than once, so that a sample of its rows can be had. */
  readonly canSample?: true;
  /** Whether it has no end: what gives its result at the end of the input would never give it. */
  readonly isUnbounded?: true;
  /** Rows per second of the clock that its tasks give out together. @defaultValue as fast as they are taken */
  readonly rate?: number;
  /**
   * Rows for which this is not true are not wanted. What surely holds none may be left out; all other rows
   * are given out, whether it is true for them or not.
   */
  readonly predicate?: Expr;
}

/** A sink as a plan names it. */
export interface SinkSpec {
  readonly connector: string;
  readonly options: Json;
  /** Whether several tasks may write, each its own part. */
  readonly isParallel: boolean;
  /** What it takes besides rows that are added. @defaultValue nothing */
  readonly changes?: SinkChanges;
}

/** How a sink takes rows that change. */
export interface SinkChanges {
  /** Every row that goes and comes; or, by a key, the row that comes and what is gone. */
  readonly mode: 'retract' | 'upsert';
  /** The column in front of the others that says what becomes of a row: +I, -U, +U or -D. */
  readonly column: string;
  /** Whether changes are wanted also where there are final rows, at the end of the input. */
  readonly isAsked: boolean;
}
