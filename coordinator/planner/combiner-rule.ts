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
import {
  type AggregateFunction,
  mergeFunctionOf,
  partFieldsOf,
} from '../../engine/plan/aggregate-functions.ts';
import type { AggregateColumn, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { type Field, fieldIndexOf, type Schema } from '../../engine/schema/schema.ts';
import { inputFrom, isLocal, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';
import { freeName } from './projection.ts';

export function combinerRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const nextNumber = numberAfter(steps);
  const index = new StepIndex(steps);
  return steps.flatMap((step) => {
    const phases = isLocal(step) ? null : phasesOf(step.operator, index.inputSchemaOf(step));
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
    return [...partials, { number: step.number, operator: phases.final, inputs }];
  });
}

interface Phases {
  readonly partial: OperatorSpec;
  readonly final: OperatorSpec;
}

/** The two operators that do the same, or null where there are none. */
function phasesOf(operator: OperatorSpec, input: Schema): Phases | null {
  if (operator.kind === 'fold' && hasItsKeys(operator)) {
    return { partial: { ...operator, phase: 'partial' }, final: operator };
  }
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
  const fields: Field[] = operator.output.fields.slice(0, operator.keys.length);
  const taken = new Set(operator.output.fields.map((field) => field.name));
  const aggregates = operator.aggregates.map(({ name, function: kind, columns }) => {
    const parts = partFieldsOf(name, kind, argumentOf(input, columns)).map((part) => {
      return part.name === name ? part : { ...part, name: freeName(part.name, taken) };
    });
    fields.push(...parts);
    return mergeOf(name, kind, parts);
  });
  return {
    partial: { ...operator, phase: 'partial' as const, output: { fields } },
    final: { ...operator, phase: 'final' as const, aggregates },
  };
}

function mergeOf(name: string, kind: AggregateFunction, parts: readonly Field[]): AggregateColumn {
  return { name, function: mergeFunctionOf(kind), columns: parts.map((part) => part.name) };
}

function argumentOf(input: Schema, [column]: readonly string[]): Field | null {
  return column === undefined ? null : (input.fields[fieldIndexOf(input, column)] ?? null);
}
