/** Goal: entries of a key meet in one task, in the order of their file; and the audit finds every line that is not right. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import job from '../../jobs/ledger/job.ts';
import { entriesOf } from '../../jobs/ledger/make-entries.ts';
import { auditLedger, nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

const choice = { count: 60, fileCount: 3, keysPerFile: 4, seed: 7 };

/** The right lines, by id. */
function rightLines(): string[] {
  const sums = new Map<string, number>();
  const entries = [0, 1, 2].flatMap((file) => [...entriesOf(file, choice)]);
  const lines = entries.map(({ id, key, amount }) => {
    sums.set(key, (sums.get(key) ?? 0) + amount);
    return { id, line: JSON.stringify({ id, key, sum: sums.get(key) }) };
  });
  return lines.sort((a, b) => a.id - b.id).map(({ line }) => line);
}

function audit(files: Readonly<Record<string, readonly string[]>>) {
  const folder = join(tempFolder(), 'out');
  mkdirSync(folder);
  for (const [name, lines] of Object.entries(files)) {
    writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''));
  }
  return auditLedger(folder, choice);
}

test('files are read whole, and entries of a key go to one task', () => {
  const { graph } = buildJob(job, parseParams(job.params, { input: 'in/', output: 'out/' }));
  const [source] = graph.nodes;
  expect(source?.kind === 'source' && source.source.options).toMatchObject({ split: false });
  const physical = planJob(graph, { parallelism: 2 });
  expect(physical.edges.map(({ exchange }) => exchange)).toContainEqual({
    kind: 'hash',
    columns: ['key'],
  });
});

test('entries are numbered through, and a key is in one file only', () => {
  const files = [0, 1, 2].map((file) => [...entriesOf(file, choice)]);
  const ids = files.flat().map(({ id }) => id);
  expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at + 1));
  const keys = files.map((entries) => new Set(entries.map(({ key }) => key)));
  const different = new Set(keys.flatMap((of) => [...of]));
  expect(different.size).toBe(keys.reduce((sum, { size }) => sum + size, 0));
  expect([...entriesOf(1, choice)]).toEqual(files[1]);
  expect([...entriesOf(1, { ...choice, seed: 8 })]).not.toEqual(files[1]);
});

test('right lines are right in any order and any files; hidden files do not count', () => {
  const lines = rightLines();
  const files = { a: lines.slice(20), b: lines.slice(0, 20), '.c': lines, _d: ['no line'] };
  expect(audit(files)).toEqual({ lineCount: 60, ...nothingWrong });
  expect(auditLedger(join(tempFolder(), 'none'), choice)).toMatchObject({
    lineCount: 0,
    doubled: [],
  });
});

test('what is missing, doubled or wrong is named', () => {
  const lines = rightLines();
  const other = '{"id":61,"key":"0-0","sum":1}';
  const changed = (lines[5] ?? '').replace(/"sum":.*/, '"sum":99999}');
  expect(audit({ a: lines.slice(2), b: [lines[9] ?? ''] })).toEqual({
    ...{ lineCount: 59, missing: [1, 2], doubled: [10], wrong: [] },
  });
  expect(audit({ a: lines.with(5, changed), b: [other] })).toEqual({
    ...{ lineCount: 61, missing: [], doubled: [], wrong: [changed, other] },
  });
  const torn = join(tempFolder({ 'out/a': '{"id":1' }), 'out');
  expect(() => auditLedger(torn, choice)).toThrow('"a" ends within a line');
});
