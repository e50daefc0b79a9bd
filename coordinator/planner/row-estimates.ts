/**
 * Row estimates: how many rows each step of a plan gives out, from what sources know of theirs. For choices
 * only, such as which side of a join is kept in memory: no row depends on them.
 *
 *     lineitem 6,001,215 ─ filter l_shipdate > … (× 0.54) ─┐
 *     orders   1,500,000 ─ filter o_orderdate < … (× 0.48) ─┴─ join on l_orderkey = o_orderkey
 *                                     3,240,656 × 720,000 / 1,500,000 (the rows of the smaller table)
 *
 * A join of keys is taken to be one of a key and of references to it: every row of the larger table refers to
 * one of the smaller, of which a part is left. Where nothing is known the answer is null.
 *
 * @see Leis et al., "How Good Are Query Optimizers, Really?": what such estimates are worth
 */
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { vertexPorts } from '../../engine/plan/physical-graph.ts';
import { filterShare, type KnownColumn, type KnownColumns } from './filter-share.ts';
import { type PlanOptions, type PlanStep, StepIndex, type StepInput } from './plan-step.ts';

export interface RowEstimate {
  /** Rows that the step gives out. */
  readonly rows: number;
  /** By the name of its columns: what the source that they come from knows. */
  readonly columns: KnownColumns;
}

type Statistics = PlanOptions['statistics'];

/** What is known of the rows of each step, by its number; steps that nothing is known of are left out. */
export function rowEstimates(
  steps: readonly PlanStep[],
  { statistics }: Pick<PlanOptions, 'statistics'>,
): ReadonlyMap<number, RowEstimate> {
  const estimates = new Map<number, RowEstimate>();
  if (statistics === undefined || statistics.size === 0) return estimates;
  const index = new StepIndex(steps);
  for (const step of steps) {
    const estimate = estimateOf(step, { estimates, statistics, index });
    if (estimate !== null) estimates.set(step.number, estimate);
  }
  return estimates;
}

interface Known {
  readonly estimates: ReadonlyMap<number, RowEstimate>;
  readonly statistics: NonNullable<Statistics>;
  readonly index: StepIndex;
}

function estimateOf(step: PlanStep, known: Known): RowEstimate | null {
  const { operator, inputs } = step;
  if (operator.kind === 'source') return sourceEstimate(operator, known.statistics);
  const ofPort = (port: number) =>
    unionOf(
      inputs.filter((input) => input.port === port).map((input) => inputEstimate(input, known)),
    );
  const rows = ofPort(vertexPorts.rows);
  if (operator.kind !== 'join') return rows && behind(operator, rows);
  const build = ofPort(vertexPorts.build);
  return rows && build && joinEstimate(operator, rows, build);
}

function inputEstimate({ from, output }: StepInput, { estimates }: Known): RowEstimate | null {
  // Dead letters are few, and nothing is known of them.
  return output === 0 ? (estimates.get(from) ?? null) : null;
}

function unionOf(estimates: readonly (RowEstimate | null)[]): RowEstimate | null {
  const [first, ...others] = estimates;
  if (first === undefined) return null;
  return others.reduce(
    (sum: RowEstimate | null, one) =>
      sum && one && { rows: sum.rows + one.rows, columns: sum.columns },
    first,
  );
}

function sourceEstimate(
  { id, output }: OperatorSpec,
  statistics: NonNullable<Statistics>,
): RowEstimate | null {
  const source = statistics.get(id);
  if (source === undefined || source.rowCount === null) return null;
  const { rowCount, columns } = source;
  // Of columns without bounds the count of rows is known all the same.
  const known = output.fields.map(({ name }) => [name, { ...columns[name], rowCount }] as const);
  return { rows: rowCount, columns: new Map<string, KnownColumn>(known) };
}

