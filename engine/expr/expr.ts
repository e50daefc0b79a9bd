/**
 * Expression trees: what an expression lambda becomes. Plain frozen data with the type of every
 * node, so a plan can push them down, print them, send them and compile them.
 *
 *     price * 2 > 10 and url like "/a%"
 *
 *     logic and ─┬─ compare gt ─┬─ arithmetic multiply ─┬─ column price
 *                │              │                       └─ literal 2
 *                │              └─ literal 10
 *                └─ call like ──── column url, literal "/a%"
 *
 * What a node means, for the reference (evaluate.ts) and for the compiler alike:
 *
 * - **Widening.** Operands keep the types they have. Numbers of two types are brought to one first:
 *   to the node's own type in `arithmetic`, `when` and calls that answer one of their arguments
 *   (`coalesce`, `least`, `greatest`), to `commonTypeOf` (expr-factory.ts) in `compare` and `in`.
 * - **Null.** The result is null where an operand is, except in `logic` (three-valued), `isNull`,
 *   `when` (a condition that is null does not hold), `in` (null if nothing equals and a value is
 *   null) and the functions that say so. A node is nullable where that can happen.
 * - **Errors.** A row has an error where an operand has one, even beside a null. But one side that
 *   decides `and` (false) or `or` (true) drops the other's error, and what `when` and `coalesce` do
 *   not come to has none. Rows that are not selected have none. Integers that overflow, integers
 *   and decimals divided by zero, and casts that fail are errors; floats are IEEE 754's and have
 *   none.
 */
import type { FieldType } from '../schema/field-type.ts';
import type { FunctionName } from './function-name.ts';

export type CompareOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

/**
 * - `add`, `subtract`, `multiply`: exact for integers, EXPR_OVERFLOW where the result does not fit.
 * - `divide`: float64, IEEE 754 (decimals: a decimal, EXPR_DIVIDE_BY_ZERO).
 * - `intDivide`: of integers, towards zero; `modulo`: the rest, with the sign of the left side.
 *   Integers by zero are EXPR_DIVIDE_BY_ZERO; `modulo` of floats is IEEE 754's.
 */
export type ArithmeticOp = 'add' | 'subtract' | 'multiply' | 'divide' | 'intDivide' | 'modulo';

/** A case of `when`: its value where the condition is the first that is true. */
export interface WhenBranch {
  readonly condition: Expr;
  readonly value: Expr;
}

interface Typed {
  readonly type: FieldType;
  readonly nullable: boolean;
}

export type Expr = Typed &
  (
    | { readonly kind: 'column'; readonly name: string }
    /** What it holds for each type: literal.ts; null is the null of the type. */
    | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
    | {
        readonly kind: 'compare';
        readonly op: CompareOp;
        readonly left: Expr;
        readonly right: Expr;
      }
    | {
        readonly kind: 'arithmetic';
        readonly op: ArithmeticOp;
        readonly left: Expr;
        readonly right: Expr;
      }
    | {
        readonly kind: 'logic';
        readonly op: 'and' | 'or';
        readonly left: Expr;
        readonly right: Expr;
      }
    | { readonly kind: 'not'; readonly input: Expr }
    | { readonly kind: 'isNull'; readonly input: Expr }
    /** `otherwise` null: null where no condition is true. */
    | {
        readonly kind: 'when';
        readonly branches: readonly WhenBranch[];
        readonly otherwise: Expr | null;
      }
    /** To `type`. A value that can't be cast is EXPR_CAST, or null where `isTry`. */
    | { readonly kind: 'cast'; readonly input: Expr; readonly isTry: boolean }
    /** Whether one of the literals equals the input. */
    | { readonly kind: 'in'; readonly input: Expr; readonly values: readonly Expr[] }
    | { readonly kind: 'call'; readonly function: FunctionName; readonly args: readonly Expr[] }
  );

/** A named output column of `select` or `keyBy`. */
export interface NamedExpr {
  readonly name: string;
  readonly expr: Expr;
}
