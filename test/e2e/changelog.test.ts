/**
 * Goal: results come out of a job whose input goes on, as changes to the program, to the terminal and to files; and a
 * job whose results would never come is refused before it starts.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { agg, defineJob, t } from 'millrace';
import { console as terminal } from 'millrace/console';
import { files } from 'millrace/files';
import { memory } from 'millrace/memory';
import { run } from 'millrace/run';
import { expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { applied, appliedByKey, sorted } from '../support/changelog.ts';
import type { Row } from '../support/operator-harness.ts';
import { tempFolder } from '../support/temp-folder.ts';

const Word = t.struct({ word: t.utf8() });
const counts = [
  { word: 'of', n: 1n },
  { word: 'the', n: 3n },
];

test('changes come while the input goes on', async () => {
  const found: Row[] = [];
  let wake = () => {};
  /** The rest comes when the first words have been counted. */
  async function* words() {
    yield [{ word: 'the' }, { word: 'of' }];
    while (found.length < 2) await new Promise<void>((resolve) => (wake = resolve));
    yield [{ word: 'the' }, { word: 'the' }];
  }
  const job = defineJob({
    name: 'counts',
    build: ({ read }) =>
      read(memory.source(words(), Word, { isUnbounded: true }))
        .keyBy((row) => row.word)
        .aggregate({ n: agg.count() })
        .writeTo(memory.sink()),
  });
  await run(job, {
    parallelism: 2,
    onRows: (rows: readonly unknown[]) => {
      found.push(...(rows as Row[]));
      wake();
    },
  });
  expect(sorted(found.slice(0, 2))).toEqual([
    { change: '+I', word: 'of', n: 1n },
    { change: '+I', word: 'the', n: 1n },
  ]);
  expect(applied(found, 'change')).toEqual(counts);
  expect(found.length).toBeGreaterThanOrEqual(4);
});

const given = ['the', 'of', 'the', 'the'].map((word) => ({ word }));

test('a program takes changes by key, or final rows', async () => {
  const job = defineJob({
    name: 'counts',
    mode: 'streaming',
    build: ({ read }) => {
      const rows = read(memory.source(given, Word))
        .keyBy((row) => row.word)
        .aggregate({ n: agg.count() });
      return [
        rows.writeTo(memory.sink('changes', { changes: 'upsert' })),
        rows.writeTo(memory.sink('rows', { changes: 'retract' })),
      ];
    },
  });
  const { outputs } = await run(job, { parallelism: 2 });
  const [byKey, byRow] = [outputs.changes, outputs.rows] as Row[][];
  expect(appliedByKey(byKey as Row[], 'change', ['word'])).toEqual(counts);
  expect(applied(byRow as Row[], 'change')).toEqual(counts);
});

test('the terminal and a file show the kind in front', async () => {
  const folder = tempFolder();
  const file = path.join(folder, 'counts.csv');
  const job = defineJob({
    name: 'counts',
    mode: 'streaming',
    build: ({ read }) => {
      const rows = read(memory.source(given, Word)).aggregate({ n: agg.count() });
      return [
        rows.writeTo(terminal.sink({ changes: 'retract' })),
        rows.writeTo(files.sink({ path: file, changes: 'op' })),
      ];
    },
  });
  let text = '';
  await run(job, { print: (more) => (text += more) });
  expect(text).toContain('│ change │ n │');
  expect(text).toContain('│ +I     │ 4 │');
  expect(readFileSync(file, 'utf8')).toBe('op,n\n+I,4\n');
  // As batch there are final rows alone.
  await run({ ...job, mode: 'batch' }, { print: () => undefined });
  expect(readFileSync(file, 'utf8')).toBe('n\n4\n');
});

test('what would never come is refused', async () => {
  const job = defineJob({
    name: 'counts',
    build: ({ read }) =>
      read(memory.source(given, Word, { isUnbounded: true }))
        .keyBy((row) => row.word)
        .aggregate({ n: agg.count() })
        .writeTo(files.sink({ path: path.join(tempFolder(), 'counts.csv') })),
  });
  const error = await run(job).catch((one: unknown) => one);
  expect(codeOf(error)).toBe('PLAN_CHANGES_REFUSED');
});
