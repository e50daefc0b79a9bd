/** Goal: watermarks follow what the job says, and what is older than they are is late. */
import { agg, defineJob, t, tumbling, when } from 'millrace';
import { memory } from 'millrace/memory';
import { run } from 'millrace/run';
import { expect, test } from 'vitest';

const Reading = t.struct({ at: t.timestampMs(), isMark: t.bool() });

const job = defineJob({
  name: 'marked',
  build: ({ read }) =>
    read(memory.source('readings', Reading))
      .derive((row) => ({ mark: when(row.isMark, row.at).otherwise(null) }))
      .eventTime((row) => row.at, { watermark: (row) => row.mark })
      .window(tumbling({ sizeMs: 1_000 }))
      .aggregate({ rows: agg.count() })
      .writeTo(memory.sink()),
});

/** Items come one by one, each some time after the one before: watermarks are told every 10 ms. */
async function* slowly<T>(items: readonly T[]) {
  for (const item of items) {
    yield [item];
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const reading = (at: number, isMark = false) => ({ at, isMark });

test('by marks in the data: nothing is late before one, and what is behind one is', async () => {
  const readings = [
    ...[reading(5_100), reading(100), reading(2_000, true)],
    ...[reading(200), reading(5_200)],
  ];
  const inputs = { readings: slowly(readings) };
  const settings = { inputs, parallelism: 1, memory: '128MB' } as const;
  const { rows, summary } = await run(job, { ...settings, mode: 'streaming' });
  const counts = rows.map(({ windowStart, rows: count }) => [Number(windowStart), Number(count)]);
  expect(counts).toEqual([
    [0, 1],
    [2_000, 1],
    [5_000, 2],
  ]);
  const late = summary.operators.flatMap(({ notedRows = {} }) => notedRows.late ?? []);
  expect(late).toEqual([1]);
  const batch = await run(job, { ...settings, inputs: { readings }, mode: 'batch' });
  expect(batch.rows.map(({ rows: count }) => Number(count)).sort()).toEqual([1, 2, 2]);
});

test('what a program asks for is checked', async () => {
  const bad = { inputs: { readings: [] }, parallelism: 1 } as const;
  await expect(run(job, { ...bad, mode: 'fast' as never })).rejects.toThrow(/"fast" is not batch/);
  await expect(run(job, { ...bad, rate: 0 })).rejects.toThrow(/"0" is no number of rows/);
});
