/** A section of `explain` about a stream: which operators keep something for the next version of the job, and what their ids follow from. */
import { declaredStates } from './declared-state.ts';
import type { IdOrigin, LogicalGraph } from './logical-graph.ts';

const origins: Readonly<Record<IdOrigin, string>> = {
  name: 'id of its name',
  kind: 'id of what it is',
  order: "id of its order: give it one ({ id: '…' }) before others like it come or go",
};

/** Empty where none keeps anything. */
export function explainKept(graph: LogicalGraph): string {
  const declared = declaredStates(graph);
  if (declared.length === 0) return '';
  const width = Math.max(...declared.map(({ operatorId }) => operatorId.length));
  const lines = declared.map(({ operatorId, idOrigin, states }) => {
    const names = states.length === 0 ? '' : `: ${states.map(({ name }) => name).join(', ')}`;
    const origin = idOrigin === null ? 'id as given' : origins[idOrigin];
    return `  ${operatorId.padEnd(width)}  ${origin}${names}\n`;
  });
  return `state of ${graph.jobName}, by operator id\n${lines.join('')}`;
}
