/** Goal: no operator escapes the harness. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const sources = new URL('../../../engine/operators/', import.meta.url);
const tests = new URL('./', import.meta.url);
/** These have no input or no output to compare; their tests are of their own kind. */
const exceptions = ['sink-operator.ts', 'source-operator.ts', 'merged-source-operator.ts'];

test('every operator has a test that runs it in the harness', () => {
  const texts = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(new URL(file, tests), 'utf8'))
    .filter((text) => text.includes('checkOperator('));
  const missing = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((file) => {
    if (!file.endsWith('-operator.ts') || exceptions.includes(file)) return false;
    return !texts.some((text) => text.includes(`engine/operators/${file}'`));
  });
  expect(missing).toEqual([]);
});

test('source and sink have tests', () => {
  const names = readdirSync(tests);
  for (const file of exceptions) expect(names).toContain(file.replace('.ts', '.test.ts'));
});
