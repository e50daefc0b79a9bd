/**
 * Goal: every query of Nexmark gives what DuckDB gives for the same question in SQL, as a stream and in batch,
 * from events in order and out of order.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { csvRows } from '../../bench/csv-rows.ts';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { runPython, tpchFolder } from '../support/pyarrow.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobFile = join(projectFolder, 'jobs/nexmark/job.ts');
const sqlFolder = join(projectFolder, 'jobs/nexmark/sql');
/** All but q12, whose windows are of the clock: what DuckDB has SQL for. */
const queries = readdirSync(sqlFolder)
  .filter((name) => name.endsWith('.sql'))
  .map((name) => name.replace('.sql', ''))
  .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

/** Writes the generator's events as the benchmark's files have them, every other 100 ms into another file. */
const making = `import { defineJob, t } from 'millrace';
import { files } from 'millrace/files';
import { nexmark } from 'millrace/generator';

export default defineJob({
  name: 'events',
  params: { disorder: t.int32(), ending: t.utf8() },
  build: ({ read, params: { disorder, ending } }) => {
    const settings = { events: 60_000, outOfOrderGroup: disorder };
    const bid = read(nexmark.bids(settings)).derive((row) => ({ date_time: row.date_time.epochMs() }));
    const auction = read(nexmark.auctions(settings)).derive((row) => ({
      date_time: row.date_time.epochMs(),
      expires: row.expires.epochMs(),
    }));
    const person = read(nexmark.persons(settings)).derive((row) => ({ date_time: row.date_time.epochMs() }));
    return [0, 1].flatMap((half) => [
      bid.where((row) => row.date_time.intDiv(100).mod(2).eq(half)).writeTo(files.sink({ path: \`bid-\${half}.\${ending}\` })),
      auction.where((row) => row.date_time.intDiv(100).mod(2).eq(half)).writeTo(files.sink({ path: \`auction-\${half}.\${ending}\` })),
      person.where((row) => row.date_time.intDiv(100).mod(2).eq(half)).writeTo(files.sink({ path: \`person-\${half}.\${ending}\` })),
    ]);
  },
});
`;

interface Answer {
  readonly columns: readonly string[];
  readonly types: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

async function makeEvents(disorder: number, ...endings: readonly string[]): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), 'millrace-nexmark-'));
  writeFileSync(join(cwd, 'package.json'), '{"type":"module"}');
  writeFileSync(join(cwd, 'events.ts'), making);
  for (const ending of endings) {
    const params = ['--disorder', String(disorder), '--ending', ending];
    summaryOf(
      await runCli(['run', 'events.ts', ...params, '--parallelism', '1', '--json'], { cwd }),
    );
  }
  const rows = Array.from({ length: 10_000 }, (_, key) => `${key},value ${key % 77}`);
  writeFileSync(
    join(cwd, 'side_input.csv'),
    ['key,value', ...rows.filter((_, key) => key % 3 > 0)].join('\n'),
  );
  return cwd;
}

function answersOf(folder: string): Readonly<Record<string, Answer>> {
  const files = queries.map((query) => join(sqlFolder, `${query}.sql`));
  return JSON.parse(runPython(tpchFolder, 'answers.py', folder, ...files));
}

async function answerOf(query: string, ...flags: readonly string[]) {
  const cwd = tempFolder({});
  const args = ['run', jobFile, '--query', query, '--output', 'out.csv', '--json', ...flags];
  const summary = summaryOf(await runCli(args, { cwd }));
  const [header = [], ...rows] = csvRows(readFileSync(join(cwd, 'out.csv'), 'utf8'));
  return { header, rows, summary };
}

/** The flags of a query with a side input. */
function sideInput(query: string, folder: string): string[] {
  return query === 'q13' ? ['--side-input', join(folder, 'side_input.csv')] : [];
}

/** A float's last digits depend on the order of additions; all else is exact. The order of rows is nobody's. */
function inOrder(rows: readonly (readonly string[])[], types: readonly string[]): string[] {
  const shown = (row: readonly string[]) =>
    row.map((value, at) => (types[at] === 'DOUBLE' ? Number(value).toPrecision(12) : value)).join();
  return rows.map(shown).sort();
}

describe.each([
  ['in order', 1],
  ['out of order', 50],
] as const)('events %s', (_, disorder) => {
  let folder: string | null = null;
  let answers: Readonly<Record<string, Answer>> = {};
  afterAll(() => rmSync(folder ?? '', { recursive: true, force: true }));

  async function check(query: string, ...flags: readonly string[]) {
    if (folder === null) {
      folder = await makeEvents(disorder, 'parquet', 'arrow');
      answers = answersOf(folder);
    }
    const { header, rows } = await answerOf(
      query,
      '--input',
      folder,
      ...sideInput(query, folder),
      ...flags,
    );
    const { columns, types, rows: expected } = answers[query] as Answer;
    expect(header).toEqual(columns);
    expect(expected.length).toBeGreaterThan(0);
    expect(inOrder(rows, types)).toEqual(inOrder(expected, types));
  }

  test.each(queries)('%s as a stream', (query) => check(query, '--parallelism', '2'));
  const timed = ['q4', 'q5', 'q7', 'q8', 'q11'];
  test.each(timed)('%s in batch', (query) =>
    check(query, '--parallelism', '2', '--execution-mode', 'batch'),
  );
  test.each(timed)('%s in one task, over Arrow', (query) =>
    check(query, '--parallelism', '1', '--format', 'arrow'),
  );
});

test('sessions do not depend on how far the tasks of a stream are apart', async () => {
  const flags = ['--events', '400000', '--parallelism', '2', '--execution-mode'];
  const stream = await answerOf('q11', ...flags, 'streaming');
  const batch = await answerOf('q11', ...flags, 'batch');
  expect(inOrder(stream.rows, [])).toEqual(inOrder(batch.rows, []));
});

test.each(['streaming', 'batch'])('windows of the clock have each bid once, %s', async (mode) => {
  const { header, rows } = await answerOf(
    ...(['q12', '--events', '100000', '--parallelism', '2', '--execution-mode', mode] as const),
  );
  expect(header).toEqual(['bidder', 'bid_count', 's', 'e']);
  expect(rows.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(92_000);
  for (const [, , start, end] of rows) expect(Number(end) - Number(start)).toBe(10_000);
  const starts = rows.map(([, , start]) => Number(start));
  expect(Math.abs(Math.max(...starts) - Date.now())).toBeLessThan(60_000);
});

test('a line for each event of one file of all kinds gives the same as files of each', async () => {
  const flags = ['--parallelism', '2'];
  const lines = `{"event_type":0,"person":{"id":7,"name":"ann","email_address":"a","credit_card":"1","city":"x","state":"OR","date_time":1700000001000,"extra":""}}
{"event_type":1,"auction":{"id":3,"item_name":"i","description":"d","initial_bid":1,"reserve":2,"date_time":1700000002000,"expires":1700000900000,"seller":7,"category":10,"extra":""}}
{"event_type":2,"bid":{"auction":3,"bidder":8,"price":5,"channel":"Apple","url":"u","date_time":1700000003000,"extra":"e"}}
`;
  const folder = tempFolder({ 'events.jsonl': lines });
  const given = ['--input', folder, '--format', 'ndjson', ...flags];
  expect((await answerOf('q0', ...given)).rows).toEqual([['3', '8', '5', '1700000003000', 'e']]);
  expect((await answerOf('q8', ...given)).rows).toEqual([['7', 'ann', '1700000000000']]);
  expect((await answerOf('q4', ...given)).rows).toEqual([['10', '5', '1']]);
});
