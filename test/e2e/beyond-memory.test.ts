/**
 * Goal: sorts, groups, joins and set operations of ten times the memory give what DuckDB gives, within the memory, and
 * leave no spill file.
 */
import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { runPython } from '../support/pyarrow.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mb = 1 << 20;
const memoryMb = 32;
let folder = '';

/** Some keys are on one side only, some are on a side several times, and some are null. */
const leftOf = (row: number) => ({
  id: row,
  key: row % 1000 === 0 ? null : (row * 7_919) % 1_500_000,
  note: `what stands in the row of the left side with the number ${row}`,
});
const rightOf = (row: number) => ({
  other: row % 999 === 0 ? null : (row * 104_729) % 1_200_000,
  weight: row % 1000,
  label: `what stands in the row of the right side with the number ${row}`,
});

async function writeRows(name: string, count: number, rowOf: (row: number) => object) {
  const out = createWriteStream(join(folder, name));
  let text = '';
  for (let row = 0; row < count; row++) {
    text += `${JSON.stringify(rowOf(row))}\n`;
    if (text.length < mb) continue;
    if (!out.write(text)) await once(out, 'drain');
    text = '';
  }
  out.end(text);
  await once(out, 'finish');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  await writeRows('left.ndjson', 1_900_000, leftOf);
  await writeRows('right.ndjson', 1_500_000, rightOf);
  const sizes = ['left.ndjson', 'right.ndjson'].map((name) => statSync(join(folder, name)).size);
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(10 * memoryMb * mb);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobOf = (chain: string) => `import { agg, defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Left = t.struct({ id: t.int64(), key: t.int64().nullable(), note: t.utf8() });
const Right = t.struct({ other: t.int64().nullable(), weight: t.int64(), label: t.utf8() });

export default defineJob({
  name: 'large',
  params: { folder: t.path() },
  build: ({ read, params }) => {
    const left = read(files.source({ path: params.folder + '/left.ndjson', format: ndjson(Left) }));
    const right = read(files.source({ path: params.folder + '/right.ndjson', format: ndjson(Right) }));
    return ${chain}.writeTo(files.sink({ path: 'out.ndjson' }));
  },
});
`;

/** Where the answer is; what was put on disk; and that the memory was kept to. */
async function runOf(chain: string) {
  const cwd = tempFolder({ 'job.ts': jobOf(chain) });
  const flags = ['--folder', folder, '--memory', `${memoryMb}MB`, '--parallelism', '1'];
  const spill = ['--spill-dir', 'spill', '--json'];
  const run = await runCli(['run', 'job.ts', ...flags, ...spill], { cwd, deadlineMs: 200_000 });
  const summary = summaryOf(run);
  expect(Number(summary.peakMemoryBytes)).toBeLessThan((memoryMb + 300) * mb);
  expect(existsSync(join(cwd, 'spill')) ? readdirSync(join(cwd, 'spill')) : []).toEqual([]);
  const operators = summary.operators as { bytesSpilled: number }[];
  const spilledBytes = operators.reduce((sum, { bytesSpilled }) => sum + bytesSpilled, 0);
  return { path: join(cwd, 'out.ndjson'), spilledBytes };
}

/** The one row of the answer. */
async function answerOf(chain: string) {
  const { path, spilledBytes } = await runOf(chain);
  return { row: numbersOf(JSON.parse(readFileSync(path, 'utf8'))), spilledBytes };
}

const numbersOf = (row: object) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));

function duckdbAnswerOf(sql: string) {
  const [row] = duckdbRowsOf(sql);
  return numbersOf(row ?? {});
}

function duckdbRowsOf(sql: string): object[] {
  const right = `read_json('${join(folder, 'right.ndjson')}', format = 'newline_delimited')`;
  const script = join(projectFolder, 'test/fixtures/analytics');
  const query = sql.replaceAll('LEFT_ROWS', 'bids').replaceAll('RIGHT_ROWS', right);
  const [rows] = JSON.parse(runPython(script, 'answers.py', join(folder, 'left.ndjson'), query));
  return rows;
}

