/** Goal: a source at a rate takes the time that its schedule says, in both modes, and gives the same rows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `
  import { agg, defineJob, t, tumbling } from 'millrace';
  import { files } from 'millrace/files';
  import { nexmark } from 'millrace/generator';

  export default defineJob({
    name: 'paced',
    params: { output: t.path() },
    build: ({ read, params: { output } }) =>
      read(nexmark.bids({ events: 20_000, eventsPerSecond: 1_000 }))
        .eventTime((bid) => bid.date_time)
        .keyBy((bid) => bid.auction)
        .window(tumbling({ sizeMs: 1_000 }))
        .aggregate({ bids: agg.count() })
        .writeTo(files.sink({ path: output })),
  });
`;

test.each(['batch', 'streaming'])(
  '%s: two seconds for 20,000 events at 10,000 a second',
  async (mode) => {
    const folder = tempFolder({ 'job.ts': job });
    const run = async (output: string, ...flags: string[]) => {
      const args = ['run', 'job.ts', '--output', output, '--parallelism', '2', '--json', ...flags];
      return summaryOf(await runCli(args, { cwd: folder }));
    };
    const paced = await run('paced.csv', '--execution-mode', mode, '--rate', '10000');
    await run('plain.csv');
    expect(paced).toMatchObject({ status: 'finished', rowsIn: 18_400 });
    // The last event is due a little before two seconds; a machine with other work takes longer.
    expect(Number(paced.seconds)).toBeGreaterThan(1.9);
    const rowsOf = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n').sort();
    expect(rowsOf('paced.csv')).toEqual(rowsOf('plain.csv'));
  },
);

test('files at a rate: all tasks together have it, however few of them have a split', async () => {
  const lines = Array.from({ length: 600 }, (_, at) => `w${at % 7}`).join('\n');
  const folder = tempFolder({ 'in.txt': lines });
  const wordcount = join(projectFolder, 'jobs/wordcount/job.ts');
  const args = ['run', wordcount, '--input', 'in.txt', '--parallelism', '2', '--json'];
  const run = async (output: string, ...flags: string[]) =>
    summaryOf(await runCli([...args, '--output', output, ...flags], { cwd: folder }));
  const paced = await run('paced.csv', '--rate', '500');
  await run('plain.csv');
  expect(paced).toMatchObject({ status: 'finished', rowsIn: 600 });
  // The last line is due at 1.198 s; a machine with other work takes longer.
  expect(Number(paced.seconds)).toBeGreaterThan(1.15);
  const rowsOf = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n').sort();
  expect(rowsOf('paced.csv')).toEqual(rowsOf('plain.csv'));
});

test('a rate is a number', async () => {
  const job = join(projectFolder, 'jobs/wordcount/job.ts');
  const args = ['run', job, '--input', 'in.txt', '--output', 'o.csv', '--rate', 'fast'];
  const bad = { code: 'FLAG_VALUE', exitCode: 2, says: /--rate: "fast" is no number/ };
  expectFailure(await runCli(args, { cwd: tempFolder({ 'in.txt': 'words' }) }), bad);
});
