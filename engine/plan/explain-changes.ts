/** Changes as text: what operators that give them out do, and where streams carry them. */
import type { ChangePlan } from './change-plan.ts';
import type { Edge, OperatorSpec, PhysicalGraph } from './physical-graph.ts';
import type { ChangeMode } from './row-kind.ts';

/** `; upsert by word`: of a logical node that gives out changes; empty for others. */
export function nodeChangesText({ nodes }: ChangePlan, id: string): string {
  const { mode, key } = nodes.get(id) ?? { mode: 'append', key: null };
  if (mode === 'append') return '';
  return mode === 'upsert' ? `; upsert by ${key?.join(', ') || 'the only row'}` : '; retract';
}

/** `, retract`: of an edge whose rows have a kind; empty for others. */
export function edgeChangesText(graph: PhysicalGraph, edge: Edge): string {
  const running = graph.vertices.flatMap(({ chain }) => chain.flatMap(runningOf));
  const names = new Set(running.map(({ kindColumn }) => kindColumn));
  if (!edge.schema.fields.some(({ name }) => names.has(name))) return '';
  return `, ${modeBehind(graph, edge.from)}`;
}

/** `changes within 100 ms, rows before too; rows = sum(weight)`. */
export function runningText(
  operator: OperatorSpec & { readonly kind: 'runningAggregate' },
): string {
  const { everyMs, ttlMs, givesBefore, weight, extremes } = operator;
  const found = extremes.map(
    (one) => `, ${one.name} = ${one.function}(${one.column}) of those left`,
  );
  const rows = weight === null ? '' : `${found.join('')}, rows = sum(${weight})`;
  const kept = ttlMs === null ? '' : `, kept ${ttlMs} ms`;
  return `${rows}; ${givesBefore ? 'rows before and after' : 'rows after'}, within ${everyMs} ms${kept}`;
}

/** The name of the column with the row kind, of an operator that gives it out; and whether rows before come too. */
function runningOf(
  operator: OperatorSpec,
): { readonly kindColumn: string; readonly givesBefore: boolean }[] {
  if (operator.kind === 'runningAggregate') return [operator];
  const isTop = operator.kind === 'runningTop';
  const kind = isTop ? operator.output.fields.at(-1)?.name : undefined;
  const kindColumn = operator.kind === 'regularJoin' ? operator.kindColumn : (kind ?? null);
  return kindColumn === null ? [] : [{ kindColumn, givesBefore: true }];
}

function modeBehind(graph: PhysicalGraph, vertexId: string): ChangeMode {
  const vertex = graph.vertices.find(({ id }) => id === vertexId);
  const last = vertex?.chain.flatMap(runningOf).at(-1);
  if (last !== undefined) return last.givesBefore ? 'retract' : 'upsert';
  const inputs = graph.edges.filter(({ to }) => to === vertexId);
  const modes = inputs.map(({ from }) => modeBehind(graph, from));
  return modes.includes('retract') || modes.length === 0 ? 'retract' : 'upsert';
}
