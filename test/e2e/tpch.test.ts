/**
 * Goal: all 22 queries of TPC-H give what DuckDB gives for the standard's SQL over the same files, made by
 * tpchgen-cli at scale 0.1; over Arrow files as over Parquet.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { csvRows } from '../../bench/csv-rows.ts';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { runPython, tpchFolder } from '../support/pyarrow.ts';
import { tempFolder } from '../support/temp-folder.ts';

const scale = '0.1';
const data = join(projectFolder, '.cache/test', `tpch-${scale}`);
const sqlFolder = join(projectFolder, 'jobs/tpch/sql');
const queries = Array.from({ length: 22 }, (_, index) => `h${index + 1}`);

interface Answer {
  readonly columns: readonly string[];
  readonly types: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
let answers: Readonly<Record<string, Answer>> = {};

beforeAll(() => {
  if (!existsSync(data)) makeTables();
  const files = readdirSync(sqlFolder).map((name) => join(sqlFolder, name));
  answers = JSON.parse(runPython(tpchFolder, 'answers.py', join(data, 'parquet'), ...files));
}, 600_000);

function makeTables(): void {
  const unfinished = `${data}.making`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  runPython(tpchFolder, 'tables.py', unfinished, scale);
  renameSync(unfinished, data);
}

async function checkAnswer(query: string, format: 'parquet' | 'arrow', parallelism: string) {
  const cwd = tempFolder({});
  const engine = ['--parallelism', parallelism, '--memory', '2GB', '--json'];
  const job = ['--query', query, '--input', join(data, format), '--output', 'out.csv'];
  const file = join(projectFolder, 'jobs/tpch/job.ts');
  summaryOf(await runCli(['run', file, ...job, ...engine], { cwd }));
  const [header, ...rows] = csvRows(readFileSync(join(cwd, 'out.csv'), 'utf8'));
  const { columns, types, rows: expected } = answers[query] as Answer;
  expect(header).toEqual(columns);
  expect(expected.length).toBeGreaterThan(0);
  // A float's last digits depend on the order of additions; all else is exact.
  const shown = (row: readonly string[]) =>
    row.map((value, at) => (types[at] === 'DOUBLE' ? Number(value).toPrecision(12) : value));
  expect(rows.map(shown)).toEqual(expected.map(shown));
}

test.each(queries)('%s over Parquet', (query) => checkAnswer(query, 'parquet', '2'));
test.each(['h1', 'h9', 'h13', 'h16', 'h21'])('%s over Arrow', (query) =>
  checkAnswer(query, 'arrow', '1'),
);
