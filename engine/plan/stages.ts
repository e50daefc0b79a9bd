/**
 * Stages: the parts of a physical graph that run one after the other. Vertices that are joined by rings
 * are one stage; what a blocking edge carries is complete before a stage behind it starts.
 *
 *     v1 ═ring═▶ v2 ─disk─▶ v4          s1: v1 v2    s2: v3    s3: v4
 *     v3 ────────────disk─▶ v4
 */
import { assert } from '../../base/assert.ts';
import type { Edge, PhysicalGraph } from './physical-graph.ts';

export interface Stage {
  readonly id: string;
  readonly vertexIds: readonly string[];
}

type Graph = Pick<PhysicalGraph, 'edges'> & {
  readonly vertices: readonly { readonly id: string }[];
};

/** In an order where a stage comes after all that it reads from (asserted: there is one). */
export function stagesOf(graph: Graph): Stage[] {
  const groups = ringGroups(graph);
  const inputs = groupInputs(graph.edges, groups);
  const open = [...new Set(groups.values())];
  const ordered: string[] = [];
  while (open.length > 0) {
    const next = open.findIndex((group) => {
      return [...(inputs.get(group) ?? [])].every((input) => ordered.includes(input));
    });
    assert(next >= 0, 'no stage waits for itself');
    ordered.push(...open.splice(next, 1));
  }
  return ordered.map((group, index) => ({
    id: `s${index + 1}`,
    vertexIds: graph.vertices.flatMap(({ id }) => (groups.get(id) === group ? [id] : [])),
  }));
}

/** Vertices of stages that would wait for themselves: a blocking edge leads from one back into it. */
export function selfWaiting(graph: Graph): ReadonlySet<string> {
  const groups = ringGroups(graph);
  const inputs = groupInputs(graph.edges, groups);
  const waits = (group: string): boolean => {
    const reached = new Set(inputs.get(group));
    // A set that is added to while it is gone through goes through what is added.
    for (const input of reached) for (const before of inputs.get(input) ?? []) reached.add(before);
    return reached.has(group);
  };
  const bad = new Set([...new Set(groups.values())].filter(waits));
  return new Set([...groups].flatMap(([id, group]) => (bad.has(group) ? [id] : [])));
}

/** Vertex → the first vertex of those that it is joined with by rings. */
function ringGroups({ vertices, edges }: Graph): Map<string, string> {
  const groups = new Map(vertices.map(({ id }) => [id, id]));
  for (const { from, to, isBlocking } of edges) {
    const [kept, joined] = [groups.get(from), groups.get(to)];
    assert(kept !== undefined && joined !== undefined, 'an edge joins vertices of its graph');
    if (isBlocking || kept === joined) continue;
    for (const [id, group] of groups) if (group === joined) groups.set(id, kept);
  }
  return groups;
}

/** Group → the groups that it reads from by blocking edges. */
function groupInputs(edges: readonly Edge[], groups: ReadonlyMap<string, string>) {
  const inputs = new Map<string, Set<string>>();
  for (const { from, to, isBlocking } of edges) {
    const [sender = '', receiver = ''] = [groups.get(from), groups.get(to)];
    if (!isBlocking) continue;
    const found = inputs.get(receiver) ?? new Set();
    inputs.set(receiver, found.add(sender));
  }
  return inputs;
}
