/**
 * Goal: the examples in the comments of the public API run, and give what they say.
 *
 *     a block of ```ts with `expression; // => value`          run as a program
 *     `@example `lit('a').upper()` is `'A'``                    an expression, computed for a row
 */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as millrace from 'millrace';
import * as millraceConsole from 'millrace/console';
import * as millraceFiles from 'millrace/files';
import * as millraceGenerator from 'millrace/generator';
import * as millraceKafka from 'millrace/kafka';
import * as millraceMemory from 'millrace/memory';
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { evaluateExpr } from '../../../engine/expr/evaluate.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { makeBatch, withMemory } from '../../support/batches.ts';

const root = new URL('../../../', import.meta.url);
const modules: Readonly<Record<string, unknown>> = {
  millrace,
  'millrace/files': millraceFiles,
  'millrace/console': millraceConsole,
  'millrace/generator': millraceGenerator,
  'millrace/kafka': millraceKafka,
  'millrace/memory': millraceMemory,
};

const api = readdirSync(new URL('engine/api/', root)).map((name) => `engine/api/${name}`);
const entries = ['console', 'files', 'generator', 'kafka', 'memory'].map(
  (name) => `connectors/${name}.ts`,
);
const examples = [...api, ...entries, 'connectors/formats/format-builders.ts']
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) => {
    const text = readFileSync(new URL(path, root), 'utf8');
    const blocks = [...text.matchAll(/^ *\* ```ts\n(.*?)^ *\* ```$/gms)];
    return blocks.map(([, block = ''], index) => ({
      name: `${path}, example ${index + 1}`,
      source: block.replace(/^ *\* ?/gm, ''),
    }));
  });

test('there are examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(8);
});

test.each(examples)('$name', ({ source }) => {
  const checks: unknown[][] = [];
  // `expression; // => value`, the comment also on the line below.
  const checked = stripTypeScriptTypes(source).replace(
    /^(\S.*);(?: |\n)\/\/ => (.*)$/gm,
    'checks.push([$1, ($2)]);',
  );
  const script = checked.replace(/import (\{.*?\}) from '(.*?)';/gs, "const $1 = modules['$2'];");
  // A chain over several lines ends in the line with the check: `}).name; // => 'x'`.
  const whole = script.replace(
    /^defineJob\((.*?)^checks\.push\(\[\}\)(.*?), \(/gms,
    'checks.push([defineJob($1})$2, (',
  );
  new Function('modules', 'checks', whole)(modules, checks);
  expect(checks.length).toBeGreaterThan(0);
  for (const [found, expected] of checks) expect(found).toEqual(expected);
});

const expressions = api
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) => {
    const text = readFileSync(new URL(path, root), 'utf8');
    return [...text.matchAll(/@example `(.*)` is `(.*)`$/gm)].map(([, source, value]) => ({
      ...{ path, source: source ?? '', value: value ?? '' },
    }));
  });

test('there are examples of all methods of columns', () => {
  const source = expressions.map((one) => one.source).join(' ');
  const names = Object.getOwnPropertyNames(millrace.Column.prototype).filter(
    (name) => !['constructor', 'valueOf', 'toString', 'toJSON'].includes(name),
  );
  const without = names.filter((name) => !source.includes(`.${name}(`));
  // Orders are of fields, and structs have no literals.
  expect(without).toEqual(['asc', 'desc', 'field']);
});

test.each(expressions)('$path: $source is $value', ({ source, value }) => {
  const names = Object.keys(millrace);
  const run = (code: string) =>
    new Function(...names, `return (${code})`)(...Object.values(millrace)) as unknown;
  expect(valueOfColumn(run(source))).toEqual(run(value));
});

/** The value of an expression of literals, as a function reads it. */
function valueOfColumn(column: unknown): unknown {
  const expr = millrace.Column.exprIn(column);
  if (expr === null) return column;
  return withMemory(({ scope }) => {
    const batch = makeBatch(scope, {
      schema: schemaOf(fieldOf('n', int32Type)),
      rows: [[0]],
      selected: null,
    });
    const { column: result, blocks } = evaluateExpr(expr, batch, scope);
    const schema = schemaOf(fieldOf('value', expr.type, expr.nullable));
    const derived = batch.derive({ schema, columns: [result], blocks });
    const [row] = readRows(derived);
    derived.release();
    batch.release();
    return row?.value;
  });
}
