/**
 * Functions that choose one of their arguments. Nulls are left out; the result is null only where
 * all are.
 */
import { orderOf } from '../evaluate-compare.ts';
import type { NullFunction } from '../function-name.ts';
import type { Value } from '../value.ts';
import { widenerOf } from '../widen.ts';
import {
  anything,
  type CallExpr,
  type Compute,
  commonTypeOfAll,
  type FunctionRule,
  type Parameter,
} from './function-rule.ts';

const ordered: Parameter = {
  needs: 'a value with an order',
  takes: ({ kind }) => kind !== 'list' && kind !== 'struct',
};

const chooses = {
  isVariadic: true,
  takesNulls: true,
  resultType: commonTypeOfAll,
  isNullable: (args: CallExpr['args']) => args.every(({ nullable }) => nullable),
} as const;

export const nullFunctions: Readonly<Record<NullFunction, FunctionRule>> = {
  /** The first that is not null; those behind it are not computed, so they have no errors. */
  coalesce: {
    ...chooses,
    parameters: [anything],
    prepare: (call) => {
      const widened = wideners(call);
      return (...values: Value[]) => widened(values).find((value) => value !== null) ?? null;
    },
  },
  /** NaN is greater than all numbers, as it is when rows are sorted. */
  greatest: { ...chooses, parameters: [ordered], prepare: (call) => prepareBest(call, 1) },
  least: { ...chooses, parameters: [ordered], prepare: (call) => prepareBest(call, -1) },
};

/** Brings all arguments to the type of the call. */
function wideners({ args, type }: CallExpr): (values: readonly Value[]) => Value[] {
  const widen = args.map((arg) => widenerOf(arg.type, type));
  return (values) =>
    values.map((value, index) => (value === null ? null : (widen[index]?.(value) ?? null)));
}

function prepareBest(call: CallExpr, direction: 1 | -1): Compute {
  const widened = wideners(call);
  const order = orderOf(call.type, call.type);
  return (...values: Value[]) => {
    let best: Value = null;
    for (const value of widened(values)) {
      if (value === null) continue;
      if (best === null || isBetter(value, best)) best = value;
    }
    return best;
  };

  function isBetter(value: Value, best: Value): boolean {
    const compared = order(value, best);
    if (!Number.isNaN(compared)) return compared * direction > 0;
    return direction > 0
      ? Number.isNaN(value) && !Number.isNaN(best)
      : Number.isNaN(best) && !Number.isNaN(value);
  }
}
