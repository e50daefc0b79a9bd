/** Goal: records on which a function fails go to the dead letters, before and behind a shuffle, in both kinds of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobFile = `import { agg, defineJob, t } from 'millrace';
import { csv, files } from 'millrace/files';

const Row = t.struct({ name: t.utf8(), count: t.int32() });
function check(row: { readonly name: string; readonly count: number }) {
  if (row.name === 'poison') throw new Error('I do not like it');
  return { name: row.name, count: row.count };
}
function checkTotal(row: { readonly name: string; readonly total: bigint | number | null }): boolean {
  if (row.name === 'late') throw new Error('not this one');
  return true;
}

export default defineJob({
  name: 'rows',
  params: { input: t.path() },
  build: ({ read, params: { input } }) =>
    read(files.source({ path: input, format: csv(Row) }), {
      deadLetters: files.sink({ path: 'bad.ndjson' }),
    })
      .map(Row, check)
      .keyBy((row) => row.name)
      .aggregate({ total: agg.sum((row) => row.count) })
      .filter(checkTotal)
      .orderBy((row) => row.name.asc())
      .writeTo(files.sink({ path: 'out.csv' })),
});
`;

test.each(['memory', 'disk'])('rows in %s', { timeout: 120_000 }, async (shuffle) => {
  const input = 'name,count\na,1\npoison,7\nb,x\na,2\nlate,3\nlate,4\n';
  const cwd = tempFolder({ 'in.csv': input, 'job.ts': jobFile });
  const flags = ['--shuffle', shuffle, '--parallelism', '2', '--json'];
  const result = await runCli(['run', 'job.ts', '--input', 'in.csv', ...flags], { cwd });
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({ deadLetters: 3, rowsOut: 1 });
  expect(readFileSync(join(cwd, 'out.csv'), 'utf8')).toBe('name,total\na,3\n');
  const letters = readFileSync(join(cwd, 'bad.ndjson'), 'utf8').trimEnd().split('\n');
  const found = letters.map((line) => JSON.parse(line)).map(({ text, reason }) => [text, reason]);
  expect(found.sort()).toEqual([
    ['b,x', expect.stringContaining('column "count" has x')],
    [
      '{"name":"late","total":"7"}',
      expect.stringMatching(/"filter" .*: not this one \(5 calls\)$/),
    ],
    ['{"name":"poison","count":7}', expect.stringMatching(/: I do not like it \(5 calls\)$/)],
  ]);
});

const processJob = `import { defineJob, state, t } from 'millrace';
import { csv, files } from 'millrace/files';

const Row = t.struct({ name: t.utf8(), count: t.int64({ js: 'number' }) });
export default defineJob({
  name: 'sums',
  params: { input: t.path() },
  build: ({ read, params: { input } }) =>
    read(files.source({ path: input, format: csv(Row), split: false }), {
      deadLetters: files.sink({ path: 'bad.ndjson' }),
    })
      .keyBy((row) => row.name)
      .process({
        state: { sum: state.value(t.int64({ js: 'number' })) },
        output: Row,
        onRow({ name, count }, { state: { sum }, emit }) {
          const total = (sum.get() ?? 0) + count;
          sum.set(total);
          emit({ name, count: total });
          if (count === 7) throw new Error('not seven');
        },
      })
      .writeTo(files.sink({ path: 'out.csv' })),
});
`;

test('of a function over state, which is as if the record had not been', {
  timeout: 120_000,
}, async () => {
  const input = 'name,count\na,1\na,7\na,2\nb,7\nb,3\n';
  const cwd = tempFolder({ 'in.csv': input, 'job.ts': processJob });
  const flags = ['--input', 'in.csv', '--parallelism', '2', '--json'];
  const result = await runCli(['run', 'job.ts', ...flags], { cwd });
  expect(result.exitCode, result.stderr).toBe(0);
  expect(JSON.parse(result.stdout)).toMatchObject({ deadLetters: 2, rowsOut: 3 });
  const rows = readFileSync(join(cwd, 'out.csv'), 'utf8').trimEnd().split('\n').slice(1);
  expect(rows.sort()).toEqual(['a,1', 'a,3', 'b,3']);
  const letters = readFileSync(join(cwd, 'bad.ndjson'), 'utf8').trimEnd().split('\n');
  const found = letters.map((line) => JSON.parse(line)).map(({ text, reason }) => [text, reason]);
  const reason = expect.stringMatching(/: not seven \(5 calls\)$/);
  expect(found.sort()).toEqual([
    ['{"name":"a","count":7}', reason],
    ['{"name":"b","count":7}', reason],
  ]);
});
