/**
 * Goal: the evaluator gives what a row-by-row evaluation over plain JavaScript values gives, for
 * every type, with nulls, extremes, empty batches and selections; and no memory is left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows, readValue } from '../../../engine/batch/row-reader.ts';
import { arithmeticTypeOf, isNumeric } from '../../../engine/expr/arithmetic-type.ts';
import { evaluateExpr, selectRows } from '../../../engine/expr/evaluate.ts';
import type { ArithmeticOp, CompareOp, Expr } from '../../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  callExpr,
  columnExpr,
  compareExpr,
  isNullExpr,
  logicExpr,
  notExpr,
} from '../../../engine/expr/expr-factory.ts';
import { literalAlone, literalBeside } from '../../../engine/expr/literal.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import {
  type FieldType,
  int32Type,
  int64Type,
  isSameType,
  typeText,
} from '../../../engine/schema/field-type.ts';
import { fieldIndexOf, fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import {
  type BatchCase,
  basicTypes,
  batchCases,
  makeBatch,
  valuesOf,
  withMemory,
} from '../../support/batches.ts';

type Value = boolean | number | bigint | string | null;

/** The reference: one value from one row, in SQL's three-valued logic. */
function referenceOf(expr: Expr, schema: Schema, row: readonly unknown[]): Value {
  const of = (one: Expr) => referenceOf(one, schema, row);
  switch (expr.kind) {
    case 'column':
      return row[fieldIndexOf(schema, expr.name)] as Value;
    case 'literal':
      return isBig(expr.type) ? BigInt(String(expr.value)) : expr.value;
    case 'isNull':
      return of(expr.input) === null;
    case 'not': {
      const value = of(expr.input);
      return value === null ? null : !value;
    }
    case 'logic':
      return logic(
        expr.op,
        () => of(expr.left),
        () => of(expr.right),
      );
    case 'compare': {
      const [left, right] = [of(expr.left), of(expr.right)];
      return left === null || right === null ? null : compare(expr, left, right);
    }
    case 'arithmetic': {
      const [left, right] = [of(expr.left), of(expr.right)];
      return left === null || right === null ? null : calculate(expr.op, expr.type, left, right);
    }
    default:
      throw new Error(`no case draws ${expr.kind}`);
  }
}

/** The side that decides does so whatever the other is, an overflow too. */
function logic(op: 'and' | 'or', left: () => Value, right: () => Value): Value {
  const decides = op === 'or';
  const sides = [left, right].map((side) => {
    try {
      return side();
    } catch (error) {
      return error as RangeError;
    }
  });
  if (sides.includes(decides)) return decides;
  const failed = sides.find((side) => side instanceof RangeError);
  if (failed !== undefined) throw failed;
  return sides.includes(null) ? null : !decides;
}

function compare({ op, left: l, right: r }: Expr & { kind: 'compare' }, left: Value, right: Value) {
  if (typeof left === 'string' && typeof right === 'string')
    return ordered(op, Buffer.compare(Buffer.from(left), Buffer.from(right)), 0);
  const hasFloat = l.type.kind === 'float64' || r.type.kind === 'float64';
  if (hasFloat) return ordered(op, Number(left), Number(right));
  return ordered(op, BigInt(left as bigint), BigInt(right as bigint));
}

function ordered(op: CompareOp, a: number | bigint, b: number | bigint): boolean {
  return { eq: a === b, ne: a !== b, lt: a < b, le: a <= b, gt: a > b, ge: a >= b }[op];
}

/** Throws a RangeError where the result does not fit. */
function calculate(op: ArithmeticOp, type: FieldType, left: Value, right: Value): Value {
  if (type.kind === 'float64') {
    const [a, b] = [Number(left), Number(right)];
    return op === 'add' ? a + b : op === 'subtract' ? a - b : a * b;
  }
  const [a, b] = [BigInt(left as bigint), BigInt(right as bigint)];
  const value = op === 'add' ? a + b : op === 'subtract' ? a - b : a * b;
  if (BigInt.asIntN(type.kind === 'int32' ? 32 : 64, value) !== value) throw new RangeError();
  return isBig(type) ? value : Number(value);
}

function isBig(type: FieldType): boolean {
  return type.kind === 'int64' || type.kind === 'timestamp';
}

const schema: Schema = {
  fields: basicTypes.flatMap((type, index) => [
    fieldOf(`a${index}`, type),
    fieldOf(`b${index}`, type, true),
  ]),
};
const columns = schema.fields.map(columnExpr);

/** A condition or calculation over `schema`, of any type and up to `depth` levels. */
function exprs(depth: number): fc.Arbitrary<Expr> {
  if (depth === 0) return fc.constantFrom(...columns);
  const inner = exprs(depth - 1);
  const bools = conditions(depth - 1);
  return fc.oneof(
    bools,
    fc
      .tuple(inner, inner, fc.constantFrom<ArithmeticOp>('add', 'subtract', 'multiply'))
      .map(([a, b, op]) => (arithmeticTypeOf(op, a.type, b.type) ? arithmeticExpr(op, a, b) : a)),
    inner,
  );
}

