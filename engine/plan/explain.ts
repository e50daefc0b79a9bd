/**
 * `explain`: graphs as text. The same text is printed for people and compared by plan tests, so it
 * names everything that changes what runs, and nothing that does not.
 *
 * Rows flow from the top down:
 *
 *     vertex v1, 2 tasks
 *       source        files path "in"               text utf8
 *       aggregate     partial by word: …            word utf8, count int64
 *         ↓ hash by word
 *     vertex v2, 2 tasks
 *
 * What a node or a vertex reads is named where it is not simply the one above it.
 */
import { assertNever } from '../../base/assert.ts';
import { schemaText } from '../schema/schema.ts';
import { changePlanOf } from './change-plan.ts';
import { type Determinism, edgeDeterminism } from './determinism.ts';
import { edgeChangesText, nodeChangesText } from './explain-changes.ts';
import { orderText } from './explain-groups.ts';
import { nodeKinds, nodeText } from './explain-nodes.ts';
import { operatorText } from './explain-operators.ts';
import type { LogicalGraph, LogicalNode } from './logical-graph.ts';
import {
  asidePlaceOf,
  type Edge,
  type Exchange,
  hasBuildSide,
  hasSecondStream,
  type PhysicalGraph,
  type Vertex,
  vertexOutputs,
  vertexPorts,
} from './physical-graph.ts';
import { stagesOf } from './stages.ts';

/** @param mode - How the job is to run. @defaultValue as it says */
export function explainLogical(graph: LogicalGraph, mode = graph.mode ?? 'batch'): string {
  const changes = changePlanOf(graph, mode);
  const rows = graph.nodes.map((node, index) => {
    const { id, kind, name, inputs, schema } = node;
    const above = graph.nodes[index - 1];
    const isBelow = inputs.length === 1 && inputs[0] === above?.id && !sideKinds.has(kind);
    const from = isBelow || inputs.length === 0 ? '' : ` ← ${inputs.join(', ')}`;
    return [
      id,
      labelOf(kind, name) + from,
      nodeText(node),
      schemaText(schema) + nodeChangesText(changes, id),
    ];
  });
  return `logical graph of ${graph.jobName}\n${table(rows, '  ')}`;
}

export function explainPhysical(graph: PhysicalGraph): string {
  const rows = graph.vertices.map(({ chain }) =>
    chain.map((operator) => [
      labelOf(operator.kind, operator.name),
      operatorText(operator),
      schemaText(operator.output),
    ]),
  );
  const widths = widthsOf(rows.flat());
  const stages = stagesOf(graph);
  const levels = edgeDeterminism(graph);
  const parts = graph.vertices.map((vertex, index) => {
    const above = graph.vertices[index - 1];
    const edges = graph.edges.filter((one) => one.to === vertex.id);
    const tasks = vertex.parallelism === 1 ? '1 task' : `${vertex.parallelism} tasks`;
    const isPlain = edges.length === 1 && edges[0]?.from === above?.id;
    const before = edges
      .map((edge) => edgeText(graph, edge, { isPlain, level: levels.get(edge.id) }))
      .join('');
    const stage = stages.find(({ vertexIds }) => vertexIds.includes(vertex.id));
    const place = stages.length === 1 ? '' : `, stage ${stage?.id}`;
    const head = `  ${vertex.id}${place}, ${tasks}\n`;
    return before + head + table(rows[index] ?? [], '    ', widths);
  });
  const title = `physical graph of ${graph.jobName}, parallelism ${graph.parallelism}\n`;
  return title + parts.join('');
}

/**
 * `↓ e2 from v1, dead letters: hash by word, only word; on disk, unordered`; where it comes from unless
 * it is plain, and of an edge on disk what a second run of the sender would give.
 */
