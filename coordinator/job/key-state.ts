/**
 * The state of one key, as the tasks of an operator answer it. All of them are asked: which one owns the key
 * follows from a hash of the key's column in its own type, and both are the task's. The others answer that they
 * have none of it. An aggregate in two phases has a key in several tasks.
 *
 * Before: coordinator/job/job-master.ts. After: cli/commands/state.ts.
 */
import { nearestName } from '../../base/nearest-name.ts';
import { fromWire, type TypedError, typedError } from '../../base/typed-error.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { OperatorSpec, PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { TaskAnswer } from '../protocol.ts';

/** What one task has of a key. */
export interface KeyStatePart {
  readonly taskId: string;
  readonly value: Json;
}

export interface KeyState {
  /** One, or, of aggregates in two phases, also what tasks of the first one have not sent on yet. */
  readonly parts: readonly KeyStatePart[];
}

/**
 * The operator of that id, or of that name.
 *
 * @throws OPERATOR_NOT_FOUND
 */
export function findOperator(graph: PhysicalGraph, given: string): OperatorSpec {
  const all = graph.vertices.flatMap(({ chain }) => chain);
  const found = all.find(({ id }) => id === given) ?? all.find(({ name }) => name === given);
  if (found !== undefined) return found;
  const names = [...new Set(all.flatMap(({ id, name }) => [id, name]))];
  const nearest = nearestName(given, names);
  const meant = nearest === null ? '' : `Did you mean "${nearest}"? `;
  const ids = [...new Set(all.map(({ id }) => `"${id}"`))].join(', ');
  throw typedError('OPERATOR_NOT_FOUND', `job "${graph.jobName}" has no operator "${given}"`, {
    hint: `${meant}Its operators are ${ids}.`,
  });
}

/**
 * What the tasks have of the key; null when none has any.
 *
 * @throws OPERATOR_HAS_NO_STATE, STATE_NOT_ANSWERED, and what the operator says to the key.
 */
export function keyStateOf(operator: string, answers: readonly TaskAnswer[]): KeyState | null {
  const failed = answers.find(({ error }) => error !== null)?.error ?? null;
  if (failed !== null) throw fromWire(failed);
  const parts = answers.flatMap(({ taskId, state }): KeyStatePart[] => {
    return state?.isHere ? [{ taskId, value: state.value }] : [];
  });
  if (parts.length > 0) return { parts };
  const silent = answers.filter(({ hasAnswered }) => !hasAnswered);
  const keeps = answers.some(({ state }) => state?.keepsState);
  if (silent.length > 0) throw notAnswered(operator, silent);
  if (!keeps) throw noState(operator);
  return null;
}

function notAnswered(operator: string, silent: readonly TaskAnswer[]): TypedError {
  const names = silent.map(({ taskId }) => `"${taskId}"`).join(', ');
  return typedError('STATE_NOT_ANSWERED', `operator "${operator}": no answer of task ${names}`, {
    hint: 'Its thread is busy in one call, of a user function say. Ask again; millrace why says what it does.',
    retryable: true,
  });
}

function noState(operator: string): TypedError {
  return typedError('OPERATOR_HAS_NO_STATE', `operator "${operator}" keeps no state by key now`, {
    hint: 'State can be read of operators that keep it by key, such as process, while their tasks run.',
  });
}
