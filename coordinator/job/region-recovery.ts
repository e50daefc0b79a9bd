/**
 * What regions of a job with checkpoints need to go on alone from the newest complete one: whether they may, and everything
 * made ready for their tasks.
 *
 *     may they?   the failure may pass · there are other regions · their sinks take others in · the restart strategy allows it
 *     ready       nobody has taken over ─▶ splits given again ─▶ what sinks have written behind it removed
 *
 * Where they may not, the whole attempt fails, and the next one goes on from the checkpoint (job-attempts.ts).
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/job/region-restart.ts, coordinator/job/job-checkpoints.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { toWire, typedError, type WireError } from '../../base/typed-error.ts';
import type { DeployedCheckpoints } from '../protocol.ts';
import type { JobCheckpoints } from './job-checkpoints.ts';
import { type JobRestarts, mayRestart } from './job-restarts.ts';
import type { JobSinks } from './job-sinks.ts';
import type { JobSources } from './job-sources.ts';
import { type RunningJob, regionOf, stateOf } from './running-job.ts';

export interface RegionRecoveryParts {
  readonly jobId: string;
  readonly checkpoints: JobCheckpoints;
  readonly sources: JobSources;
  readonly sinks: JobSinks;
  readonly restarts: JobRestarts;
  /** The restart strategy's delay is over. */
  readonly onDue: () => void;
}

export class RegionRecovery {
  readonly #env: Pick<Env, 'timers' | 'observe'>;
  readonly #parts: RegionRecoveryParts;
  /** By task: what it goes on from, where that is not what the attempt began with. */
  readonly #deployed = new Map<string, DeployedCheckpoints>();
  #cancelDelay: () => void = () => undefined;

  constructor(env: Pick<Env, 'timers' | 'observe'>, parts: RegionRecoveryParts) {
    this.#env = env;
    this.#parts = parts;
  }

  /**
   * Whether the region of a task that has failed is to go on alone; the delay begins, unless it goes on with others.
   * Null, or else what the whole attempt fails with.
   */
  refusal(run: RunningJob, taskId: string, error: WireError): WireError | null {
    const { jobId, checkpoints, sinks, restarts, onDue } = this.#parts;
    const { id: regionId, taskIds } = regionOf(run, taskId);
    // Their files were not looked into, as those of a whole job are: there may be an older checkpoint that is whole.
    if (error.code === 'SNAPSHOT_DAMAGED' && stateOf(run, regionId).attemptCount > 1) {
      return toWire(unreadable(error));
    }
    const isAlone = run.plan.regions.length === 1;
    if (isAlone || !mayRestart(error) || checkpoints.isDraining || !sinks.canRestart(taskIds)) {
      return error;
    }
    const event = { jobId, regionId, code: error.code };
    if (run.restart !== null) {
      this.#env.observe.event('region.restarting', event);
      restarts.join(taskIds);
      return null;
    }
    const { delayMs } = restarts.next(error, taskIds);
    if (delayMs === null) return error;
    this.#env.observe.event('region.restarting', { ...event, delayMs });
    this.#cancelDelay = this.#env.timers.after(delayMs, onDue);
    return null;
  }

  /** What tasks that are gone have left is as the newest checkpoint has it. @throws CHECKPOINT_FENCED, and errors of sinks */
  async prepare(taskIds: readonly string[]): Promise<void> {
    const { checkpoints, sources, sinks } = this.#parts;
    const { deployed, sources: snapshots } = await checkpoints.restorePoint(taskIds);
    sources.restart(snapshots);
    await sinks.restart(taskIds);
    for (const taskId of taskIds) this.#deployed.set(taskId, deployed);
  }

  /** What tasks of a region are told of checkpoints. */
  deployedOf([taskId = '']: readonly string[]): DeployedCheckpoints {
    return this.#deployed.get(taskId) ?? this.#parts.checkpoints.deployed;
  }

  stop(): void {
    this.#cancelDelay();
  }
}

function unreadable(error: WireError) {
  const message = `a part of the newest checkpoint can not be read again: ${error.message}`;
  return typedError('CHECKPOINT_FAILED', message, {
    hint: 'The job goes on from an older checkpoint that is whole, where there is one. Look at the disk.',
    cause: error,
  });
}
