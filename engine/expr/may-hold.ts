/**
 * Whether a condition may be true for some row of many of which little is known: the bounds of their
 * columns, whether there are nulls. What surely holds for none need not be read.
 *
 *     a in [3, 9], no nulls       a > 9            no row
 *                                 a > 8            maybe
 *                                 not (a >= 3)     no row
 *
 * Says maybe in doubt. Each part is asked whether it may be true and whether it may be false; null is
 * neither. A condition that would fail for a row that is left out has no error then: a plan may compute
 * less than was written.
 */

import type { FieldType } from '../schema/field-type.ts';
import { isFloat, isInteger } from './arithmetic-type.ts';
import { powerOfTen } from './decimal.ts';
import { comparatorOf } from './evaluate-compare.ts';
import { literalValueOf } from './evaluator.ts';
import type { CompareOp, Expr } from './expr.ts';
import type { Value } from './value.ts';

/** What is known of the values of a column, as the reference computes with them (value.ts). */
export interface ColumnFacts {
  readonly mayBeNull: boolean;
  /** Whether there may be a value at all. */
  readonly mayBeValue: boolean;
  /** No value is below, or above; null where there is no bound. NaN is neither. */
  readonly least: Value;
  readonly most: Value;
  /** Whether a value of the column's type may be among them. @defaultValue true */
  readonly mayHave?: (value: Value) => boolean;
}

/** What is known of a column by its name; null where nothing is. */
export type FactsOf = (name: string) => ColumnFacts | null;

export function mayHold(condition: Expr, factsOf: FactsOf): boolean {
  return truthOf(condition, factsOf).mayBeTrue;
}

interface Truth {
  readonly mayBeTrue: boolean;
  readonly mayBeFalse: boolean;
}

const either: Truth = { mayBeTrue: true, mayBeFalse: true };
const neither: Truth = { mayBeTrue: false, mayBeFalse: false };

function truthOf(expr: Expr, factsOf: FactsOf): Truth {
  switch (expr.kind) {
    case 'literal':
      return { mayBeTrue: expr.value === true, mayBeFalse: expr.value === false };
    case 'column': {
      const facts = factsOf(expr.name);
      if (facts === null) return either;
      if (!facts.mayBeValue) return neither;
      return { mayBeTrue: facts.most !== false, mayBeFalse: facts.least !== true };
    }
    case 'logic': {
      const [left, right] = [truthOf(expr.left, factsOf), truthOf(expr.right, factsOf)];
      const [all, one] = [(a: boolean, b: boolean) => a && b, (a: boolean, b: boolean) => a || b];
      const [ofTrue, ofFalse] = expr.op === 'and' ? [all, one] : [one, all];
      return {
        mayBeTrue: ofTrue(left.mayBeTrue, right.mayBeTrue),
        mayBeFalse: ofFalse(left.mayBeFalse, right.mayBeFalse),
      };
    }
    case 'not': {
      const { mayBeTrue, mayBeFalse } = truthOf(expr.input, factsOf);
      return { mayBeTrue: mayBeFalse, mayBeFalse: mayBeTrue };
    }
    case 'isNull':
      return nullTruth(expr.input, factsOf);
    case 'compare':
      return compareTruth(expr, factsOf);
    case 'in':
      return inTruth(expr, factsOf);
    case 'call':
      return callTruth(expr, factsOf);
    default:
      return either;
  }
}

function nullTruth(input: Expr, factsOf: FactsOf): Truth {
  const facts = input.kind === 'column' ? factsOf(input.name) : null;
  if (facts === null) return { mayBeTrue: input.nullable, mayBeFalse: true };
  return { mayBeTrue: facts.mayBeNull, mayBeFalse: facts.mayBeValue };
}

/** The values that one side of a comparison may have; null bounds are open. */
interface Range {
  readonly type: FieldType;
  readonly least: Value;
  readonly most: Value;
  readonly mayHave: (value: Value) => boolean;
  readonly literal: Value;
}

const anyValue = () => true;

/** Null where there is no value; undefined where nothing is known. */
function rangeOf(expr: Expr, factsOf: FactsOf): Range | null | undefined {
  const { type } = expr;
  if (expr.kind === 'literal') {
    const value = literalValueOf(expr);
    if (value === null) return null;
    return { type, least: value, most: value, mayHave: anyValue, literal: value };
  }
  if (expr.kind !== 'column') return undefined;
  const facts = factsOf(expr.name);
  if (facts === null) return undefined;
  if (!facts.mayBeValue) return null;
  const { least, most, mayHave = anyValue } = facts;
  return { type, least, most, mayHave, literal: null };
}

