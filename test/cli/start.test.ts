/** Goal: the demonstration runs the ready-made job and shows its result and what to try next. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { toWire, typedError } from '../../base/typed-error.ts';
import type { EmbeddedRun, RunOptions } from '../../cli/embedded.ts';
import type { JobSummary } from '../../cli/job-summary.ts';
import { demonstrate } from '../../cli/start.ts';
import { fakeCliEnv } from '../support/fake-cli-env.ts';
import { tempFolder } from '../support/temp-folder.ts';

const finished: JobSummary = {
  ...{ job: 'wordcount', status: 'finished', inputCount: 2_000, rowsIn: 10_000 },
  ...{ bytesIn: 50 * 1024 ** 2, rowsOut: 31_000, deadLetters: 0, seconds: 0.5, peakMemoryBytes: 1 },
  operators: [
    {
      ...{ id: 'e', name: 'explodeWords', kind: 'explodeWords', rowsIn: 10_000 },
      ...{ rowsOut: 7_000_000, busySeconds: 1, bytesSpilled: 0 },
    },
  ],
  stages: [],
};

/** An engine that writes the given result where it is told to. */
function engine(summary: JobSummary, csv: string, started: RunOptions[] = []) {
  return (options: RunOptions): EmbeddedRun => {
    started.push(options);
    const output = String(options.params.output);
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, csv);
    return {
      progress: () => ({ ...summary, phase: 'running', bytesTotal: 1, share: 0 }),
      cancel: () => undefined,
      done: Promise.resolve(summary),
    };
  };
}

test('the twenty most frequent words, totals and three commands are shown', async () => {
  const rows = Array.from({ length: 30 }, (_, index) => `word-${index},${1_000_000 - index}`);
  const folder = tempFolder();
  const env = fakeCliEnv({ workingFolder: folder });
  const started: RunOptions[] = [];
  const csv = `word,count\n${rows.join('\n')}\n`;
  expect(await demonstrate(env, folder, engine(finished, csv, started))).toBe(0);
  const shown = env.stdout.text;
  expect(shown).toContain('│  1 │ word-0  │ 1,000,000 │');
  expect(shown).toContain('│ 20 │ word-19 │   999,981 │');
  expect(shown).not.toContain('word-20');
  expect(shown).toContain(
    '2,000 files, 50.0 MB\n7,000,000 words, 31,000 distinct\n0.50 s, 100 MB/s',
  );
  expect(shown.match(/^ {2}npx millrace /gm)).toHaveLength(3);
  expect(started[0]?.params).toMatchObject({
    input: 'node_modules/**/*.{md,txt,ts,js}',
    output: join(folder, '.cache', 'start', 'words.csv'),
    invalidUtf8: 'replace',
  });
  expect(started[0]?.parallelism).toBe(4);
});

test('a failure is shown as an error, without a table', async () => {
  const folder = tempFolder();
  const env = fakeCliEnv({ workingFolder: folder });
  const error = toWire(typedError('SOURCE_EMPTY', 'no file matches'));
  const summary: JobSummary = { ...finished, status: 'failed', error };
  expect(await demonstrate(env, folder, engine(summary, ''))).toBe(1);
  expect(env.stderr.text).toContain('error[SOURCE_EMPTY]: no file matches');
  expect(env.stdout.text).toBe('');
});
