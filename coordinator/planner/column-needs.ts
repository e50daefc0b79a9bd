/**
 * Column needs: which columns of a step's rows anything reads. Followed from the sinks, which read all,
 * to the sources; where a user's function reads rows, all columns are needed.
 *
 *     source a b c ─ filter a > 1 ─ project d = b     needs of the project {b}, of the filter {a, b}
 */
import type { Exchange, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { inputNeeds, type Needs } from './input-needs.ts';
import { type PlanStep, StepIndex } from './plan-step.ts';

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
