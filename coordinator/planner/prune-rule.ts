/**
 * Pruning: columns that nobody reads do not travel, and are not sorted.
 *
 *     a sort · select word (merge)    →   project word, count · sort · select word (merge)
 *     b where price > 1 · limit 3 (gather) · select url     →     … limit 3 (gather: only url) …
 *
 * Leaving out a column costs nothing per row, in a projection as on an edge: a batch without it shares
 * all the others. An edge carries what its own reader needs, so that readers of one stream do not pay
 * for each other. Sorts move rows, so they get a projection in front.
 */
import { assertNever } from '../../base/assert.ts';
import { addColumnNames } from '../../engine/expr/column-names.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import type { Exchange, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { columnsOf, inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

/** Names of columns; null for all of them. */
type Needs = ReadonlySet<string> | null;

export function pruneRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const index = new StepIndex(steps);
  const needs = needsOf(steps);
  const nextNumber = numberAfter(steps);
  const result: PlanStep[] = [];
  for (const step of steps) {
    const kept = needs.get(step.number) ?? null;
    const isChained = index.chainedBehind(step) !== null;
    const narrow = isChained ? step : withColumns(step, kept, new StepIndex(result));
    const input = new StepIndex([...result, narrow]).inputSchemaOf(narrow);
    const { operator } = narrow;
    const isSort = operator.kind === 'sort' || operator.kind === 'top';
    const pruned = kept === null ? input : columnsOf(input, kept);
    if (isSort && pruned.fields.length < input.fields.length) {
      const project = projectOf(operator, pruned);
      const number = nextNumber();
      result.push({ number, operator: project, inputs: narrow.inputs });
      const sort = { ...operator, output: pruned };
      result.push({ number: step.number, operator: sort, inputs: [inputFrom(number)] });
    } else {
      const output = handsOn(operator) ? input : operator.output;
      result.push({ ...narrow, operator: { ...operator, output } });
    }
  }
  return result;
}

/** The step with the columns named that its edges carry. */
function withColumns(step: PlanStep, kept: Needs, before: StepIndex): PlanStep {
  if (kept === null) return step;
  const inputs = step.inputs.map((input) => {
    const all = before.inputSchemaOf({ ...step, inputs: [input] });
    const wanted = new Set([...kept, ...exchangeColumns(input.exchange)]);
    const { fields } = columnsOf(all, wanted);
    const columns = fields.map((field) => field.name);
    return columns.length < all.fields.length ? { ...input, columns } : input;
  });
  return { ...step, inputs };
}

/** Operators that give out the columns that come in. */
function handsOn({ kind }: OperatorSpec): boolean {
  return kind === 'sort' || kind === 'top' || kind === 'limit' || kind === 'filter';
}

/** By step: the columns of its input that it, or what follows, reads. */
function needsOf(steps: readonly PlanStep[]): ReadonlyMap<number, Needs> {
  const index = new StepIndex(steps);
  const needs = new Map<number, Needs>();
  for (const step of [...steps].reverse()) {
    const readers = index.readersOf(step.number).map((reader) => {
      const own = needs.get(reader.number) ?? null;
      const edges = reader.inputs.filter(({ from }) => from === step.number);
      return own && [...own, ...edges.flatMap(({ exchange }) => exchangeColumns(exchange))];
    });
    const isAll = readers.length === 0 || readers.includes(null);
    const output = isAll ? null : new Set(readers.flatMap((names) => names ?? []));
    const own = inputNeeds(step.operator, output);
    needs.set(step.number, own && atLeastOne(own, index.inputSchemaOf(step)));
  }
  return needs;
}

/** Batches without columns are not made. */
function atLeastOne(names: ReadonlySet<string>, { fields }: Schema): ReadonlySet<string> {
  return names.size > 0 ? names : new Set(fields.slice(0, 1).map((field) => field.name));
}

/** What a sender looks at to know where rows go. */
function exchangeColumns(exchange: Exchange | null): readonly string[] {
  if (exchange?.kind === 'hash') return exchange.columns;
  if (exchange?.kind === 'partition') return [exchange.column];
  if (exchange?.kind === 'merge') return exchange.order.map((key) => key.column);
  return [];
}

/** What an operator reads, given what is read of its output. */
function inputNeeds(operator: OperatorSpec, output: Needs): Needs {
  const names = new Set<string>();
  switch (operator.kind) {
    case 'filter':
      if (output === null) return null;
      addColumnNames(operator.predicate, names);
      break;
    case 'sort':
    case 'top':
      if (output === null) return null;
      for (const key of operator.order) names.add(key.column);
      break;
    case 'limit':
      return output;
    case 'project':
      for (const column of operator.columns) addColumnNames(column.expr, names);
      return names;
    case 'explodeWords':
    case 'assignWindows':
      return new Set([operator.column, ...operator.carried]);
    case 'aggregate':
      return new Set([...operator.keys, ...operator.aggregates.flatMap(({ columns }) => columns)]);
    // A user's function may read any field, and a sink writes them all.
    case 'source':
    case 'filterRows':
    case 'mapRows':
    case 'flatMap':
    case 'fold':
    case 'map':
    case 'combine':
    case 'reduce':
    case 'sink':
      return null;
    default:
      return assertNever(operator);
  }
  return new Set([...names, ...(output ?? [])]);
}

function projectOf({ id, name }: OperatorSpec, output: Schema): OperatorSpec {
  const columns = output.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return { id, name, output, kind: 'project', columns };
}
