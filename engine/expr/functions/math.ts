/**
 * Functions on numbers. Integers and decimals are exact or an overflow; the others are IEEE 754's:
 * the root of a negative number is NaN, and the logarithm of 0 is -Infinity.
 */
import { type FieldType, float64Type, int32Type, int64Type } from '../../schema/field-type.ts';
import { isFloat, isInteger } from '../arithmetic-type.ts';
import { fitsPrecision, powerOfTen, rescaled } from '../decimal.ts';
import type { Expr } from '../expr.ts';
import type { MathFunction } from '../function-name.ts';
import { isInRange } from '../integer-range.ts';
import { overflow, type Value } from '../value.ts';
import { widenerOf } from '../widen.ts';
import {
  type CallExpr,
  type Compute,
  type FunctionRule,
  literalIn,
  literalInteger,
  number,
} from './function-rule.ts';

export const mathFunctions: Readonly<Record<MathFunction, FunctionRule>> = {
  abs: {
    parameters: [number],
    resultType: ([input]) => signedTypeOf(input),
    prepare: (call) =>
      signed(call, (value) => (value < 0 || Object.is(value, -0) ? -value : value)),
  },
  ceil: whole(Math.ceil, (quotient, rest) => (rest > 0n ? quotient + 1n : quotient)),
  exp: ofFloats(Math.exp),
  floor: whole(Math.floor, (quotient, rest) => (rest < 0n ? quotient - 1n : quotient)),
  /** The natural logarithm. */
  ln: ofFloats(Math.log),
  neg: {
    parameters: [number],
    resultType: ([input]) => signedTypeOf(input),
    text: ([input = '']) => (/^[\w.]+$/.test(input) ? `-${input}` : `-(${input})`),
    prepare: (call) => signed(call, (value) => -value),
  },
  pow: {
    parameters: [number, number],
    resultType: () => float64Type,
    prepare: ({ args }) => {
      const [baseOf, exponentOf] = args.map(({ type }) => widenerOf(type, float64Type));
      return (base: Value, exponent: Value) =>
        Number(baseOf?.(base)) ** Number(exponentOf?.(exponent));
    },
  },
  /** Half away from zero, as in SQL: (number, digits behind the point). */
  round: {
    parameters: [number, { ...literalInteger, isOptional: true }],
    resultType: ([input, digits]) => roundedTypeOf(input, digits),
    prepare: prepareRound,
  },
  sqrt: ofFloats(Math.sqrt),
};

function ofFloats(compute: (value: number) => number): FunctionRule {
  return {
    parameters: [number],
    resultType: () => float64Type,
    prepare: ({ args: [input] }) => {
      const widen = widenerOf(input?.type ?? float64Type, float64Type);
      return (value: Value) => compute(widen(value) as number);
    },
  };
}

/** Of an integer one that is signed: int32, or int64 where the values need it. */
function signedTypeOf(input: Expr | undefined): FieldType | null {
  if (input === undefined || !isInteger(input.type)) return input?.type ?? null;
  const { type } = input;
  if (type.kind === 'uint32') return { kind: 'int64', js: 'number' };
  return type.kind === 'int64' ? type : int32Type;
}

function signed(
  { args: [input], type }: CallExpr,
  compute: <N extends number | bigint>(value: N) => number | bigint,
): Compute {
  if (isFloat(type)) return (value: number) => compute(value);
  if (type.kind === 'decimal') return (value: bigint) => compute(value);
  const widen = widenerOf(input?.type ?? int64Type, type);
  return (value: Value) => {
    const result = compute(widen(value) as number | bigint);
    if (!isInRange(result, type)) return overflow;
    // An integer is never -0.
    return typeof result === 'number' ? result + 0 : result;
  };
}

/** `floor` and `ceil`: integers stay, floats and decimals lose their fraction. */
function whole(
  ofFloat: (value: number) => number,
  ofDecimal: (quotient: bigint, rest: bigint) => bigint,
): FunctionRule {
  return {
    parameters: [number],
    resultType: ([input]) => roundedTypeOf(input, undefined),
    prepare: ({ args: [input] }) => {
      const type = input?.type ?? float64Type;
      if (isFloat(type)) return ofFloat;
      if (type.kind !== 'decimal') return (value: Value) => value;
      const divisor = powerOfTen(type.scale);
      return (value: bigint) => ofDecimal(value / divisor, value % divisor);
    },
  };
}

/** Of a decimal one with fewer digits behind the point, and one more before it. */
function roundedTypeOf(input: Expr | undefined, digits: Expr | undefined): FieldType | null {
  const count = digits?.kind === 'literal' ? Number(digits.value) : 0;
  if (count < 0 || count > 38 || input === undefined) return null;
  const { type } = input;
  if (type.kind !== 'decimal' || count >= type.scale) return type;
  const precision = Math.min(type.precision - type.scale + count + 1, 38);
  return { kind: 'decimal', precision, scale: count };
}

function prepareRound(call: CallExpr): Compute {
  const { args, type } = call;
  const from = args[0]?.type ?? float64Type;
  const digits = Number(literalIn(call, 1) ?? 0);
  if (isFloat(from)) {
    const round = from.kind === 'float32' ? Math.fround : (value: number) => value;
    return (value: number) => round(roundFloat(value, digits));
  }
  if (from.kind !== 'decimal' || type.kind !== 'decimal') return (value: Value) => value;
  return (value: bigint) => {
    const rounded = rescaled(value, from.scale, type.scale);
    return fitsPrecision(rounded, type.precision) ? rounded : overflow;
  };
}

/** The nearest number with so many digits, of those that the number, scaled, lies between. */
function roundFloat(value: number, digits: number): number {
  const factor = 10 ** digits;
  const scaled = Math.abs(value) * factor;
  // From 2^52 on there are no fractions left to round.
  if (!(scaled < 2 ** 52)) return value;
  const cut = Math.floor(scaled);
  const rounded = scaled - cut >= 0.5 ? cut + 1 : cut;
  return Math.sign(value) * (rounded / factor);
}
