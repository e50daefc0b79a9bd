/** What an executor and its slot threads say to each other over a message port. */
import type { WireError } from '../../base/typed-error.ts';
import type { JobModule, JobRef } from '../../coordinator/protocol.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';
import type { Exchange, Vertex } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';

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
  /** One ring per task at the other end, in the order of their task indexes. */
  readonly rings: readonly RingDescriptor[];
}

export interface TaskDeployment {
  readonly taskId: string;
  readonly taskIndex: number;
  readonly vertex: Vertex;
  readonly inputs: readonly EdgeEnd[];
  readonly outputs: readonly EdgeEnd[];
  /** Sink operator id → what its committer prepared. */
  readonly prepared: Readonly<Record<string, Json>>;
  /** Operator id → the ring to the program, whose doorbell is both its bells. */
  readonly programRings: Readonly<Record<string, RingDescriptor>>;
  /** Where the task publishes its counters; layout in engine/task/task-metrics.ts. */
  readonly metrics: SharedArrayBuffer;
}

export type ToSlot =
  | {
      readonly kind: 'deploy';
      readonly job: JobRef;
      readonly module: JobModule;
      readonly tasks: readonly TaskDeployment[];
      /** Where the spill files of this attempt go. */
      readonly spillFolder: string;
      /** Slots that the job runs on. */
      readonly slotCount: number;
    }
  | { readonly kind: 'split'; readonly taskId: string; readonly split: Split | null }
  /** Ends all tasks of the job; answered with `stopped`. */
  | { readonly kind: 'stop' };

export type FromSlot =
  | { readonly kind: 'wantSplit'; readonly taskId: string }
  | { readonly kind: 'taskFinished'; readonly taskId: string; readonly write: Json }
  | { readonly kind: 'failed'; readonly taskId: string; readonly error: WireError }
  /** No task is left and the slot's memory is empty; `leak` says what was not, a bug. */
  | { readonly kind: 'stopped'; readonly leak: string | null };

/** What a slot thread is started with. */
export interface SlotStart {
  readonly slotIndex: number;
  readonly memoryBytes: number;
  /** What `compileKernels` made. */
  readonly kernels: WebAssembly.Module;
  /** One word per slot, and one for the program. */
  readonly doorbells: SharedArrayBuffer;
}
