/** Goal: the jobs of windows and sessions give what plain loops count, as streams and in batch. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { csvRows } from '../../bench/csv-rows.ts';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const base = 1_700_000_000_000;

/** Two files whose rows are a little out of order, 40,000 in all. */
const rows = Array.from({ length: 40_000 }, (_, id) => ({
  key: (id * 7919) % 23,
  value: ((id * 104_729) % 4001) / 4,
  ts: base + id * 5,
}));

const making = `import { defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';
const Row = t.struct({ key: t.int32(), value: t.float64(), ts: t.int64({ js: 'number' }) });
export default defineJob({
  name: 'rows',
  build: ({ read }) =>
    [0, 1].map((half) =>
      read(files.source({ path: \`rows-\${half}.ndjson\`, format: ndjson(Row) }))
        .writeTo(files.sink({ path: \`rows-\${half}.parquet\` })),
    ),
});
`;

function expectedWindows(sizeMs: number): string[] {
  const windows = new Map<string, { c: number; s: number; mn: number; mx: number }>();
  for (const { key, value, ts } of rows) {
    const name = `${key},${Math.floor(ts / sizeMs) * sizeMs}`;
    const found = windows.get(name) ?? { c: 0, s: 0, mn: value, mx: value };
    const { c, s, mn, mx } = found;
    const next = { c: c + 1, s: s + value, mn: Math.min(mn, value), mx: Math.max(mx, value) };
    windows.set(name, next);
  }
  return [...windows].map(([name, { c, s, mn, mx }]) => [name, c, s, mn, mx].join()).sort();
}

test.each([
  ['10s', 10_000, 'streaming', '2'],
  ['500ms', 500, 'streaming', '3'],
  ['1m', 60_000, 'batch', '2'],
])('windows of %s', async (size, sizeMs, mode, parallelism) => {
  const lines = (half: number) =>
    rows
      .filter((_, id) => Math.floor(id / 1000) % 2 === half)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join('');
  const files = { 'rows-0.ndjson': lines(0), 'rows-1.ndjson': lines(1) };
  const cwd = tempFolder({ ...files, 'rows.ts': making });
  summaryOf(await runCli(['run', 'rows.ts', '--parallelism', '1', '--json'], { cwd }));
  const job = join(projectFolder, 'jobs/windows/job.ts');
  const flags = ['--input', '.', '--size', size, '--output', 'out.csv', '--json'];
  const engine = ['--execution-mode', mode, '--parallelism', parallelism];
  const summary = summaryOf(await runCli(['run', job, ...flags, ...engine], { cwd }));
  const [header, ...found] = csvRows(readFileSync(join(cwd, 'out.csv'), 'utf8'));
  expect(header).toEqual(['key', 'ws', 'c', 's', 'mn', 'mx']);
  const shown = found.map((row) => row.map(Number).join()).sort();
  expect(shown).toEqual(expectedWindows(sizeMs));
  expect(summary.rowsIn).toBe(rows.length);
});

test('a size that is none is said at once', async () => {
  const job = join(projectFolder, 'jobs/windows/job.ts');
  const { exitCode, stderr } = await runCli(['run', job, '--input', '.', '--size', '10 parsecs']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('"10 parsecs" is no duration');
});

test.each(['streaming', 'batch'])('sessions of the sample, %s', async (mode) => {
  const cwd = tempFolder({});
  const folder = join(projectFolder, 'jobs/sessions');
  const flags = ['--input', join(folder, 'sample.ndjson'), '--json', '--execution-mode', mode];
  summaryOf(await runCli(['run', join(folder, 'job.ts'), ...flags], { cwd }));
  const lines = readFileSync(join(cwd, 'sessions.ndjson'), 'utf8').trim().split('\n').sort();
  const visit = (user: string, from: string, to: string, seconds: number, clicks: number) =>
    JSON.stringify({
      user,
      from: `2026-11-26T${from}.000Z`,
      to: `2026-11-26T${to}.000Z`,
      seconds,
      clicks,
    });
  expect(lines).toEqual([
    visit('ada', '10:00:00', '10:20:00', 1200, 4),
    visit('ada', '11:30:00', '11:30:00', 0, 1),
    visit('bob', '10:00:30', '10:00:30', 0, 1),
    visit('bob', '10:45:00', '10:45:00', 0, 1),
  ]);
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(lines[0]);
});

test.each(['streaming', 'batch'])(
  'rows that are late, untimed or far ahead have outputs, %s',
  async (mode) => {
    const file = `import { agg, defineJob, t, tumbling } from 'millrace';
import { files, ndjson } from 'millrace/files';
const Visit = t.struct({ page: t.utf8(), at: t.timestampMs({ js: 'number' }).nullable(), note: t.utf8() });
export default defineJob({
  name: 'visits',
  build: ({ read }) =>
    read(files.source({ path: 'in.ndjson', format: ndjson(Visit) }))
      .eventTime((visit) => visit.at, { untimely: files.sink({ path: 'untimely.ndjson' }) })
      .keyBy((visit) => visit.page)
      .window(tumbling({ sizeMs: 1_000 }), { late: files.sink({ path: 'late.ndjson' }) })
      .aggregate({ visits: agg.count(), notes: agg.countDistinct((visit) => visit.note) })
      .writeTo(files.sink({ path: 'out.ndjson' })),
});
`;
    const lines = [
      ...Array.from({ length: 30_000 }, (_, id) => ({ page: 'a', at: base + id, note: 'in time' })),
      { page: 'b', at: null, note: 'none' },
      { page: 'b', at: 4_000_000_000_000_000, note: 'ahead' },
      ...Array.from({ length: 30_000 }, (_, id) => ({
        page: 'a',
        at: base + 30_000 + id,
        note: '',
      })),
      { page: 'b', at: base + 1, note: 'late' },
    ];
    const input = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const cwd = tempFolder({ 'job.ts': file, 'in.ndjson': input });
    const flags = ['--parallelism', '1', '--execution-mode', mode];
    const { exitCode, stderr } = await runCli(['run', 'job.ts', ...flags], { cwd });
    expect(exitCode, stderr).toBe(0);
    const notes = (name: string) =>
      readFileSync(join(cwd, name), 'utf8')
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).note);
    expect(notes('untimely.ndjson')).toEqual(['none', 'ahead']);
    // In batch a window comes out when all rows are there.
    const isLate = mode === 'streaming';
    expect(notes('late.ndjson')).toEqual(isLate ? ['late'] : []);
    expect(stderr).toContain('future   1 row in "eventTime"');
    expect(stderr).toContain('untimed  1 row in "eventTime"');
    // Both aggregates see the row, and it is one row.
    expect(stderr.match(/ late .*/g) ?? []).toEqual(
      isLate ? [' late     1 row in "aggregate"'] : [],
    );
    expect(stderr).toMatch(/ 2 rows to \S*untimely\.ndjson/);
  },
);
