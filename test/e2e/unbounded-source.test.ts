/** Goal: sources without an end are streams that run until they are cancelled, and never a batch. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agg, defineJob, t, tumbling } from 'millrace';
import { csv, files } from 'millrace/files';
import { nexmark } from 'millrace/generator';
import { memory } from 'millrace/memory';
import { type ResultRow, run } from 'millrace/run';
import { expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { expectFailure, runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const Reading = t.struct({ at: t.timestampMs(), n: t.int32() });

/** Puts a file there in one piece. */
function put(folder: string, name: string, rows: readonly (readonly [number, number])[]): void {
  const lines = rows.map(([second, n]) => {
    return `${new Date(second * 1000).toISOString().slice(0, -1)},${n}\n`;
  });
  writeFileSync(join(folder, `.${name}`), `at,n\n${lines.join('')}`);
  renameSync(join(folder, `.${name}`), join(folder, name));
}

/** Runs until `isDone` says so of the rows so far, and answers with these. */
async function runUntil(
  job: ReturnType<typeof defineJob>,
  onRows: (rows: readonly ResultRow[]) => boolean,
) {
  const end = new AbortController();
  const rows: ResultRow[] = [];
  const running = run(job, {
    parallelism: 2,
    memory: '256MB',
    signal: end.signal,
    onRows: (some) => {
      rows.push(...some);
      if (onRows(rows)) end.abort();
    },
  });
  const code = await running.then(() => 'finished', codeOf);
  return { rows, code };
}

test('files that come into a folder are read as they come, and time goes on with them', async () => {
  const folder = join(tempFolder({}), 'in');
  mkdirSync(folder);
  const job = defineJob({
    name: 'watched',
    build: ({ read }) =>
      read(files.source({ path: folder, format: csv(Reading), discoveryIntervalMs: 20 }))
        .eventTime((row) => row.at, { idleAfterMs: 200 })
        .window(tumbling({ sizeMs: 10_000 }))
        .aggregate({ sum: agg.sum((row) => row.n), rows: agg.count() })
        .writeTo(memory.sink()),
  });
  setTimeout(
    () =>
      put(folder, 'a.csv', [
        [1, 1],
        [9, 2],
        [11, 4],
      ]),
    500,
  );
  const { rows, code } = await runUntil(job, (some) => {
    // The first window is out: the next file goes on behind it.
    if (some.length === 1)
      put(folder, 'b.csv', [
        [12, 8],
        [25, 16],
      ]);
    return some.length === 2;
  });
  expect(code).toBe('JOB_CANCELLED');
  expect(rows.map(({ sum, rows: count }) => [Number(sum), Number(count)])).toEqual([
    [3, 2],
    [12, 2],
  ]);
});

test('events without an end come until the job is cancelled', async () => {
  const job = defineJob({
    name: 'endless',
    build: ({ read }) =>
      read(nexmark.bids({ eventsPerSecond: 20_000 }))
        .select((bid) => ({ auction: bid.auction }))
        .writeTo(memory.sink()),
  });
  const { rows, code } = await runUntil(job, (some) => some.length >= 10_000);
  expect(code).toBe('JOB_CANCELLED');
  expect(rows.length).toBeGreaterThanOrEqual(10_000);
});

test('a batch needs an end', async () => {
  const job = `
    import { defineJob, t } from 'millrace';
    import { files } from 'millrace/files';
    import { nexmark } from 'millrace/generator';

    export default defineJob({
      name: 'endless',
      build: ({ read }) => read(nexmark.bids()).writeTo(files.sink({ path: 'o.csv' })),
    });
  `;
  const folder = tempFolder({ 'job.ts': job });
  const answer = await runCli(['run', 'job.ts', '--execution-mode', 'batch'], { cwd: folder });
  const says = /the job runs as batch, and "source.*" has no end/;
  expectFailure(answer, { code: 'PLAN_NEEDS_END', exitCode: 1, says });
});

test('an interval is some milliseconds', () => {
  const source = () => files.source({ path: 'in', format: csv(Reading), discoveryIntervalMs: 0 });
  expect(source).toThrow(/discoveryIntervalMs of files can't be 0/);
});
