/** Goal: a stream tells how long its rows take, from their schedule where they have one, and how late its windows are. */
import { expect, test } from 'vitest';
import { expectFailure, runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `
  import { agg, defineJob, t, tumbling } from 'millrace';
  import { files } from 'millrace/files';
  import { nexmark } from 'millrace/generator';

  export default defineJob({
    name: 'timed',
    mode: 'streaming',
    params: { output: t.path() },
    build: ({ read, params: { output } }) =>
      read(nexmark.bids({ events: 10_000 }))
        .eventTime((bid) => bid.date_time)
        .keyBy((bid) => bid.auction)
        .window(tumbling({ sizeMs: 100 }))
        .aggregate({ bids: agg.count() })
        .writeTo(files.sink({ path: output })),
  });
`;

interface Measured {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

interface Summary {
  readonly latency?: Measured;
  readonly operators: readonly {
    readonly kind: string;
    readonly latency?: Measured;
    readonly windowDelay?: Measured;
  }[];
}

async function runTimed(...flags: string[]) {
  const folder = tempFolder({ 'job.ts': job });
  const args = ['run', 'job.ts', '--output', 'o.csv', '--parallelism', '2', ...flags];
  return await runCli(args, { cwd: folder });
}

test('paced rows are all measured, at each operator and at the sink, and so are windows', async () => {
  const summary = summaryOf(await runTimed('--rate', '10000', '--json')) as unknown as Summary;
  const { latency, operators } = summary;
  // Each of two tasks that read sends a mark to each of two that group, and these to the one that writes.
  expect(latency?.count).toBeGreaterThan(9_200);
  expect(latency?.p50Ms).toBeGreaterThan(0);
  expect(latency?.maxMs).toBeLessThan(10_000);
  const behind = operators.filter(({ kind }) => kind !== 'source');
  for (const one of behind) expect(one.latency?.count).toBeGreaterThanOrEqual(9_200);
  const delays = operators.flatMap(({ windowDelay }) => windowDelay ?? []);
  expect(delays).toHaveLength(1);
  // Ten windows in a second; the last one is closed by the end of the input.
  expect(delays[0]?.count).toBeGreaterThanOrEqual(9);
  expect(delays[0]?.p50Ms).toBeGreaterThan(0);
});

test('people are told in lines, and nothing is measured where nobody wants it', async () => {
  const told = await runTimed('--rate', '10000');
  expect(told.stderr).toMatch(/latency {2}half within .* ms, 99 % within .* from source to sink/);
  expect(told.stderr).toMatch(/windows {2}half within .* after their ends in "aggregate/);
  const off = summaryOf(await runTimed('--latency-interval', '0', '--json')) as unknown as Summary;
  expect(off.latency).toBeUndefined();
  const batch = summaryOf(await runTimed('--execution-mode', 'batch', '--json'));
  expect((batch as unknown as Summary).latency).toBeUndefined();
  const bad = { code: 'FLAG_VALUE', exitCode: 2, says: /--latency-interval: "-1"/ };
  expectFailure(await runTimed('--latency-interval=-1'), bad);
});
