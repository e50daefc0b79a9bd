/**
 * Lowering of `limit` behind `orderBy` where it gives out changes while rows come: one task has all rows, with their
 * weights, and says which are the first.
 *
 *     orderBy n descending · limit 10     project *, weight = + or - 1 · running top 10 by n descending   (gather)
 */

import { typedLiteral } from '../../engine/expr/literal.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { freeName } from '../../engine/schema/schema.ts';
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
  const top = { kind: 'runningTop', order, count, isOfChanges, everyMs } as const;
  const operator = { id, name, output, ...top };
  return [stepOf(projectOf(node, columns)), stepOf(operator, { kind: 'gather' })];
}