/** What is left of the rows behind an operator with one input. */
function behind(operator: OperatorSpec, input: RowEstimate): RowEstimate {
  const { rows, columns } = input;
  switch (operator.kind) {
    case 'filter':
      return { rows: atLeastOne(rows * filterShare(operator.predicate, columns)), columns };
    case 'project':
      return { rows, columns: projected(operator.columns, columns) };
    case 'limit':
    case 'top':
      return { rows: Math.min(rows, operator.count), columns };
    case 'aggregate':
    case 'orderedAggregate':
      return { rows: groupsOf(operator.keys, input), columns: groupColumns(operator.keys, input) };
    default:
      return input;
  }
}

function projected(
  exprs: readonly { readonly name: string; readonly expr: { readonly kind: string } }[],
  columns: KnownColumns,
): KnownColumns {
  const origins = new Map(
    exprs.map(({ name, expr }) => [name, 'name' in expr ? String(expr.name) : null] as const),
  );
  return {
    get: (name) => {
      const origin = origins.get(name);
      return origin === undefined || origin === null ? undefined : columns.get(origin);
    },
  };
}

/** A guess: a tenth of the rows by each column of which nothing is known but its count. */
function groupsOf(keys: readonly string[], { rows, columns }: RowEstimate): number {
  if (keys.length === 0) return 1;
  const known = keys.map((key) => distinctOf(columns.get(key)));
  const product = known.reduce((all: number, one) => all * (one ?? Math.max(1, rows / 10)), 1);
  return atLeastOne(Math.min(rows, product));
}

/** A key that stands alone is different in each row. */
function groupColumns(keys: readonly string[], input: RowEstimate): KnownColumns {
  const [only, ...others] = keys;
  if (only === undefined || others.length > 0) return input.columns;
  const rowCount = groupsOf(keys, input);
  return {
    get: (name) => (name === only ? { ...input.columns.get(name), rowCount } : undefined),
  };
}

/** Different values of a column: those of its table, at most as many as it has rows. */
export function valuesOf({ rows, columns }: RowEstimate, name: string): number {
  const column = columns.get(name);
  return distinctOf(column) ?? column?.rowCount ?? rows;
}

function distinctOf(column: KnownColumn | undefined): number | null {
  if (column === undefined) return null;
  const { distinctCount = null, min = null, max = null, rowCount } = column;
  if (distinctCount !== null) return distinctCount;
  return min === null || max === null ? null : Math.min(rowCount, max - min + 1);
}

type Join = OperatorSpec & { readonly kind: 'join' };

function joinEstimate(join: Join, probe: RowEstimate, build: RowEstimate): RowEstimate {
  const pairs = pairsOf(join, probe, build);
  const [left, right] = join.buildSide === 'right' ? [probe, build] : [build, probe];
  const columns = {
    get: (name: string) => left.columns.get(name) ?? right.columns.get(name),
  };
  const matched = Math.min(left.rows, pairs);
  const least = { left: left.rows, right: right.rows, full: left.rows + right.rows };
  switch (join.type) {
    case 'inner':
      return { rows: pairs, columns };
    case 'semi':
      return { rows: matched, columns: left.columns };
    case 'anti':
      return { rows: atLeastOne(left.rows - matched), columns: left.columns };
    default:
      return { rows: Math.max(pairs, least[join.type]), columns };
  }
}

/** A condition besides the keys is not looked at: most are of pairs that are there. */
function pairsOf(join: Join, probe: RowEstimate, build: RowEstimate): number {
  const { probeKeys, buildKeys } = join;
  if (probeKeys.length === 0) return atLeastOne(probe.rows * build.rows);
  const shares = probeKeys.map((key, at) => {
    const tables = [probe.columns.get(key), build.columns.get(buildKeys[at] ?? '')];
    return Math.min(...tables.map((table) => table?.rowCount ?? Number.POSITIVE_INFINITY));
  });
  // Of several keys one is mostly enough.
  const smaller = Math.max(...shares);
  const keyRows = Number.isFinite(smaller) ? smaller : Math.max(probe.rows, build.rows);
  return atLeastOne((probe.rows * build.rows) / Math.max(keyRows, 1));
}

function atLeastOne(rows: number): number {
  return Math.max(1, rows);
}
