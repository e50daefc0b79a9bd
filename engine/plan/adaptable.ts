/**
 * What of a plan may be changed while it runs, when the sizes of map outputs are known. It is told from the plan
 * alone, so that `explain` can say it; what is done then is decided in coordinator/adaptive.
 *
 *     stage s3   e4: hash ─▶ probe ┐       its tasks read partitions, so fewer tasks may read several each;
 *                e5: hash ─▶ build ┘ join  one partition of a side may be read by several tasks, each of which
 *                                          reads the other side's whole; all tasks may read the whole build side
 *
 * Rules:
 * - Partitions of all inputs are put together in the same way, so what met in a task before meets in one still.
 * - A side may be split where no row of the other side comes alone, or is given out once for any partner: that
 *   would be told from a part of the partners. The same holds for a build side that all tasks read.
 * - Splitting parts rows of equal keys; so all else in the stage has to work row by row, or give parts of
 *   results only.
 * - A function of the user's that partitions says what is in an output, and rows that are forwarded keep their
 *   task: such stages stay as planned, and so do those that begin with a source.
 */
import { vertexOf } from './channels.ts';
import { joinRowsOf } from './join-type.ts';
import {
  type Edge,
  hasBuildSide,
  type OperatorSpec,
  type PhysicalGraph,
  type Vertex,
  vertexPorts,
} from './physical-graph.ts';
import { type Stage, selfWaiting, stagesOf } from './stages.ts';

export interface AdaptableStage extends Stage {
  /** Tasks of each of its vertices: as many as there are partitions. */
  readonly taskCount: number;
  /** The edges whose partitions its tasks read. */
  readonly edges: readonly Edge[];
  /** The join that these edges lead to, where it may be adapted beyond that. */
  readonly join: AdaptableJoin | null;
}

export interface AdaptableJoin {
  readonly vertexId: string;
  readonly probe: readonly Edge[];
  readonly build: readonly Edge[];
  readonly maySplitProbe: boolean;
  readonly maySplitBuild: boolean;
  /** The edge whose rows need not be partitioned, when the build side goes to all tasks; null when it may not. */
  readonly mayStay: Edge | null;
}

type Join = OperatorSpec & { readonly kind: 'join' };

/** Stages that have not been adapted, in their order. */
export function adaptableStages(graph: PhysicalGraph): AdaptableStage[] {
  return stagesOf(graph).flatMap((stage): AdaptableStage[] => {
    const vertices = stage.vertexIds.map((id) => vertexOf(graph, id));
    const taskCount = vertices[0]?.parallelism ?? 1;
    const isEven = vertices.every(({ parallelism }) => parallelism === taskCount);
    if (taskCount === 1 || !isEven || vertices.some(hasSource)) return [];
    const edges = partitionedEdges(graph, stage);
    if (edges === null || edges.length === 0) return [];
    return [{ ...stage, taskCount, edges, join: joinOf(graph, { vertices, edges }) }];
  });
}

/** Null where one of the stage's edges has to stay as it is. */
function partitionedEdges({ edges }: PhysicalGraph, { vertexIds }: Stage): Edge[] | null {
  const touching = edges.filter(
    ({ from, to }) => vertexIds.includes(from) || vertexIds.includes(to),
  );
  const isFixed = ({ isBlocking, exchange, to, adapted }: Edge): boolean => {
    if (!isBlocking) return false;
    if (exchange.kind === 'forward') return true;
    return vertexIds.includes(to) && (exchange.kind === 'partition' || isChosen(adapted));
  };
  if (touching.some(isFixed)) return null;
  const isRead = ({ to, isBlocking, exchange, adapted }: Edge) =>
    vertexIds.includes(to) && isBlocking && exchange.kind !== 'broadcast' && adapted === undefined;
  return touching.filter(isRead);
}

function isChosen(adapted: Edge['adapted']): boolean {
  return adapted !== undefined && adapted.ofReaders !== 'all';
}

function hasSource({ chain: [first] }: Vertex): boolean {
  return first?.kind === 'source';
}

interface StageParts {
  readonly vertices: readonly Vertex[];
  readonly edges: readonly Edge[];
}

function joinOf(graph: PhysicalGraph, { vertices, edges }: StageParts): AdaptableJoin | null {
  const [vertex, ...others] = vertices.filter(({ id }) => edges.some(({ to }) => to === id));
  if (vertex === undefined || others.length > 0) return null;
  const probe = edges.filter(({ port }) => port === vertexPorts.rows);
  const build = edges.filter(({ port }) => port !== vertexPorts.rows);
  const [port, ...otherPorts] = new Set(build.map((edge) => edge.port));
  if (port === undefined || otherPorts.length > 0 || probe.length === 0) return null;
  const join = vertex.chain.filter(hasBuildSide)[port - vertexPorts.build];
  if (join?.kind !== 'join') return null;
  const operators = vertices.flatMap(({ chain }) => chain).filter((one) => one !== join);
  if (!operators.every(worksByRow)) return null;
  const rows = joinRowsOf(join.type, join.buildSide);
  const maySplitProbe = rows.build === 'none';
  return {
    ...{ vertexId: vertex.id, probe, build, maySplitProbe },
    maySplitBuild: rows.probe === 'none',
    mayStay: maySplitProbe ? stayingEdge(graph, { join, probe }) : null,
  };
}

/**
 * The one probe edge, where the job leaves it open how the join is done, and the joined stage would not wait for
 * itself: what writes the probe side must not be what the build side is made of.
 */
function stayingEdge(
  graph: PhysicalGraph,
  { join, probe }: { readonly join: Join; readonly probe: readonly Edge[] },
): Edge | null {
  const [edge, ...others] = probe;
  if (edge === undefined || others.length > 0 || join.hasHint) return null;
  const isInput = ({ to, port }: Edge) => to === edge.to && port === vertexPorts.rows;
  if (graph.edges.filter(isInput).length > 1) return null;
  const edges = graph.edges.map((one) => (one === edge ? { ...one, isBlocking: false } : one));
  return selfWaiting({ vertices: graph.vertices, edges }).size === 0 ? edge : null;
}

const byRow: ReadonlySet<OperatorSpec['kind']> = new Set([
  ...(['filter', 'project', 'explodeWords', 'filterRows', 'mapRows', 'flatMap', 'map'] as const),
  ...([
    'eachWindow',
    'assignWindows',
    'registers',
    'repeat',
    'combine',
    'range',
    'sort',
    'sink',
  ] as const),
  // Of each task's rows, and then of all that the tasks give.
  ...(['top', 'limit'] as const),
]);

/** Whether rows of one key may be in several tasks. */
function worksByRow(operator: OperatorSpec): boolean {
  if (operator.kind === 'aggregate' || operator.kind === 'fold')
    return operator.phase === 'partial';
  if (operator.kind === 'join')
    return joinRowsOf(operator.type, operator.buildSide).build === 'none';
  return byRow.has(operator.kind);
}
