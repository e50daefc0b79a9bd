/** Goal: expressions read as people write them, with brackets exactly where they are needed. */
import { expect, test } from 'vitest';
import type { Expr } from '../../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  columnExpr,
  compareExpr,
  isNullExpr,
  logicExpr,
  notExpr,
} from '../../../engine/expr/expr-factory.ts';
import { exprText, namedExprText } from '../../../engine/expr/expr-text.ts';
import { literalBeside } from '../../../engine/expr/literal.ts';
import { float64Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';

const n = columnExpr(fieldOf('n', int64Type, true));
const x = columnExpr(fieldOf('x', float64Type));
const s = columnExpr(fieldOf('s', utf8Type));
const big = compareExpr('gt', n, literalBeside(100, int64Type));
const ada = compareExpr('eq', s, literalBeside('ada "A"', utf8Type));
const at = columnExpr(fieldOf('at', { kind: 'timestamp', unit: 'ms' }));
const minus = (a: Expr, b: Expr) => arithmeticExpr('subtract', a, b);

test.each([
  [big, 'n > 100'],
  [ada, 's = "ada \\"A\\""'],
  [logicExpr('and', logicExpr('or', big, ada), big), '(n > 100 or s = "ada \\"A\\"") and n > 100'],
  [logicExpr('or', logicExpr('and', big, big), big), 'n > 100 and n > 100 or n > 100'],
  [notExpr(big), 'not (n > 100)'],
  [isNullExpr(n), 'n is null'],
  [notExpr(isNullExpr(n)), 'n is not null'],
  [minus(minus(n, n), n), 'n - n - n'],
  [minus(n, minus(n, n)), 'n - (n - n)'],
  [arithmeticExpr('multiply', minus(n, n), x), '(n - n) * x'],
  [compareExpr('le', at, literalBeside(new Date(5), at.type)), 'at <= timestamp(ms) 5'],
])('%#: %s', (expr, text) => {
  expect(exprText(expr)).toBe(text);
});

test('a named expression shows its name once where the column has it already', () => {
  expect(namedExprText({ name: 'n', expr: n })).toBe('n');
  expect(namedExprText({ name: 'm', expr: n })).toBe('m = n');
});
