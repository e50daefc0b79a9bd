/**
 * Column needs: which columns of a step's rows anything reads. Followed from the sinks, which read all,
 * to the sources; where a user's function reads rows, all columns are needed.
 *
 *     source a b c ─ filter a > 1 ─ project d = b     needs of the project {b}, of the filter {a, b}
 */
import { assertNever } from '../../base/assert.ts';
import { addColumnNames } from '../../engine/expr/column-names.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { valuesIn } from '../../engine/plan/analytic-functions.ts';
import type { Exchange, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type PlanStep, StepIndex } from './plan-step.ts';

/** Names of columns; null for all of them. */
export type Needs = ReadonlySet<string> | null;

export interface StepNeeds {
  /** What the step, or what follows it, reads of its input. */
  readonly input: Needs;
  /** What is read of its output. */
  readonly output: Needs;
}

/**
 * By the number of each step.
 *
 * @param isLazy - Whether steps will compute only what is read; otherwise they need all that they do.
 */
export function needsOf(
  steps: readonly PlanStep[],
  isLazy: boolean,
): ReadonlyMap<number, StepNeeds> {
  const index = new StepIndex(steps);
  const needs = new Map<number, StepNeeds>();
  for (const step of [...steps].reverse()) {
    const readers = index.readersOf(step.number).map((reader) => {
      const own = needs.get(reader.number)?.input ?? null;
      const edges = reader.inputs.filter(({ from }) => from === step.number);
      return own && [...own, ...edges.flatMap(({ exchange }) => exchangeColumns(exchange))];
    });
    const isAll = readers.length === 0 || readers.includes(null);
    const output = isAll ? null : new Set(readers.flatMap((names) => names ?? []));
    // Rows that are put aside are whole.
    const input = index.putsAside(step) ? null : inputNeeds(step.operator, output, isLazy);
    const schemas = portsOf(step).map((port) => index.inputSchemaOf(step, port));
    const some = input && schemas.reduce(atLeastOne, input);
    needs.set(step.number, { input: some, output });
  }
  return needs;
}

/** Batches without columns are not made. */
function atLeastOne(names: ReadonlySet<string>, { fields }: Schema): ReadonlySet<string> {
  if (fields.some((field) => names.has(field.name))) return names;
  return new Set([...names, ...fields.slice(0, 1).map((field) => field.name)]);
}

function portsOf({ inputs }: PlanStep): number[] {
  return [...new Set(inputs.map(({ port }) => port))];
}

/** What a sender looks at to know where rows go. */
export function exchangeColumns(exchange: Exchange | null): readonly string[] {
  if (exchange?.kind === 'hash') return exchange.columns;
  if (exchange?.kind === 'partition') return [exchange.column];
  if (exchange?.kind === 'merge' || exchange?.kind === 'range')
    return exchange.order.map((key) => key.column);
  return [];
}

/** Operators that give out the columns that come in. */
export function handsOn({ kind }: OperatorSpec): boolean {
  return handingOn.has(kind);
}

const handingOn: ReadonlySet<OperatorSpec['kind']> = new Set([
  ...(['sort', 'top', 'partitionTop', 'limit', 'filter', 'range'] as const),
  ...(['checkTimes', 'eventTime', 'firstRows'] as const),
]);

/** What an operator reads, given what is read of its output. */
function inputNeeds(operator: OperatorSpec, output: Needs, isLazy: boolean): Needs {
  if (readsAll(operator)) return null;
  const isRead = (name: string) => !isLazy || output === null || output.has(name);
  switch (operator.kind) {
    case 'filter': {
      const names = new Set(output ?? []);
      addColumnNames(operator.predicate, names);
      return output && names;
    }
    case 'sort':
    case 'top':
    case 'range':
      return output && new Set([...output, ...operator.order.map((key) => key.column)]);
    case 'partitionTop': {
      const { partition, order } = operator;
      return output && new Set([...output, ...partition, ...order.map((key) => key.column)]);
    }
    case 'limit':
      return output;
    case 'eventTime':
    case 'checkTimes':
      return output && new Set([...output, timeColumnOf(operator)]);
    case 'boundaries':
      return new Set(operator.order.map((key) => key.column));
    case 'join':
      return joinNeeds(operator, [...operator.probeKeys, ...operator.buildKeys], isRead);
    case 'regularJoin': {
      const { leftKeys, rightKeys, kindColumn } = operator;
      const isGiven = (name: string) => name !== kindColumn && isRead(name);
      return joinNeeds(operator, [...leftKeys, ...rightKeys], isGiven);
    }
    case 'intervalJoin':
    case 'asOfJoin':
    case 'asOfProbe':
      return timedJoinNeeds(operator, isRead);
    case 'project': {
      const names = new Set<string>();
      for (const { name, expr } of operator.columns) if (isRead(name)) addColumnNames(expr, names);
      return names;
    }
    case 'repeat':
      return joinNeeds({ ...operator, condition: null }, [operator.column], isRead);
    case 'explodeWords':
    case 'registers':
    case 'assignWindows':
    case 'eachWindow':
      return new Set([operator.column, ...operator.carried.filter(isRead)]);
    case 'firstRows':
    case 'digest':
    case 'analytic':
    case 'orderedAggregate':
    case 'orderedWindow':
    case 'aggregate':
    case 'runningAggregate':
    case 'windowAggregate':
      return groupNeeds(operator, isRead);
    default:
      return assertNever(operator);
  }
}

