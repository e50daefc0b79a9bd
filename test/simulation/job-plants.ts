/**
 * Wrong parts for a job's run: each is a mistake that a reader might let pass. The simulation must
 * notice every one, so that its silence about the right parts means something.
 */
import type { SyncDisk } from '../../base/env/disk.ts';
import { type JobState, stepJob } from '../../coordinator/job/job-state.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { SinkCommitter } from '../../engine/contracts/sink.ts';
import type { SplitEnumerator } from '../../engine/contracts/source.ts';
import { exchanged } from '../../simulation/checkpoints/watched-task.ts';
import type { JobPlant } from '../../simulation/job-run.ts';
import type { FromSlot } from '../../worker/threads/slot-messages.ts';

type Step = typeof stepJob;

/** The writer's file is opened under the name of the output. */
const writesInPlace = (disk: SyncDisk): SyncDisk =>
  exchanged(disk, {
    open: (path, mode) => disk.open(path.replace(/\/\.(.*)\.[^.]+\.tmp$/, '/$1'), mode),
  });

const withCommitter =
  (change: (committer: SinkCommitter) => Partial<SinkCommitter>) =>
  (connector: Connector): Connector => ({
    ...connector,
    committer: (options, context) => {
      const committer = connector.committer?.(options, context) as SinkCommitter;
      const same: SinkCommitter = {
        prepare: () => committer.prepare(),
        commit: (writes) => committer.commit(writes),
        abort: () => committer.abort(),
      };
      return { ...same, ...change(committer) };
    },
  });

const withSplits =
  (change: <T>(splits: readonly T[]) => readonly T[]) =>
  (connector: Connector): Connector => ({
    ...connector,
    enumerator: (options, context) => {
      const enumerator = connector.enumerator?.(options, context) as SplitEnumerator;
      return {
        async discover(parallelism) {
          const found = await enumerator.discover(parallelism);
          return { ...found, splits: change(found.splits) };
        },
      };
    },
  });

/** The job commits while one task still runs. */
const commitsEarly: Step = (state, event) => {
  const next = stepJob(state, event);
  if (event.kind !== 'taskFinished' || next.state.kind !== 'running') return next;
  const { run } = next.state;
  const regions = [...run.regions.values()];
  const attempts = regions.flatMap((region) => region.attempts);
  const unfinished = attempts.flatMap((attempt) => [...attempt.unfinished]);
  if (regions.some(({ done, attempts: at }) => !done && at.length === 0)) return next;
  if (unfinished.length > 1) return next;
  const early = [...run.regions].map(([id, region]) => {
    const { number = 0, writes = [], partitionBytes = {} } = region.attempts[0] ?? {};
    return [id, { ...region, done: region.done ?? { number, writes, partitionBytes } }] as const;
  });
  const committing = { kind: 'committing', run: { ...run, regions: new Map(early) } } as const;
  return { state: committing, effects: [{ kind: 'commit' }] };
};

/** A job that stops hears of errors that follow from the first one, and reports the last. */
const lastErrorCounts: Step = (state, event) => {
  const isFailure = event.kind === 'failed' || event.kind === 'taskFailed';
  const isFollowUp = isFailure && state.kind === 'stopping';
  if (!isFollowUp || state.reason.kind !== 'failed') return stepJob(state, event);
  const stopping: JobState = { kind: 'stopping', reason: { kind: 'failed', error: event.error } };
  return { state: stopping, effects: [] };
};

/** An error of a task whose input failed looks like any other. */
const followUpError = (message: FromSlot): FromSlot => {
  if (message.kind !== 'taskFailed' || message.error.code !== 'TASK_INPUT_FAILED') return message;
  return { ...message, error: { ...message.error, code: 'INTERNAL_UNEXPECTED' } };
};

/** A cancel that comes while the job commits still makes it a cancelled one. */
const cancelsTooLate: Step = (state, event) => {
  if (state.kind !== 'committing' || event.kind !== 'cancel') return stepJob(state, event);
  const reason = { kind: 'cancelled', reason: event.reason } as const;
  return { state: { kind: 'stopping', reason }, effects: [{ kind: 'stopAndAbort' }] };
};

/** The failure of a task is forgotten, and the job waits for ever. */
const forgetsFailure: Step = (state, event) =>
  (event.kind === 'failed' || event.kind === 'taskFailed') && state.kind === 'running'
    ? { state, effects: [] }
    : stepJob(state, event);

export const jobPlants: Readonly<Record<string, JobPlant>> = {
  'commit before the written file is synced': {
    slotDisk: (disk) => exchanged(disk, { fsync: () => {} }),
  },
  'rename without syncing the folder': {
    disk: (disk) => exchanged(disk, { syncDir: async () => {} }),
  },
  'commit before the last task has finished': { step: commitsEarly },
  'no abort after a failure': { connector: withCommitter(() => ({ abort: async () => {} })) },
  'a split handed out twice': {
    connector: withSplits((splits) => [...splits, ...splits.slice(-1)]),
  },
  'a split not handed out': { connector: withSplits((splits) => splits.slice(1)) },
  'the output written in place': { slotDisk: writesInPlace },
  'errors that only follow from another are told': { fromSlot: followUpError },
  'the last error counts and not the first': { fromSlot: followUpError, step: lastErrorCounts },
  'a failed task is forgotten': { step: forgetsFailure },
  'cancelled while it commits': { step: cancelsTooLate },
  'finished is said before the commit is done': {
    connector: withCommitter((committer) => ({
      async commit(writes) {
        void committer.commit(writes);
      },
    })),
  },
};
