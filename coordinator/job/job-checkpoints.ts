/**
 * The checkpoints of a job attempt: feeds the rules (coordinator/checkpoint/checkpoint-state.ts) with what happens, and
 * carries out their effects.
 *
 *     timer, acks, ends of tasks ─▶ stepCheckpoints ─┬▶ trigger: sources send barriers
 *                                                    ├▶ manifest and log entry: the checkpoint is complete
 *                                                    └▶ commit: what sinks had prepared is visible
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/checkpoint/checkpoint-state.ts, coordinator/checkpoint/checkpoint-store.ts.
 */
import { assertNever } from '../../base/assert.ts';
import type { Env } from '../../base/env/env.ts';
import { packageVersion } from '../../base/package-version.ts';
import { codeOf, toWire, typedError, type WireError } from '../../base/typed-error.ts';
import type { CheckpointTrigger } from '../../engine/checkpoint/barrier.ts';
import type { TaskSnapshot, TaskSourceSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import { keyGroupCount } from '../../engine/keys/key-group.ts';
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import { firstVerticesOf } from '../../engine/plan/first-vertices.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import {
  type CheckpointEffect,
  type CheckpointEvent,
  type CheckpointsState,
  type CollectedCheckpoint,
  initialCheckpoints,
  type SourceOrder,
} from '../checkpoint/attempt-checkpoints.ts';
import type { CheckpointManifest } from '../checkpoint/checkpoint-manifest.ts';
import type { CheckpointOptions } from '../checkpoint/checkpoint-options.ts';
import { stepCheckpoints, wakeAtOf } from '../checkpoint/checkpoint-state.ts';
import { manifestOf } from '../checkpoint/manifest-of.ts';
import type { CheckpointKind, PreparedWrite } from '../checkpoint/pending-checkpoint.ts';
import type { AttemptStore } from '../checkpoint/store/checkpoint-store.ts';
import {
  type DeployedCheckpoints,
  type JobRef,
  type TaskCheckpointed,
  taskIdOf,
  taskIndexOf,
  vertexIdOf,
} from '../protocol.ts';
import { type CheckpointsView, noCheckpoints, viewOf } from './checkpoints-view.ts';
import type { JobRestarts } from './job-restarts.ts';
import type { KnownSplit, RestoredSource } from './job-sources.ts';
import {
  type Savepoint,
  type SavepointRequest,
  SavepointRequests,
  savepointFailed,
} from './savepoint-requests.ts';

/** What an attempt goes on from. */
export interface RestoredJob {
  /** Where the paths of parts begin. */
  readonly root: string;
  readonly tasks: readonly TaskSnapshot[];
  /** By operator id of the source. */
  readonly sources: ReadonlyMap<string, RestoredSource>;
  /** What sinks had prepared, by their operator id. */
  readonly pending: Readonly<Record<string, readonly Json[]>>;
}

export interface CheckpointSetup {
  readonly options: CheckpointOptions;
  readonly store: AttemptStore;
  /** Of the job's logical graph. */
  readonly jobFingerprint: string;
  /** What the job keeps, for who goes on from its checkpoints. */
  readonly declared: readonly DeclaredOperator[];
  /** Null: the job begins anew. */
  readonly restored: RestoredJob | null;
  /** Counts failures of the job, those that leave some of its regions untouched among them. @defaultValue none does */
  readonly restarts?: JobRestarts;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepCheckpoints */
  readonly step?: typeof stepCheckpoints;
}

/** What tasks that are started again alone go on from. */
export interface RestorePoint {
  readonly deployed: DeployedCheckpoints;
  /** By task; null of those that begin as they began in this attempt. */
  readonly sources: ReadonlyMap<string, TaskSourceSnapshot | null>;
}

export interface JobCheckpointsOptions extends JobRef {
  readonly graph: PhysicalGraph;
  readonly setup: CheckpointSetup;
  readonly splits: () => Readonly<Record<string, readonly KnownSplit[]>>;
  readonly trigger: (trigger: CheckpointTrigger) => Promise<void>;
  readonly cancel: (checkpointId: number) => Promise<void>;
  readonly orderSources: (order: SourceOrder) => Promise<void>;
  readonly commit: (writes: readonly PreparedWrite[]) => Promise<void>;
  readonly onFailure: (error: WireError) => void;
  /** Tasks have failed, and no checkpoint is under way any more. */
  readonly onQuiet: () => void;
}

