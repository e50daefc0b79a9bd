/**
 * The part of the coordinator that looks after one job: it feeds `stepJob` with what happens and
 * carries out the effects. It owns the job's sources, sinks and checkpoints (job-sources.ts, job-sinks.ts,
 * job-checkpoints.ts); data never comes here. It is one attempt of the job, and ends with it.
 *
 * Before: coordinator/scheduler/placement.ts. After: worker/executor.ts.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { Env } from '../../base/env/env.ts';
import { toWire, type WireError } from '../../base/typed-error.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { AdaptiveOptions } from '../adaptive/adaptive-options.ts';
import type {
  JobModule,
  JobRef,
  Question,
  SplitAnswer,
  TaskAnswer,
  TaskAttemptRef,
  TaskCheckpointed,
  TaskCounters,
  TaskFailed,
  TaskFinished,
} from '../protocol.ts';
import { slotWeightsOf } from '../scheduler/placement.ts';
import type { Region } from '../scheduler/regions.ts';
import { stragglersOf } from '../scheduler/stragglers.ts';
import { type CheckpointsView, noCheckpoints } from './checkpoints-view.ts';
import { connectorLookup } from './connector-lookup.ts';
import { type CheckpointSetup, JobCheckpoints } from './job-checkpoints.ts';
import { inspectTasks, type JobInspection } from './job-inspection.ts';
import { JobMetrics } from './job-metrics.ts';
import type { JobOutcome, JobProgress } from './job-outcome.ts';
import type { JobRestarts } from './job-restarts.ts';
import { JobSinks } from './job-sinks.ts';
import { JobSources } from './job-sources.ts';
import {
  initialJobState,
  type JobEffect,
  type JobEvent,
  type JobState,
  stepJob,
} from './job-state.ts';
import { findOperator, type KeyState, keyStateOf } from './key-state.ts';
import { RegionPaces } from './region-paces.ts';
import { RegionRecovery } from './region-recovery.ts';
import { runPlanOf } from './run-plan.ts';
import {
  liveAttempt,
  type PrepareRegions,
  type RegionEffect,
  type RunningJob,
  type RunPlan,
  regionOf,
  stateOf,
  writesOf,
} from './running-job.ts';
import type { Savepoint, SavepointRequest } from './savepoint-requests.ts';
import { type StageTotals, shareDone, stageTotals } from './stage-totals.ts';
import type { TaskHost } from './task-host.ts';

export interface JobMasterOptions extends JobRef {
  readonly graph: PhysicalGraph;
  readonly module: JobModule;
  readonly host: TaskHost;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Whether tasks that are slow get a copy. @defaultValue true */
  readonly speculates?: boolean;
  /** By what sizes the plan may be changed while the job runs; null when it may not. @defaultValue null */
  readonly adaptive?: AdaptiveOptions | null;
  /** Whether its tasks may never end, so that all have to run at once. @defaultValue whether it has checkpoints */
  readonly isStream?: boolean;
  /** Null in a job without checkpoints. @defaultValue null */
  readonly checkpoints?: CheckpointSetup | null;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepJob */
  readonly step?: typeof stepJob;
}

export class JobMaster {
  readonly done: Promise<JobOutcome>;
  /** Those of its job are asked for of all attempts together (job-attempts.ts). */
  readonly saved = null;
  readonly #env: Env;
  readonly #options: JobMasterOptions;
  readonly #metrics: JobMetrics;
  readonly #paces: RegionPaces;
  readonly #sources: JobSources;
  readonly #sinks: JobSinks;
  readonly #checkpoints: JobCheckpoints | null;
  /** Null where nobody counts failures, or there are no checkpoints: then a task that fails is the end of the attempt. */
  readonly #recovery: RegionRecovery | null;
  readonly #resolveDone: (outcome: JobOutcome) => void;
  #state: JobState = initialJobState;
  /** As the job runs, or as it ran last. */
  #run: RunningJob | null = null;
  #isDeployed = false;
  readonly #started = Promise.withResolvers<void>();
  #preparation: Promise<void> = Promise.resolve();

