/**
 * Goal: rows of several MB, three times the memory, are sorted, joined and grouped by the real command within
 * `--memory`, and what comes out is what went in.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mb = 1 << 20;
const memoryMb = 128;
const rowCount = 199;
let folder = '';

interface LargeRow {
  readonly id: number;
  readonly note: string;
}

/** Each 2 to 3 MB, in no order of their ids. */
const rowOf = (row: number): LargeRow => ({
  id: (row * 37) % rowCount,
  note: `note ${row} `.repeat(Math.ceil(((2 << 20) + row * 2_000) / 8)),
});

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  const lines = Array.from({ length: rowCount }, (_, row) => `${JSON.stringify(rowOf(row))}\n`);
  expect(lines.reduce((sum, line) => sum + line.length, 0)).toBeGreaterThan(3 * memoryMb * mb);
  writeFileSync(join(folder, 'rows.ndjson'), lines.join(''));
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobOf = (chain: string) => `import { agg, defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Row = t.struct({ id: t.int64(), note: t.utf8() });

export default defineJob({
  name: 'large-rows',
  params: { input: t.path() },
  build: ({ read, params }) => {
    const rows = read(files.source({ path: params.input, format: ndjson(Row) }));
    return ${chain}.writeTo(files.sink({ path: 'out.ndjson' }));
  },
});
`;

/** The rows that come out, and that they were on disk, within the memory. */
async function rowsOf<T>(chain: string): Promise<T[]> {
  const cwd = tempFolder({ 'job.ts': jobOf(chain) });
  const flags = ['--input', join(folder, 'rows.ndjson'), '--memory', `${memoryMb}MB`];
  const rest = ['--parallelism', '1', '--spill-dir', 'spill', '--json'];
  const run = await runCli(['run', 'job.ts', ...flags, ...rest], { cwd, deadlineMs: 100_000 });
  const summary = summaryOf(run);
  expect(Number(summary.peakMemoryBytes)).toBeLessThan((memoryMb + 300) * mb);
  expect(existsSync(join(cwd, 'spill')) ? readdirSync(join(cwd, 'spill')) : []).toEqual([]);
  const operators = summary.operators as { bytesSpilled: number }[];
  const spilledBytes = operators.reduce((sum, { bytesSpilled }) => sum + bytesSpilled, 0);
  expect(spilledBytes).toBeGreaterThan(memoryMb * mb);
  const lines = readFileSync(join(cwd, 'out.ndjson'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line));
}

const inputRows = () => Array.from({ length: rowCount }, (_, row) => rowOf(row));

test('sorted', { timeout: 120_000 }, async () => {
  const found = await rowsOf<LargeRow>(`rows.orderBy((row) => row.id.asc())`);
  const expected = inputRows().sort((a, b) => a.id - b.id);
  expect(found.map(({ id, note }) => [id, hashOf(note)])).toEqual(
    expected.map(({ id, note }) => [id, hashOf(note)]),
  );
});

test('joined with themselves', { timeout: 120_000 }, async () => {
  const found = await rowsOf<LargeRow & { size: number }>(`rows
      .join(rows.select((row) => ({ other: row.id, text: row.note })), {
        on: (left, right) => left.id.eq(right.other),
      })
      .select((row) => ({ id: row.id, note: row.note, size: row.text.length() }))`);
  const expected = inputRows().map(({ id, note }) => [id, hashOf(note), note.length]);
  const rows = found.map(({ id, note, size }) => [id, hashOf(note), Number(size)]);
  const byId = (a: unknown[], b: unknown[]) => Number(a[0]) - Number(b[0]);
  expect(rows.sort(byId)).toEqual(expected.sort(byId));
});

test('grouped by their texts', { timeout: 120_000 }, async () => {
  const found = await rowsOf<LargeRow & { count: number }>(`rows
      .keyBy((row) => ({ note: row.note })).aggregate({ count: agg.count(), id: agg.max((row) => row.id) })`);
  const rows = found.map(({ note, count, id }) => [hashOf(note), Number(count), id]);
  const expected = inputRows().map(({ id, note }) => [hashOf(note), 1, id]);
  expect(rows.sort()).toEqual(expected.sort());
});
