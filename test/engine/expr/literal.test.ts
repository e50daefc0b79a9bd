/** Goal: literals take the type they stand beside, exactly, or are refused by name. */
import { expect, test } from 'vitest';
import { literalValueOf } from '../../../engine/expr/evaluator.ts';
import { arithmeticExpr } from '../../../engine/expr/expr-factory.ts';
import { exprText } from '../../../engine/expr/expr-text.ts';
import { foldLiterals } from '../../../engine/expr/fold-literals.ts';
import {
  heldFloat,
  literalAlone,
  literalBeside,
  literalOfType,
} from '../../../engine/expr/literal.ts';
import {
  boolType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';

const ms = { kind: 'timestamp', unit: 'ms' } as const;
const us = { kind: 'timestamp', unit: 'us' } as const;

test.each`
  value             | type           | kind           | literal
  ${'a'}            | ${utf8Type}    | ${'utf8'}      | ${'a'}
  ${true}           | ${boolType}    | ${'bool'}      | ${true}
  ${7}              | ${int32Type}   | ${'int32'}     | ${7}
  ${7n}             | ${int32Type}   | ${'int32'}     | ${7}
  ${2 ** 31}        | ${int32Type}   | ${'int64'}     | ${'2147483648'}
  ${1.5}            | ${int32Type}   | ${'float64'}   | ${1.5}
  ${7}              | ${int64Type}   | ${'int64'}     | ${'7'}
  ${2n ** 63n - 1n} | ${int64Type}   | ${'int64'}     | ${'9223372036854775807'}
  ${7n}             | ${float64Type} | ${'float64'}   | ${7}
  ${new Date(5)}    | ${ms}          | ${'timestamp'} | ${'5'}
  ${new Date(5)}    | ${us}          | ${'timestamp'} | ${'5000'}
`('$value beside $type.kind is $kind $literal', ({ value, type, kind, literal }) => {
  expect(literalBeside(value, type)).toMatchObject({ value: literal, type: { kind } });
});

test.each`
  value             | type
  ${'1'}            | ${int32Type}
  ${1}              | ${utf8Type}
  ${null}           | ${utf8Type}
  ${undefined}      | ${int64Type}
  ${Number.NaN}     | ${float64Type}
  ${2 ** 53}        | ${int64Type}
  ${2n ** 63n}      | ${int64Type}
  ${2n ** 53n + 1n} | ${float64Type}
  ${1.5}            | ${ms}
  ${new Date(NaN)}  | ${ms}
  ${{}}             | ${boolType}
`('$value beside $type.kind is refused', ({ value, type }) => {
  expect(() => literalBeside(value, type)).toThrow(/can't stand beside a value of type/);
});

test.each([-0, Number.NaN, 1 / 0, -1 / 0, 1.5, 5e-324])(
  'a plan sent as JSON keeps the float %o',
  (value) => {
    const literal = { ...literalAlone(1), value: heldFloat(value) };
    const sent = JSON.parse(JSON.stringify(literal));
    expect(literalValueOf(sent)).toBe(value);
    expect(exprText(sent)).toBe(Object.is(value, -0) ? '-0' : String(value));
  },
);

test('a zero with a sign keeps it, alone and beside a float', () => {
  expect(literalAlone(-0).value).toBe('-0');
  expect(literalBeside(-0, float64Type).value).toBe('-0');
  expect(literalBeside(-0, int32Type).value).toBe(0);
});

test('a computed float that JSON lacks is folded', () => {
  const zero = literalAlone(0);
  for (const [left, value] of [
    [0, Number.NaN],
    [1, 1 / 0],
    [-1, -1 / 0],
  ]) {
    const quotient = arithmeticExpr('divide', literalAlone(left ?? 0), zero);
    const folded = foldLiterals(quotient);
    expect(folded.kind === 'literal' && literalValueOf(folded)).toBe(value);
  }
});

test('an operand of arithmetic never widens the result', () => {
  expect(literalOfType(3, int32Type).type.kind).toBe('int32');
  expect(() => literalOfType(1.5, int32Type)).toThrow('1.5');
  expect(() => literalOfType(2 ** 40, int32Type)).toThrow('1099511627776');
});

test('alone, a number is a float64 and a bigint an int64', () => {
  const kinds = ['a', true, 1, 1n, new Date(0)].map((value) => literalAlone(value).type.kind);
  expect(kinds).toEqual(['utf8', 'bool', 'float64', 'int64', 'timestamp']);
});
