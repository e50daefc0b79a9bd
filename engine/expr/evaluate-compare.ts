/**
 * Comparisons of the reference evaluator: whether two values are less, equal, greater or unordered
 * (NaN with anything). An int64 beside a float64 is compared as the nearest float64; decimals and
 * integers exactly. Lists and structs are equal or not, as they are in groups: part by part, where a
 * null equals a null and NaN equals NaN.
 */
import type { FieldType } from '../schema/field-type.ts';
import { isFloat, isNumeric } from './arithmetic-type.ts';
import { powerOfTen } from './decimal.ts';
import type { CompareOp } from './expr.ts';
import type { Value } from './value.ts';
import { widenerOf } from './widen.ts';

/** Below 0, 0 or above 0; NaN when the two have no order. */
type Order = number;

/** Whether `op` holds for two values, neither of them null. */
export function comparatorOf(
  op: CompareOp,
  left: FieldType,
  right: FieldType,
): (left: Value, right: Value) => boolean {
  if (left.kind === 'list' || left.kind === 'struct') {
    return (a, b) => areSame(a, b) === (op === 'eq');
  }
  const order = orderOf(left, right);
  const holds = truths[op];
  return (a, b) => holds(order(a, b));
}

const truths: Readonly<Record<CompareOp, (order: Order) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
};

/** The order of two values, neither of them null. */
export function orderOf(left: FieldType, right: FieldType): (left: Value, right: Value) => Order {
  if (left.kind === 'utf8') return (a, b) => compareTexts(a as string, b as string);
  if (left.kind === 'binary') return (a, b) => compareBytes(a as Uint8Array, b as Uint8Array);
  if (isNumeric(left) && (isFloat(left) || isFloat(right))) {
    const [leftOf, rightOf] = [widenerOf(left, float64), widenerOf(right, float64)];
    return (a, b) => compare(leftOf(a), rightOf(b));
  }
  if (left.kind === 'decimal' || right.kind === 'decimal') {
    const [leftScale, rightScale] = [scaleOf(left), scaleOf(right)];
    const leftFactor = powerOfTen(Math.max(rightScale - leftScale, 0));
    const rightFactor = powerOfTen(Math.max(leftScale - rightScale, 0));
    return (a, b) => compare(bigIntOf(a) * leftFactor, bigIntOf(b) * rightFactor);
  }
  return compare;
}

const float64: FieldType = { kind: 'float64' };

/** Numbers and bigints compare exactly in JavaScript, one with the other as well. */
function compare(a: Value, b: Value): Order {
  if (a === null || b === null) return Number.NaN;
  if (a < b) return -1;
  if (a > b) return 1;
  return a <= b ? 0 : Number.NaN;
}

/** Whether two values of one type, or parts of them, are the same. */
function areSame(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  // Of one type: arrays and bytes have indexes for names, structs the same names in the same order.
  return (
    left.length === right.length &&
    left.every(([, value], index) => areSame(value, right[index]?.[1]))
  );
}

function scaleOf(type: FieldType): number {
  return type.kind === 'decimal' ? type.scale : 0;
}

function bigIntOf(value: Value): bigint {
  return BigInt(value as number | bigint);
}

/**
 * By code points, which is the order of UTF-8's bytes; JavaScript's own order, by UTF-16 units, has
 * surrogates before U+E000.
 */
function compareTexts(a: string, b: string): Order {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left === right) continue;
    const isLeftHigh = left >= 0xd800 && left < 0xe000;
    const isRightHigh = right >= 0xd800 && right < 0xe000;
    if (isLeftHigh !== isRightHigh) {
      // A surrogate stands for a code point above all others, unless the other is below it anyway.
      return isLeftHigh ? 1 : -1;
    }
    return left - right;
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): Order {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const order = (a[index] ?? 0) - (b[index] ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