export class JobCheckpoints {
  /** Resolves when all tasks have ended, and all they wrote is committed. */
  readonly ended: Promise<void>;
  readonly #env: Env;
  readonly #options: JobCheckpointsOptions;
  readonly #resolveEnded: () => void;
  #state: CheckpointsState | null = null;
  #cancelTimer: () => void = () => undefined;
  /** Manifests and commits under way. */
  readonly #work = new Set<Promise<void>>();
  /** A checkpoint that is complete, or may be, and whose writes are not known to be committed. */
  #uncommittedId: number | null = null;
  readonly #savepoints: SavepointRequests;
  /** The newest that this attempt has completed. */
  #newest: CheckpointManifest | null = null;

  constructor(env: Env, options: JobCheckpointsOptions) {
    this.#env = env;
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#resolveEnded = resolve;
    const { jobId, setup } = options;
    const goOn = () => this.#handle({ kind: 'goOn' });
    this.#savepoints = new SavepointRequests({ jobId, store: setup.store, goOn });
  }

  /** What tasks are told of it. */
  get deployed(): DeployedCheckpoints {
    const { store, restored } = this.#options.setup;
    const { root: folder } = store;
    return { folder, restoredFrom: restored?.root ?? folder, restored: restored?.tasks ?? [] };
  }

  /** Whether the attempt is to end with all that has been read: a task that begins anew would not know. */
  get isDraining(): boolean {
    return this.#state?.ending?.kind === 'drain';
  }

  /** All tasks of regions have to be started again, since one has failed: `onQuiet` tells when it is known from where. */
  failTasks(taskIds: readonly string[], reason: string): void {
    this.#handle({ kind: 'tasksFailed', taskIds, reason });
  }

  /** They run again. */
  restarted(taskIds: readonly string[]): void {
    this.#handle({ kind: 'tasksRestarted', taskIds });
  }

  /** What these tasks go on from: while none is under way. @throws CHECKPOINT_FENCED where another process has taken over. */
  async restorePoint(taskIds: readonly string[]): Promise<RestorePoint> {
    const { store } = this.#options.setup;
    await store.checkCurrent();
    const newest = this.#newest;
    if (newest === null) {
      const sources = new Map(taskIds.map((taskId) => [taskId, null]));
      return { deployed: this.deployed, sources };
    }
    // Of theirs only: what the tasks beside them have is theirs still.
    const own = newest.tasks.filter(({ taskId }) => taskIds.includes(taskId));
    const restored = own.filter(({ operators }) => operators.length > 0);
    const sources = own.flatMap(({ taskId, source }) =>
      source ? [[taskId, source] as const] : [],
    );
    const { root } = store;
    return {
      deployed: { folder: root, restoredFrom: root, restored },
      sources: new Map(sources),
    };
  }

