/** Which streams of a graph have no end: those of sources that have none, and all that is made of them. */
import type { LogicalNode } from './logical-graph.ts';

/** The ids of such nodes. @param nodes - Of a graph: inputs come before who reads them. */
export function unboundedNodes(nodes: readonly LogicalNode[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of nodes) {
    const isSource = node.kind === 'source' && node.source.isUnbounded === true;
    if (isSource || node.inputs.some((id) => found.has(id))) found.add(node.id);
  }
  return found;
}
