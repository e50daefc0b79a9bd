/** Goal: a job in one process is listed, asked and cancelled from others; dead ones are not in the way. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, runCli, startCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Spends a while on each row. */
const job = `
  import { agg, defineJob, t } from 'millrace';
  import { files } from 'millrace/files';
  import { nexmark } from 'millrace/generator';

  const Row = t.struct({ auction: t.int64({ js: 'number' }), work: t.float64() });
  const spin = (bid) => {
    let work = 0;
    for (let round = 0; round < 20_000; round++) work += Math.sqrt(round + bid.price);
    return { auction: bid.auction, work };
  };
  export default defineJob({
    name: 'spinner',
    params: { output: t.path() },
    build: ({ read, params: { output } }) =>
      read(nexmark.bids({ events: 4_000_000 }))
        .map(Row, spin, { name: 'spin' })
        .keyBy((row) => row.auction)
        .aggregate({ rows: agg.count() })
        .writeTo(files.sink({ path: output })),
  });
`;

function scene() {
  const folder = tempFolder({ 'job.ts': job });
  const env = { MILLRACE_JOBS_DIR: join(folder, 'run') };
  const options = { cwd: folder, env };
  const start = () =>
    startCli(['run', 'job.ts', '--output', 'out.csv', '--parallelism', '1'], options);
  const cli = (...args: string[]) => runCli(args, options);
  const json = async (...args: string[]) => JSON.parse((await cli(...args, '--json')).stdout);
  /** Until the job has read something. */
  const isRunning = async (count = 1) => {
    await expect
      .poll(
        async () =>
          (await json('list')).jobs.filter(({ rowsIn }: { rowsIn: number }) => rowsIn > 0),
        {
          timeout: 60_000,
          interval: 500,
        },
      )
      .toHaveLength(count);
  };
  return { folder, start, cli, json, isRunning };
}

test('a job is listed, asked why, refuses what it has not, and is cancelled', async () => {
  const { folder, start, cli, json, isRunning } = scene();
  const run = start();
  await isRunning();
  const { jobs } = await json('list');
  expect(jobs).toMatchObject([{ name: 'spinner', phase: 'running', rowsOut: 0 }]);
  expect(jobs[0].id).toMatch(/^spinner-[0-9a-f]+$/);

  const why = await json('why', 'spinner');
  expect(why.findings).toContainEqual(expect.objectContaining({ kind: 'busy', operator: 'spin' }));
  const said = await cli('why', jobs[0].id, 'spin');
  expect(said.stdout).toMatch(/operator "spin" takes \d+% of the time of v1\[0\]/);
  expect((await cli('status', 'spinner')).stdout).toMatch(/│ spin +│ +spin │ +1 │/);

  expectFailure(await cli('why', 'spinner', 'spni'), { code: 'OPERATOR_NOT_FOUND', exitCode: 2 });
  const noState = { code: 'OPERATOR_HAS_NO_STATE', exitCode: 2 };
  expectFailure(await cli('state', 'get', 'spinner', 'spin', '1'), noState);

  const cancelled = await cli('cancel', 'spinner');
  expect(cancelled).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is cancelled') });
  expect((await run.ended).exitCode).toBe(130);
  expect(readdirSync(folder).sort()).toEqual(['job.ts', 'run']);
  expect(readdirSync(join(folder, 'run'))).toEqual([]);
  const notRunning = { code: 'JOB_NOT_RUNNING', exitCode: 3, says: /hint: .*millrace run/ };
  expectFailure(await cli('cancel', 'spinner'), notRunning);
});

test('of two jobs of one name each has its id; a killed one is forgotten', async () => {
  const { folder, start, cli, json, isRunning } = scene();
  const first = start();
  await isRunning();
  const { jobs: alone } = await json('list');
  const second = start();
  await isRunning(2);
  expectFailure(await cli('why', 'spinner'), {
    code: 'JOB_AMBIGUOUS',
    exitCode: 2,
    says: new RegExp(alone[0].id),
  });
  first.kill('SIGKILL', 'group');
  await first.ended;
  const { jobs } = await json('list');
  expect(jobs).toMatchObject([{ name: 'spinner' }]);
  expect(jobs[0].id).not.toBe(alone[0].id);
  expect(readdirSync(join(folder, 'run'))).toHaveLength(1);
  expect((await cli('cancel', jobs[0].id)).exitCode).toBe(0);
  expect((await second.ended).exitCode).toBe(130);
});
