/** Goal: a program runs jobs on real threads over rows of its own, and gets rows or the right error. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as arrow from 'apache-arrow';
import { agg, defineJob, t } from 'millrace';
import { console as terminal } from 'millrace/console';
import { arrow as arrowFormat, files } from 'millrace/files';
import { nexmark } from 'millrace/generator';
import { memory } from 'millrace/memory';
import { openSlots, run } from 'millrace/run';
import { expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { tempFolder } from '../support/temp-folder.ts';

const Trade = t.struct({
  symbol: t.utf8(),
  price: t.float64(),
  at: t.timestampMs().nullable(),
  tags: t.list(t.utf8()),
});
const trades = [
  { symbol: 'A', price: 1, at: new Date(5), tags: ['x'] },
  { symbol: 'B', price: 2.5, at: null, tags: [] },
  { symbol: 'A', price: 4, at: 7, tags: ['y', 'z'] },
];

test('rows in, rows out, with the values that functions read', async () => {
  const job = defineJob({
    name: 'trades',
    params: { least: t.float64().default(0) },
    build: ({ read, params }) =>
      read(memory.source(trades, Trade))
        .where((trade) => trade.price.ge(params.least))
        .writeTo(memory.sink()),
  });
  const { rows, summary } = await run(job, { parallelism: 2 });
  expect(rows).toEqual([
    { symbol: 'A', price: 1, at: 5, tags: ['x'] },
    { symbol: 'B', price: 2.5, at: null, tags: [] },
    { symbol: 'A', price: 4, at: 7, tags: ['y', 'z'] },
  ]);
  expect(summary).toMatchObject({ status: 'finished', rowsIn: 3, rowsOut: 3, inputCount: 1 });
  expect((await run(job, { params: { least: 3 } })).rows).toHaveLength(1);
});

const Point = t.struct({ key: t.int32(), value: t.float64() });
const sums = defineJob({
  name: 'sums',
  build: ({ read }) =>
    read(memory.source('points', Point))
      .keyBy((point) => point.key)
      .aggregate({ count: agg.count(), sum: agg.sum((point) => point.value) })
      .orderBy((row) => [row.key.asc()])
      .writeTo(memory.sink('sums')),
});

function* points(count: number) {
  for (let row = 0; row < count; row++) yield { key: row % 7, value: row / 4 };
}

test('a hundred thousand rows of a generator, on several threads', async () => {
  const { outputs } = await run(sums, { inputs: { points: points(100_000) }, parallelism: 3 });
  expect(outputs).toEqual({ sums: sums7(100_000) });
});

test('slots run jobs one after the other, and go on behind one that failed or was cancelled', async () => {
  const slots = openSlots({ parallelism: 2, memory: '128MB' });
  const asked = [10, 20, 3].map((count) => slots.run(sums, { inputs: { points: points(count) } }));
  const results = await Promise.all(asked);
  expect(results.map(({ rows }) => rows)).toEqual([sums7(10), sums7(20), sums7(3)]);
  function* broken() {
    yield* points(5);
    throw new RangeError('no more points');
  }
  await expect(slots.run(sums, { inputs: { points: broken() } })).rejects.toThrow('no more points');
  expect((await slots.run(sums, { inputs: { points: points(4) } })).rows).toEqual(sums7(4));
  const cancelled = slots.run(sums, {
    inputs: { points: points(4) },
    signal: AbortSignal.abort(),
  });
  const last = slots.run(sums, { inputs: { points: points(9) } });
  expect(codeOf(await cancelled.catch((error) => error))).toBe('JOB_CANCELLED');
  const closed = slots.close();
  expect(codeOf(await slots.run(sums).catch((error) => error))).toBe('PROGRAM_SLOTS_CLOSED');
  expect((await last).rows).toEqual(sums7(9));
  await closed;
});

/** What `sums` makes of so many points. */
function sums7(count: number) {
  const all = [...points(count)];
  return Array.from({ length: Math.min(7, count) }, (_, key) => {
    const values = all.filter((point) => point.key === key);
    const sum = values.reduce((total, { value }) => total + value, 0);
    return { key, count: BigInt(values.length), sum };
  });
}

test('a table of apache-arrow', async () => {
  const table = new arrow.Table({
    value: arrow.vectorFromArray([1, 2, 3], new arrow.Float64()),
    key: arrow.vectorFromArray([1, 1, 2], new arrow.Int32()),
  });
  const { rows } = await run(sums, { inputs: { points: table } });
  expect(rows).toEqual([
    { key: 1, count: 2n, sum: 3 },
    { key: 2, count: 1n, sum: 3 },
  ]);
});

