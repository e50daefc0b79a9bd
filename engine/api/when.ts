/** `when`: a choice by conditions, SQL's `case`. */
import { typedError } from '../../base/typed-error.ts';
import { whenExpr } from '../expr/expr-factory.ts';
import {
  type Choice,
  type ChosenColumn,
  choiceExprs,
  type JoinedKind,
  type KindOfChoice,
  type NullOfChoice,
  type ValueOfChoice,
} from './choice.ts';
import { type AnyBool, Column, exprOf } from './column.ts';

declare const whenTypes: unique symbol;

interface Case {
  readonly condition: AnyBool;
  readonly value: unknown;
}

/** Nothing where a value goes with those before it; otherwise a type that no value has. */
type Fitting<K, O> = JoinedKind<K, KindOfChoice<O>> extends 'mismatch' ? never : unknown;

/** Cases so far, with values of kind K; `otherwise` ends them. */
export class When<K, V, N extends boolean> {
  declare readonly [whenTypes]: { kind: K; value: V; nullable: N };
  readonly #cases: readonly Case[];

  /** Made by `when` only. */
  constructor(cases: readonly Case[]) {
    this.#cases = cases;
  }

  /**
   * Another case: the value where the condition is true, and none of those before was.
   *
   * @example `when(lit(5).gt(9), 'much').when(lit(5).gt(3), 'some').otherwise('few')` is `'some'`
   */
  when<const O extends Choice>(
    condition: AnyBool,
    value: O & Fitting<K, O>,
  ): When<JoinedKind<K, KindOfChoice<O>>, V | ValueOfChoice<O>, N | NullOfChoice<O>> {
    return new When([...this.#cases, { condition, value }]);
  }

  /**
   * The value where no condition was true, perhaps `null`; makes the column.
   *
   * @example `when(lit(1).gt(9), 'much').otherwise(null)` is `null`
   */
  otherwise<const O extends Choice>(
    value: O & Fitting<K, O>,
  ): ChosenColumn<
    JoinedKind<K, KindOfChoice<O>>,
    V | ValueOfChoice<O>,
    true extends N | NullOfChoice<O> ? true : false
  > {
    const values = [...this.#cases.map((one) => one.value), value];
    const exprs = choiceExprs('when', values);
    const last = exprs.pop() ?? null;
    const branches = exprs.map((expr, index) => ({
      condition: conditionOf(this.#cases[index]?.condition),
      value: expr,
    }));
    return new Column(whenExpr(branches, last));
  }
}

/**
 * A choice by conditions: the value of the first one that is true. A null condition does not hold.
 * What is not chosen is not computed, so it has no errors: a condition can guard a division.
 *
 * @example `when(lit(0, t.int32()).ne(0), lit(1, t.int32()).intDiv(0)).otherwise(-1)` is `-1`
 * @see `Column.otherwise`
 */
export function when<const O extends Choice>(
  condition: AnyBool,
  value: O,
): When<KindOfChoice<O>, ValueOfChoice<O>, NullOfChoice<O>> {
  return new When([{ condition, value }]);
}

function conditionOf(condition: AnyBool | undefined) {
  const expr = Column.exprIn(condition);
  if (expr !== null && condition !== undefined) return exprOf(condition);
  throw typedError('EXPR_TYPE_MISMATCH', 'when needs a condition', {
    hint: 'Give a condition and a value: when(row.count.gt(1), row.price).otherwise(0).',
  });
}
