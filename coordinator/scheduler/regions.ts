/**
 * Regions: the smallest sets of tasks that can be run again alone. Tasks that a ring joins are one region,
 * for a ring can't be read twice; a task that meets others in files only is a region by itself. Tasks that
 * meet the program that runs the job are one, too: in the program they may wait for each other.
 *
 *     v1[0] ═▶ v2[0] ─┐      forward rings: r1 = v1[0] v2[0], r2 = v1[1] v2[1]
 *     v1[1] ═▶ v2[1] ─┴disk─▶ v3[0]         r3 = v3[0], which reads from both
 */
import { assert } from '../../base/assert.ts';
import { channelsOf } from '../../engine/plan/channels.ts';
import { edgeDeterminism } from '../../engine/plan/determinism.ts';
import type { PhysicalGraph, Vertex } from '../../engine/plan/physical-graph.ts';
import { stagesOf } from '../../engine/plan/stages.ts';
import { taskIdOf, vertexIdOf } from '../protocol.ts';

export interface Region {
  readonly id: string;
  readonly stageId: string;
  readonly taskIds: readonly string[];
  /** Regions whose map outputs it reads. */
  readonly inputs: readonly string[];
  /** Regions that read its map outputs. */
  readonly readers: readonly string[];
  /** Whether another run may give other rows, so that all readers have to run again as well. */
  readonly isIndeterminate: boolean;
  /** Whether it can run again at all: what the program that runs the job gives and takes is gone. */
  readonly isRepeatable: boolean;
}

/** In the order of their stages. @param isOnce - Whether a vertex can run only once. */
export function regionsOf(graph: PhysicalGraph, isOnce: (vertex: Vertex) => boolean): Region[] {
  const groups = taskGroups(graph, isOnce);
  const levels = edgeDeterminism(graph);
  const byVertex = new Map(graph.vertices.map((vertex) => [vertex.id, vertex]));
  const members = stagesOf(graph).flatMap((stage) => {
    const taskIds = [...groups.keys()].filter((id) => stage.vertexIds.includes(vertexIdOf(id)));
    const own = Map.groupBy(taskIds, (id) => groups.get(id) ?? '');
    return [...own].map(([group, ids]) => ({ group, stageId: stage.id, taskIds: ids }));
  });
  const names = new Map(members.map(({ group }, index) => [group, `r${index + 1}`]));
  const links = graph.edges.flatMap((edge) => {
    if (!edge.isBlocking) return [];
    const regionOf = (vertexId: string, index: number) => {
      return names.get(groups.get(taskIdOf(vertexId, index)) ?? '') ?? '';
    };
    return channelsOf(graph, edge).map(({ sender, receiver }) => ({
      edge,
      from: regionOf(edge.from, sender),
      to: regionOf(edge.to, receiver),
    }));
  });
  return members.map(({ group, stageId, taskIds }) => {
    const id = names.get(group) ?? '';
    const sent = links.filter(({ from }) => from === id);
    const vertices = taskIds.map((taskId) => byVertex.get(vertexIdOf(taskId)));
    return {
      ...{ id, stageId, taskIds },
      inputs: unique(links.flatMap(({ from, to }) => (to === id ? [from] : []))),
      readers: unique(sent.map(({ to }) => to)),
      isIndeterminate: sent.some(({ edge }) => levels.get(edge.id) === 'indeterminate'),
      isRepeatable: !vertices.some((vertex) => vertex !== undefined && isOnce(vertex)),
    };
  });
}

/** Task → the first of those that it is joined with by rings; by vertex and index. */
function taskGroups(
  graph: PhysicalGraph,
  isOnce: (vertex: Vertex) => boolean,
): Map<string, string> {
  const ids = graph.vertices.flatMap(({ id, parallelism }) => {
    return Array.from({ length: parallelism }, (_, index) => taskIdOf(id, index));
  });
  const groups = new Map(ids.map((id) => [id, id]));
  const join = (one: string, other: string) => {
    const [kept, joined] = [groups.get(one), groups.get(other)];
    assert(kept !== undefined && joined !== undefined, 'an edge joins tasks of its graph');
    if (kept === joined) return;
    for (const [id, group] of groups) if (group === joined) groups.set(id, kept);
  };
  for (const edge of graph.edges) {
    if (edge.isBlocking) continue;
    for (const { sender, receiver } of channelsOf(graph, edge)) {
      join(taskIdOf(edge.from, sender), taskIdOf(edge.to, receiver));
    }
  }
  if (graph.edges.some(({ isBlocking }) => isBlocking)) return groups;
  const [first, ...others] = graph.vertices.filter(isOnce);
  for (const { id } of others) join(taskIdOf(first?.id ?? '', 0), taskIdOf(id, 0));
  return groups;
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}
