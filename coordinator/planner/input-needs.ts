/**
 * What each kind of operator reads of its input, given what is read of its output. A user's function may read any
 * field, a sink writes them all, and the clock's time is put behind them all.
 */
import { addColumnNames } from '../../engine/expr/column-names.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { valuesIn } from '../../engine/plan/analytic-functions.ts';
import { applyTable, type SpecOfKind, type SpecTable } from '../../engine/plan/operator-table.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';

/** Names of columns; null for all of them. */
export type Needs = ReadonlySet<string> | null;

interface OutputNeeds {
  readonly output: Needs;
  /** Of a column that the operator would leave out, or not compute, if nobody read it. */
  isRead(name: string): boolean;
}

/** @param isLazy - Whether operators will compute only what is read; otherwise they need all that they do. */
export function inputNeeds(operator: OperatorSpec, output: Needs, isLazy: boolean): Needs {
  const isRead = (name: string) => !isLazy || output === null || output.has(name);
  return applyTable(needs, operator, { output, isRead });
}

const needs: SpecTable<OperatorSpec, Needs, [OutputNeeds]> = {
  source: allNeeded,
  sink: allNeeded,

  filter({ predicate }, { output }) {
    const names = new Set(output ?? []);
    addColumnNames(predicate, names);
    return output && names;
  },
  project({ columns }, { isRead }) {
    const names = new Set<string>();
    for (const { name, expr } of columns) if (isRead(name)) addColumnNames(expr, names);
    return names;
  },
  explodeWords: carriedNeeds,
  assignWindows: carriedNeeds,
  eachWindow: carriedNeeds,
  registers: carriedNeeds,
  repeat: (spec, { isRead }) => joinNeeds({ ...spec, condition: null }, [spec.column], isRead),
  limit: (_, { output }) => output,

  eventTime: ({ column, watermarkColumn }, { output }) =>
    output && new Set([...output, watermarkColumn ?? column]),
  ingestionTime: allNeeded,
  checkTimes: ({ column }, { output }) => output && new Set([...output, column]),

  aggregate: (spec, { isRead }) => aggregateNeeds(spec, isRead),
  orderedAggregate: (spec, { isRead }) => orderedNeeds(spec, isRead),
  digest: ({ keys, column }) => new Set([...keys, column]),
  runningAggregate(spec) {
    const weight = spec.weight === null ? [] : [spec.weight];
    return new Set([...aggregateNeeds(spec, () => true), ...weight]);
  },
  firstRows: ({ output }) => new Set(output.fields.map(({ name }) => name)),
  windowAggregate(spec, { isRead }) {
    const times = [spec.column, spec.lastColumn].filter((time) => typeof time === 'string');
    return new Set([...times, ...aggregateNeeds(spec, isRead)]);
  },
  orderedWindow(spec) {
    // All of its results are made.
    const names = orderedNeeds(spec, () => true);
    return spec.column === null ? names : new Set([...names, spec.column]);
  },

  sort: orderNeeds,
  top: orderNeeds,
  range: orderNeeds,
  partitionTop: (spec, { output }) =>
    output && new Set([...output, ...spec.partition, ...spec.order.map((key) => key.column)]),
  boundaries: ({ order }) => new Set(order.map((key) => key.column)),
  runningTop: allNeeded,
  analytic: analyticNeeds,

  join: (spec, { isRead }) => joinNeeds(spec, [...spec.probeKeys, ...spec.buildKeys], isRead),
  intervalJoin: (spec, { isRead }) => joinNeeds(spec, timedKeys(spec), isRead),
  asOfJoin: (spec, { isRead }) => joinNeeds({ ...spec, condition: null }, timedKeys(spec), isRead),
  asOfProbe: (spec, { isRead }) => joinNeeds({ ...spec, condition: null }, timedKeys(spec), isRead),
  regularJoin(spec, { isRead }) {
    const { leftKeys, rightKeys, kindColumn, takesChanges } = spec;
    const isGiven = (name: string) => name !== kindColumn && isRead(name);
    const isTaken = takesChanges.left || takesChanges.right;
    const kinds = isTaken && kindColumn !== null ? [kindColumn] : [];
    return joinNeeds(spec, [...leftKeys, ...rightKeys, ...kinds], isGiven);
  },

  lookup: allNeeded,
  filterRows: allNeeded,
  mapRows: allNeeded,
  flatMap: allNeeded,
  fold: allNeeded,
  map: allNeeded,
  combine: allNeeded,
  reduce: allNeeded,
  process: allNeeded,
  windowFunction: allNeeded,
  pattern: allNeeded,
};

function allNeeded(): null {
  return null;
}

function carriedNeeds(
  spec: { readonly column: string; readonly carried: readonly string[] },
  { isRead }: OutputNeeds,
): Needs {
  return new Set([spec.column, ...spec.carried.filter(isRead)]);
}

function orderNeeds(
  { order }: SpecOfKind<OperatorSpec, 'sort' | 'top' | 'range'>,
  { output }: OutputNeeds,
): Needs {
  return output && new Set([...output, ...order.map((key) => key.column)]);
}

function analyticNeeds(
  { functions, partition, order, output }: SpecOfKind<OperatorSpec, 'analytic'>,
  { isRead }: OutputNeeds,
): Needs {
  const results = functions.map(({ name }) => name);
  const given = output.fields.map((field) => field.name).filter(isRead);
  return new Set([
    ...given.filter((name) => !results.includes(name)),
    ...partition,
    ...order.map((key) => key.column),
    ...functions.filter(({ name }) => isRead(name)).flatMap(valuesIn),
  ]);
}

function orderedNeeds(
  operator: SpecOfKind<OperatorSpec, 'orderedAggregate' | 'orderedWindow'>,
  isRead: (name: string) => boolean,
): ReadonlySet<string> {
  const { keys, order, aggregates } = operator;
  const read = aggregates.filter(({ name }) => isRead(name));
  const inputs = read.flatMap((one) => ('input' in one ? [one.input] : one.columns));
  return new Set([...keys, ...order.map((key) => key.column), ...inputs]);
}

function timedKeys({
  leftKeys,
  rightKeys,
  leftTime,
  rightTime,
}: SpecOfKind<OperatorSpec, 'intervalJoin' | 'asOfJoin' | 'asOfProbe'>): string[] {
  return [...leftKeys, ...rightKeys, leftTime, rightTime];
}

/** What is given out of either side, what rows meet by, and what must hold of pairs besides. */
function joinNeeds(
  { output, condition }: { readonly output: Schema; readonly condition: Expr | null },
  keys: readonly string[],
  isRead: (name: string) => boolean,
): ReadonlySet<string> {
  const given = output.fields.map((field) => field.name).filter(isRead);
  const names = new Set([...given, ...keys]);
  if (condition !== null) addColumnNames(condition, names);
  return names;
}

function aggregateNeeds(
  operator: SpecOfKind<OperatorSpec, 'aggregate' | 'runningAggregate' | 'windowAggregate'>,
  isRead: (name: string) => boolean,
): ReadonlySet<string> {
  const { keys, aggregates, phase } = operator;
  // In the final phase the names are of parts, all of which are merged.
  const read = aggregates.filter(({ name }) => phase === 'final' || isRead(name));
  return new Set([...keys, ...read.flatMap(({ columns }) => columns)]);
}