  constructor(env: Env, options: JobMasterOptions) {
    this.#env = env;
    this.#options = options;
    this.#metrics = new JobMetrics(options.graph);
    const checkpoints = options.checkpoints ?? null;
    const parts = {
      graph: options.graph,
      connectors: connectorLookup(options.connectors),
      context: {
        ...{ disk: env.disk, clock: env.clock, timers: env.timers },
        attemptId: `${options.jobId}-${options.epoch}`,
      },
    };
    this.#sources = new JobSources(env, {
      ...parts,
      restored: checkpoints?.restored?.sources ?? null,
      onSkipped: (skipped) => this.#metrics.addSkipped(skipped),
      onFailure: (error) => this.fail(toWire(error)),
    });
    this.#sinks = new JobSinks({ ...parts, checkpoints });
    this.#checkpoints = checkpoints && this.#newCheckpoints(checkpoints);
    this.#recovery = this.#newRecovery(checkpoints?.restarts);
    this.#paces = new RegionPaces(() => env.clock.mono());
    const { promise, resolve } = Promise.withResolvers<JobOutcome>();
    this.done = promise;
    this.#resolveDone = resolve;
  }

  get jobId(): string {
    return this.#options.jobId;
  }

  /** Number of this attempt. */
  get epoch(): number {
    return this.#options.epoch;
  }

  /** Parallelism that it was planned for. */
  get parallelism(): number {
    return this.#options.graph.parallelism;
  }

  /** Resolves when its first tasks have been handed to their worker, or it has ended before. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  start(): void {
    this.#preparation = this.#prepare();
    this.#preparation.then(
      () => this.#prepared(),
      (error) => this.fail(toWire(error)),
    );
  }

  #prepared(): void {
    this.#handle({ kind: 'prepared', plan: this.#plan() });
    if (this.#state.kind === 'running') this.#checkpoints?.start();
  }

  cancel(reason: string): void {
    this.#handle({ kind: 'cancel', reason });
  }

  fail(error: WireError): void {
    this.#handle({ kind: 'failed', error });
  }

  finishTask({ metrics, source, ...task }: Omit<TaskFinished, keyof JobRef>): void {
    if (!this.#isLive(task)) return;
    this.updateMetrics([metrics]);
    this.#checkpoints?.finishTask({ ...task, source });
    this.#handle({ kind: 'taskFinished', ...task });
    if (this.#run === null) return;
    const { id } = regionOf(this.#run, task.taskId);
    if (stateOf(this.#run, id).done?.number === task.attempt) this.#paces.finish(id, task.attempt);
  }

  failTask({ taskId, attempt, error }: Omit<TaskFailed, keyof JobRef>): void {
    const { jobId, epoch, host } = this.#options;
    this.#env.observe.event('task.failed', { jobId, epoch, taskId, attempt, code: error.code });
    host.taskFailed?.({ jobId, epoch, taskId, attempt, error });
    if (this.#checkpoints === null) this.#handle({ kind: 'taskFailed', taskId, attempt, error });
    else this.#failCheckpointed(this.#checkpoints, { taskId, attempt, error });
  }

  /** Its region goes on from the newest checkpoint; where it can't alone, that is another attempt of the job. */
  #failCheckpointed(
    checkpoints: JobCheckpoints,
    { taskId, attempt, error }: Omit<TaskFailed, keyof JobRef>,
  ): void {
    const state = this.#state;
    if (state.kind !== 'running' || !this.#isLive({ taskId, attempt })) return;
    const refusal =
      this.#recovery === null ? error : this.#recovery.refusal(state.run, taskId, error);
    if (refusal !== null) {
      this.fail(refusal);
      return;
    }
    this.#handle({ kind: 'restartRegion', taskId, attempt });
    const { taskIds } = regionOf(state.run, taskId);
    checkpoints.failTasks(taskIds, `task "${taskId}" has failed: ${error.message}`);
  }

  /** Whether that attempt of a task counts: of one that is gone, or on its way out, nothing does. */
  #isLive({ taskId, attempt }: Omit<TaskAttemptRef, keyof JobRef>): boolean {
    const state = this.#state;
    if (state.kind !== 'running') return false;
    return liveAttempt(stateOf(state.run, regionOf(state.run, taskId).id), attempt) !== null;
  }

  /** A task's part of a checkpoint is on disk, or can't be. */
  checkpointTask(report: TaskCheckpointed): void {
    if (this.#isLive(report)) this.#checkpoints?.report(report);
  }

  /** Counters of attempts that are on their way out, or gone, count no more. */
  updateMetrics(tasks: readonly TaskCounters[]): void {
    const state = this.#state;
    if (state.kind !== 'running') return;
    this.#metrics.update(tasks.filter((task) => this.#isLive(task)));
    if (this.#options.speculates !== false) this.#copyStragglers(state.run);
  }

  /** The next split for a task; the vertex of the task has one source. */
  requestSplit({ taskId, attempt }: Omit<TaskAttemptRef, keyof JobRef>): SplitAnswer {
    if (!this.#isLive({ taskId, attempt })) return { split: null };
    return this.#sources.next(taskId, attempt);
  }

  progress(): JobProgress {
    const stages = this.#stages();
    return {
      phase: this.#state.kind,
      bytesTotal: this.#sources.bytesTotal,
      ...this.#metrics.totals(),
      stages,
      share: shareDone(stages, this.#sources.bytesTotal),
    };
  }

  /** Of this attempt. */
  checkpoints(): CheckpointsView {
    return this.#checkpoints?.view() ?? noCheckpoints;
  }

  /** Of a job with checkpoints. @throws As `JobCheckpoints.savepoint` */
  async savepoint(request: SavepointRequest): Promise<Savepoint> {
    assert(this.#checkpoints !== null, 'savepoints are of jobs with checkpoints');
    const savepoint = await this.#checkpoints.savepoint(request);
    if (request.ending === 'halt') this.#handle({ kind: 'stop' });
    return savepoint;
  }

  /** The job as it is now: asks its tasks, which answer between two slices. */
  async inspect(): Promise<JobInspection> {
    const { jobId } = this.#options;
    const answers = await this.#ask({ kind: 'inspect' });
    const tasks = inspectTasks(this.#graph, answers);
    const atMs = this.#env.clock.mono();
    return { jobId, phase: this.#state.kind, atMs, ...this.#metrics.totals(), tasks };
  }

  /**
   * The state that an operator has for a key; null when it has none.
   *
   * @param operator - Id of a logical operator, or its name.
   * @throws OPERATOR_NOT_FOUND, OPERATOR_HAS_NO_STATE, STATE_NOT_ANSWERED, and what the operator says to the key.
   */
  async stateOf(operator: string, key: string): Promise<KeyState | null> {
    const operatorId = findOperator(this.#options.graph, operator).id;
    return keyStateOf(operator, await this.#ask({ kind: 'stateOf', operatorId, key }));
  }

  async #ask(question: Question): Promise<readonly TaskAnswer[]> {
    const { jobId, epoch, host } = this.#options;
    if (this.#state.kind !== 'running' || !this.#isDeployed) return [];
    return await host.ask({ jobId, epoch, question });
  }

  #plan(): RunPlan {
    const { graph, host, connectors, adaptive = null, isStream = false } = this.#options;
    const runsTogether = isStream || this.#checkpoints !== null;
    return runPlanOf(graph, { slotCount: host.slotCount, connectors, runsTogether, adaptive });
  }

  #copyStragglers(run: RunningJob): void {
    const { regions } = run.plan;
    const taskIdsOf = new Map(regions.map(({ id, taskIds }) => [id, taskIds]));
    const slow = stragglersOf(regions, (id) =>
      this.#paces.paceOf(id, stateOf(run, id), (attempt) =>
        this.#metrics.rowCount(taskIdsOf.get(id) ?? [], attempt),
      ),
    );
    for (const regionId of slow) this.#handle({ kind: 'regionIsSlow', regionId });
  }

  /** As planned, or as it has been changed since. */
  get #graph(): PhysicalGraph {
    return this.#run?.plan.adaptive?.graph ?? this.#options.graph;
  }

  #stages(): StageTotals[] {
    return stageTotals(this.#options.graph, this.#run, this.#metrics.tasks());
  }

  #handle(event: JobEvent): void {
    const { step = stepJob } = this.#options;
    const { state, effects } = step(this.#state, event);
    if (state.kind !== this.#state.kind) {
      this.#env.observe.event('job.state', { jobId: this.#options.jobId, state: state.kind });
    }
    this.#state = state;
    if (state.kind === 'running' || state.kind === 'committing') this.#run = state.run;
    for (const effect of effects) {
      this.#carryOut(effect).catch((error) => this.fail(toWire(error)));
    }
  }

  async #carryOut(effect: JobEffect): Promise<void> {
    switch (effect.kind) {
      case 'deploy':
        return this.#deploy(effect);
      case 'stopAttempt':
        return this.#stopAttempt(effect);
      case 'prepareRegions':
        return this.#prepareRegions(effect);
      case 'commit':
        return this.#commit();
      case 'stopAndAbort':
        return this.#stopAndAbort();
      case 'report':
        return this.#report();
      default:
        return assertNever(effect);
    }
  }

  /** Finds the splits and makes the sinks ready, all beside each other. */
  async #prepare(): Promise<void> {
    const work = [...this.#sources.prepare(), ...this.#sinks.prepare()];
    const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  #newCheckpoints(setup: CheckpointSetup): JobCheckpoints {
    const { jobId, epoch, graph, host } = this.#options;
    return new JobCheckpoints(this.#env, {
      ...{ jobId, epoch, graph, setup },
      splits: () => this.#sources.known(),
      trigger: (trigger) => host.triggerCheckpoint({ jobId, epoch, ...trigger }),
      cancel: (checkpointId) => host.cancelCheckpoint({ jobId, epoch, checkpointId }),
      orderSources: (order) => host.orderSources({ jobId, epoch, order }),
      commit: (writes) => this.#sinks.commit(writes),
      onFailure: (error) => this.fail(error),
      onQuiet: () => this.#handle({ kind: 'checkpointsQuiet' }),
    });
  }

  #newRecovery(restarts: JobRestarts | undefined): RegionRecovery | null {
    if (this.#checkpoints === null || restarts === undefined) return null;
    const { jobId } = this.#options;
    return new RegionRecovery(this.#env, {
      ...{ jobId, checkpoints: this.#checkpoints, restarts },
      ...{ sources: this.#sources, sinks: this.#sinks },
      onDue: () => this.#handle({ kind: 'restartDue' }),
    });
  }

  /** What regions go on from that have failed. */
  async #prepareRegions({ regionIds }: PrepareRegions): Promise<void> {
    await this.#recovery?.prepare(regionIds.flatMap((id) => this.#region(id).taskIds));
    this.#handle({ kind: 'regionsPrepared', regionIds });
  }

  async #deploy({ regionId, attempt }: RegionEffect): Promise<void> {
    const { jobId, epoch, module, host } = this.#options;
    const { run } = this.#runningJob();
    const graph = this.#graph;
    const { inputs, taskIds } = this.#region(regionId);
    const { homes, runsTogether = false } = run.plan;
    this.#paces.start(regionId, attempt);
    this.#keepCounters(regionId);
    const { slots = {}, isCopy = false } = liveAttempt(stateOf(run, regionId), attempt) ?? {};
    const read = inputs.flatMap((input) =>
      this.#region(input).taskIds.map((id) => [id, stateOf(run, input).done?.number ?? 0] as const),
    );
    if (isCopy) this.#env.observe.event('region.copied', { jobId, regionId, attempt });
    this.#isDeployed = true;
    await host.deploy({
      ...{ jobId, epoch, graph, module, attempt, slots },
      inputs: Object.fromEntries(read),
      slotWeights: slotWeightsOf(graph, runsTogether ? homes : slots),
      prepared: this.#sinks.prepared,
      checkpoints: this.#recovery?.deployedOf(taskIds) ?? this.#checkpoints?.deployed ?? null,
    });
    this.#started.resolve();
    const isThere = taskIds.some((taskId) => this.#isLive({ taskId, attempt }));
    if (isThere) this.#checkpoints?.restarted(taskIds);
  }

  async #stopAttempt({ regionId, attempt }: RegionEffect): Promise<void> {
    const { jobId, epoch, host } = this.#options;
    const { taskIds } = this.#region(regionId);
    await host.stopTasks({ jobId, epoch, attempt, taskIds });
    this.#handle({ kind: 'attemptStopped', regionId, attempt });
    this.#keepCounters(regionId);
  }

  /** What attempts count that are gone is forgotten, once there is another one. */
  #keepCounters(regionId: string): void {
    const { plan, regions } = this.#run ?? {};
    const { done, attempts = [] } = regions?.get(regionId) ?? {};
    const kept = [...attempts, ...(done ? [done] : [])].map(({ number }) => number);
    const { taskIds = [] } = plan?.regions.find(({ id }) => id === regionId) ?? {};
    if (kept.length > 0) this.#metrics.keep(taskIds, kept);
  }

  #runningJob(): Extract<JobState, { kind: 'running' }> {
    assert(this.#state.kind === 'running', 'tasks are deployed while the job runs');
    return this.#state;
  }

  #region(regionId: string): Region {
    const region = this.#runningJob().run.plan.regions.find(({ id }) => id === regionId);
    assert(region !== undefined, 'an effect names a region of its job');
    return region;
  }

  /** Of a job with checkpoints the last one does it. */
  async #commit(): Promise<void> {
    assert(this.#state.kind === 'committing', 'writes are committed once, while committing');
    const writes = writesOf(this.#state.run);
    const released = this.#release();
    if (this.#checkpoints === null) await this.#sinks.commit(writes);
    else await this.#checkpoints.ended;
    await released;
    // Somebody may still be given a copy of the last one.
    await this.#checkpoints?.settled();
    await this.#endAttempt('finished');
    this.#handle({ kind: 'committed' });
  }

  /** Stops what runs, then removes what was written; the first reason stays the job's reason. */
  async #stopAndAbort(): Promise<void> {
    await this.#preparation.catch(() => undefined); // Its failure is the reason that is kept.
    this.#checkpoints?.stop();
    this.#recovery?.stop();
    await this.#release();
    const mayAbort = (await this.#checkpoints?.settled()) ?? true;
    if (mayAbort) await this.#sinks.abort((part) => this.#cleanUp(part));
    assert(this.#state.kind === 'stopping', 'what is being cleaned up has stopped');
    await this.#endAttempt(this.#state.reason.kind);
    this.#handle({ kind: 'stopped' });
  }

  /** Notes in the log that the attempt has ended, and how: nobody is at it any more. */
  async #endAttempt(status: JobOutcome['status']): Promise<void> {
    if (this.#checkpoints !== null) await this.#cleanUp(this.#checkpoints.end(status));
  }

  /** Ends what runs, and has the worker remove what it keeps for the job. */
  async #release(): Promise<void> {
    const { jobId, epoch, host } = this.#options;
    if (this.#isDeployed) await this.#cleanUp(host.stop({ jobId, epoch }));
  }

  /** Waits for one part of the clean-up; a part that fails must not keep the others from running. */
  async #cleanUp(part: Promise<void>): Promise<void> {
    try {
      await part;
    } catch (error) {
      const { message } = toWire(error);
      this.#env.observe.event('job.cleanup-failed', { jobId: this.#options.jobId, message });
    }
  }

  #report(): void {
    this.#sources.stop();
    const state = this.#state;
    assert(
      state.kind === 'finished' ||
        state.kind === 'failed' ||
        state.kind === 'cancelled' ||
        state.kind === 'stopped',
      'only an ended job is reported',
    );
    this.#started.resolve();
    this.#resolveDone({
      status: state.kind,
      error: state.kind === 'failed' ? state.error : null,
      totals: this.#metrics.totals(),
      operators: this.#metrics.operators(),
      latency: this.#metrics.latency(),
      counts: this.#metrics.counts(),
      stages: this.#stages(),
      inputCount: this.#sources.inputCount,
    });
  }
}
