/**
 * Goal: windows that are open when a job is stopped, or rescaled, stay open: what goes on from there counts each row once. A
 * job that is drained gives them out as they are.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, startCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `
import { agg, defineJob, t, tumbling } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Row = t.struct({ id: t.int64({ js: 'number' }), kind: t.utf8(), at: t.timestampMs() });

export default defineJob({
  name: 'windowed',
  mode: 'streaming',
  params: { input: t.path(), output: t.path() },
  build: ({ read, params: { input, output } }) =>
    read(files.source({ path: input, format: ndjson(Row), split: false }))
      .eventTime((row) => row.at, { outOfOrdernessMs: 0 })
      .keyBy((row) => row.kind)
      .window(tumbling({ sizeMs: 60_000 }))
      .aggregate({ rows: agg.count(), ids: agg.sum((row) => row.id) })
      .writeTo(files.sink({ path: output, format: 'ndjson' })),
});
`;

const rowCount = 24_000;
const rowsPerMinute = 3_000;
const kinds = ['a', 'b', 'c', 'd', 'e'];
const startMs = 1_700_000_040_000 - (1_700_000_040_000 % 60_000);
const rows = Array.from({ length: rowCount }, (_, id) => ({
  ...{ id, kind: kinds[id % kinds.length] ?? '' },
  at: startMs + Math.floor((id * 60_000) / rowsPerMinute),
}));

interface Counted {
  readonly kind: string;
  readonly windowStart: number | string;
  readonly rows: number;
  readonly ids: number;
}

/** A plain loop over all rows. */
function expectedCounts(): string[] {
  const counts = new Map<string, { rows: number; ids: number }>();
  for (const { id, kind, at } of rows) {
    const key = `${kind} ${at - (at % 60_000)}`;
    const { rows: count, ids } = counts.get(key) ?? { rows: 0, ids: 0 };
    counts.set(key, { rows: count + 1, ids: ids + id });
  }
  return [...counts].map(([key, { rows: count, ids }]) => `${key} ${count} ${ids}`).sort();
}

function scene() {
  const folder = tempFolder({ 'job.ts': job });
  mkdirSync(join(folder, 'in'));
  for (const file of [0, 1]) {
    const own = rows.filter(({ id }) => id % 2 === file);
    const lines = own.map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(join(folder, `in/rows-${file}.ndjson`), lines.join(''));
  }
  const options = { cwd: folder, env: { MILLRACE_JOBS_DIR: join(folder, 'run') } };
  const start = (...flags: string[]) =>
    startCli(
      [
        ...['run', 'job.ts', '--input', 'in/', '--output', 'out/', '--json'],
        ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '200ms', ...flags],
      ],
      options,
    );
  const stop = async (...flags: string[]) =>
    JSON.parse((await runCli(['stop', 'windowed', '--json', ...flags], options)).stdout);
  const counted = (): Counted[] => {
    const names = readdirSync(folder).includes('out') ? readdirSync(join(folder, 'out')) : [];
    const visible = names.filter((name) => !/^[._]/.test(name));
    const lines = visible.flatMap((name) =>
      readFileSync(join(folder, 'out', name), 'utf8')
        .split('\n')
        .filter(Boolean),
    );
    return lines.map((line) => JSON.parse(line));
  };
  const texts = () =>
    counted()
      .map(({ kind, windowStart, rows: count, ids }) => {
        return `${kind} ${new Date(windowStart).getTime()} ${count} ${ids}`;
      })
      .sort();
  const rescale = async (parallelism: number) => {
    const flags = ['--parallelism', String(parallelism), '--json'];
    return JSON.parse((await runCli(['rescale', 'windowed', ...flags], options)).stdout);
  };
  return { start, stop, rescale, counted, texts };
}

const whole = rowsPerMinute / kinds.length;
/** Rows are there for all that happens while a job runs, also where commands take seconds to start. */
const slow = ['--rate', '2500'];

test('windows that are open stay open, and are whole in what goes on, at another parallelism', async () => {
  const { start, stop, counted, texts } = scene();
  let run = start('--parallelism', '4', ...slow);
  for (const parallelism of ['1', '3']) {
    const before = counted().length;
    await expect.poll(() => counted().length, { timeout: 60_000 }).toBeGreaterThan(before);
    expect(await stop()).toMatchObject({ status: 'stopped' });
    const summary = summaryOf(await run.ended);
    expect(summary.status).toBe('stopped');
    expect(counted().every((one) => one.rows === whole)).toBe(true);
    const rate = parallelism === '1' ? slow : [];
    run = start('--restore', 'latest', '--parallelism', parallelism, ...rate);
  }
  summaryOf(await run.ended);
  expect(texts()).toEqual(expectedCounts());
});

test('windows that are open go along when the job is given another parallelism', async () => {
  const { start, rescale, counted, texts } = scene();
  const run = start('--parallelism', '4', ...slow);
  for (const [from, to] of [
    [4, 1],
    [1, 3],
  ] as const) {
    const before = counted().length;
    await expect.poll(() => counted().length, { timeout: 60_000 }).toBeGreaterThan(before);
    expect(await rescale(to)).toMatchObject({ from, to });
  }
  summaryOf(await run.ended);
  expect(texts()).toEqual(expectedCounts());
});

test('a job that is drained gives out what it has read, and its savepoint is where it ended', async () => {
  const { start, stop, counted } = scene();
  const run = start('--parallelism', '2', ...slow);
  await expect.poll(() => counted().length, { timeout: 60_000 }).toBeGreaterThan(0);
  const said = await stop('--drain', '--savepoint', 'sp');
  const summary = summaryOf(await run.ended);
  expect(summary).toMatchObject({ status: 'finished', savepoint: said.savepoint });
  const sum = counted().reduce((total, one) => total + one.rows, 0);
  expect(sum).toBe(summary.rowsIn);
  expect(sum).toBeLessThan(rowCount);
  expect(counted().some((one) => one.rows < whole)).toBe(true);
  // What was not read is read by who goes on from there, and nothing is read twice.
  const rest = start('--from-savepoint', 'sp', '--checkpoint-dir', 'chk2', '--output', 'more/');
  const more = summaryOf(await rest.ended);
  expect(more.rowsIn).toBe(rowCount - sum);
});
