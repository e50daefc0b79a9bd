/**
 * Lowering of what carries changes: the row kind is a column more, behind the others, from the operator that gives
 * out changes to the one that takes them.
 *
 *     select a, b           project a, b, rowKind
 *     where a > 1           filter a > 1
 *     union of two          what only adds rows gets the kind "insert" first
 *     sink                  project change = "+I", "-U", "+U" or "-D", a, b   then the sink
 *
 * Why a column: filters, projections and exchanges move it without knowing what it is, and expressions can read it.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr, compareExpr, whenExpr } from '../../engine/expr/expr-factory.ts';
import { typedLiteral } from '../../engine/expr/literal.ts';
import type { NodeChanges } from '../../engine/plan/change-plan.ts';
import type { LogicalNode, SortKey } from '../../engine/plan/logical-graph.ts';
import { vertexPorts } from '../../engine/plan/physical-graph.ts';
import { rowKinds, rowKindTexts, rowKindType } from '../../engine/plan/row-kind.ts';
import { int64Type, utf8Type } from '../../engine/schema/field-type.ts';
import { type Field, fieldIndexOf, fieldOf, type Schema } from '../../engine/schema/schema.ts';
import type { LoweredSide, LoweredStep } from './plan-step.ts';
import { stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

/** What lowering a node has to know of changes. */
export interface ChangesHere extends NodeChanges {
  /** The column of the row kind. */
  readonly column: string;
  /** Of a limit behind a sort: its order. Else empty. */
  readonly order: readonly SortKey[];
}

type NodeOf<K extends LogicalNode['kind']> = LogicalNode & { readonly kind: K };

/** The schema with the row kind behind it. */
export function withKind({ fields }: Schema, column: string): Schema {
  return { fields: [...fields, fieldOf(column, rowKindType)] };
}

/** A node that carries the row kind, with it among its columns. */
export function carrying<N extends LogicalNode>(node: N, { column, mode }: ChangesHere): N {
  if (mode === 'append') return node;
  const kind: NamedExpr = { name: column, expr: kindExpr(column) };
  const schema = withKind(node.schema, column);
  switch (node.kind) {
    case 'select':
      return { ...node, schema, columns: [...node.columns, kind] };
    case 'explodeWords':
      return { ...node, schema, carried: [...node.carried, kind] };
    case 'where':
    case 'derive':
    case 'union':
    case 'orderBy':
      return { ...node, schema };
    default:
      return node;
  }
}

/** Of a union: streams that only add rows get a kind, where others have one. */
export function kindSides(
  node: NodeOf<'union'>,
  inputs: readonly Schema[],
  { hasKind, column, mode }: ChangesHere,
): readonly LoweredSide[] | undefined {
  if (mode === 'append' || !hasKind.includes(false)) return undefined;
  const kind = { name: column, expr: typedLiteral(rowKinds.insert, rowKindType) };
  return inputs.map(({ fields }, at) => {
    const plain = fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
    const operators = hasKind[at] === true ? [] : [projectOf(node, [...plain, kind])];
    return { operators, exchange: null, port: vertexPorts.rows };
  });
}

/** In front of a sink: the kind as text, before the columns; or without it. */
export function sinkColumns(node: NodeOf<'sink'>, here: ChangesHere): LoweredStep[] {
  const { fields } = node.schema;
  const plain = fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  if (!here.showsKind) return [];
  const { changes } = node.sink;
  assert(changes !== undefined, 'a sink that is given kinds has asked for them');
  if (fieldIndexOf(node.schema, changes.column) >= 0) throw kindTaken(node, changes.column);
  const [hasKind] = here.hasKind;
  const text = hasKind ? kindText(here.column, changes.mode) : insertText;
  return [stepOf(projectOf(node, [{ name: changes.column, expr: text }, ...plain]))];
}

/** The column of the row kind, read. */
export function kindExpr(column: string): Expr {
  return columnExpr(fieldOf(column, rowKindType));
}

const insertText = typedLiteral(rowKindTexts[rowKinds.insert], utf8Type);

/** By key a row before is one that is gone: a filter may have dropped the row after. */
function kindText(column: string, mode: 'retract' | 'upsert'): Expr {
  const isKind = (kind: number) =>
    compareExpr('eq', kindExpr(column), typedLiteral(kind, rowKindType));
  const textOf = (kind: number) => {
    const isGone = mode === 'upsert' && kind === rowKinds.updateBefore;
    return typedLiteral(rowKindTexts[isGone ? rowKinds.delete : kind], utf8Type);
  };
  const { insert, updateBefore, updateAfter, delete: gone } = rowKinds;
  const branches = [insert, updateBefore, updateAfter].map((kind) => {
    return { condition: isKind(kind), value: textOf(kind) };
  });
  return whenExpr(branches, textOf(gone));
}

function kindTaken(node: LogicalNode, column: string): Error {
  const message = `"${node.id}" has a column "${column}" already, and its row kind is to be called so`;
  return typedError('PLAN_DUPLICATE_NAME', message, {
    hint: 'Give the row kind another name: files.sink({ path, changes: "change" }).',
    details: { operator: node.id },
  });
}

/** Fields as columns that are handed on. */
export function plainColumns(fields: readonly Field[]): NamedExpr[] {
  return fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
}

/** 1 for a row that comes, -1 for one that goes. */
export function weightExpr(column: string): Expr {
  return chosen(column, typedLiteral(1, int64Type), typedLiteral(-1, int64Type));
}

/** One value for rows that come, another for those that go. */
export function chosen(column: string, comes: Expr, goes: Expr): Expr {
  const isKind = (kind: number): Expr =>
    compareExpr('eq', kindExpr(column), typedLiteral(kind, rowKindType));
  const branches = [
    { condition: isKind(rowKinds.insert), value: comes },
    { condition: isKind(rowKinds.updateAfter), value: comes },
  ];
  return whenExpr(branches, goes);
}
