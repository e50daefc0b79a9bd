/** Wrong parts of a job whose regions are started again alone: the simulation must notice each. */
import { stepCheckpoints } from '../../coordinator/checkpoint/checkpoint-state.ts';
import { JobMaster } from '../../coordinator/job/job-master.ts';
import { type JobState, stepJob } from '../../coordinator/job/job-state.ts';
import { stateOf } from '../../coordinator/job/running-job.ts';
import { FixedSplits } from '../../coordinator/scheduler/split-assigner.ts';
import type { CheckpointPlant } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import { Executor } from '../../worker/executor.ts';
import { patched } from './checkpoint-plants.ts';

export interface RegionMistake {
  readonly plant?: CheckpointPlant;
  /** Exchanges methods of classes; answers with what puts the right ones back. */
  readonly patch?: () => () => void;
}

/** The worker says that tasks are gone, and they go on: as if it had slept. */
export function tasksGoOn(): () => void {
  return patched(Executor.prototype, 'stopTasks', () => () => Promise.resolve());
}

function oldAttemptsCount(): () => void {
  const later = [0, 1, 2, 3];
  const undo = [
    tasksGoOn(),
    patched(
      JobMaster.prototype,
      'checkpointTask',
      (original) =>
        function (this: JobMaster, report) {
          for (const more of later) {
            original.call(this, { ...report, attempt: report.attempt + more });
          }
        },
    ),
    patched(
      JobMaster.prototype,
      'finishTask',
      (original) =>
        function (this: JobMaster, task) {
          for (const more of later) original.call(this, { ...task, attempt: task.attempt + more });
        },
    ),
  ];
  return () => {
    for (const one of undo) one();
  };
}

/** Every region that runs goes back to the checkpoint with the one that has failed. */
const othersGoBack: typeof stepJob = (state, event) => {
  const first = stepJob(state, event);
  if (event.kind !== 'restartRegion') return first;
  let next = first;
  for (const { taskId, attempt } of running(first.state)) {
    const more = stepJob(next.state, { kind: 'restartRegion', taskId, attempt });
    next = { state: more.state, effects: [...next.effects, ...more.effects] };
  }
  return next;
};

function running(state: JobState): { readonly taskId: string; readonly attempt: number }[] {
  if (state.kind !== 'running') return [];
  const { run } = state;
  return run.plan.regions.flatMap(({ id, taskIds: [taskId = ''] }) =>
    stateOf(run, id).attempts.map(({ number: attempt }) => ({ taskId, attempt })),
  );
}

export const regionMistakes: Readonly<Record<string, RegionMistake>> = {
  'the region that is well goes back to the checkpoint, too': { plant: { step: othersGoBack } },
  "what the old attempt of a region says is taken for the new one's": { patch: oldAttemptsCount },
  'rows that a region has prepared behind the checkpoint are committed': {
    plant: {
      stepCheckpoints: (state, event, options) => {
        const step = stepCheckpoints(state, event, options);
        if (event.kind !== 'tasksFailed') return step;
        return { ...step, state: { ...step.state, writes: state.writes } };
      },
    },
  },
  'rows that others have prepared are dropped with those of the region': {
    plant: {
      stepCheckpoints: (state, event, options) => {
        const step = stepCheckpoints(state, event, options);
        if (event.kind !== 'tasksFailed') return step;
        return { ...step, state: { ...step.state, writes: [] } };
      },
    },
  },
  'a region reads again from where the attempt began': {
    patch: () => patched(FixedSplits.prototype, 'restart', () => () => undefined),
  },
};
