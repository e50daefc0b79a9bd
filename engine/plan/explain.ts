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
import { exprText, namedExprText } from '../expr/expr-text.ts';
import { schemaText } from '../schema/schema.ts';
import { analyticSpecText, analyticText } from './analytic-functions.ts';
import { changePlanOf } from './change-plan.ts';
import { type Determinism, edgeDeterminism } from './determinism.ts';
import { edgeChangesText, nodeChangesText } from './explain-changes.ts';
import { connectorText, sourceText } from './explain-ends.ts';
import {
  aggregateNodeText,
  exprOrderText,
  groupedText,
  groupText,
  orderedAggregateNodeText,
  orderedText,
  orderText,
  windowFunctionText,
} from './explain-groups.ts';
import { joinNodeText, joinText, lookupText } from './explain-joins.ts';
import { keyedNodeText, keyedOperatorText } from './explain-keyed.ts';
import type { EventTimeSpec, LogicalGraph, LogicalNode } from './logical-graph.ts';
import {
  asidePlaceOf,
  type Edge,
  type Exchange,
  hasBuildSide,
  hasSecondStream,
  type OperatorSpec,
  type PhysicalGraph,
  type Vertex,
  vertexOutputs,
  vertexPorts,
} from './physical-graph.ts';
import { stagesOf } from './stages.ts';
import { tumblingText, windowText } from './window-spec.ts';

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
      logicalText(node),
      schemaText(schema) + nodeChangesText(changes, id),
    ];
  });
  return `logical graph of ${graph.jobName}\n${table(rows, '  ')}`;
}