test('rows as they come, and a slow taker holds the job back', async () => {
  const job = defineJob({
    name: 'many',
    build: ({ read }) => read(nexmark.bids({ events: 200_000 })).writeTo(memory.sink('bids')),
  });
  let taken = 0;
  let isBusy = false;
  const { rows } = await run(job, {
    parallelism: 1,
    onRows: async (some, sink) => {
      expect([sink, isBusy]).toEqual(['bids', false]);
      isBusy = true;
      await new Promise((resolve) => setImmediate(resolve));
      isBusy = false;
      taken += some.length;
    },
  });
  expect(taken).toBe(184_000);
  expect(rows).toEqual([]);
});

test('a job with functions is loaded from its module', async () => {
  const folder = tempFolder({
    'job.ts': `
      import { defineJob, t } from 'millrace';
      import { memory } from 'millrace/memory';
      const Point = t.struct({ key: t.int32(), value: t.float64() });
      export default defineJob({
        name: 'doubled',
        build: ({ read }) =>
          read(memory.source('points', Point))
            .map(t.struct({ twice: t.float64() }), (point) => ({ twice: point.value * 2 }))
            .writeTo(memory.sink()),
      });`,
  });
  const url = pathToFileURL(path.join(folder, 'job.ts'));
  const inputs = () => ({ points: points(3) });
  const expected = [{ twice: 0 }, { twice: 0.5 }, { twice: 1 }];
  expect((await run(url, { inputs: inputs() })).rows).toEqual(expected);
  const { default: job } = await import(url.href);
  expect((await run(job, { inputs: inputs(), module: url })).rows).toEqual(expected);
  const error = await run(job, { inputs: inputs() }).catch((one: unknown) => one);
  expect(codeOf(error)).toBe('PROGRAM_MODULE_MISSING');
});

test('files and memory in one job', async () => {
  const folder = tempFolder();
  const file = path.join(folder, 'points.arrow');
  await run(
    defineJob({
      name: 'to-file',
      build: ({ read }) =>
        read(memory.source([...points(10)], Point)).writeTo(files.sink({ path: file })),
    }),
  );
  const back = defineJob({
    name: 'from-file',
    build: ({ read }) =>
      read(files.source({ path: file, format: arrowFormat(Point) }))
        .where((point) => point.key.eq(6))
        .writeTo(memory.sink()),
  });
  expect((await run(back)).rows).toEqual([{ key: 6, value: 1.5 }]);
});

test('a console in a program prints where it is told', async () => {
  let text = '';
  const job = defineJob({
    name: 'shown',
    build: ({ read }) =>
      read(memory.source([...points(5)], Point)).writeTo(terminal.sink({ limit: 1 })),
  });
  await run(job, { print: (more) => (text += more) });
  expect(text.split('\n')).toEqual([
    '┌─────┬───────┐',
    '│ key │ value │',
    '├─────┼───────┤',
    '│   0 │     0 │',
    '└─────┴───────┘',
    '… 4 more rows',
    '',
  ]);
});

test('errors of the program come back as they were thrown', async () => {
  const broken = new Error('the feed broke');
  async function* feed() {
    yield [...points(10)];
    throw broken;
  }
  await expect(run(sums, { inputs: { points: feed() } })).rejects.toBe(broken);
  const taker = new Error('the taker broke');
  const onRows = () => Promise.reject(taker);
  await expect(run(sums, { inputs: { points: points(10) }, onRows })).rejects.toBe(taker);
});

test.each([
  [{}, 'PROGRAM_NO_ROWS', 'the source "points" of memory has no rows: no inputs were given'],
  [{ inputs: { point: [] } }, 'PROGRAM_NO_ROWS', 'the inputs given are "point"'],
  [{ inputs: { points: [{ key: 0.5, value: 1 }] } }, 'VALUE_OUT_OF_RANGE', 'column "key"'],
  [{ inputs: { points: [{ key: 1 }] } }, 'VALUE_IS_NULL', 'column "value"'],
])('a mistake of the program is told by its code: %#', async (settings, code, message) => {
  const error = await run(sums, settings as never).catch((one: unknown) => one);
  expect([codeOf(error), String(error)]).toEqual([code, expect.stringContaining(message)]);
});

test('a signal cancels the job, whatever its feed is waiting for', async () => {
  const controller = new AbortController();
  async function* endless() {
    yield [...points(10)];
    controller.abort();
    await new Promise(() => undefined);
  }
  const running = run(sums, { inputs: { points: endless() }, signal: controller.signal });
  await expect(running.catch((error: unknown) => codeOf(error))).resolves.toBe('JOB_CANCELLED');
});
