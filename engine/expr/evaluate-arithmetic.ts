/**
 * Sums, differences and products of the reference evaluator: exact for integers and timestamps, or
 * an error that names the expression and the row; float64 as IEEE 754 has it.
 *
 * BigInt is allowed here, once per row, because this is the slow path: it is what compiled
 * expressions are compared with.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { typeText } from '../schema/field-type.ts';
import { numberReader } from './evaluate-compare.ts';
import type { ArithmeticOp, Expr } from './expr.ts';
import { exprText } from './expr-text.ts';
import type { Operand } from './operand.ts';

export type ArithmeticExpr = Expr & { readonly kind: 'arithmetic' };

/**
 * Writes the value of a row into the result; both operands must have one.
 * The writer throws EXPR_OVERFLOW.
 */
export function calculator(
  expr: ArithmeticExpr,
  memory: SlotMemory,
  [left, right]: readonly [Operand, Operand],
  result: Operand,
): (row: number) => void {
  const { float64, int32, bigInt64 } = memory;
  const { values } = result;
  const { op, type } = expr;
  if (type.kind === 'float64') {
    const leftOf = numberReader(memory, left);
    const rightOf = numberReader(memory, right);
    return (row) => {
      float64[values / 8 + row] = calculate(op, leftOf(row), rightOf(row));
    };
  }
  if (type.kind === 'int32') {
    const leftOf = numberReader(memory, left);
    const rightOf = numberReader(memory, right);
    return (row) => {
      // A product above 2^53 is rounded, and far out of range all the same.
      const value = calculate(op, leftOf(row), rightOf(row));
      if ((value | 0) !== value) throw overflow(expr, row, leftOf(row), rightOf(row));
      int32[(values >>> 2) + row] = value;
    };
  }
  const leftOf = bigIntReader(memory, left);
  const rightOf = bigIntReader(memory, right);
  return (row) => {
    const value = calculateBig(op, leftOf(row), rightOf(row));
    if (BigInt.asIntN(64, value) !== value) throw overflow(expr, row, leftOf(row), rightOf(row));
    bigInt64[values / 8 + row] = value;
  };
}

function bigIntReader(
  memory: SlotMemory,
  { type, values, step }: Operand,
): (row: number) => bigint {
  const { int32, bigInt64 } = memory;
  if (type.kind === 'int32') return (row) => BigInt(int32[(values >>> 2) + row * step] ?? 0);
  return (row) => bigInt64[values / 8 + row * step] ?? 0n;
}

function calculate(op: ArithmeticOp, left: number, right: number): number {
  switch (op) {
    case 'add':
      return left + right;
    case 'subtract':
      return left - right;
    case 'multiply':
      return left * right;
    default:
      assert(false, `the evaluator knows ${op}`);
  }
}

function calculateBig(op: ArithmeticOp, left: bigint, right: bigint): bigint {
  switch (op) {
    case 'add':
      return left + right;
    case 'subtract':
      return left - right;
    case 'multiply':
      return left * right;
    default:
      assert(false, `the evaluator knows ${op}`);
  }
}

function overflow(
  expr: ArithmeticExpr,
  row: number,
  left: number | bigint,
  right: number | bigint,
): Error {
  const text = exprText(expr);
  const message = `"${text}" does not fit ${typeText(expr.type)} in row ${row} of the batch, where its sides are ${left} and ${right}`;
  const hint =
    expr.type.kind === 'int32'
      ? 'Declare the columns as int64, or add 0n first: an int64 beside an int32 makes an int64.'
      : 'Keep such rows out with a where in front, or declare the columns as float64.';
  return typedError('EXPR_OVERFLOW', message, { hint, details: { expression: text, row } });
}