  /** The tasks run. */
  start(): void {
    const { epoch, graph, setup } = this.#options;
    const { first } = firstVerticesOf(graph);
    const idsOf = (vertices: PhysicalGraph['vertices']) =>
      vertices.flatMap(({ id, parallelism }) =>
        Array.from({ length: parallelism }, (_, index) => taskIdOf(id, index)),
      );
    const taskIds = idsOf(graph.vertices);
    const firstTaskIds = idsOf(graph.vertices.filter(({ id }) => first.has(id)));
    const { nextId } = setup.store;
    const start = { epoch, nextId, taskIds, firstTaskIds, nowMs: this.#env.clock.mono() };
    this.#state = initialCheckpoints(start, setup.options);
    this.#schedule();
  }

  report({ taskId, checkpointId, ...report }: TaskCheckpointed): void {
    if ('snapshot' in report) {
      this.#handle({ kind: 'ack', checkpointId, snapshot: report.snapshot });
      return;
    }
    const { error, prepared } = report;
    const reason = error.message;
    const vertexId = vertexIdOf(taskId);
    this.#handle({ kind: 'decline', checkpointId, taskId, vertexId, reason, prepared });
  }

  /** What the task kept to its end: the splits that it has read, and what its sink has prepared since its last barrier. */
  finishTask({ taskId, source, write }: FinishedTask): void {
    const vertexId = vertexIdOf(taskId);
    const vertex = this.#options.graph.vertices.find(({ id }) => id === vertexId);
    const snapshot: TaskSnapshot = {
      ...{ taskId, vertexId },
      source: source && { ...source, operatorId: vertex?.chain[0]?.id ?? '' },
      taskIndex: taskIndexOf(taskId),
      parallelism: vertex?.parallelism ?? 1,
      operators: [],
      prepared: write,
      statistics: { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 },
    };
    // One that was started again may have come to its end before the answer to its deployment is there.
    this.restarted([taskId]);
    this.#handle({ kind: 'taskFinished', snapshot });
  }

  /**
   * Takes a savepoint, and copies it where it is wanted; resolves when it is there, and all its rows are visible. One that
   * halts sources, and that can't be copied, has them go on.
   *
   * @throws SAVEPOINT_FAILED, SAVEPOINT_TARGET_TAKEN, and errors of the disk
   */
  async savepoint({ folder, ending }: SavepointRequest): Promise<Savepoint> {
    await this.#savepoints.check(folder);
    if (this.#state === null) throw savepointFailed(this.#options.jobId, 'it has no tasks yet');
    const halts = ending === 'halt';
    const { request, taken } = this.#savepoints.add({ folder, halts });
    const event = ending === 'drain' ? { kind: ending } : { kind: 'savepoint' as const };
    this.#handle({ ...event, request, halts } as WithoutClock<CheckpointEvent>);
    return await taken;
  }

  /** The attempt ends: nothing is triggered, written or committed any more. */
  stop(): void {
    this.#handle({ kind: 'stop', reason: 'the attempt has ended' });
    this.#cancelTimer();
  }

  /**
   * When what was under way at `stop` has come to an end: whether all that is complete is committed, so that what is
   * not visible is nobody's.
   */
  async settled(): Promise<boolean> {
    await Promise.all(this.#work);
    return this.#uncommittedId === null;
  }

  /** Those under way, and what became of the last ones. */
  view(): CheckpointsView {
    if (this.#state === null) return noCheckpoints;
    const { clock } = this.#env;
    return viewOf(this.#state, { mono: clock.mono(), wall: clock.wall() });
  }

  /** The last word of the attempt in the log. @throws CHECKPOINT_FENCED where another one has taken over, and errors of the disk. */
  end(status: string): Promise<void> {
    return this.#options.setup.store.end(status);
  }

  #handle(event: WithoutClock<CheckpointEvent>): void {
    if (this.#state === null) return; // No task runs yet.
    const { epoch, setup } = this.#options;
    const timed = { ...event, epoch, nowMs: this.#env.clock.mono() } as CheckpointEvent;
    const { step = stepCheckpoints } = setup;
    const { state, effects } = step(this.#state, timed, setup.options);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    this.#schedule();
  }

  #schedule(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => undefined;
    if (this.#state === null) return;
    const wakeAtMs = wakeAtOf(this.#state, this.#options.setup.options);
    if (wakeAtMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, wakeAtMs - this.#env.clock.mono());
    this.#cancelTimer = this.#env.timers.after(delayMs, () => this.#handle({ kind: 'tick' }));
  }

  #carryOut(effect: CheckpointEffect): void {
    const { jobId, onFailure } = this.#options;
    switch (effect.kind) {
      case 'trigger':
        this.#trigger(effect);
        return;
      case 'orderSources':
        this.#orderSources(effect.order);
        return;
      case 'writeManifest':
        this.#run(this.#complete(effect));
        return;
      case 'commit':
        this.#run(this.#commit(effect));
        return;
      case 'discard': {
        const { checkpointId, reason } = effect;
        this.#env.observe.event('checkpoint.given-up', { jobId, checkpointId, reason });
        // Who does not hear of it hears of a later one.
        this.#options.cancel(checkpointId).catch(() => undefined);
        return;
      }
      case 'answer':
        this.#run(this.#savepoints.answer(effect));
        return;
      case 'quiet':
        this.#options.onQuiet();
        return;
      case 'end':
        this.#resolveEnded();
        return;
      case 'failAttempt':
        onFailure(toWire(checkpointsFailed(effect.reason)));
        return;
      default:
        assertNever(effect);
    }
  }

  #run(work: Promise<void>): void {
    this.#work.add(work);
    const forget = () => void this.#work.delete(work);
    work.then(forget, forget);
  }

  /** One that reaches nobody runs out of time, and is given up. */
  #trigger(effect: CheckpointEffect & { kind: 'trigger' }): void {
    const { checkpointId, checkpointKind, halts, taskIds } = effect;
    if (taskIds.length === 0) return;
    const { jobId, trigger, setup } = this.#options;
    const triggeredAtMs = this.#env.clock.wall();
    const way = wayOf(checkpointKind, setup.options);
    trigger({ checkpointId, ...way, triggeredAtMs, halts }).catch((error: unknown) => {
      const code = codeOf(error);
      this.#env.observe.event('checkpoint.not-triggered', { jobId, checkpointId, code });
    });
  }

  /** Sources that do not hear of it would wait for ever. */
  #orderSources(order: SourceOrder): void {
    this.#options.orderSources(order).catch((error: unknown) => {
      this.#options.onFailure(toWire(error));
    });
  }

  async #complete(checkpoint: CollectedCheckpoint): Promise<void> {
    const { setup, jobId } = this.#options;
    const { store } = setup;
    const { checkpointId } = checkpoint;
    let isInDoubt = false;
    const manifest = this.#manifestOf(checkpoint);
    try {
      const written = await store.writeManifest(manifest);
      if (checkpoint.writes.length > 0) this.#uncommittedId = checkpointId;
      isInDoubt = true;
      await store.complete(written);
    } catch (error) {
      const { message } = toWire(error);
      if (codeOf(error) === 'CHECKPOINT_FENCED') this.#options.onFailure(toWire(error));
      this.#handle({ kind: 'writeFailed', checkpointId, reason: message, isInDoubt });
      return;
    }
    this.#newest = manifest;
    this.#env.observe.event('checkpoint.complete', { jobId, checkpointId });
    this.#handle({ kind: 'written', checkpointId });
    await this.#removeUnneeded(store);
  }

  /** What stays behind is removed with that of the next checkpoint. */
  async #removeUnneeded(store: AttemptStore): Promise<void> {
    try {
      await store.removeUnneeded();
    } catch (error) {
      const { message } = toWire(error);
      const { jobId } = this.#options;
      this.#env.observe.event('checkpoint.cleanup-failed', { jobId, message });
    }
  }

  #manifestOf(checkpoint: CollectedCheckpoint): CheckpointManifest {
    const { graph, epoch, setup, splits } = this.#options;
    const { jobFingerprint, declared } = setup;
    const nowMs = this.#env.clock.wall();
    // Splits are plain data, which interfaces hide from the compiler.
    const known = splits() as unknown as CheckpointManifest['splits'];
    const job = { graph, jobFingerprint, declared, epoch, keyGroupCount, nowMs, splits: known };
    return manifestOf(checkpoint, { ...job, writtenBy: packageVersion });
  }

