/** Goal: functions on texts give what the reference gives: short and long texts, of any alphabet. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../../engine/batch/row-reader.ts';
import { rowProjector } from '../../../../engine/compile/row-projector.ts';
import type { Expr } from '../../../../engine/expr/expr.ts';
import { callExpr, columnExpr, compareExpr } from '../../../../engine/expr/expr-factory.ts';
import { typedLiteral } from '../../../../engine/expr/literal.ts';
import { textLengthMax } from '../../../../engine/expr/value.ts';
import { int32Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { expectSame } from '../../../support/compiled-exprs.ts';
import { batchOf, newContext } from '../../../support/operator-harness.ts';

const text = (value: string) => typedLiteral(value, utf8Type);
const number = (value: number) => typedLiteral(value, int32Type);
const fields = [fieldOf('s', utf8Type, true), fieldOf('p', utf8Type, true)];
const schema = schemaOf(...fields);
const [s, p] = fields.map(columnExpr) as [Expr, Expr];

const sign = fc.constantFrom('a', 'b', 'B', ' ', 'é', '€', '😀', '\u2003', 'ß', 'İ');
const texts = fc.option(fc.string({ unit: sign, maxLength: 30 }), { freq: 8 });
const parts = fc.option(fc.string({ unit: sign, maxLength: 3 }), { freq: 8 });
const rows = fc.array(fc.tuple(texts, parts), { maxLength: 40 });

function check(...exprs: Expr[]): void {
  fc.assert(
    fc.property(rows, (list) => expectSame(exprs, schema, list)),
    { numRuns: 100 },
  );
}

test('questions about texts and parts', () => {
  check(
    ...(['contains', 'startsWith', 'endsWith', 'indexOf'] as const).map((name) =>
      callExpr(name, s, p),
    ),
    callExpr('length', s),
    ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map((op) => compareExpr(op, s, p)),
  );
});

test('the length of a list is its items, not the bytes that hold them', () => {
  const list = fieldOf('l', { kind: 'list', item: { type: utf8Type, nullable: true } }, true);
  const lists = fc.array(fc.tuple(fc.option(fc.array(parts, { maxLength: 20 }))), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(lists, (values) => {
      expectSame([callExpr('length', columnExpr(list))], schemaOf(list), values);
    }),
    { numRuns: 50 },
  );
});

test('patterns of like, those that are searches among them', () => {
  const patterns = ['%', '', '%%', 'a%', '%é', '%aa%', '%😀%', 'ab', '_', '%_a', 'a\\%%', '%€_%'];
  check(...patterns.map((pattern) => callExpr('like', s, text(pattern))));
});

test('parts of texts', () => {
  check(
    ...(['trim', 'trimStart', 'trimEnd'] as const).map((name) => callExpr(name, s)),
    ...[
      [0, 3],
      [2, 1],
      [-5, 4],
      [3, 1000],
    ].map(([from = 0, to = 0]) => callExpr('substring', s, number(from), number(to))),
    callExpr('substring', s, typedLiteral(1n, int64Type), typedLiteral(2n ** 62n, int64Type)),
    callExpr('substring', callExpr('trim', s), number(1), callExpr('length', p)),
  );
});

test('new texts', () => {
  check(
    ...(['lower', 'upper', 'reverse'] as const).map((name) => callExpr(name, s)),
    callExpr('concat', s, p, s),
    callExpr('replace', s, p, text('<longer than eight>')),
    callExpr('replace', s, text('a'), p),
    callExpr('repeat', s, number(3)),
    callExpr('padStart', s, number(12), p),
    callExpr('padEnd', s, number(12), text('é-')),
  );
});

test.each([
  [callExpr('repeat', s, typedLiteral(2n ** 62n, int64Type)), 'ab'],
  [callExpr('repeat', s, number(textLengthMax + 1)), 'a'],
  [callExpr('repeat', s, number(textLengthMax)), ''],
  [callExpr('repeat', s, typedLiteral(-(2n ** 63n), int64Type)), 'ab'],
  [callExpr('padStart', s, typedLiteral(2n ** 63n - 1n, int64Type), p), 'ab'],
  [callExpr('padEnd', s, typedLiteral(-(2n ** 63n), int64Type), p), 'ab'],
])('counts at their extremes: %#', (expr, value) => {
  expectSame([expr], schema, [[value, 'x']]);
});

test('texts of many blocks, and one larger than a block', () => {
  const long = Array.from({ length: 300 }, (_, row) => ['xyz'.repeat(row * 5), String(row)]);
  expectSame([callExpr('concat', s, p), callExpr('upper', s), callExpr('trim', s)], schema, long);
  expectSame([callExpr('concat', s, s, callExpr('lower', s))], schema, [
    ['a', 'b'],
    ['Ä'.repeat(100_000), ''],
    ['c', 'd'],
  ]);
});

test('short texts of several batches share a block', () => {
  const { memory, context } = newContext('tested');
  const projector = rowProjector(context, [callExpr('concat', s, p)]);
  const input = memory.scope('input');
  const batch = batchOf(input, schema, [{ s: 'ten signs!', p: '!' }]);
  const first = projector.project(batch);
  const [before, second] = [memory.usedBytes, projector.project(batch)];
  expect(memory.usedBytes - before).toBeLessThan(200);
  for (const block of [...first.blocks, ...second.blocks]) memory.release(block);
  projector.close();
  batch.release();
  memory.assertEmpty();
});

test('the texts of a batch live on when its expressions are gone', () => {
  const { memory, context } = newContext('tested');
  const literal = text('a literal of more than eight bytes');
  const projector = rowProjector(context, [callExpr('coalesce', s, literal), callExpr('upper', s)]);
  const batch = batchOf(memory.scope('input'), schema, [{ s: null }, { s: 'a long column text' }]);
  const { columns, blocks } = projector.project(batch);
  const output = schemaOf(fieldOf('a', utf8Type), fieldOf('b', utf8Type, true));
  const derived = batch.derive({ schema: output, columns, blocks });
  batch.release();
  projector.close();
  expect(readRows(derived)).toEqual([
    { a: 'a literal of more than eight bytes', b: null },
    { a: 'a long column text', b: 'A LONG COLUMN TEXT' },
  ]);
  derived.release();
  memory.assertEmpty();
});

test('without memory for new texts the error says so, and nothing is kept', () => {
  const { memory, context } = newContext('tested', false, 1024 * 1024);
  const projector = rowProjector(context, [callExpr('repeat', s, number(1_000_000))]);
  const batch = batchOf(memory.scope('input'), schema, [{ s: 'ab' }]);
  expect(() => projector.project(batch)).toThrow(
    expect.objectContaining({ name: 'MEMORY_EXHAUSTED' }),
  );
  projector.close();
  batch.release();
  memory.assertEmpty();
});
