/**
 * Combiners: an aggregate or a fold behind an exchange is split, so that what travels is a row per key and
 * task, not a row per record.
 *
 *     aggregate whole (hash by word)   →   aggregate partial · aggregate final (hash by word)
 *
 * The partial phase gives the parts of results (an average's are a sum and a count), the final phase
 * merges them. Distinct values have no parts: such an aggregate stays whole. Behind a union each of its
 * streams has a partial phase of its own.
 */
import { aggregatePartsOf } from '../../engine/plan/aggregate-parts.ts';
import { type OperatorSpec, vertexOutputs } from '../../engine/plan/physical-graph.ts';
import { comesOnce, hasBounds } from '../../engine/plan/window-spec.ts';
import { fieldIndexOf, fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import {
  inputFrom,
  isLocal,
  numberAfter,
  type PlanOptions,
  type PlanStep,
  StepIndex,
  type StepInput,
} from './plan-step.ts';

export function combinerRule(
  steps: readonly PlanStep[],
  { mode, keepsPhases = false }: Partial<PlanOptions> = {},
): readonly PlanStep[] {
  const nextNumber = numberAfter(steps);
  const index = new StepIndex(steps);
  /** By step that was split: what is late is told, and put aside, by its partial phases. */
  const tellers = new Map<number, readonly number[]>();
  const split = steps.flatMap((step) => {
    const isAlone = isLocal(step) && !keepsPhases;
    const isWhole = isAlone || (mode === 'streaming' && isSession(step.operator));
    const phases = isWhole ? null : phasesOf(step.operator, index.inputSchemaOf(step));
    if (phases === null) return [step];
    const partials = step.inputs.map(
      (input): PlanStep => ({
        number: nextNumber(),
        operator: phases.partial,
        inputs: [{ ...input, exchange: null }],
      }),
    );
    const inputs = partials.map(({ number }, at) =>
      inputFrom(number, step.inputs[at]?.exchange ?? null),
    );
    tellers.set(
      step.number,
      partials.map(({ number }) => number),
    );
    return [...partials, { number: step.number, operator: phases.final, inputs }];
  });
  const told = (input: StepInput): readonly StepInput[] => {
    const own = input.output === vertexOutputs.aside ? tellers.get(input.from) : undefined;
    return own?.map((from) => ({ ...input, from })) ?? [input];
  };
  return split.map((step) => ({ ...step, inputs: step.inputs.flatMap(told) }));
}

interface Phases {
  readonly partial: OperatorSpec;
  readonly final: OperatorSpec;
}

/**
 * In a stream a task knows only when its own sessions are over: given out then, they would come behind others that they
 * join. Held back until those are over, too, they would hold time for all.
 */
function isSession(operator: OperatorSpec): boolean {
  return operator.kind === 'windowAggregate' && operator.window.kind === 'session';
}

/** The two operators that do the same, or null where there are none. */
function phasesOf(operator: OperatorSpec, input: Schema): Phases | null {
  if (operator.kind === 'fold' && hasItsKeys(operator)) {
    return { partial: { ...operator, phase: 'partial' }, final: operator };
  }
  if (operator.kind === 'windowAggregate') return windowPhases(operator, input);
  return operator.kind === 'aggregate' ? aggregatePhases(operator, input) : null;
}

/** Whether partial rows can be folded again: a key that is no field of theirs is gone. */
function hasItsKeys({ keys, output }: OperatorSpec & { readonly kind: 'fold' }): boolean {
  return keys.every((key) => fieldIndexOf(output, key) >= 0);
}

/** The partial phase gives parts, which the aggregates of the final phase merge. */
export function aggregatePhases(
  operator: OperatorSpec & { readonly kind: 'aggregate' },
  input: Schema,
) {
  if (operator.aggregates.some((one) => one.function === 'countDistinct')) return null;
  const { schema, aggregates } = aggregatePartsOf(operator, input);
  return {
    partial: { ...operator, phase: 'partial' as const, output: schema },
    final: { ...operator, phase: 'final' as const, aggregates },
  };
}

/**
 * The same by pane: the partial phase puts the pane in front of the parts. Windows that are given out more than once
 * know which of their rows have come since, and stay whole; so do those of a count of rows.
 */
function windowPhases(
  operator: OperatorSpec & { readonly kind: 'windowAggregate' },
  input: Schema,
): Phases | null {
  const { window, firing, keys, aggregates, output, phase } = operator;
  if (phase !== 'whole' || !comesOnce(firing) || window.kind === 'count') return null;
  if (aggregates.some((one) => one.function === 'countDistinct')) return null;
  const groups = { fields: output.fields.slice(hasBounds(window) ? 2 : 0) };
  const parts = aggregatePartsOf({ keys, aggregates, output: groups }, input);
  const taken = new Set(parts.schema.fields.map((field) => field.name));
  // A session of one task's rows is known by its first and its last time.
  const names = window.kind === 'session' ? ['pane', 'paneLast'] : ['pane'];
  const panes = names.map((name) => {
    return fieldOf(freeName(name, taken), { kind: 'timestamp', unit: 'ms' });
  });
  const [pane, last] = panes.map((field) => field.name);
  const partial = { fields: [...panes, ...parts.schema.fields] };
  const times = { column: pane ?? null, ...(last !== undefined && { lastColumn: last }) };
  return {
    partial: { ...operator, phase: 'partial', output: partial },
    final: { ...operator, phase: 'final', ...times, aggregates: parts.aggregates },
  };
}
