/**
 * A job of a cluster, as who asks for it sees it: how far it is, what it waits for, and the questions that any job answers.
 *
 * Before: coordinator/cluster/client-service.ts. After: coordinator/job/job-service.ts, coordinator/cluster/cluster-job.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { typedError } from '../../base/typed-error.ts';
import type { SavedJob } from '../job/job-handle.ts';
import {
  type JobControl,
  JobService,
  type ServedJob,
  type ServedProgress,
} from '../job/job-service.ts';
import type { ClusterJob as DescribedJob, WatchAnswer } from '../protocol/clients.ts';
import type { JobPhase } from '../protocol/jobs.ts';
import { textOfReason, type WaitReason } from '../scheduler/queue-reasons.ts';
import type { ClusterJob } from './cluster-job.ts';

type ServedEnv = Pick<Env, 'clock' | 'timers'>;

export class ServedClusterJob {
  readonly service: JobService;
  readonly #env: ServedEnv;
  readonly #job: ClusterJob;
  #endedMs: number | null = null;

  constructor(env: ServedEnv, job: ClusterJob) {
    this.#env = env;
    this.#job = job;
    this.service = new JobService(env, this.#served());
    void job.done.then(() => {
      this.#endedMs = env.clock.mono();
      this.service.close();
    });
  }

  describe(reasonOf: (key: string) => WaitReason | null): DescribedJob {
    const { submission, jobId: id, workerIds: workers, epoch } = this.#job;
    const { namespace, priority, parallelism: slots } = submission;
    const reason = this.#reason(reasonOf);
    return { ...this.service.describe(), id, namespace, priority, slots, epoch, workers, reason };
  }

  watch(reasonOf: (key: string) => WaitReason | null): WatchAnswer {
    const { handle, outcome } = this.#job;
    const { id, name, seconds, epoch, workers, reason, phase } = this.describe(reasonOf);
    const { phase: _, ...progress } = handle?.progress() ?? { phase: null };
    return {
      job: { id, name, seconds, epoch, workers, reason, phase },
      progress: 'share' in progress ? progress : null,
      outcome,
    };
  }

  /** What it waits for, or why its last attempt ended. */
  #reason(reasonOf: (key: string) => WaitReason | null): string | null {
    const { waitingKey, handle, outcome } = this.#job;
    if (outcome !== null) return outcome.error?.message ?? null;
    const waitsFor = waitingKey === null ? null : reasonOf(waitingKey);
    if (waitsFor !== null) return textOfReason(waitsFor);
    if (this.#phase() !== 'restarting') return null;
    return handle?.saved?.restarts().last.at(-1)?.message ?? null;
  }

  #served(): ServedJob {
    const { submission } = this.#job;
    return {
      ...{ name: submission.graph.jobName, file: submission.bundle, processId: null },
      progress: () => this.#progress(),
      cancel: (reason) => this.#job.cancel(reason),
      control: this.#control(),
    };
  }

  #progress(): ServedProgress {
    const { handle, outcome } = this.#job;
    const seconds = ((this.#endedMs ?? this.#env.clock.mono()) - this.#job.sinceMs) / 1000;
    const { rowsIn, bytesIn, rowsOut, deadLetters } = handle?.progress() ??
      outcome?.totals ?? { rowsIn: 0, bytesIn: 0, rowsOut: 0, deadLetters: 0 };
    const share = outcome?.status === 'finished' ? 1 : (handle?.progress().share ?? 0);
    return { phase: this.#phase(), seconds, rowsIn, bytesIn, rowsOut, deadLetters, share };
  }

  #phase(): JobPhase {
    const { handle, outcome, waitingKey } = this.#job;
    if (outcome !== null) return outcome.status;
    if (handle === null) return waitingKey === null ? 'starting' : 'queued';
    const { phase } = handle.progress();
    if (phase === 'running') return waitingKey === null ? phase : 'restarting';
    if (phase === 'preparing') return 'starting';
    // An attempt that has ended where the job has not: the next one is on its way.
    return phase === 'committing' || phase === 'stopping' ? phase : 'restarting';
  }

  #control(): JobControl {
    const job = this.#job;
    const handleOf = () => {
      if (job.handle === null) throw notYet(job.jobId);
      return job.handle;
    };
    return {
      jobId: job.jobId,
      get isStopping() {
        return job.outcome === null && job.isStopping;
      },
      inspect: async () => (await job.handle?.inspect()) ?? null,
      stateOf: async (operator, key) => await handleOf().stateOf(operator, key),
      saved: (): SavedJob => {
        const { saved } = handleOf();
        if (saved === null) throw noCheckpoints(job.submission.graph.jobName);
        return saved;
      },
    };
  }
}

function notYet(jobId: string) {
  return typedError('JOB_NOT_RUNNING', `job "${jobId}" has no tasks yet`, {
    hint: 'It waits for its slots, or is being planned: millrace status says which.',
  });
}

function noCheckpoints(name: string) {
  return typedError('JOB_HAS_NO_CHECKPOINTS', `job "${name}" makes no checkpoints`, {
    hint: 'Submit it with --checkpoint-dir FOLDER. millrace cancel ends it as it is.',
  });
}