/** The rows of both sides. */
const bothSides = `left.union(
      right.select(({ other, weight, label }) => ({ id: weight, key: other, note: label })))`;
const bothSidesSql =
  '(select id, key, note from LEFT_ROWS union all select weight, other, label from RIGHT_ROWS)';

test('sort', async () => {
  const order = `[row.key.desc({ nulls: 'first' }), row.id.asc(), row.note.asc()]`;
  const { path, spilledBytes } = await runOf(`${bothSides}.orderBy((row) => ${order})`);
  expect(spilledBytes).toBeGreaterThan(2 * memoryMb * mb);
  // Each row's place counts, as DuckDB numbers the sorted rows.
  const sums = { rows: 0, ids: 0, keys: 0, notes: 0 };
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { id, key, note } = JSON.parse(line);
    const weight = (sums.rows++ % 1009) + 1;
    sums.ids += id * weight;
    sums.keys += (key ?? 0) * weight;
    sums.notes += note.length * weight;
  }
  const sql = `select count(*) as rows, sum(id * w) as ids, sum(coalesce(key, 0) * w) as keys, sum(length(note) * w) as notes
    from (select *, (row_number() over (order by key desc nulls first, id, note) - 1) % 1009 + 1 as w from ${bothSidesSql})`;
  expect(sums).toEqual(duckdbAnswerOf(sql));
});

test('group-by', async () => {
  const { row, spilledBytes } = await answerOf(`${bothSides}
      .keyBy((row) => row.note)
      .aggregate({ rows: agg.count(), ids: agg.sum((row) => row.id), key: agg.max((row) => row.key) })
      .aggregate({
        groups: agg.count(),
        rows: agg.max((row) => row.rows),
        ids: agg.sum((row) => row.ids),
        keys: agg.sum((row) => row.key),
        notes: agg.sum((row) => row.note.length()),
      })`);
  const sql = `select count(*) as groups, max(rows) as rows, sum(ids) as ids, sum(key) as keys, sum(length(note)) as notes
    from (select note, count(*) as rows, sum(id) as ids, max(key) as key from ${bothSidesSql} group by note)`;
  expect(row).toEqual(duckdbAnswerOf(sql));
  expect(spilledBytes).toBeGreaterThan(4 * memoryMb * mb);
});

test.each(['inner', 'left', 'full'])('%s join', async (type) => {
  const { row, spilledBytes } = await answerOf(`left
      .join(right, { type: '${type}', on: (left, right) => left.key.eq(right.other), build: 'right' })
      .aggregate({
        rows: agg.count(),
        ids: agg.sum((row) => row.id),
        weights: agg.sum((row) => row.weight),
        notes: agg.sum((row) => row.note.length()),
        labels: agg.max((row) => row.label.length()),
      })`);
  const sql = `select count(*) as rows, sum(l.id) as ids, sum(r.weight) as weights,
      sum(length(l.note)) as notes, max(length(r.label)) as labels
    from LEFT_ROWS l ${type} join RIGHT_ROWS r on l.key = r.other`;
  expect(row).toEqual(duckdbAnswerOf(sql));
  expect(spilledBytes).toBeGreaterThan(2 * memoryMb * mb);
});

test.each([
  ['intersect', '{}', 'intersect'],
  ['intersect of all', '{ all: true }', 'intersect all'],
  ['except of all', '{ all: true }', 'except all'],
])('%s', async (name, options, operation) => {
  const verb = name.split(' ')[0];
  const { row, spilledBytes } = await answerOf(`left
      .select(({ key }) => ({ key }))
      .${verb}(right.select(({ other }) => ({ key: other })), ${options})
      .aggregate({ rows: agg.count(), keys: agg.sum((row) => row.key), known: agg.count((row) => row.key) })`);
  const sql = `select count(*) as rows, sum(key) as keys, count(key) as known
    from (select key from LEFT_ROWS ${operation} select other as key from RIGHT_ROWS)`;
  expect(row).toEqual(duckdbAnswerOf(sql));
  expect(spilledBytes).toBeGreaterThan((memoryMb * mb) / 2);
});