  async #commit({ checkpointId, writes }: CheckpointEffect & { kind: 'commit' }): Promise<void> {
    try {
      await this.#options.commit(writes);
    } catch (error) {
      this.#handle({ kind: 'commitFailed', checkpointId, reason: toWire(error).message });
      return;
    }
    if (this.#uncommittedId === checkpointId) this.#uncommittedId = null;
    this.#handle({ kind: 'committed', checkpointId });
  }
}

interface FinishedTask {
  readonly taskId: string;
  readonly source: SourceSnapshot | null;
  readonly write: Json;
}

/** How its barriers go. What is kept for people and for other versions of the job has no rows on their way. */
function wayOf(
  kind: CheckpointKind,
  { mode, alignmentTimeoutMs }: CheckpointOptions,
): Pick<CheckpointTrigger, 'mode' | 'timeoutMs'> {
  if (kind === 'savepoint') return { mode: 'aligned' };
  const turns = mode === 'aligned' && alignmentTimeoutMs !== null;
  return { mode, ...(turns && { timeoutMs: alignmentTimeoutMs }) };
}

type WithoutClock<Event> = Event extends unknown ? Omit<Event, 'epoch' | 'nowMs'> : never;

function checkpointsFailed(reason: string) {
  return typedError('CHECKPOINT_FAILED', `a checkpoint failed: ${reason}`, {
    hint: 'Look at the disk of the folder given by --checkpoint-dir; the job goes on from the last complete one.',
  });
}
