/**
 * Expression trees: what an expression lambda becomes. Plain frozen data with the type of every
 * node, so a plan can push them down, print them, send them and, later, compile them.
 */
import type { FieldType } from '../schema/field-type.ts';

export type CompareOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
export type ArithmeticOp = 'add' | 'subtract' | 'multiply';

interface Typed {
  readonly type: FieldType;
  readonly nullable: boolean;
}

export type Expr = Typed &
  (
    | { readonly kind: 'column'; readonly name: string }
    /** int64 and timestamp literals are decimal text, so that JSON keeps them exact. */
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
  );

/** A named output column of `select` or `keyBy`. */
export interface NamedExpr {
  readonly name: string;
  readonly expr: Expr;
}
