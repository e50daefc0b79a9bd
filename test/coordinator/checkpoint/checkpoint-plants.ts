/** Mistakes in the rules of checkpoints, one each, that the judge of checkpoint-world.ts must notice. */
import type {
  CheckpointEffect,
  CheckpointEvent,
  CheckpointStep,
  CheckpointsState,
} from '../../../coordinator/checkpoint/attempt-checkpoints.ts';
import type { CheckpointOptions } from '../../../coordinator/checkpoint/checkpoint-options.ts';
import { stepCheckpoints } from '../../../coordinator/checkpoint/checkpoint-state.ts';
import type { PreparedWrite } from '../../../coordinator/checkpoint/pending-checkpoint.ts';
import type { Step } from './checkpoint-world.ts';

type Around = (
  step: CheckpointStep,
  before: CheckpointsState,
  event: CheckpointEvent,
) => CheckpointStep;

/** The rules, with something done to what they answer. */
function after(around: Around): Step {
  return (state, event, options) => around(stepCheckpoints(state, event, options), state, event);
}

/** The rules, with something done to what they are told. */
function before(
  change: (event: CheckpointEvent, state: CheckpointsState) => CheckpointEvent,
): Step {
  return (state, event, options) => stepCheckpoints(state, change(event, state), options);
}

function onEffects(change: (effect: CheckpointEffect) => readonly CheckpointEffect[]): Step {
  return after(({ state, effects }) => ({ state, effects: effects.flatMap(change) }));
}

function onWrites(change: (writes: readonly PreparedWrite[]) => readonly PreparedWrite[]): Step {
  return onEffects((effect) =>
    effect.kind === 'commit' ? [{ ...effect, writes: change(effect.writes) }] : [effect],
  );
}

/** As if it had never been told of what the event kept. */
function withoutWrites(kind: CheckpointEvent['kind']): Step {
  return before((event) => {
    if (event.kind !== kind) return event;
    if (event.kind === 'decline') return { ...event, prepared: null };
    if (event.kind !== 'ack' && event.kind !== 'taskFinished') return event;
    return { ...event, snapshot: { ...event.snapshot, prepared: null } };
  });
}

/** Mistakes that are made with what a checkpoint leaves behind when it ends so. */
function forgetsAfter(outcome: string): Step {
  return after((step, old) => {
    const last = step.state.history.ended.at(-1);
    const isNew = last !== undefined && !old.history.ended.includes(last);
    if (!isNew || last.outcome !== outcome) return step;
    const writes = step.state.writes.filter(({ checkpointId }) => checkpointId > last.checkpointId);
    return { ...step, state: { ...step.state, writes } };
  });
}

/** Mistakes that are made when tasks have failed. */
function onTasksFailed(
  change: (state: CheckpointsState, old: CheckpointsState) => CheckpointsState,
): Step {
  return after((step, old, event) =>
    event.kind === 'tasksFailed' ? { ...step, state: change(step.state, old) } : step,
  );
}

/** An answer that comes when its checkpoint has ended is taken for one without meaning. */
function forgetsLateAnswers(
  state: CheckpointsState,
  event: CheckpointEvent,
  options: CheckpointOptions,
) {
  const isLate =
    event.kind === 'ack' && !state.checkpoints.some(({ id }) => id === event.checkpointId);
  return isLate ? { state, effects: [] } : stepCheckpoints(state, event, options);
}

