/**
 * What a hosted task answers to a question. A task that can't tell must not end its thread: who asks is a
 * person who looks at a job, and the job goes on.
 *
 * Before: worker/threads/slot-program.ts. After: engine/task/task-report.ts.
 */
import { toWire } from '../../base/typed-error.ts';
import type { Question, StateAnswer } from '../../coordinator/protocol.ts';
import type { Task } from '../../engine/task/task.ts';
import type { SlotAnswer, TaskAttempt } from './slot-messages.ts';

/** The parts of a task that answer. */
interface Asked extends TaskAttempt {
  readonly task: Pick<Task, 'inspect' | 'stateOf' | 'keepsState'>;
}

export function answerOf({ taskId, attempt, task }: Asked, question: Question): SlotAnswer {
  const nothing = { taskId, attempt, report: null, state: null, error: null };
  try {
    return question.kind === 'inspect'
      ? { ...nothing, report: task.inspect() }
      : { ...nothing, state: stateAnswer(task, question) };
  } catch (error) {
    return { ...nothing, error: toWire(error) };
  }
}

function stateAnswer(
  task: Asked['task'],
  { operatorId, key }: Extract<Question, { kind: 'stateOf' }>,
): StateAnswer {
  if (!task.keepsState(operatorId)) return { keepsState: false, isHere: false, value: null };
  const value = task.stateOf(operatorId, key);
  return { keepsState: true, isHere: value !== undefined, value: value ?? null };
}
