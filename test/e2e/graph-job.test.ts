/**
 * Goal: a job that is a graph, with streams that meet, streams that part, several outputs and dead
 * letters, gives in real threads what plain JavaScript gives, and all of its outputs or the error.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const visits = (seed: number) =>
  Array.from({ length: 30_000 }, (_, index) => ({
    page: `/page/${(index * seed) % 97}`,
    ms: (index * 7_919 * seed) % 5_000,
  }));
const inputs = { 'today.txt': visits(31), 'yesterday.txt': visits(37) };
const textOf = (rows: ReturnType<typeof visits>) =>
  rows.map(({ page, ms }) => `${page} ${ms}\n`).join('');
const texts = Object.fromEntries(
  Object.entries(inputs).map(([name, rows]) => [name, textOf(rows)]),
);

const jobFile = `import { agg, defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

const Visit = t.struct({ page: t.utf8(), ms: t.int64() });

export default defineJob({
  name: 'visits',
  params: { output: t.path() },
  build: ({ read, params }) => {
    const visits = (path: string) =>
      read(files.source({ path, format: text() }), { deadLetters: files.sink({ path: path + '.bad' }) })
        .map(Visit, (line) => {
          const [page = '', ms = ''] = line.text.split(' ');
          return { page, ms: BigInt(ms) };
        });
    const all = visits('today.txt').union(visits('yesterday.txt'));
    const slow = all.where((visit) => visit.ms.ge(4_900));
    const perPage = all.keyBy((visit) => visit.page).aggregate({ visits: agg.count(), ms: agg.sum((visit) => visit.ms) });
    return [
      perPage.orderBy((row) => row.page.asc()).writeTo(files.sink({ path: params.output })),
      slow
        .union(all.where((visit) => visit.ms.lt(10)))
        .orderBy((visit) => [visit.ms.desc(), visit.page.asc()])
        .writeTo(files.sink({ path: 'odd.csv' })),
    ];
  },
});
`;

const flags = ['--output', 'pages.ndjson', '--json'];
const runJob = (cwd: string, parallelism: number) =>
  runCli(['run', 'job.ts', ...flags, '--parallelism', String(parallelism)], { cwd });

test.each([1, 2, 3])('two sources, two outputs, a diamond, with %i slots', async (parallelism) => {
  const cwd = tempFolder({ 'job.ts': jobFile, ...texts });
  const bad = Buffer.from([0x2f, 0x70, 0xff, 0x0a]);
  writeFileSync(
    join(cwd, 'today.txt'),
    Buffer.concat([Buffer.from(texts['today.txt'] ?? ''), bad]),
  );
  const summary = summaryOf(await runJob(cwd, parallelism));
  const all = Object.values(inputs).flat();
  const byPage = [...Map.groupBy(all, ({ page }) => page)]
    .map(([page, rows]) => ({
      page,
      visits: rows.length,
      ms: rows.reduce((sum, { ms }) => sum + ms, 0),
    }))
    .sort((a, b) => (a.page < b.page ? -1 : 1));
  const odd = all
    .filter(({ ms }) => ms >= 4_900 || ms < 10)
    .sort((a, b) => b.ms - a.ms || (a.page < b.page ? -1 : 1));
  const written = (name: string) => readFileSync(join(cwd, name), 'utf8');
  expect(written('pages.ndjson')).toBe(byPage.map((row) => `${JSON.stringify(row)}\n`).join(''));
  expect(written('odd.csv')).toBe(
    `page,ms\n${odd.map(({ page, ms }) => `${page},${ms}\n`).join('')}`,
  );
  expect(written('today.txt.bad')).toContain('today.txt');
  expect(written('yesterday.txt.bad')).toBe('origin,reason,text,bytes\n');
  expect(summary).toMatchObject({
    rowsIn: all.length,
    rowsOut: byPage.length + odd.length,
    deadLetters: 1,
  });
});

test('when one part fails, no output appears', async () => {
  const wrongType = jobFile.replace('BigInt(ms)', "ms === 'many' ? (ms as never) : BigInt(ms)");
  const cwd = tempFolder({ 'job.ts': wrongType, ...texts, 'yesterday.txt': '/page/1 many\n' });
  const result = await runJob(cwd, 2);
  expectFailure(result, { code: 'USER_FUNCTION_RESULT', exitCode: 1, says: /map/ });
  expect(readdirSync(cwd).sort()).toEqual(['job.ts', 'today.txt', 'yesterday.txt']);
});

test('a record that the map of both sources fails on goes where its own source says', async () => {
  const cwd = tempFolder({ 'job.ts': jobFile, ...texts, 'yesterday.txt': '/page/1 many\n' });
  expect(summaryOf(await runJob(cwd, 2))).toMatchObject({ deadLetters: 1 });
  const written = (name: string) => readFileSync(join(cwd, name), 'utf8');
  expect(written('today.txt.bad')).toBe('origin,reason,text,bytes\n');
  expect(written('yesterday.txt.bad')).toContain('/page/1 many');
});

test('two outputs in one place are refused before anything is read', async () => {
  const cwd = tempFolder({ 'job.ts': jobFile.replace("'odd.csv'", "'./pages.ndjson'"), ...texts });
  const result = await runJob(cwd, 2);
  expectFailure(result, { code: 'SINK_PATH_TWICE', exitCode: 2, says: /in one place/ });
  expect(existsSync(join(cwd, 'pages.ndjson'))).toBe(false);
});

test('only the fields that are read are read; with dead letters all are', async () => {
  const job = (options: string) => `import { agg, defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';
const Sale = t.struct({ shop: t.utf8(), price: t.float64(), note: t.utf8(), at: t.timestampMs() });
export default defineJob({
  name: 'sales',
  build: ({ read }) =>
    read(files.source({ path: 'in.ndjson', format: ndjson(Sale) })${options})
      .keyBy((sale) => sale.shop)
      .aggregate({ total: agg.sum((sale) => sale.price) })
      .orderBy((row) => row.shop.asc())
      .writeTo(files.sink({ path: 'out.csv' })),
});
`;
  const lines = Array.from({ length: 1_000 }, (_, index) => ({
    ...{ shop: `shop ${index % 3}`, price: index, note: 'n', at: index },
    ...(index === 500 && { at: 'never' }),
  }));
  const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const totals = (rows: readonly (typeof lines)[number][]) => {
    const sums = [0, 1, 2].map((shop) => {
      const own = rows.filter((row) => row.shop === `shop ${shop}`);
      return `shop ${shop},${own.reduce((sum, { price }) => sum + price, 0)}\n`;
    });
    return `shop,total\n${sums.join('')}`;
  };
  const run = async (options: string) => {
    const cwd = tempFolder({ 'job.ts': job(options), 'in.ndjson': input });
    const flags = ['--json', '--parallelism', '2'];
    return { cwd, summary: summaryOf(await runCli(['run', 'job.ts', ...flags], { cwd })) };
  };
  const plain = await run('');
  expect(readFileSync(join(plain.cwd, 'out.csv'), 'utf8')).toBe(totals(lines));
  const careful = await run(`, { deadLetters: files.sink({ path: 'bad.csv' }) }`);
  expect(readFileSync(join(careful.cwd, 'out.csv'), 'utf8')).toBe(
    totals(lines.filter((_, index) => index !== 500)),
  );
  expect(careful.summary.deadLetters).toBe(1);
});