function conditions(depth: number): fc.Arbitrary<Expr> {
  const ops = fc.constantFrom<CompareOp>('eq', 'ne', 'lt', 'le', 'gt', 'ge');
  const compared = fc
    .tuple(exprs(Math.max(0, depth - 1)), ops, fc.nat())
    .chain(([left, op, pick]) => {
      const same = columns.filter(
        ({ type }) => isSameType(type, left.type) || (isNumeric(type) && isNumeric(left.type)),
      );
      const right = same[pick % same.length] ?? left;
      return fc.oneof(
        fc.constant(compareExpr(op, left, right)),
        valuesOf(left.type).map((value) =>
          Number.isFinite(value) || typeof value !== 'number'
            ? compareExpr(op, left, literalBeside(value, left.type))
            : compareExpr(op, left, right),
        ),
      );
    });
  if (depth <= 0) return compared;
  const inner = conditions(depth - 1);
  return fc.oneof(
    compared,
    fc
      .tuple(inner, inner, fc.constantFrom('and' as const, 'or' as const))
      .map(([a, b, op]) => logicExpr(op, a, b)),
    inner.map(notExpr),
    exprs(depth - 1).map(isNullExpr),
  );
}

function selectedRows({ rows, selected }: BatchCase) {
  return selected === null ? rows : selected.map((row) => rows[row] ?? []);
}

/** The reference's values, or null when a row overflows. */
function expectedValues(expr: Expr, spec: BatchCase): Value[] | null {
  try {
    return selectedRows(spec).map((row) => {
      const values = row.map((value, index) =>
        isBig(schema.fields[index]?.type ?? int32Type) && value !== null
          ? BigInt(value as bigint)
          : value,
      );
      return referenceOf(expr, schema, values);
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const cases = batchCases({ schema: fc.constant(schema), rowsMax: 30 });

test('any expression gives what the reference gives, or both overflow', () => {
  fc.assert(
    fc.property(cases, exprs(3), (spec, expr) =>
      withMemory(({ scope, memory }) => {
        const expected = expectedValues(expr, spec);
        const batch = makeBatch(scope, spec);
        if (expected === null) {
          expect(() => evaluateExpr(expr, batch, scope)).toThrow(
            expect.objectContaining({ name: 'EXPR_OVERFLOW' }),
          );
        } else {
          const { column, blocks } = evaluateExpr(expr, batch, scope);
          const asBig =
            isBig(column.type) && column.type.kind === 'int64'
              ? { ...column, type: int64Type }
              : column;
          const found = expected.map((_, index) =>
            readValue(memory, asBig, batch.storedRowOf(index), 'x'),
          );
          expect(found).toEqual(expected);
          for (const block of blocks) memory.release(block);
        }
        batch.release();
      }),
    ),
    { numRuns: 400 },
  );
});

test('selectRows keeps the rows for which the condition is true', () => {
  fc.assert(
    fc.property(cases, conditions(3), (spec, predicate) =>
      withMemory(({ scope, memory }) => {
        const expected = expectedValues(predicate, spec);
        const batch = makeBatch(scope, spec);
        if (expected === null) {
          expect(() => selectRows(predicate, batch, scope)).toThrow(
            expect.objectContaining({ name: 'EXPR_OVERFLOW' }),
          );
          batch.release();
          return;
        }
        const { selection, rowCount } = selectRows(predicate, batch, scope);
        const kept = expected.flatMap((value, index) =>
          value === true ? [batch.storedRowOf(index)] : [],
        );
        expect(rowCount).toBe(kept.length);
        if (selection !== 0) {
          const at = addressOf(selection) / 4;
          expect([...memory.uint32.subarray(at, at + rowCount)]).toEqual(kept);
          memory.release(selection);
        } else {
          expect([0, batch.rowCount]).toContain(rowCount);
        }
        batch.release();
      }),
    ),
    { numRuns: 300 },
  );
});

test('values of every type come out of a function as they went in', () => {
  fc.assert(
    fc.property(batchCases({ rowsMax: 20 }), (spec) =>
      withMemory(({ scope }) => {
        const batch = makeBatch(scope, spec);
        const evaluated = spec.schema.fields.map((field) =>
          evaluateExpr(callExpr('coalesce', columnExpr(field)), batch, scope),
        );
        const derived = batch.derive({
          columns: evaluated.map(({ column }) => column),
          blocks: evaluated.flatMap(({ blocks }) => blocks),
        });
        expect(readRows(derived)).toEqual(readRows(batch));
        derived.release();
        batch.release();
      }),
    ),
  );
});

test('a literal alone becomes a column that outlives the evaluation', () => {
  withMemory(({ scope }) => {
    const batch = makeBatch(scope, {
      schema: schemaOf(fieldOf('n', int32Type)),
      rows: [[1], [2], [3]],
      selected: [0, 2],
    });
    for (const value of [
      'short',
      'longer than eight bytes',
      true,
      false,
      7n,
      1.5,
      new Date(5),
    ] as const) {
      const expr = literalAlone(value);
      const { column, blocks } = evaluateExpr(expr, batch, scope);
      const derived = batch.derive({
        schema: schemaOf(fieldOf('v', expr.type)),
        columns: [column],
        blocks,
      });
      const expected = value instanceof Date ? 5n : value;
      expect(readRows(derived)).toEqual([{ v: expected }, { v: expected }]);
      derived.release();
    }
    batch.release();
  });
});

test('an overflow names the expression, the row and the values, for selected rows only', () => {
  withMemory(({ scope }) => {
    const spec = { schema: schemaOf(fieldOf('n', int32Type)), rows: [[1], [2 ** 31 - 1], [3]] };
    const n = columnExpr(fieldOf('n', int32Type));
    const next = arithmeticExpr('add', n, literalBeside(1, int32Type));
    const all = makeBatch(scope, { ...spec, selected: null });
    expect(() => evaluateExpr(next, all, scope)).toThrow(
      '"n + 1" does not fit int32 in row 1 of the batch, where its sides are 2147483647 and 1',
    );
    all.release();
    const some = makeBatch(scope, { ...spec, selected: [0, 2] });
    for (const block of evaluateExpr(next, some, scope).blocks) scope.memory.release(block);
    some.release();
    expect(typeText(next.type)).toBe('int32');
  });
});
