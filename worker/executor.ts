/**
 * A job attempt on this worker: deploys the tasks of regions to the slot threads as the coordinator asks
 * for them, joins them by rings, passes messages between them and the coordinator, and reports the
 * counters that tasks publish.
 *
 *     coordinator ◀── rpc ──▶ Executor ◀── message port ──▶ slot thread × n
 *                                            rings join the threads with each other
 *
 * A task that fails is told of and gone; what follows is the coordinator's to decide. With a slot thread that
 * dies its tasks have failed, and another thread takes its place; one that dies without any would die
 * again, and fails the job. A thread that does not answer in time when tasks of
 * it are to stop is in a loop of the user's; it is ended, with all that it runs, and replaced. Of a stream
 * tasks of other regions may run in it, too: these have failed with it.
 *
 * Before: coordinator/job/job-master.ts. After: worker/threads/piscina-slot-runner.ts.
 */
import type { Env } from '../base/env/env.ts';
import { toWire, typedError, type WireError } from '../base/typed-error.ts';
import {
  type DeployRequest,
  type JobModule,
  type JobRef,
  type OrderSourcesRequest,
  type Question,
  type SplitAnswer,
  type StopTasksRequest,
  stopDeadlineMs,
  type TaskAnswer,
  type TaskCounters,
  type TaskFailed,
  type TaskFinished,
} from '../coordinator/protocol.ts';
import type { CheckpointTrigger } from '../engine/checkpoint/barrier.ts';
import type { CheckpointReport } from '../engine/task/task-checkpoints.ts';
import { deploymentsOf } from './deployment.ts';
import type { ExchangeNetwork } from './exchange/exchange-network.ts';
import { readActivity, readMetrics } from './metrics-reader.ts';
import { RemoteEnds } from './remote-ends.ts';
import { SharedSources } from './shared-sources.ts';
import { SlotQuestions } from './slot-questions.ts';
import type { SlotSet } from './slot-set.ts';
import { type SpillFolder, shuffleFolderOf } from './spill-folder.ts';
import type {
  FromSlot,
  RingDescriptor,
  TaskAttempt,
  TaskDeployment,
  ToSlot,
} from './threads/slot-messages.ts';

/** What an executor tells the coordinator, already bound to its job. */
export interface ExecutorEvents {
  requestSplit(task: TaskAttempt): Promise<SplitAnswer>;
  taskFinished(report: Omit<TaskFinished, keyof JobRef>): void;
  taskCheckpointed(report: TaskAttempt & CheckpointReport): void;
  taskFailed(report: Omit<TaskFailed, keyof JobRef>): void;
  /** What no retry helps against. */
  failed(error: WireError): void;
}

export interface ExecutorOptions {
  readonly slots: SlotSet;
  readonly job: JobRef;
  readonly module: JobModule;
  /** What the rings of one exchange may take together. @defaultValue 32 MiB */
  readonly exchangeBytes?: number | undefined;
  /** Operator id → the ring to the program that runs the job in its own process. */
  readonly programRings?: Readonly<Record<string, RingDescriptor>> | undefined;
  readonly spill: SpillFolder;
  /** To tasks in other processes. @defaultValue there are none */
  readonly network?: ExchangeNetwork | undefined;
}

/** A task that has not ended, and where it is. */
interface HostedTask {
  readonly deployment: TaskDeployment;
  readonly slotIndex: number;
}

export class Executor {
  readonly #env: Env;
  readonly #options: ExecutorOptions;
  readonly #events: ExecutorEvents;
  readonly #tasks = new Map<string, HostedTask>();
  /** Map outputs of all attempts that may be read, whether their tasks have ended or not. */
  readonly #outputs = new Map<string, readonly string[]>();
  /** What slots have not answered yet: that tasks, or all of them, are stopped. */
  readonly #stops = new Map<string, () => void>();
  readonly #questions: SlotQuestions;
  readonly #sources = new SharedSources();
  readonly #remote: RemoteEnds;
  #stopped: Promise<void> | null = null;
  /** Whether the job has been stopped: what becomes of its threads is of no matter then. */
  #isOver = false;

