/**
 * What a function of expressions is: a row of one of the tables in this folder. It says what the
 * function takes, what type it gives, how it prints, and computes it: the reference for what is
 * compiled.
 */
import type { FieldType } from '../../schema/field-type.ts';
import { commonTypeOf, isInteger, isNumeric } from '../arithmetic-type.ts';
import type { Expr } from '../expr.ts';
import type { overflow, Value } from '../value.ts';

export type CallExpr = Expr & { readonly kind: 'call' };

/**
 * Computes a call from the values of its arguments, none of which is null unless `takesNulls`.
 * Written with the types of the arguments, which the parameters have checked.
 */
export type Compute = (...values: never[]) => Value | typeof overflow;

export interface Parameter {
  /** For messages: `upper takes a text`. */
  readonly needs: string;
  readonly takes: (type: FieldType) => boolean;
  /** Must be known when the plan is made: a pattern, a unit. */
  readonly isLiteral?: true;
  /** May be left out, with all that follow it. */
  readonly isOptional?: true;
}

export interface FunctionRule {
  readonly parameters: readonly Parameter[];
  /** The last parameter may be given any number of times, from one on. */
  readonly isVariadic?: true;
  /** Of arguments that the parameters take; null when they don't go together. */
  readonly resultType: (args: readonly Expr[]) => FieldType | null;
  /** @defaultValue whether an argument is nullable */
  readonly isNullable?: (args: readonly Expr[]) => boolean;
  /** Nulls are values like others; without it a null makes the result null. */
  readonly takesNulls?: true;
  /** How it prints, from its printed arguments. @defaultValue `name(a, b)` */
  readonly text?: (args: readonly string[]) => string;
  /** Called once per expression. @throws EXPR_REGEX */
  readonly prepare: (call: CallExpr) => Compute;
}

export const text: Parameter = { needs: 'a text', takes: ({ kind }) => kind === 'utf8' };
export const number: Parameter = { needs: 'a number', takes: isNumeric };
export const integer: Parameter = { needs: 'a whole number', takes: isInteger };
export const anything: Parameter = { needs: 'a value', takes: () => true };
/** Only a text that is known when the plan is made. */
export const literalText: Parameter = { ...text, needs: 'a literal text', isLiteral: true };
export const literalInteger: Parameter = {
  ...integer,
  needs: 'a literal whole number',
  isLiteral: true,
};

/** The type of all arguments together; null when they have none. */
export function commonTypeOfAll(args: readonly Expr[]): FieldType | null {
  const [first, ...others] = args.map(({ type }) => type);
  let common: FieldType | null = first ?? null;
  for (const other of others) common = common === null ? null : commonTypeOf(common, other);
  return common;
}

/** The value of an argument that is a literal. */
export function literalIn(call: CallExpr, index: number): string | number | boolean | null {
  const arg = call.args[index];
  return arg?.kind === 'literal' ? arg.value : null;
}
