/** Goal: bounds say "surely not" only of conditions that are true for no value within them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluatorOf } from '../../../engine/expr/evaluator.ts';
import type { CompareOp, Expr } from '../../../engine/expr/expr.ts';
import {
  callExpr,
  columnExpr,
  compareExpr,
  inExpr,
  isNullExpr,
  logicExpr,
  notExpr,
} from '../../../engine/expr/expr-factory.ts';
import { literalBeside } from '../../../engine/expr/literal.ts';
import { type ColumnFacts, mayHold } from '../../../engine/expr/may-hold.ts';
import type { Value } from '../../../engine/expr/value.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';

const column = (type: FieldType) => columnExpr(fieldOf('a', type, true));
const int = column(int32Type);
const float = column(float64Type);
const text = column(utf8Type);
const decimal = column({ kind: 'decimal', precision: 9, scale: 2 });
const is = (op: CompareOp, left: Expr, value: unknown) =>
  compareExpr(op, left, literalBeside(value, left.type));

const facts = (least: Value, most: Value, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  ...{ least, most, mayBeNull: false, mayBeValue: true },
  ...more,
});
const odd = { mayHave: (value: Value) => Number(value) % 2 === 1 };
const onlyNull = facts(null, null, { mayBeNull: true, mayBeValue: false });

test.each`
  condition                                                         | known                     | may
  ${is('gt', int, 9)}                                               | ${facts(3, 9)}            | ${false}
  ${is('ge', int, 9)}                                               | ${facts(3, 9)}            | ${true}
  ${is('lt', int, 3)}                                               | ${facts(3, 9)}            | ${false}
  ${is('le', int, 3)}                                               | ${facts(3, 9)}            | ${true}
  ${is('lt', int, 3)}                                               | ${facts(null, 9)}         | ${true}
  ${is('eq', int, 2)}                                               | ${facts(3, 9)}            | ${false}
  ${is('eq', int, 4)}                                               | ${facts(3, 9)}            | ${true}
  ${is('eq', int, 4)}                                               | ${facts(3, 9, odd)}       | ${false}
  ${is('ne', int, 3)}                                               | ${facts(3, 9)}            | ${true}
  ${is('ne', int, 3)}                                               | ${facts(3, 3)}            | ${false}
  ${notExpr(is('ne', int, 3))}                                      | ${facts(4, 9)}            | ${false}
  ${notExpr(is('ge', int, 3))}                                      | ${facts(3, 9)}            | ${false}
  ${is('eq', int, 4)}                                               | ${onlyNull}               | ${false}
  ${is('ne', int, 4)}                                               | ${onlyNull}               | ${false}
  ${isNullExpr(int)}                                                | ${facts(3, 9)}            | ${false}
  ${notExpr(isNullExpr(int))}                                       | ${onlyNull}               | ${false}
  ${is('lt', int, 2.5)}                                             | ${facts(3, 9)}            | ${false}
  ${is('ne', float, 3)}                                             | ${facts(3, 3)}            | ${true}
  ${notExpr(is('lt', float, 9))}                                    | ${facts(1, 2)}            | ${true}
  ${is('gt', float, 3)}                                             | ${facts(1, 3)}            | ${false}
  ${is('eq', decimal, '3.5')}                                       | ${facts(100n, 349n)}      | ${false}
  ${is('eq', decimal, '3.5')}                                       | ${facts(100n, 350n)}      | ${true}
  ${is('eq', decimal, '3.5')}                                       | ${facts(100n, 350n, odd)} | ${false}
  ${inExpr(int, [1, 2].map((n) => literalBeside(n, int.type)))} | ${facts(3, 9)} | ${false}
  ${inExpr(int, [1, 3].map((n) => literalBeside(n, int.type)))} | ${facts(3, 9)} | ${true}
  ${callExpr('startsWith', text, literalBeside('b', utf8Type))}     | ${facts('c', 'd')}        | ${false}
  ${callExpr('startsWith', text, literalBeside('c', utf8Type))}     | ${facts('abc', 'cat')}    | ${true}
  ${callExpr('startsWith', text, literalBeside('d', utf8Type))}     | ${facts('abc', 'cat')}    | ${false}
  ${callExpr('like', text, literalBeside('b%x', utf8Type))}         | ${facts('ba', 'ba')}      | ${true}
  ${callExpr('like', text, literalBeside('b_x%', utf8Type))}        | ${facts('c', 'd')}        | ${false}
  ${callExpr('like', text, literalBeside('%b', utf8Type))}          | ${facts('c', 'd')}        | ${true}
  ${logicExpr('and', is('gt', int, 5), is('lt', int, 3))}           | ${facts(3, 9)}            | ${false}
  ${logicExpr('or', is('gt', int, 9), is('lt', int, 3))}            | ${facts(3, 9)}            | ${false}
  ${notExpr(logicExpr('and', is('gt', int, 2), is('lt', int, 99)))} | ${facts(3, 9)}            | ${false}
  ${column(boolType)}                                               | ${facts(false, false)}    | ${false}
  ${notExpr(column(boolType))}                                      | ${facts(false, true)}     | ${true}
`('$condition.kind, $known.least to $known.most', ({ condition, known, may }) => {
  expect(mayHold(condition, () => known)).toBe(may);
});

test('what is not known may be', () => {
  expect(mayHold(is('eq', int, 4), () => null)).toBe(true);
});

/** Conditions over two columns of small numbers. */
const { condition: conditions } = fc.letrec<{ condition: Expr }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    fc
      .record({
        left: fc.constantFrom('a', 'b'),
        op: fc.constantFrom<CompareOp>('eq', 'ne', 'lt', 'le', 'gt', 'ge'),
        right: fc.oneof(fc.integer({ min: -1, max: 5 }), fc.constantFrom('a', 'b')),
      })
      .map(({ left, op, right }) => {
        const [side, type] = [columnExpr(fieldOf(left, float64Type, true)), float64Type];
        if (typeof right === 'number') return compareExpr(op, side, literalBeside(right, type));
        return compareExpr(op, side, columnExpr(fieldOf(right, float64Type, true)));
      }),
    fc
      .constantFrom('a', 'b')
      .map((name) => isNullExpr(columnExpr(fieldOf(name, float64Type, true)))),
    tie('condition').map(notExpr),
    fc
      .tuple(fc.constantFrom('and', 'or'), tie('condition'), tie('condition'))
      .map(([op, left, right]) => logicExpr(op as 'and' | 'or', left, right)),
  ),
}));