  constructor(env: Env, options: ExecutorOptions, events: ExecutorEvents) {
    this.#env = env;
    this.#options = options;
    this.#events = events;
    this.#questions = new SlotQuestions(env.timers, (slot, message) => this.#post(slot, message));
    this.#remote = new RemoteEnds(options.network ?? null, options.job, (report) =>
      events.taskFailed(report),
    );
  }

  start(): void {
    for (let index = 0; index < this.#options.slots.count; index++) this.#listen(index);
  }

  #listen(slotIndex: number): void {
    const slot = this.#options.slots.at(slotIndex);
    slot.onMessage((message) => this.#receive(slotIndex, message as FromSlot));
    slot.ended.catch((error: unknown) => {
      if (!this.#isOver) this.#threadDied(slotIndex, toWire(error));
    });
  }

  #threadDied(slotIndex: number, error: WireError): void {
    // Nobody is left who could answer, and nothing runs.
    this.#questions.giveUp(slotIndex);
    for (const key of this.#stops.keys()) if (key.startsWith(`${slotIndex} `)) this.#answer(key);
    const hosted = [...this.#tasks.values()].filter((task) => task.slotIndex === slotIndex);
    if (hosted.length === 0) {
      this.#events.failed(error);
      return;
    }
    this.#replace(slotIndex).catch((reason) => this.#events.failed(toWire(reason)));
    for (const { deployment } of hosted) {
      const { taskId, attempt } = deployment;
      this.#remove(deployment);
      this.#events.taskFailed({ taskId, attempt, error });
    }
  }

  /** Another thread for the slot at once; resolves when the old one is gone. */
  #replace(slotIndex: number): Promise<void> {
    const { slots, job } = this.#options;
    this.#env.observe.event('slot.replaced', { slotIndex, jobId: job.jobId });
    const gone = slots.replace(slotIndex);
    this.#listen(slotIndex);
    return gone;
  }

  /** Starts the tasks of one attempt of a region. */
  deploy(request: DeployRequest): void {
    const { slots, exchangeBytes, programRings = {}, module, spill } = this.#options;
    const spillFolder = spill.ofJob(request);
    const slotCount = slots.count;
    const folder = shuffleFolderOf(spillFolder);
    const remote = this.#remote.ringsOf(request);
    const ways = { exchangeBytes, programRings, folder, sources: this.#sources, remote };
    const deployments = deploymentsOf(request, ways);
    this.#remote.open(remote);
    for (const [slotIndex, tasks] of deployments) {
      for (const deployment of tasks) {
        this.#tasks.set(keyOf(deployment), { deployment, slotIndex });
        const files = deployment.outputs.flatMap(({ file }) => file?.path ?? []);
        this.#outputs.set(keyOf(deployment), files);
      }
      this.#post(slotIndex, { kind: 'deploy', module, tasks, spillFolder, slotCount });
    }
  }

  /** Has all sources send a barrier. */
  triggerCheckpoint(trigger: CheckpointTrigger): void {
    this.#postToTasks({ kind: 'checkpoint', ...trigger });
  }

  /** Nothing will come of it: no task works for it any more. */
  cancelCheckpoint(checkpointId: number): void {
    this.#postToTasks({ kind: 'cancelCheckpoint', checkpointId });
  }

  /** Has sources that have halted go on, or all of them end where they are. */
  orderSources({ order }: Omit<OrderSourcesRequest, keyof JobRef>): void {
    this.#postToTasks({ kind: 'orderSources', order });
  }

  /**
   * Ends the tasks of one attempt, which counts for nothing any more; resolves when none of them runs, and
   * their files are removed.
   */
  async stopTasks({ attempt, taskIds }: StopTasksRequest): Promise<void> {
    await this.#endTasks(attempt, taskIds);
    this.#remote.close(attempt, taskIds);
    for (const taskId of taskIds) {
      const task = { taskId, attempt };
      const outputs = this.#outputs.get(keyOf(task)) ?? [];
      this.#outputs.delete(keyOf(task));
      await this.#options.spill.removeAttempt(this.#options.job, task, outputs);
    }
  }

  /** Ends all tasks and removes all files; resolves when no thread runs one any more. Asked for twice it is done once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { slots, job, spill } = this.#options;
    const all = Array.from({ length: slots.count }, (_, index) =>
      this.#stopSlot(index, stopKeyOf(index), { kind: 'stop' }),
    );
    const ends = await Promise.allSettled(all);
    this.#questions.giveUp();
    this.#remote.stop();
    this.#tasks.clear();
    this.#isOver = true;
    await spill.removeJob(job);
    const stuck = ends.find((end) => end.status === 'rejected');
    if (stuck !== undefined) throw stuck.reason;
  }

  /** The counters of the tasks at work, as they stand. */
  metrics(): TaskCounters[] {
    return [...this.#tasks.values()].map(({ deployment }) => readMetrics(deployment));
  }

  /** What the tasks at work answer; a slot that does not in time leaves its tasks' answers open. */
  async ask(question: Question): Promise<TaskAnswer[]> {
    const hosted = [...this.#tasks.values()];
    const slotIndexes = [...new Set(hosted.map(({ slotIndex }) => slotIndex))];
    const answers = await Promise.all(
      slotIndexes.map(async (slotIndex) => {
        const tasks = await this.#questions.ask(slotIndex, question);
        return [slotIndex, tasks] as const;
      }),
    );
    const bySlot = new Map(answers);
    return hosted.map(({ deployment, slotIndex }) => {
      const { taskId, attempt } = deployment;
      const ofSlot = bySlot.get(slotIndex) ?? null;
      const own = ofSlot?.find((one) => one.taskId === taskId && one.attempt === attempt);
      return {
        ...{ taskId, attempt, slotIndex, hasAnswered: own !== undefined },
        ...{ report: own?.report ?? null, state: own?.state ?? null, error: own?.error ?? null },
        activity: readActivity(deployment),
      };
    });
  }

  async #endTasks(attempt: number, taskIds: readonly string[]): Promise<void> {
    const hosted = taskIds.flatMap((taskId) => this.#tasks.get(keyOf({ taskId, attempt })) ?? []);
    const bySlot = Map.groupBy(hosted, ({ slotIndex }) => slotIndex);
    await Promise.all(
      [...bySlot].map(([slotIndex, tasks]) => {
        const ids = tasks.map(({ deployment }) => deployment.taskId);
        const key = stopKeyOf(slotIndex, attempt, ids[0]);
        return this.#stopSlot(slotIndex, key, { kind: 'stopTasks', attempt, taskIds: ids });
      }),
    );
    for (const taskId of taskIds) this.#remove({ taskId, attempt });
  }

  /** Has a slot stop something; its thread is replaced when it does not say in time that it has. */
  async #stopSlot(slotIndex: number, key: string, message: ToSlot): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stops.set(key, resolve);
    this.#post(slotIndex, message);
    if (await this.#isOverInTime(promise)) return;
    this.#stops.delete(key);
    if (message.kind === 'stopTasks') this.#failOthers(slotIndex, message);
    if (await this.#isOverInTime(this.#replace(slotIndex))) return;
    throw typedError('TASK_STUCK', `slot thread ${slotIndex} does not stop, nor can it be ended`, {
      hint: 'It waits in a call of the system that does not return: look for a disk that does not answer.',
      details: { slotIndex },
    });
  }

  /** The thread is ended, and with it tasks that were not to stop. */
  #failOthers(slotIndex: number, { attempt, taskIds }: Omit<StopTasksRequest, keyof JobRef>): void {
    const isOther = (task: TaskAttempt) =>
      task.attempt !== attempt || !taskIds.includes(task.taskId);
    const hosted = [...this.#tasks.values()].filter((one) => one.slotIndex === slotIndex);
    for (const { deployment } of hosted.filter((one) => isOther(one.deployment))) {
      const { taskId, attempt: number } = deployment;
      this.#remove(deployment);
      const error = toWire(threadEnded(slotIndex));
      this.#events.taskFailed({ taskId, attempt: number, error });
    }
  }

  /** Whether something is over before the deadline of a stop. */
  async #isOverInTime(work: Promise<void>): Promise<boolean> {
    const deadline = new AbortController();
    const timeout = this.#env.timers.sleep(stopDeadlineMs, deadline.signal).then(
      () => false,
      () => true, // Aborted below: everybody answered.
    );
    const isOver = await Promise.race([work.then(() => true), timeout]);
    deadline.abort();
    return isOver;
  }

  #receive(slotIndex: number, message: FromSlot): void {
    switch (message.kind) {
      case 'wantSplit':
        this.#fetchSplit(slotIndex, message);
        break;
      case 'taskFinished': {
        const { taskId, attempt, write, counts, notedRows, partitionBytes, source } = message;
        const task = this.#remove(message);
        if (task === null) break;
        this.#events.taskFinished({
          taskId,
          attempt,
          ...{ write, partitionBytes, source },
          metrics: { ...readMetrics(task.deployment), counts, notedRows },
        });
        break;
      }
      case 'taskFailed': {
        const { taskId, attempt, error } = message;
        const task = this.#remove(message);
        // A task whose input failed says nothing new: the sender reports the reason itself, and it
        // may arrive a moment later.
        if (task === null || error.code === 'TASK_INPUT_FAILED') break;
        this.#events.taskFailed({ taskId, attempt, error });
        break;
      }
      case 'checkpointed': {
        const { taskId, attempt, report } = message;
        if (this.#tasks.has(keyOf(message))) {
          this.#events.taskCheckpointed({ taskId, attempt, ...report });
        }
        break;
      }
      case 'failed':
        this.#events.failed(message.error);
        break;
      case 'tasksStopped': {
        const { attempt, taskIds } = message;
        for (const taskId of taskIds) this.#remove({ taskId, attempt });
        this.#answer(stopKeyOf(slotIndex, attempt, taskIds[0]));
        break;
      }
      case 'answered':
        this.#questions.answer(message);
        break;
      case 'stopped':
        if (message.leak !== null) {
          this.#env.observe.event('slot.memory-leak', { slotIndex, leak: message.leak });
        }
        this.#answer(stopKeyOf(slotIndex));
        break;
    }
  }

  #answer(key: string): void {
    this.#stops.get(key)?.();
    this.#stops.delete(key);
  }

  #remove(task: TaskAttempt): HostedTask | null {
    const hosted = this.#tasks.get(keyOf(task)) ?? null;
    this.#tasks.delete(keyOf(task));
    return hosted;
  }

  /** An answer that comes when the task is gone is for nobody: by then its slot may run the next attempt's, under its name. */
  #fetchSplit(slotIndex: number, { taskId, attempt }: TaskAttempt): void {
    const isThere = () => this.#tasks.has(keyOf({ taskId, attempt }));
    this.#events.requestSplit({ taskId, attempt }).then(
      ({ split, againAfterMs }) => {
        if (!isThere()) return;
        const isLater = againAfterMs !== undefined;
        this.#post(slotIndex, { kind: 'split', taskId, attempt, split: isLater ? 'later' : split });
        if (isLater) this.#fetchLater(slotIndex, { taskId, attempt }, againAfterMs);
      },
      (error: unknown) => {
        if (isThere()) this.#events.taskFailed({ taskId, attempt, error: toWire(error) });
      },
    );
  }

  /** There may be a split in a moment, as long as the task is there. */
  #fetchLater(slotIndex: number, task: TaskAttempt, afterMs: number): void {
    this.#env.timers.after(afterMs, () => {
      if (this.#tasks.has(keyOf(task))) this.#fetchSplit(slotIndex, task);
    });
  }

  /** To all slots that have tasks. */
  #postToTasks(message: ToSlot): void {
    const slotIndexes = new Set([...this.#tasks.values()].map(({ slotIndex }) => slotIndex));
    for (const slotIndex of slotIndexes) this.#post(slotIndex, message);
  }

  #post(slotIndex: number, message: ToSlot): void {
    this.#options.slots.at(slotIndex).post(message);
  }
}

function keyOf({ taskId, attempt }: TaskAttempt): string {
  return `${taskId} ${attempt}`;
}

/** Of all tasks, or of those of one attempt, the first of which is named. */
function stopKeyOf(slotIndex: number, attempt?: number, taskId?: string): string {
  return `${slotIndex} ${attempt} ${taskId}`;
}

function threadEnded(slotIndex: number) {
  const message = `slot thread ${slotIndex} was ended, for another task in it did not stop`;
  return typedError('THREAD_DIED', message, {
    hint: 'Look for a loop without an end in a user function; the job goes on.',
    details: { slotIndex },
  });
}