function compareTruth(expr: Expr & { readonly kind: 'compare' }, factsOf: FactsOf): Truth {
  const [left, right] = [rangeOf(expr.left, factsOf), rangeOf(expr.right, factsOf)];
  if (left === null || right === null) return neither;
  if (left === undefined || right === undefined) return either;
  // NaN, which no bounds speak of, is unlike anything.
  const mayBeNaN = [left, right].some(
    ({ type, literal }) => isFloat(type) && (literal === null || Number.isNaN(literal)),
  );
  return {
    mayBeTrue: mayCompare(expr.op, left, right) || (mayBeNaN && expr.op === 'ne'),
    mayBeFalse: mayCompare(opposites[expr.op], left, right) || (mayBeNaN && expr.op !== 'ne'),
  };
}

const opposites: Readonly<Record<CompareOp, CompareOp>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  le: 'gt',
  gt: 'le',
  ge: 'lt',
};

/** Whether some value of the left side and some of the right side compare so. */
function mayCompare(op: CompareOp, left: Range, right: Range): boolean {
  const holds = (one: CompareOp, a: Value, b: Value) =>
    a === null || b === null || comparatorOf(one, left.type, right.type)(a, b);
  switch (op) {
    case 'lt':
    case 'le':
      return holds(op, left.least, right.most);
    case 'gt':
    case 'ge':
      return holds(op, left.most, right.least);
    case 'eq':
      return (
        holds('le', left.least, right.most) &&
        holds('ge', left.most, right.least) &&
        mayHaveLiteral(left, right) &&
        mayHaveLiteral(right, left)
      );
    default: {
      const ends = [left.least, left.most, right.least, right.most];
      if (ends.includes(null)) return true;
      return [left.least, left.most].some((a) =>
        [right.least, right.most].some((b) => holds('ne', a, b)),
      );
    }
  }
}

/** Whether the literal may be among the values. */
function mayHaveLiteral(range: Range, literal: Range): boolean {
  if (literal.literal === null) return true;
  const value = valueOfType(literal.literal, literal.type, range.type);
  return value === undefined || range.mayHave(value);
}

/** The same value of the other type; undefined where they do not simply correspond. */
function valueOfType(value: Value, from: FieldType, to: FieldType): Value | undefined {
  if (from.kind === 'decimal' && to.kind === 'decimal') {
    const factor = to.scale - from.scale;
    return factor < 0 ? undefined : (value as bigint) * powerOfTen(factor);
  }
  if (isInteger(from) && isInteger(to)) {
    const isWide = to.kind === 'int64';
    return isWide ? BigInt(value as bigint | number) : Number(value as bigint | number);
  }
  return from.kind === to.kind ? value : undefined;
}

function inTruth({ input, values }: Expr & { readonly kind: 'in' }, factsOf: FactsOf): Truth {
  const range = rangeOf(input, factsOf);
  if (range === null) return neither;
  if (range === undefined) return either;
  const mayBeTrue = values.some((value) => {
    const literal = rangeOf(value, factsOf);
    return literal === undefined || (literal !== null && mayCompare('eq', range, literal));
  });
  return { mayBeTrue, mayBeFalse: true };
}

/** Texts that begin in a certain way lie side by side. */
function callTruth(call: Expr & { readonly kind: 'call' }, factsOf: FactsOf): Truth {
  const [input, pattern] = call.args;
  if (call.function !== 'startsWith' && call.function !== 'like') return either;
  if (input === undefined || pattern?.kind !== 'literal') return either;
  const range = rangeOf(input, factsOf);
  if (range === null || pattern.value === null) return neither;
  if (range === undefined || typeof pattern.value !== 'string') return either;
  // Up to the first sign that may stand for something else.
  const prefix = call.function === 'like' ? pattern.value.split(/[%_\\]/)[0] : pattern.value;
  return { mayBeTrue: mayStartWith(range, prefix ?? ''), mayBeFalse: true };
}

function mayStartWith({ least, most, type }: Range, prefix: string): boolean {
  if (typeof most === 'string' && comparatorOf('lt', type, type)(most, prefix)) return false;
  if (typeof least !== 'string' || least.startsWith(prefix)) return true;
  return comparatorOf('lt', type, type)(least, prefix);
}