test('a condition that is true for a row may hold by the bounds of all rows', () => {
  const value = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom(null, Number.NaN, -0));
  const rows = fc.array(fc.record({ a: value, b: value }), { minLength: 1, maxLength: 4 });
  let refused = 0;
  fc.assert(
    fc.property(rows, conditions, (list, condition) => {
      const factsOf = (name: string): ColumnFacts => {
        const all = list.map((row) => row[name as 'a' | 'b']);
        const there = all.filter((one) => one !== null);
        const ordered = there.filter((one) => !Number.isNaN(one));
        const [least, most] = [Math.min(...ordered), Math.max(...ordered)];
        const bounds = ordered.length === 0 ? [null, null] : [least, most];
        return {
          ...{ least: bounds[0] ?? null, most: bounds[1] ?? null },
          ...{ mayBeNull: there.length < all.length, mayBeValue: there.length > 0 },
        };
      };
      const evaluate = evaluatorOf(
        condition,
        (name) => (row) => list[row]?.[name as 'a' | 'b'] ?? null,
      );
      const isTrue = list.some((_row, index) => evaluate(index) === true);
      const may = mayHold(condition, factsOf);
      if (isTrue) expect(may).toBe(true);
      else if (!may) refused++;
    }),
    { numRuns: 1000 },
  );
  expect(refused).toBeGreaterThan(50);
});