/** A user's function may read any field, a sink writes them all, and the clock's time is put behind them. */
const readingAll = [
  ...(['source', 'filterRows', 'lookup', 'ingestionTime', 'mapRows', 'flatMap', 'fold'] as const),
  ...([
    'map',
    'combine',
    'reduce',
    'process',
    'windowFunction',
    'pattern',
    'sink',
    'runningTop',
  ] as const),
] as const;

function readsAll(
  operator: OperatorSpec,
): operator is Extract<OperatorSpec, { readonly kind: (typeof readingAll)[number] }> {
  return readingAll.some((kind) => kind === operator.kind);
}

/** What is looked at of each row. */
function timeColumnOf(operator: OperatorSpec & { kind: 'eventTime' | 'checkTimes' }): string {
  const { kind, column } = operator;
  return kind === 'eventTime' ? (operator.watermarkColumn ?? column) : column;
}

function timedJoinNeeds(
  operator: OperatorSpec & { readonly kind: 'intervalJoin' | 'asOfJoin' | 'asOfProbe' },
  isRead: (name: string) => boolean,
): ReadonlySet<string> {
  const { leftKeys, rightKeys, leftTime, rightTime } = operator;
  const condition = operator.kind === 'intervalJoin' ? operator.condition : null;
  const keys = [...leftKeys, ...rightKeys, leftTime, rightTime];
  return joinNeeds({ ...operator, condition }, keys, isRead);
}

/** What operators over groups and partitions read: keys, orders, and the arguments of results that are read. */
function groupNeeds(
  operator: OperatorSpec & {
    readonly kind:
      | 'firstRows'
      | 'digest'
      | 'analytic'
      | 'orderedWindow'
      | `${'a' | 'orderedA' | 'runningA' | 'windowA'}ggregate`;
  },
  isRead: (name: string) => boolean,
): Needs {
  switch (operator.kind) {
    case 'analytic': {
      const { functions, partition, order } = operator;
      const results = functions.map(({ name }) => name);
      const given = operator.output.fields.map((field) => field.name).filter(isRead);
      return new Set([
        ...given.filter((name) => !results.includes(name)),
        ...partition,
        ...order.map((key) => key.column),
        ...functions.filter(({ name }) => isRead(name)).flatMap(valuesIn),
      ]);
    }
    case 'orderedAggregate':
      return orderedNeeds(operator, isRead);
    case 'orderedWindow': {
      // All of its results are made.
      const needs = orderedNeeds(operator, () => true);
      return operator.column === null ? needs : new Set([...needs, operator.column]);
    }
    case 'firstRows':
      return new Set(operator.output.fields.map(({ name }) => name));
    case 'digest':
      return new Set([...operator.keys, operator.column]);
    case 'runningAggregate': {
      const weight = operator.weight === null ? [] : [operator.weight];
      return new Set([...aggregateNeeds(operator, () => true), ...weight]);
    }
    case 'aggregate':
    case 'windowAggregate':
      return aggregateNeeds(operator, isRead);
  }
}

function orderedNeeds(
  operator: OperatorSpec & { readonly kind: 'orderedAggregate' | 'orderedWindow' },
  isRead: (name: string) => boolean,
): ReadonlySet<string> {
  const { keys, order, aggregates } = operator;
  const read = aggregates.filter(({ name }) => isRead(name));
  const inputs = read.flatMap((one) => ('input' in one ? [one.input] : one.columns));
  return new Set([...keys, ...order.map((key) => key.column), ...inputs]);
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
  operator: OperatorSpec & { readonly kind: 'aggregate' | 'runningAggregate' | 'windowAggregate' },
  isRead: (name: string) => boolean,
): ReadonlySet<string> {
  const { keys, aggregates, phase } = operator;
  // In the final phase the names are of parts, all of which are merged.
  const read = aggregates.filter(({ name }) => phase === 'final' || isRead(name));
  const times = operator.kind === 'windowAggregate' ? [operator.column, operator.lastColumn] : [];
  const named = times.filter((time) => typeof time === 'string');
  return new Set([...named, ...keys, ...read.flatMap(({ columns }) => columns)]);
}
