/** Which of a task's inputs an operator reads: by the ports of the edges. */
import { hasSecondStream, type OperatorSpec, vertexPorts } from '../plan/physical-graph.ts';
import type { TaskInput } from './task-exchanges.ts';

/** The schema of the operator's second stream, where it has one. */
export function secondStreamOf(spec: OperatorSpec, inputs: readonly TaskInput[]) {
  const second = hasSecondStream(spec) ? inputs.find(isAt(vertexPorts.right)) : undefined;
  return second === undefined ? {} : { right: second.schema };
}

/** What goes through a chain: the rows of port 0, and of the second stream where the first operator has one. */
export function streamsOf(first: OperatorSpec, inputs: readonly TaskInput[]): TaskInput[] {
  if (!hasSecondStream(first)) return inputs.filter(isAt(vertexPorts.rows));
  const isTimeless = first.kind === 'process' && first.control?.timeColumn === null;
  const isRight = isAt(vertexPorts.right);
  return inputs.map((input) => (isRight(input) ? { ...input, isTimeless } : input));
}

/** What comes in at a port. */
export function isAt(wanted: number): (input: TaskInput) => boolean {
  return ({ port = vertexPorts.rows }) => port === wanted;
}
