/**
 * A physical graph with other tasks in one of its stages. Vertices and edges keep their names and what they do;
 * how many tasks a vertex has, and what these read, changes.
 *
 * Before: coordinator/adaptive/adapt-plan.ts. After: coordinator/scheduler/regions.ts.
 */
import { assert } from '../../base/assert.ts';
import type { AdaptableJoin, AdaptableStage } from '../../engine/plan/adaptable.ts';
import { partitionCountOf, vertexOf } from '../../engine/plan/channels.ts';
import type { Edge, PhysicalGraph, Vertex } from '../../engine/plan/physical-graph.ts';
import { readOfEdge, type StageReads } from './stage-reads.ts';

/** The graph where the stage has the tasks that read so. */
export function withReads(
  graph: PhysicalGraph,
  { vertexIds, edges: read }: Pick<AdaptableStage, 'vertexIds' | 'edges'>,
  { readers }: StageReads,
): PhysicalGraph {
  const vertices = withTasks(graph, vertexIds, readers.length);
  const edges = graph.edges.map((edge): Edge => {
    if (!read.includes(edge)) return edge;
    const senderCount = vertexOf(graph, edge.from).parallelism;
    const ofReaders = readers.map((reader) => readOfEdge(reader, edge, senderCount));
    return { ...edge, adapted: { partitionCount: partitionCountOf(graph, edge), ofReaders } };
  });
  return { ...graph, vertices, edges };
}

/**
 * The graph where all tasks of the join read the whole build side, and the rows of the other side stay in
 * their task, which hands them on by a ring.
 */
export function withWholeBuildSide(
  graph: PhysicalGraph,
  { vertexIds }: AdaptableStage,
  { mayStay, build }: AdaptableJoin,
): PhysicalGraph {
  assert(mayStay !== null, 'the rows of the other side may stay where they are');
  const { parallelism } = vertexOf(graph, mayStay.from);
  const vertices = withTasks(graph, vertexIds, parallelism);
  const edges = graph.edges.map((edge): Edge => {
    if (edge === mayStay) return { ...edge, exchange: { kind: 'forward' }, isBlocking: false };
    if (!build.includes(edge)) return edge;
    const partitionCount = partitionCountOf(graph, edge);
    return { ...edge, adapted: { partitionCount, ofReaders: 'all' } };
  });
  return { ...graph, vertices, edges };
}

function withTasks(graph: PhysicalGraph, ids: readonly string[], count: number): Vertex[] {
  return graph.vertices.map((one) => (ids.includes(one.id) ? { ...one, parallelism: count } : one));
}
