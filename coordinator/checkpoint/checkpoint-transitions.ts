/**
 * All transitions of one checkpoint, in one table: `docs/states.md` prints it, and a test holds the step function to it
 * in both directions (nothing else happens, and each row does).
 *
 * Before: coordinator/checkpoint/checkpoint-state.ts.
 */
import type { CheckpointEffect, CheckpointEvent } from './attempt-checkpoints.ts';
import type { CheckpointOutcome } from './checkpoint-history.ts';
import type { CheckpointPhase } from './pending-checkpoint.ts';

export interface CheckpointTransition {
  readonly from: 'none' | CheckpointPhase;
  readonly on: CheckpointEvent['kind'] | 'attempt ends';
  readonly to: CheckpointPhase | CheckpointOutcome;
  readonly effect: '' | CheckpointEffect['kind'];
  readonly when: string;
}

type Row = readonly [CheckpointTransition['to'], CheckpointTransition['effect'], string];
type Rows = Partial<Record<CheckpointTransition['on'], readonly Row[]>>;

const room: Row = ['collecting', 'trigger', 'another one has ended, and the next one is due'];
const abandoned: readonly Row[] = [['abandoned', '', '']];
const givenUp: readonly Row[] = [
  ['abandoned', 'discard', 'they go on from the newest complete one'],
];

const rowsOf: Readonly<Record<CheckpointTransition['from'], Rows>> = {
  none: {
    tick: [['collecting', 'trigger', 'the interval is over, so is the pause, and there is room']],
    savepoint: [['collecting', 'trigger', 'at once']],
    tasksRestarted: [['collecting', 'trigger', 'the interval has been over meanwhile']],
    taskFinished: [
      ['writing', 'writeManifest', 'it was the last task: the final one'],
      ['collected', '', 'the final one, while another is being written'],
    ],
    decline: [room],
    written: [room],
    writeFailed: [room],
    committed: [room],
  },
  collecting: {
    ack: [
      ['writing', 'writeManifest', 'it was the last answer'],
      ['collected', '', 'it was the last answer, and another one is being written'],
    ],
    taskFinished: [
      ['writing', 'writeManifest', 'the end of a task is an answer, and it was the last'],
      ['collected', '', 'the same, and another one is being written, or the final one comes next'],
    ],
    decline: [['declined', 'discard', 'what was prepared for it waits for the next one']],
    tick: [['expired', 'discard', 'not all tasks have answered in time']],
    tasksFailed: givenUp,
    'attempt ends': abandoned,
  },
  collected: {
    written: [
      ['writing', 'writeManifest', 'its turn'],
      ['subsumed', 'discard', 'the one that was written is newer'],
    ],
    writeFailed: [['writing', 'writeManifest', 'its turn']],
    tasksFailed: givenUp,
    'attempt ends': abandoned,
  },
  writing: {
    written: [
      ['committing', 'commit', 'it is in the log'],
      ['complete', '', 'it is in the log, and the one before is still being committed'],
    ],
    writeFailed: [['failed', 'discard', 'it is not in the log, and never will be']],
    'attempt ends': abandoned,
  },
  complete: {
    committed: [['committing', 'commit', 'the one before it was committed']],
    'attempt ends': abandoned,
  },
  committing: {
    committed: [['committed', '', '']],
    'attempt ends': abandoned,
  },
};

export const checkpointTransitions: readonly CheckpointTransition[] = Object.entries(
  rowsOf,
).flatMap(([from, rows]) =>
  Object.entries(rows).flatMap(([on, list]) =>
    list.map(([to, effect, when]) => ({
      from: from as CheckpointTransition['from'],
      on: on as CheckpointTransition['on'],
      ...{ to, effect, when },
    })),
  ),
);
