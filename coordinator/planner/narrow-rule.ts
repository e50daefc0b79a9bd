/**
 * Narrowing: what nobody reads is neither read from a source nor computed.
 *
 *     source a b c d ─ project x = a + b, y = c * 2 ─ select x     →     source a b ─ project x = a + b ─ …
 *
 * A reader is given the columns that it must give out, and skips the rest of each record. A source with
 * dead letters is read whole: whether a record can be read must not depend on what a job does with it.
 */
import { type OperatorSpec, vertexOutputs } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { handsOn, needsOf } from './column-needs.ts';
import type { Needs } from './input-needs.ts';
import { columnsOf, type PlanStep, StepIndex } from './plan-step.ts';

export function narrowRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  const needs = needsOf(steps, true);
  const letters = steps
    .flatMap(({ inputs }) => inputs)
    .filter(({ output }) => output === vertexOutputs.deadLetters);
  const isWhole = ({ number }: PlanStep) => letters.some(({ from }) => from === number);
  const result: PlanStep[] = [];
  for (const step of steps) {
    const output = needs.get(step.number)?.output ?? null;
    const { operator } = step;
    if (handsOn(operator)) {
      const given = new StepIndex([...result, step]).inputSchemaOf(step);
      result.push({ ...step, operator: { ...operator, output: given } });
    } else if (output === null || isWhole(step)) {
      result.push(step);
    } else {
      result.push({ ...step, operator: narrowed(operator, output) });
    }
  }
  return result;
}

/** The operator without what is not read of its output. */
function narrowed(operator: OperatorSpec, read: NonNullable<Needs>): OperatorSpec {
  switch (operator.kind) {
    case 'source':
    case 'join':
    case 'intervalJoin':
    case 'asOfJoin':
    case 'asOfProbe':
    case 'repeat':
      return { ...operator, output: atLeastOne(operator.output, read) };
    case 'regularJoin': {
      const { kindColumn, output } = operator;
      // What becomes of a row is always said.
      const given = kindColumn === null ? read : new Set([...read, kindColumn]);
      return { ...operator, output: atLeastOne(output, given) };
    }
    case 'project': {
      const output = atLeastOne(operator.output, read);
      const names = new Set(output.fields.map((field) => field.name));
      return {
        ...operator,
        output,
        columns: operator.columns.filter(({ name }) => names.has(name)),
      };
    }
    case 'explodeWords':
    case 'eachWindow':
    case 'assignWindows': {
      const output = columnsOf(operator.output, [operator.as, ...read]);
      return { ...operator, output, carried: operator.carried.filter((name) => read.has(name)) };
    }
    case 'analytic': {
      const functions = operator.functions.filter(({ name }) => read.has(name));
      const [first] = operator.functions;
      // Without a function it would be no such operator.
      const kept = functions.length > 0 || first === undefined ? functions : [first];
      const output = columnsOf(operator.output, [...read, ...kept.map(({ name }) => name)]);
      return { ...operator, output, functions: kept };
    }
    case 'orderedAggregate': {
      const output = atLeastOne(operator.output, new Set([...operator.keys, ...read]));
      const names = new Set(output.fields.map((field) => field.name));
      const aggregates = operator.aggregates.filter(({ name }) => names.has(name));
      return { ...operator, output, aggregates };
    }
    case 'aggregate': {
      const output = atLeastOne(operator.output, new Set([...operator.keys, ...read]));
      const names = new Set(output.fields.map((field) => field.name));
      const aggregates = operator.aggregates.filter(({ name }) => names.has(name));
      return { ...operator, output, aggregates };
    }
    case 'windowAggregate': {
      // Bounds and keys are made anyway; so many fields are in front of the results.
      const results = new Set(operator.aggregates.map(({ name }) => name));
      const fields = operator.output.fields.filter(
        ({ name }) => !results.has(name) || read.has(name),
      );
      const aggregates = operator.aggregates.filter(({ name }) => read.has(name));
      return { ...operator, output: { fields }, aggregates };
    }
    default:
      return operator;
  }
}

/** Batches without columns are not made. */
function atLeastOne(schema: Schema, read: NonNullable<Needs>): Schema {
  const { fields } = columnsOf(schema, read);
  return { fields: fields.length > 0 ? fields : schema.fields.slice(0, 1) };
}
