/**
 * Conditions at joins: which of them may be asked of one side's rows, before they are joined.
 *
 *     a filter behind the join      of a side whose columns are never null for want of a partner
 *     a condition of the join       of a side whose rows without a partner are not given out
 *
 * So behind a left join a condition on the left side goes to it, and one on the right side stays; within its
 * `on` it is the other way round. A condition that may fail stays: in front of the join it would be asked of
 * rows that have no partner.
 */
import { addColumnNames } from '../../engine/expr/column-names.ts';
import { conditionsOf } from '../../engine/expr/conditions.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { logicExpr } from '../../engine/expr/expr-factory.ts';
import { mayFail } from '../../engine/expr/may-fail.ts';
import { becomesNull, isOuter, type JoinSide } from '../../engine/plan/join-type.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { fieldIndexOf } from '../../engine/schema/schema.ts';
import { inputFrom, numberAfter, type PlanStep, StepIndex } from './plan-step.ts';

type Join = OperatorSpec & { readonly kind: 'join' };
type Ports = readonly { readonly condition: Expr; readonly port: number | null }[];

/** Conditions of joins that read one side only become filters of that side, where that is the same. */
export function joinConditionRule(steps: readonly PlanStep[]): readonly PlanStep[] {
  let list = steps;
  for (const step of steps) {
    const { operator } = step;
    if (operator.kind !== 'join' || operator.condition === null) continue;
    const mayGo = (side: JoinSide) => !isOuter(operator.type, side);
    const ports = portsOf(step, operator, { predicate: operator.condition, mayGo, steps: list });
    if (ports.every(({ port }) => port === null)) continue;
    const { filters, inputs } = filteredInputs(step, { ports, filter: operator, steps: list });
    const condition = allOf(ports.filter(({ port }) => port === null));
    const join = { ...step, operator: { ...operator, condition }, inputs };
    list = list.flatMap((one) => (one.number === step.number ? [...filters, join] : [one]));
  }
  return list;
}

/**
 * What stands in the place of a join and the filter behind it, when a part of the filter can go to a side;
 * else null.
 */
export function filterBelowJoin(
  filter: PlanStep,
  below: PlanStep,
  steps: readonly PlanStep[],
): readonly PlanStep[] | null {
  const { operator } = below;
  if (operator.kind !== 'join' || filter.operator.kind !== 'filter') return null;
  const { predicate } = filter.operator;
  const mayGo = (side: JoinSide) => !becomesNull(operator.type, side);
  const ports = portsOf(below, operator, { predicate, mayGo, steps });
  if (ports.every(({ port }) => port === null)) return null;
  const { filters, inputs } = filteredInputs(below, { ports, filter: filter.operator, steps });
  const rest = allOf(ports.filter(({ port }) => port === null));
  // Whoever reads the filter now reads the join.
  if (rest === null) return [...filters, { number: filter.number, operator, inputs }];
  const staying = { ...filter, operator: { ...filter.operator, predicate: rest } };
  return [...filters, { ...below, inputs }, staying];
}

/** Where each part of a condition may be asked: at a port, or, null, where it stands. */
function portsOf(
  join: PlanStep,
  { buildSide }: Join,
  options: {
    readonly predicate: Expr;
    readonly mayGo: (side: JoinSide) => boolean;
    readonly steps: readonly PlanStep[];
  },
): Ports {
  const index = new StepIndex(options.steps);
  const sides = (['left', 'right'] as const).map((side) => {
    const port = side === buildSide ? vertexPorts.build : vertexPorts.rows;
    return { side, port, schema: index.inputSchemaOf(join, port) };
  });
  return conditionsOf(options.predicate).map((condition) => {
    const read = new Set<string>();
    addColumnNames(condition, read);
    const found = sides.find(({ schema }) =>
      [...read].every((name) => fieldIndexOf(schema, name) >= 0),
    );
    const isFree = read.size > 0 && found !== undefined && options.mayGo(found.side);
    return { condition, port: isFree && !mayFail(condition) ? found.port : null };
  });
}

/** The inputs of a join behind filters, and those filters; `filter` gives their id and name. */
function filteredInputs(
  join: PlanStep,
  options: {
    readonly ports: Ports;
    readonly filter: OperatorSpec;
    readonly steps: readonly PlanStep[];
  },
) {
  const nextNumber = numberAfter(options.steps);
  const index = new StepIndex(options.steps);
  const { id, name } = options.filter;
  const filters: PlanStep[] = [];
  const inputs = join.inputs.map((input) => {
    const predicate = allOf(options.ports.filter(({ port }) => port === input.port));
    if (predicate === null) return input;
    const own = { ...input, exchange: null, port: vertexPorts.rows };
    const output = index.inputSchemaOf({ ...join, inputs: [own] });
    const number = nextNumber();
    filters.push({
      number,
      operator: { id, name, output, kind: 'filter', predicate },
      inputs: [own],
    });
    return { ...inputFrom(number, input.exchange), port: input.port };
  });
  return { filters, inputs };
}

function allOf(parts: Ports): Expr | null {
  return parts
    .map(({ condition }) => condition)
    .reduce<Expr | null>((all, one) => (all === null ? one : logicExpr('and', all, one)), null);
}