export function explainPhysical(graph: PhysicalGraph): string {
  const rows = graph.vertices.map(({ chain }) =>
    chain.map((operator) => [
      labelOf(operator.kind, operator.name),
      physicalText(operator),
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

/** `, build side`, `, right stream` or `, boundaries`; where a chain has several build sides, of which operator. */
function buildSideText(vertices: readonly Vertex[], { to, port }: Edge): string {
  if (port === vertexPorts.rows) return '';
  const chain = vertices.find(({ id }) => id === to)?.chain ?? [];
  const [first] = chain;
  if (first !== undefined && hasSecondStream(first)) return ', right stream';
  const builds = chain.filter(hasBuildSide);
  if (builds[port - 1]?.kind === 'range') return ', boundaries';
  return builds.length < 2 ? ', build side' : `, build side of ${builds[port - 1]?.id}`;
}

/** What an operator does, without its kind and schema. */
function logicalText(node: LogicalNode): string {
  switch (node.kind) {
    case 'source':
      return connectorText(node.source);
    case 'where':
      return exprText(node.predicate);
    case 'select':
      return node.columns.map(namedExprText).join(', ');
    case 'explodeWords': {
      const words = `${node.as} = each of words(${exprText(node.input)})`;
      return [words, ...node.carried.map(namedExprText)].join(', ');
    }
    case 'derive':
      return node.columns.map(namedExprText).join(', ');
    case 'lookup':
      return lookupText(node);
    case 'filter':
    case 'map':
    case 'flatMap':
      return 'function';
    case 'reduce':
      return `by ${node.keys.map(namedExprText).join(', ')}: function`;
    case 'aggregate':
      return aggregateNodeText(node);
    case 'orderedAggregate':
      return orderedAggregateNodeText(node);
    case 'eventTime':
    case 'ingestionTime':
      return eventTimeText(node);
    case 'distinct':
      return '';
    case 'orderBy':
      return orderText(node.order);
    case 'limit':
      return String(node.count);
    case 'analytic':
      return orderedText(
        node.partition.map(namedExprText),
        exprOrderText(node.order),
        node.functions.map(analyticSpecText),
      );
    case 'windowFunction':
      return groupText([windowText(node.window), ...node.keys.map(namedExprText)], ['process']);
    case 'process':
    case 'pattern':
      return keyedNodeText(node);
    case 'mapReduce': {
      const names = ['map'];
      if (node.hasCombine) names.push('combine');
      if (node.hasPartition) names.push('partition');
      const group = node.group.length > 0 ? ` by ${node.group.map(namedExprText).join(', ')}` : '';
      const order = node.order.length > 0 ? ` in order of ${exprOrderText(node.order)}` : '';
      return `${names.join(', ')}, reduce${group}${order}; pairs ${schemaText(node.pairs)}`;
    }
    case 'join':
      return joinNodeText(node);
    case 'intersect':
    case 'except':
      return node.isAll ? 'all' : 'distinct';
    case 'union':
    case 'deadLetters':
    case 'aside':
      return '';
    case 'sink':
      return connectorText(node.sink);
    default:
      return assertNever(node);
  }
}

function physicalText(operator: OperatorSpec): string {
  switch (operator.kind) {
    case 'source':
      return sourceText(operator);
    case 'filter':
      return exprText(operator.predicate);
    case 'project':
      return operator.columns.map((column) => shortened(namedExprText(column))).join(', ');
    case 'explodeWords':
      return [`${operator.as} = each of words(${operator.column})`, ...operator.carried].join(', ');
    case 'repeat':
      return `by ${operator.column}`;
    case 'assignWindows':
      return [`${operator.as} = ${tumblingText(operator)}`, ...operator.carried].join(', ');
    case 'aggregate':
    case 'windowAggregate':
    case 'runningAggregate':
    case 'firstRows':
    case 'digest':
    case 'orderedAggregate':
    case 'orderedWindow':
      return groupedText(operator);
    case 'registers':
      return [`register, share of ${operator.column}`, ...operator.carried].join(', ');
    case 'eachWindow':
    case 'join':
    case 'intervalJoin':
    case 'asOfJoin':
    case 'asOfProbe':
    case 'regularJoin':
      return joinText(operator);
    case 'sort':
    case 'range':
    case 'boundaries':
    case 'top':
    case 'runningTop':
    case 'partitionTop':
      return orderingText(operator);
    case 'limit':
      return String(operator.count);
    case 'checkTimes':
    case 'eventTime':
    case 'ingestionTime':
      return eventTimeText(operator);
    case 'analytic':
      return orderedText(
        operator.partition,
        orderText(operator.order),
        operator.functions.map(analyticText),
      );
    case 'fold':
      return `${operator.phase} by ${operator.keys.join(', ')}: function of ${operator.id}`;
    case 'lookup':
      return lookupText(operator);
    case 'windowFunction':
      return windowFunctionText(operator);
    case 'process':
    case 'pattern':
      return keyedOperatorText(operator);
    case 'filterRows':
    case 'mapRows':
    case 'flatMap':
    case 'map':
    case 'combine':
      return `function of ${operator.id}`;
    case 'reduce':
      return `by ${operator.group.join(', ')} in order of ${orderText(operator.order)}: function of ${operator.id}`;
    case 'sink':
      return connectorText(operator.sink);
    default:
      return assertNever(operator);
  }
}

function orderingText(
  operator: OperatorSpec & {
    readonly kind: 'sort' | 'range' | 'boundaries' | 'top' | 'runningTop' | 'partitionTop';
  },
): string {
  const order = orderText(operator.order);
  switch (operator.kind) {
    case 'boundaries':
      return `of ${operator.rangeCount} ranges by ${order}`;
    case 'top':
      return `${operator.count} by ${order}`;
    case 'runningTop': {
      const { count, ranks, everyMs } = operator;
      const what =
        ranks === null
          ? `${count} by ${order}`
          : orderedText(ranks.partition, order, [`${ranks.function} <= ${count}`]);
      return `${what}; within ${everyMs} ms`;
    }
    case 'partitionTop': {
      const { partition, function: rank, count } = operator;
      return orderedText(partition, order, [`${rank} <= ${count}`]);
    }
    default:
      return order;
  }
}

/** Nobody reads an expression as long as the estimate of `approxDistinct` is; its beginning and its end say which it is. */
function shortened(text: string): string {
  if (text.length <= exprLengthMax) return text;
  const [begin, end] = [text.slice(0, 120), text.slice(-40)];
  return `${begin}… ${text.length - begin.length - end.length} characters …${end}`;
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

type TimeSpec = EventTimeSpec & { readonly putsAside?: true };

function eventTimeText(
  spec:
    | TimeSpec
    | (OperatorSpec & { readonly kind: 'checkTimes' })
    | { readonly kind: 'ingestionTime'; readonly column: string },
): string {
  if ('kind' in spec && spec.kind === 'ingestionTime') return `${spec.column}, by the clock`;
  const { column, futureLimitMs } = spec;
  if (!('idleAfterMs' in spec)) return `${column}, up to ${futureLimitMs} ms ahead`;
  const { outOfOrdernessMs, idleAfterMs, putsAside, watermarkColumn } = spec;
  const follows = watermarkColumn === undefined ? '' : `, watermarks of ${watermarkColumn}`;
  const idle = idleAfterMs === null ? '' : `, idle after ${idleAfterMs} ms`;
  const aside = putsAside === true ? `, put aside beyond ${futureLimitMs} ms ahead` : '';
  return `${column}${follows}, out of order by up to ${outOfOrdernessMs} ms${idle}${aside}`;
}

/** The kind; with the name where the user gave one. */
export function labelOf(kind: string, name: string): string {
  const isDerived = name === kind || logicalKinds.has(name);
  return isDerived ? kind : `${kind} "${name}"`;
}

/** Names that operators have without the user's doing: the kind of their logical node. */
const logicalKinds: ReadonlySet<string> = new Set<LogicalNode['kind']>([
  'source',
  'where',
  'select',
  'explodeWords',
  'derive',
  'filter',
  'lookup',
  'map',
  'flatMap',
  'reduce',
  'aggregate',
  'orderedAggregate',
  'distinct',
  'eventTime',
  'ingestionTime',
  'orderBy',
  'limit',
  'analytic',
  'mapReduce',
  'process',
  'windowFunction',
  'pattern',
  'join',
  'union',
  'intersect',
  'except',
  'deadLetters',
  'aside',
  'sink',
]);

/** Nodes that read another output than rows. */
const sideKinds: ReadonlySet<LogicalNode['kind']> = new Set(['deadLetters', 'aside']);

const cellWidthMax = 64;
/** Of an expression that a plan's rows are projected by, in characters: a line as it is written in SQL is shorter. */
const exprLengthMax = 600;

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
