/** Goal: a JavaScript operator on columns is refused with its place and replacement; plan-time JavaScript is not. */
import { expect, test } from 'vitest';
import { checkLambdaSource } from '../../../engine/expr/lambda-source.ts';

// Lambdas from text, for a compiler in between would rewrite them.
const lambda = (source: string) => new Function(`return (${source})`)() as (row: never) => unknown;
const check = (source: string) => () => checkLambdaSource('where', lambda(source));

test.each`
  source                                                        | operator    | word
  ${'(b) => b.price.gt(100) && b.qty.gt(1)'}                    | ${'&&'}     | ${'a.and(b)'}
  ${'(b) => b.price.gt(100) || false'}                          | ${'||'}     | ${'a.or(b)'}
  ${'(b) => !b.done'}                                           | ${'!'}      | ${'a.not()'}
  ${'(b) => b.done ? b.x : b.y'}                                | ${'?:'}     | ${'when(a, b)'}
  ${'(b) => b.user === "ada"'}                                  | ${'==='}    | ${'a.eq(b)'}
  ${'(b) => b.user == "ada"'}                                   | ${'=='}     | ${'a.eq(b)'}
  ${'(b) => b.user !== "ada"'}                                  | ${'!=='}    | ${'a.ne(b)'}
  ${'(b) => b.n < 3'}                                           | ${'<'}      | ${'a.lt(b)'}
  ${'(b) => 3 >= b.n'}                                          | ${'>='}     | ${'a.ge(b)'}
  ${'(b) => b.n + 1'}                                           | ${'+'}      | ${'a.add(b)'}
  ${'(b) => b.n / 2'}                                           | ${'/'}      | ${'a.div(b)'}
  ${'(b) => -b.n'}                                              | ${'-'}      | ${'a.neg()'}
  ${'(b) => b.n ?? 1'}                                          | ${'??'}     | ${'coalesce(a, b)'}
  ${'({ user, n: m }) => user.eq("x").and(m > 2)'}              | ${'>'}      | ${'a.gt(b)'}
  ${'(b) => { const p = b.price; return p.gt(1) && p.lt(9); }'} | ${'&&'}     | ${'a.and(b)'}
  ${'(b) => { if (b.done) return b.x; return b.y; }'}           | ${'if'}     | ${'when(a, b)'}
  ${'(b) => { switch (b.kind) { default: return b.x; } }'}      | ${'switch'} | ${'when(x.eq(1), a)'}
  ${'function (b) { return b.x.eq(1) && b.y.eq(2); }'}          | ${'&&'}     | ${'a.and(b)'}
  ${'({ m(b) { return b.x.eq(1) && b.y.eq(2); } }).m'}          | ${'&&'}     | ${'a.and(b)'}
`('$source: $operator', ({ source, operator, word }) => {
  expect(check(source)).toThrow(
    expect.objectContaining({
      name: 'EXPR_JAVASCRIPT_OPERATOR',
      message: expect.stringContaining(`"${operator}" does not work on columns`),
      info: expect.objectContaining({ hint: expect.stringContaining(word) }),
    }),
  );
});

test.each([
  '(b) => b.price.gt(100).and(b.qty.gt(1))',
  '(b) => (flag ? b.x : b.y).eq(1)'.replace('flag', '1 > 0'),
  '(b) => b.price.gt(2 * 50 + 1)',
  '(b) => b.price?.gt(100)',
  '(b) => b.url.matches(/a|b&&c+/)',
  '(b) => when(b.n.gt(1), b.x).otherwise(-1)',
  '(b) => ("user" in b ? b.user : b.name).eq("ada")',
  '(b) => { const limit = 3 < 4 ? 1 : 2; return b.x.gt(limit); }',
  '(b) => ({ x: b.x, y: -1 })',
  '(b) => b.text.eq("a && b === c")',
  '() => 1 < 2',
])('%s is allowed', (source) => {
  expect(check(source)).not.toThrow();
});

test('the place is the line and column inside the lambda, from 1', () => {
  const source = '(b) =>\n  b.price.gt(100)\n  && b.qty.gt(1)';
  expect(check(source)).toThrow(
    'where: "&&" does not work on columns: "b.price.gt(100) && b.qty.gt(1)" (line 2, column 3 of the lambda)',
  );
});

test('source that can not be parsed is let through', () => {
  expect(() => checkLambdaSource('where', Math.max.bind(null) as never)).not.toThrow();
});

test('a column in a template is refused', () => {
  const source = '(b) => b.text.eq(`#{b.user}!`)'.replace('#', '$');
  expect(check(source)).toThrow('"``" does not work on columns');
});