function edgeText(
  graph: PhysicalGraph,
  edge: Edge,
  { isPlain, level }: { readonly isPlain: boolean; readonly level: Determinism | undefined },
): string {
  const { vertices } = graph;
  const { id, from, output, exchange, isBlocking, schema } = edge;
  const hasRows = output === vertexOutputs.rows;
  const all = vertices.find((vertex) => vertex.id === from)?.chain.at(-1)?.output;
  const isNarrow = hasRows && all !== undefined && schema.fields.length < all.fields.length;
  const part = sideOutputText(vertices, edge) + buildSideText(vertices, edge);
  const place = isPlain && hasRows && edge.port === vertexPorts.rows ? '' : ` from ${from}${part}`;
  const only = isNarrow ? `, only ${schema.fields.map((field) => field.name).join(', ')}` : '';
  const where = isBlocking ? `; on disk, ${level}` : '';
  const changes = edgeChangesText(graph, edge);
  return `    ↓ ${id}${place}: ${exchangeText(exchange)}${only}${changes}${where}\n`;
}

/** `, dead letters`, or `, put aside by aggregate-1`; empty for rows. */
function sideOutputText(vertices: readonly Vertex[], { from, output }: Edge): string {
  if (output === vertexOutputs.rows) return '';
  const place = asidePlaceOf(output);
  if (place === null) return ', dead letters';
  return `, put aside by ${vertices.find(({ id }) => id === from)?.chain[place]?.id}`;
}

/** `, build side`, `, right stream`, `, control stream` or `, boundaries`; where a chain has several build sides, of which operator. */
function buildSideText(vertices: readonly Vertex[], { to, port }: Edge): string {
  if (port === vertexPorts.rows) return '';
  const chain = vertices.find(({ id }) => id === to)?.chain ?? [];
  const [first] = chain;
  if (first !== undefined && hasSecondStream(first)) {
    return first.kind === 'process' ? ', control stream' : ', right stream';
  }
  const builds = chain.filter(hasBuildSide);
  const build = builds[port - 1];
  if (build?.kind === 'range') return ', boundaries';
  if (build?.kind === 'process') return ', control stream';
  return builds.length < 2 ? ', build side' : `, build side of ${build?.id}`;
}

function exchangeText(exchange: Exchange): string {
  switch (exchange.kind) {
    case 'hash':
      return `hash by ${exchange.columns.join(', ')}`;
    case 'partition':
      return `partition by ${exchange.column}, function of ${exchange.id}`;
    case 'range':
      return `range by ${orderText(exchange.order)}`;
    case 'merge':
      return `merge by ${orderText(exchange.order)}`;
    case 'forward':
    case 'rebalance':
    case 'gather':
    case 'broadcast':
      return exchange.kind;
    default:
      return assertNever(exchange);
  }
}

/** The kind; with the name where the user gave one. */
export function labelOf(kind: string, name: string): string {
  const isDerived = name === kind || nodeKinds.has(name);
  return isDerived ? kind : `${kind} "${name}"`;
}

/** Nodes that read another output than rows. */
const sideKinds: ReadonlySet<LogicalNode['kind']> = new Set(['deadLetters', 'aside']);

const cellWidthMax = 64;

/** Columns of text as `tableText` has them; the last one is marked as a schema. */
function table(
  rows: readonly (readonly string[])[],
  indent: string,
  widths = widthsOf(rows),
): string {
  const marked = (cells: readonly string[]) => [...cells.slice(0, -1), `→ ${cells.at(-1) ?? ''}`];
  return tableText(rows.map(marked), indent, widths);
}

/** Columns of text, two spaces between. */
export function tableText(
  rows: readonly (readonly string[])[],
  indent: string,
  widths = widthsOf(rows),
): string {
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map((cells) => `${indent}${line(cells)}\n`).join('');
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const cells of rows) {
    for (const [column, cell] of cells.entries()) {
      // A cell above the maximum sticks out alone; the others stay where they are.
      const width = cell.length > cellWidthMax ? 0 : cell.length;
      widths[column] = Math.max(widths[column] ?? 0, width);
    }
  }
  return widths;
}
