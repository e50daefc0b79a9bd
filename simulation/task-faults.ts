/**
 * Faults that befall one attempt of one task: at its start, at its end, and on what it has written.
 *
 *     failsBefore      it fails before it has done anything        failsAfter   when all is done
 *     outputRemoved    its map outputs are gone once it has finished
 *     outputTorn       or end early                                slow         its slot slows down
 *     diesBefore       its slot dies before it has done anything   diesAfter    as it says that it is done
 *     hangs            its slot does nothing any more, and answers nothing
 *
 * They stand between the executor and its slots, where a cluster's network and disks would be.
 */
import { toWire, typedError } from '../base/typed-error.ts';
import { taskIdOf } from '../coordinator/protocol.ts';
import type { PhysicalGraph } from '../engine/plan/physical-graph.ts';
import type { FromSlot, TaskAttempt, ToSlot } from '../worker/threads/slot-messages.ts';
import type { JobFault } from './faults.ts';
import type { SimDiskState } from './sim-disk-state.ts';

export type TaskFault = Extract<JobFault, { kind: 'taskFault' }>;

export interface TaskFaultsOptions {
  /** Those that have befallen nobody yet, in this run or one before: each comes true once, and is taken out. */
  readonly faults: Set<TaskFault>;
  readonly graph: PhysicalGraph;
  readonly diskState: SimDiskState;
  readonly slowSlot: (slotIndex: number, by: number) => void;
  readonly killSlot: (slotIndex: number) => void;
  readonly freezeSlot: (slotIndex: number) => void;
}

/** Work of a slot that is slow takes so many times as long. */
const slowBy = 100;

export class TaskFaults {
  /** How many faults have come true. */
  hitCount = 0;
  readonly #options: TaskFaultsOptions;

  constructor(options: TaskFaultsOptions) {
    this.#options = options;
  }

  /** What the slot is told instead; `answer` speaks for it. */
  toSlot(message: ToSlot, slotIndex: number, answer: (message: FromSlot) => void): ToSlot {
    if (message.kind !== 'deploy') return message;
    const tasks = message.tasks.filter((task) => {
      if (this.#take(task, 'slow')) this.#options.slowSlot(slotIndex, slowBy);
      if (this.#take(task, 'diesBefore')) this.#options.killSlot(slotIndex);
      if (this.#take(task, 'hangs')) this.#options.freezeSlot(slotIndex);
      if (!this.#take(task, 'failsBefore')) return true;
      answer(this.#failure(task));
      return false;
    });
    return { ...message, tasks };
  }

  /** What the executor hears instead. */
  fromSlot(message: FromSlot, slotIndex: number): FromSlot {
    if (message.kind !== 'taskFinished') return message;
    if (this.#take(message, 'diesAfter')) this.#options.killSlot(slotIndex);
    if (this.#take(message, 'failsAfter')) return this.#failure(message);
    for (const what of ['outputRemoved', 'outputTorn'] as const) {
      if (this.#take(message, what)) this.#damage(message, what);
    }
    return message;
  }

  #take({ taskId, attempt }: TaskAttempt, what: TaskFault['what']): boolean {
    for (const fault of this.#options.faults) {
      const id = taskIdOf(fault.vertexId, fault.taskIndex);
      if (id !== taskId || fault.attempt !== attempt || fault.what !== what) continue;
      this.#options.faults.delete(fault);
      this.hitCount++;
      return true;
    }
    return false;
  }

  /** As if a disk had failed. */
  #failure({ taskId, attempt }: TaskAttempt): FromSlot {
    const details = { path: taskId, systemCode: 'EIO' };
    this.#options.diskState.failures.push(details);
    const error = toWire(typedError('DISK_IO', `a fault befell task ${taskId}`, { details }));
    return { kind: 'taskFailed', taskId, attempt, error };
  }

  #damage({ taskId, attempt }: TaskAttempt, what: 'outputRemoved' | 'outputTorn'): void {
    const { graph, diskState } = this.#options;
    const { names } = diskState;
    for (const { id, from, isBlocking } of graph.edges) {
      const [vertexId, index] = taskId.split(/[[\]]/);
      if (from !== vertexId || !isBlocking) continue;
      for (const [path, inode] of names) {
        if (!path.endsWith(`/shuffle/${id}-${index}-${attempt}.map`)) continue;
        if (what === 'outputRemoved') names.delete(path);
        else inode.cached = inode.cached.slice(0, inode.cached.length >> 1);
      }
    }
  }
}
