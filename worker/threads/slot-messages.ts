/** What an executor and its slot threads say to each other over a message port. */
import type { WireError } from '../../base/typed-error.ts';
import type { JobModule, Question, TaskAnswer } from '../../coordinator/protocol.ts';
import type { CheckpointTrigger } from '../../engine/checkpoint/barrier.ts';
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Split } from '../../engine/contracts/source.ts';
import type { EdgeChannels } from '../../engine/plan/channel-ref.ts';
import type { OperatorRef } from '../../engine/plan/kept-as.ts';
import type { PartitionBytes, Span } from '../../engine/plan/map-output-read.ts';
import type { Exchange, Vertex } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { MapOutputFile } from '../../engine/shuffle/map-output.ts';
import type { CheckpointReport } from '../../engine/task/task-checkpoints.ts';
import type { AlignmentPlace } from '../../engine/time/source-alignment.ts';

/** One ring between two tasks; both ends are given the same one. */
export interface RingDescriptor {
  readonly buffer: SharedArrayBuffer;
  readonly slotCount: number;
  readonly slotBytes: number;
  /** Indexes of the doorbell words of the threads that write and read. */
  readonly writerBell: number;
  readonly readerBell: number;
}

/** One end of an edge: what a task reads from, or writes to. */
export interface EdgeEnd {
  /** Which output of the sending vertex comes this way. */
  readonly output: number;
  /** Which input of the receiving vertex it is. */
  readonly port: number;
  readonly exchange: Exchange;
  readonly schema: Schema;
  /** As checkpoints name its channels. */
  readonly channels: EdgeChannels | undefined;
  /** One ring per task at the other end, in the order of their task indexes; none of a blocking edge. */
  readonly rings: readonly RingDescriptor[];
}

/** What a task reads; of a blocking edge partitions of the files of its senders. */
export interface InputEnd extends EdgeEnd {
  readonly files: readonly MapOutputFile[];
  readonly partitions: Span;
}

/** What a task writes; of a blocking edge all partitions of one file. */
export interface OutputEnd extends EdgeEnd {
  readonly edgeId: string;
  readonly file: MapOutputFile | null;
  readonly partitionCount: number;
}

export interface TaskDeployment {
  readonly taskId: string;
  /** Number of the region's attempt that it belongs to. */
  readonly attempt: number;
  readonly taskIndex: number;
  readonly vertex: Vertex;
  readonly inputs: readonly InputEnd[];
  readonly outputs: readonly OutputEnd[];
  /** Sink operator id → what its committer prepared. */
  readonly prepared: Readonly<Record<string, Json>>;
  /** Operator id → the ring to the program, whose doorbell is both its bells. */
  readonly programRings: Readonly<Record<string, RingDescriptor>>;
  /** Where the task publishes its counters; layout in engine/task/task-metrics.ts. */
  readonly metrics: SharedArrayBuffer;
  /** Null in a job without checkpoints. */
  readonly checkpoints: TaskCheckpointPlace | null;
  /** Under what checkpoints keep rows on their way to each operator of the chain. */
  readonly channelRefs: readonly OperatorRef[];
  /** Where it notes latency; layout in engine/task/task-latency.ts. Null where nobody measures that. */
  readonly latency: TaskLatencyPlace | null;
  /** Of a source with a rate: its schedule, shared by its tasks; layout in engine/time/row-pace.ts. */
  readonly pace: SharedArrayBuffer | null;
  /** Of a source that is aligned with others. */
  readonly alignment: SharedAlignment | null;
  /** In how many shares the memory of the slot goes. */
  readonly slotWeight: number;
}

/** A task's place among those that its source is aligned with. */
export interface SharedAlignment extends AlignmentPlace {
  readonly buffer: SharedArrayBuffer;
}

/** Where a task's snapshots go, and what it goes on from. */
export interface TaskCheckpointPlace {
  /** Of the job's checkpoints. */
  readonly folder: string;
  readonly epoch: number;
  /** Where the paths of parts begin that it goes on from. */
  readonly restoredFrom: string;
  /** Of tasks that had an operator of this one. */
  readonly restored: readonly TaskSnapshot[];
}

export interface TaskLatencyPlace {
  readonly buffer: SharedArrayBuffer;
  /** Milliseconds between the marks of a source. */
  readonly intervalMs: number;
}

/** One attempt of a task. */
export interface TaskAttempt {
  readonly taskId: string;
  readonly attempt: number;
}

export type ToSlot =
  /** Tasks of one attempt. */
  | {
      readonly kind: 'deploy';
      readonly module: JobModule;
      readonly tasks: readonly TaskDeployment[];
      /** Where the spill files of this attempt go. */
      readonly spillFolder: string;
      /** Slots that the job runs on. */
      readonly slotCount: number;
    }
  /** What it has asked for; null: there are no more; `later`: none now, and the next one comes by itself. */
  | (TaskAttempt & { readonly kind: 'split'; readonly split: Split | null | 'later' })
  /** Ends tasks of one attempt; answered with `tasksStopped`. */
  | { readonly kind: 'stopTasks'; readonly attempt: number; readonly taskIds: readonly string[] }
  /** Answered with `answered`, between two slices. */
  | { readonly kind: 'ask'; readonly requestId: number; readonly question: Question }
  /** Tasks with a source send a barrier; each task answers with `checkpointed` once its part is there. */
  | ({ readonly kind: 'checkpoint' } & CheckpointTrigger)
  /** Tasks stop working for it. */
  | { readonly kind: 'cancelCheckpoint'; readonly checkpointId: number }
  | { readonly kind: 'orderSources'; readonly order: 'goOn' | 'end' }
  /** Ends all tasks of the job; answered with `stopped`. */
  | { readonly kind: 'stop' };

/** What a task of the slot answers to a question. */
export interface SlotAnswer extends TaskAttempt, Pick<TaskAnswer, 'report' | 'state' | 'error'> {}

export type FromSlot =
  | (TaskAttempt & { readonly kind: 'wantSplit' })
  | (TaskAttempt & {
      readonly kind: 'taskFinished';
      readonly write: Json;
      /** What functions have counted. */
      readonly counts: Readonly<Record<string, number>>;
      readonly partitionBytes: PartitionBytes;
      readonly source: SourceSnapshot | null;
      /** Rows that operators have noted, by their places in the chain. */
      readonly notedRows: readonly Readonly<Record<string, number>>[];
    })
  | (TaskAttempt & { readonly kind: 'checkpointed'; readonly report: CheckpointReport })
  /** One task, which is closed; the others of the slot go on. */
  | (TaskAttempt & { readonly kind: 'taskFailed'; readonly error: WireError })
  /** The slot can't run its tasks. */
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'tasksStopped'; readonly attempt: number; readonly taskIds: readonly string[] }
  | {
      readonly kind: 'answered';
      readonly requestId: number;
      readonly tasks: readonly SlotAnswer[];
    }
  /** No task is left and the slot's memory is empty; `leak` says what was not, a bug. */
  | { readonly kind: 'stopped'; readonly leak: string | null };

/** What a slot thread is started with. */
export interface SlotStart {
  readonly slotIndex: number;
  readonly memoryBytes: number;
  /** What `compileKernels` made. */
  readonly kernels: WebAssembly.Module;
  /** One word per slot, one for the program and one for the network. */
  readonly doorbells: SharedArrayBuffer;
}
