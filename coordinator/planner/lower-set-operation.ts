/**
 * Lowering of `intersect` and `except`: the rows of both sides are marked and put together, and those that
 * are equal become one group, which knows how often each side has the row.
 *
 *     left ─── project *, side = 0 ─┬─ aggregate by *: total = count(), rights = sum(side)    (hash by *)
 *     right ── project *, side = 1 ─┘  filter  ─ project *                     distinct
 *                                      project *, copies ─ filter ─ repeat     all
 *
 * Why no join: keys of a join that are null have no partner, and rows of a set operation that are null are
 * equal. An aggregate has that for its keys, runs in two phases, and goes beyond memory where aggregates do.
 */
import type { NamedExpr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  callExpr,
  columnExpr,
  compareExpr,
  logicExpr,
} from '../../engine/expr/expr-factory.ts';
import { literalOfType } from '../../engine/expr/literal.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import { type LoweredNode, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

type SetNode = LogicalNode & { readonly kind: 'intersect' | 'except' };

/** @param inputs - Of the left and the right side. */
export function lowerSetOperation(node: SetNode, inputs: readonly Schema[]): LoweredNode {
  const { id, name, schema: output } = node;
  const keys = output.fields.map((field) => field.name);
  const taken = new Set(keys);
  const [side, total, rights, copies] = ['side', 'total', 'rights', 'copies'].map((wanted) =>
    fieldOf(freeName(wanted, taken), int64Type),
  ) as [Field, Field, Field, Field];
  const sides = inputs.map(({ fields }, at) => {
    const marked = { name: side.name, expr: literalOfType(at, int64Type) };
    const operators = [projectOf(node, [...plain(fields), marked])];
    return { operators, exchange: null, port: vertexPorts.rows };
  });
  const aggregate: OperatorSpec = {
    ...{ id, name, kind: 'aggregate', phase: 'whole', keys },
    output: { fields: [...output.fields, total, rights] },
    aggregates: [
      { name: total.name, function: 'count', columns: [] },
      { name: rights.name, function: 'sum', columns: [side.name] },
    ],
  };
  const group = stepOf(aggregate, { kind: 'hash', columns: keys });
  const counts = { total: columnExpr(total), rights: columnExpr(rights) };
  if (!node.isAll) {
    const predicate = isWanted(node.kind, counts);
    const filter = stepOf({ id, name, output: aggregate.output, kind: 'filter', predicate });
    return { sides, steps: [group, filter, stepOf(projectOf(node, plain(output.fields)))] };
  }
  const counted = { name: copies.name, expr: copiesOf(node.kind, counts) };
  const project = projectOf(node, [...plain(output.fields), counted]);
  const predicate = compareExpr('gt', columnExpr(copies), zero);
  const steps = [
    stepOf(project),
    stepOf({ id, name, output: project.output, kind: 'filter', predicate }),
    stepOf({ id, name, output, kind: 'repeat', column: copies.name }),
  ];
  return { sides, steps: [group, ...steps] };
}

const zero = literalOfType(0, int64Type);

type Counts = Readonly<Record<'total' | 'rights', NamedExpr['expr']>>;

/** Whether a row of these counts is in the result, once. */
function isWanted(kind: SetNode['kind'], { total, rights }: Counts) {
  if (kind === 'except') return compareExpr('eq', rights, zero);
  return logicExpr('and', compareExpr('gt', rights, zero), compareExpr('gt', total, rights));
}

/** How often it is in the result: each row of the right side goes with one of the left, or takes one away. */
function copiesOf(kind: SetNode['kind'], { total, rights }: Counts) {
  const lefts = arithmeticExpr('subtract', total, rights);
  if (kind === 'except') return arithmeticExpr('subtract', lefts, rights);
  return callExpr('least', lefts, rights);
}

function plain(fields: readonly Field[]): NamedExpr[] {
  return fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
}
