/**
 * Determinism: what a task gives when it runs a second time over the same splits. It decides what else has
 * to run again when map outputs are lost.
 *
 *     deterministic   the same rows in the same order      only what was lost
 *     unordered       the same rows in another order       only what was lost
 *     indeterminate   maybe other rows                     what was lost, and all that has read it
 *
 * A task is handed the same splits in the same order again. Files are read one after the other, so order
 * is lost in rings that several tasks fill, and in operators that may spill, for what they give out first
 * depends on the memory that others leave them. Rows are lost or gained where the order chooses them; a digest's
 * depend on where it ran out of memory.
 *
 * User functions are taken to be functions of their rows; chance or the time in one is not seen here.
 */
import { vertexOf } from './channels.ts';
import type { Edge, OperatorSpec, PhysicalGraph, Vertex } from './physical-graph.ts';

export type Determinism = 'deterministic' | 'unordered' | 'indeterminate';

/** Operators whose rows are the same whatever the order of their input, by what becomes of that order. */
const keepsOrder: ReadonlySet<OperatorSpec['kind']> = new Set([
  'source',
  'filter',
  'project',
  'explodeWords',
  'filterRows',
  'mapRows',
  'flatMap',
  'assignWindows',
  'eachWindow',
  'registers',
  'map',
  'sort',
  'boundaries',
  'range',
  'sink',
]);
const losesOrder: ReadonlySet<OperatorSpec['kind']> = new Set([
  'aggregate',
  'windowAggregate',
  'runningAggregate',
  'firstRows',
  'runningTop',
  'fold',
  'join',
  'intervalJoin',
  'asOfJoin',
  'asOfProbe',
  'combine',
  'reduce',
]);

/** Operators that may give other rows when they run again. */
const changesItsMind: ReadonlySet<OperatorSpec['kind']> = new Set([
  ...(['digest', 'lookup', 'checkTimes', 'ingestionTime', 'regularJoin'] as const),
]);

/** By edge: what its reader sees when the sender runs again. */
export function edgeDeterminism(graph: PhysicalGraph): ReadonlyMap<string, Determinism> {
  const vertices = new Map<string, Determinism>();
  const found = new Map<string, Determinism>();
  for (const vertex of graph.vertices) {
    const edges = graph.edges.filter(({ to }) => to === vertex.id);
    const inputs = edges.map((edge) => arrivalOf(graph, edge, vertices.get(edge.from)));
    for (const [at, edge] of edges.entries()) found.set(edge.id, weakest([inputs[at]]));
    const isUnion = new Set(edges.map(({ port }) => port)).size < edges.length;
    const mixes = isUnion && edges.some(({ isBlocking }) => !isBlocking);
    const input = weakest([...inputs, mixes ? 'unordered' : undefined]);
    vertices.set(vertex.id, behindChain(vertex, input));
  }
  return found;
}

function arrivalOf(
  graph: PhysicalGraph,
  edge: Edge,
  sent: Determinism = 'indeterminate',
): Determinism {
  const { kind } = edge.exchange;
  // Whole batches, or numbers of rows, choose the reader.
  if (kind === 'rebalance' && sent === 'unordered') return 'indeterminate';
  const isMixed = !edge.isBlocking && kind !== 'forward' && kind !== 'merge';
  if (!isMixed || vertexOf(graph, edge.from).parallelism === 1) return sent;
  return kind === 'rebalance' ? 'indeterminate' : weakest([sent, 'unordered']);
}

function behindChain({ chain }: Vertex, input: Determinism): Determinism {
  let level = input;
  for (const operator of chain) {
    const { kind } = operator;
    // Which rows are the first hundred is a matter of order.
    const isCount = kind === 'windowAggregate' && operator.window.kind === 'count';
    // Who is asked may have changed its mind, and the clock has gone on.
    if (changesItsMind.has(kind)) level = 'indeterminate';
    else if (losesOrder.has(kind) && !isCount) level = weakest([level, 'unordered']);
    else if (!keepsOrder.has(kind) && level === 'unordered') level = 'indeterminate';
  }
  return level;
}

const levels: readonly Determinism[] = ['deterministic', 'unordered', 'indeterminate'];

function weakest(found: readonly (Determinism | undefined)[]): Determinism {
  const known = found.map((level) => levels.indexOf(level ?? 'deterministic'));
  return levels[Math.max(0, ...known)] ?? 'indeterminate';
}