export const plants: Readonly<Record<string, Step>> = {
  commitBeforeComplete: onEffects((effect) =>
    effect.kind === 'writeManifest'
      ? [{ kind: 'commit', checkpointId: effect.checkpointId, writes: effect.writes }, effect]
      : [effect],
  ),
  missedEpoch: before((event, { epoch }) => ({ ...event, epoch })),
  declineLosesWrites: withoutWrites('decline'),
  endLosesWrites: withoutWrites('taskFinished'),
  abortLosesWrites: forgetsAfter('declined'),
  timeoutLosesWrites: forgetsAfter('expired'),
  failedManifestLosesWrites: forgetsAfter('failed'),
  lateAnswersLost: forgetsLateAnswers,
  committedTwice: onEffects((effect) => (effect.kind === 'commit' ? [effect, effect] : [effect])),
  committedBackwards: onWrites((writes) => writes.toReversed()),
  lastWriteForgotten: onWrites((writes) => writes.slice(0, -1)),
  /** The manifest names only what is new: what is being committed is lost when the process is. */
  manifestOfNewWritesOnly: after((step, { checkpoints }) => {
    const known = new Set(checkpoints.flatMap(({ writes }) => writes));
    const effects = step.effects.map((effect) =>
      effect.kind === 'writeManifest'
        ? { ...effect, writes: effect.writes.filter((write) => !known.has(write)) }
        : effect,
    );
    return { state: step.state, effects };
  }),
  endedTasksLeftOut: onEffects((effect) =>
    effect.kind === 'writeManifest'
      ? [
          {
            ...effect,
            snapshots: effect.snapshots.filter(({ source }) => source !== null).slice(1),
          },
        ]
      : [effect],
  ),
  endBeforeCommit: after((step) => {
    const isFinal = step.effects.some(
      (effect) => effect.kind === 'writeManifest' && effect.checkpointKind === 'final',
    );
    return isFinal ? { ...step, effects: [...step.effects, { kind: 'end' }] } : step;
  }),
  repeatedAnswersCount: (state, event, options) => {
    if (event.kind !== 'ack' || event.epoch !== state.epoch) {
      return stepCheckpoints(state, event, options);
    }
    const tasks = new Map(state.tasks);
    const task = tasks.get(event.snapshot.taskId);
    if (task !== undefined) tasks.set(event.snapshot.taskId, { ...task, answeredId: 0 });
    return stepCheckpoints({ ...state, tasks }, event, options);
  },
  /** Others are made behind the savepoint that the attempt ends with. */
  haltForgotten: (state, event, options) => {
    const ending = state.ending?.kind === 'halt' ? null : state.ending;
    const step = stepCheckpoints({ ...state, ending }, event, options);
    if (step.state.isOver || step.state.ending !== null) return step;
    return { ...step, state: { ...step.state, ending: state.ending } };
  },
  haltedForEver: onEffects((effect) => (effect.kind === 'orderSources' ? [] : [effect])),
  drainUnanswered: onEffects((effect) =>
    effect.kind === 'answer' && effect.failure === null && effect.checkpointId > 0 ? [] : [effect],
  ),
  savepointUnanswered: onEffects((effect) => (effect.kind === 'answer' ? [] : [effect])),
};

/** Mistakes with tasks that are started again alone. */
export const restartPlants: Readonly<Record<string, Step>> = {
  writesOfFailedTasksKept: onTasksFailed((step, old) => ({ ...step, writes: old.writes })),
  writesOfOthersDropped: onTasksFailed((step) => ({ ...step, writes: [] })),
  failedTasksHaveASay: (state, event, options) => {
    const { restart } = state;
    const isAnswer =
      event.kind === 'ack' || event.kind === 'decline' || event.kind === 'taskFinished';
    if (restart === null || !isAnswer) return stepCheckpoints(state, event, options);
    const step = stepCheckpoints({ ...state, restart: null }, event, options);
    return { ...step, state: { ...step.state, restart } };
  },
  /** What they go on from is asked for while a newer one is being written. */
  quietTooEarly: after((step, _, event) =>
    event.kind === 'tasksFailed' && step.state.checkpoints.length > 0
      ? { ...step, effects: [...step.effects, { kind: 'quiet' }] }
      : step,
  ),
  /** The end that a task came to in its first life counts for its second. */
  endOfFailedTasksKept: onTasksFailed((step, old) => ({ ...step, tasks: old.tasks })),
  neverQuiet: onEffects((effect) => (effect.kind === 'quiet' ? [] : [effect])),
};
