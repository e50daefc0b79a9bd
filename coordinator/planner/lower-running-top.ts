/**
 * Lowering of `limit` behind `orderBy`, and of `over` in front of a filter by rank, where they give out changes while rows come:
 * one task has all rows, or all of a partition, with their weights, and says which are the first.
 *
 *     orderBy n descending · limit 10       project *, weight = + or - 1 · running top 10 by n descending   (gather)
 *     over(by user, n descending,           project *, weight = + or - 1 · running top by user, n descending: rowNumber <= 3
 *       place = rowNumber), place <= 3      (hash by user) · filter place <= 3
 */
import { assert } from '../../base/assert.ts';
import { typedLiteral } from '../../engine/expr/literal.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { fieldOf, freeName } from '../../engine/schema/schema.ts';
import { lowerAnalytic } from './lower-analytic.ts';
import { type ChangesHere, plainColumns, weightExpr, withKind } from './lower-changes.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

/** How long changes are gathered for one update. */
const everyMs = 100;

export function lowerRunningTop(
  node: LogicalNode & { readonly kind: 'limit' },
  { column, hasKind, order }: ChangesHere,
): LoweredStep[] {
  const { id, name, schema, count } = node;
  const taken = new Set([...schema.fields.map((field) => field.name), column]);
  const [isOfChanges = false] = hasKind;
  const one = isOfChanges ? weightExpr(column) : typedLiteral(1, int64Type);
  const columns = [...plainColumns(schema.fields), { name: freeName('weight', taken), expr: one }];
  const output = withKind(schema, column);
  const top = { kind: 'runningTop', order, count, ranks: null, isOfChanges, everyMs } as const;
  const operator = { id, name, output, ...top };
  return [stepOf(projectOf(node, columns)), stepOf(operator, { kind: 'gather' })];
}

export function lowerRunningRanks(
  node: LogicalNode & { readonly kind: 'analytic' },
  { column, hasKind, ranks }: ChangesHere,
): LoweredStep[] {
  const { id, name, functions } = node;
  const { fields } = node.schema;
  assert(ranks !== null, 'an over runs where a filter says which ranks are wanted');
  // As in batch, for what is computed in front, and where rows go.
  const output = withKind(node.schema, column);
  const plain = { fields: fields.slice(0, -functions.length) };
  const steps = lowerAnalytic({ ...node, schema: output }, plain);
  const last = steps.at(-1);
  assert(last?.operator.kind === 'analytic', 'an over is an analytic operator');
  const { partition, order } = last.operator;
  const [before] = steps;
  const computed =
    before?.operator.kind === 'project' ? before.operator.columns.slice(plain.fields.length) : [];
  const given = [...plainColumns(plain.fields), ...computed];
  const rank = fields.slice(plain.fields.length);
  const made = computed.map(({ name: made, expr }) => fieldOf(made, expr.type, expr.nullable));
  const all = withKind({ fields: [...plain.fields, ...made, ...rank] }, column);
  const [isOfChanges = false] = hasKind;
  const one = isOfChanges ? weightExpr(column) : typedLiteral(1, int64Type);
  const weight = freeName('weight', new Set(all.fields.map((field) => field.name)));
  const { count, function: ranked } = ranks;
  const top = {
    ...({ kind: 'runningTop', order, count, isOfChanges, everyMs } as const),
    ranks: { partition, function: ranked },
  };
  return [
    stepOf(projectOf(node, [...given, { name: weight, expr: one }])),
    stepOf({ id, name, output: all, ...top }, last.exchange),
    ...(made.length === 0 ? [] : [stepOf(projectOf(node, plainColumns(output.fields)))]),
  ];
}
