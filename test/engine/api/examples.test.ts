/** Goal: the examples in the comments of the public API run, and give what they say. */
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as millrace from 'millrace';
import * as millraceConsole from 'millrace/console';
import * as millraceFiles from 'millrace/files';
import * as millraceGenerator from 'millrace/generator';
import * as millraceMemory from 'millrace/memory';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url);
const modules: Readonly<Record<string, unknown>> = {
  millrace,
  'millrace/files': millraceFiles,
  'millrace/console': millraceConsole,
  'millrace/generator': millraceGenerator,
  'millrace/memory': millraceMemory,
};

const api = readdirSync(new URL('engine/api/', root)).map((name) => `engine/api/${name}`);
const entries = ['console', 'files', 'generator', 'memory'].map((name) => `connectors/${name}.ts`);
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
