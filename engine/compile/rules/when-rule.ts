/**
 * Rules of `when` and `coalesce`: the first case that holds. Cases that cost much are computed only
 * for rows that come to them.
 */
import type { Expr } from '../../expr/expr.ts';
import type { Local } from '../wasm/code-builder.ts';
import { choose, converted, nullOf } from './choose.ts';
import { isCostly } from './costly.ts';
import type { RuleContext } from './rule-context.ts';
import { partOf, type Value } from './value.ts';

/** A case: where it is taken (null: always), and where finding that out failed. */
interface Case {
  readonly holds: Local;
  readonly failed: Local | null;
  readonly value: Value;
}

export function whenRule(context: RuleContext, expr: Expr & { readonly kind: 'when' }): Value {
  const { code } = context;
  const { type, branches, otherwise } = expr;
  const cases: Case[] = [];
  /** Where no case before holds; null: everywhere. */
  let isOpen: Local | null = null;
  for (const branch of branches) {
    const condition = valueWhere(context, isOpen, branch.condition);
    code.get(partOf(condition));
    if (condition.valid !== null) code.get(condition.valid).op('i32.and');
    if (condition.failed !== null) code.get(condition.failed).op('i32.eqz', 'i32.and');
    const holds = code.keep('i32');
    const isTaken = isOpen === null ? holds : code.get(isOpen).get(holds).op('i32.and').keep('i32');
    const value = converted(context, valueWhere(context, isTaken, branch.value), type);
    cases.push({ holds, failed: condition.failed, value });
    code.get(holds).op('i32.eqz');
    if (isOpen !== null) code.get(isOpen).op('i32.and');
    isOpen = code.keep('i32');
  }
  const last =
    otherwise === null
      ? nullOf(context, type)
      : converted(context, valueWhere(context, isOpen, otherwise), type);
  return firstOf(context, cases, last);
}

export function coalesceRule(context: RuleContext, expr: Expr & { readonly kind: 'call' }): Value {
  const { code } = context;
  const { type, args } = expr;
  const cases: Case[] = [];
  let isOpen: Local | null = null;
  for (const arg of args) {
    const value = converted(context, valueWhere(context, isOpen, arg), type);
    if (value.valid === null && value.failed === null) return firstOf(context, cases, value);
    // A failure ends the search as a value does: it is the row's error.
    if (value.valid === null) code.i32(1);
    else code.get(value.valid);
    if (value.failed !== null) code.get(value.failed).op('i32.or');
    const holds = code.keep('i32');
    cases.push({ holds, failed: null, value });
    code.get(holds).op('i32.eqz');
    if (isOpen !== null) code.get(isOpen).op('i32.and');
    isOpen = code.keep('i32');
  }
  return firstOf(context, cases, nullOf(context, type));
}

/** The value of a node; where it costs much, only where it is asked for. */
function valueWhere(context: RuleContext, isAsked: Local | null, expr: Expr): Value {
  if (isAsked === null || !isCostly(expr)) return context.value(expr);
  return context.under(isAsked, () => context.value(expr));
}

function firstOf(context: RuleContext, cases: readonly Case[], last: Value): Value {
  const { code } = context;
  return cases.toReversed().reduce((rest, { holds, failed, value }) => {
    const chosen = choose(context, holds, value, rest);
    if (failed === null) return chosen;
    code.get(failed);
    if (chosen.failed !== null) code.get(chosen.failed).op('i32.or');
    return { ...chosen, failed: code.keep('i32') };
  }, last);
}
