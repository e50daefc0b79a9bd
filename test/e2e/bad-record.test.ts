/** Goal: a bad record ends the job with file, byte, column and value, or goes to the dead letters. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobOf = (format: string, options: string) => `import { agg, defineJob, t } from 'millrace';
import { csv, files, ndjson } from 'millrace/files';

const Row = t.struct({ name: t.utf8(), count: t.int32().nullable() });

export default defineJob({
  name: 'rows',
  params: { input: t.path() },
  build: ({ read, params: { input } }) =>
    read(files.source({ path: input, format: ${format}(Row) })${options})
      .keyBy((row) => row.name)
      .aggregate({ total: agg.sum((row) => row.count) })
      .orderBy((row) => row.name.asc())
      .writeTo(files.sink({ path: 'out.csv' })),
});
`;
const inputs = {
  'in.ndjson': '{"name":"a","count":1}\n{"name":"b","count":"x"}\n{"count":2,"name":"a"}\n',
  'in.csv': 'count,name\n1,a\nx,b\n2,"a"\n',
};

test.each([
  ['ndjson', 'NDJSON_RECORD', 23, '"x"'],
  ['csv', 'CSV_RECORD', 15, 'x'],
])('%s', { timeout: 120_000 }, async (format, code, byte, value) => {
  const input = `in.${format}`;
  const letters = ", { deadLetters: files.sink({ path: 'bad.ndjson' }) }";
  const cwd = tempFolder({
    ...inputs,
    'job.ts': jobOf(format, ''),
    'kind.ts': jobOf(format, letters),
  });
  const failed = await runCli(['run', 'job.ts', '--input', input], { cwd });
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stderr).toContain(code);
  expect(failed.stderr).toContain(
    `file "${input}" has a record at byte ${byte} that cannot be read: column "count" has ${value}, which is no int32`,
  );
  const kept = await runCli(['run', 'kind.ts', '--input', input], { cwd });
  expect(kept.exitCode).toBe(0);
  expect(readFileSync(join(cwd, 'out.csv'), 'utf8')).toBe('name,total\na,3\n');
  expect(JSON.parse(readFileSync(join(cwd, 'bad.ndjson'), 'utf8'))).toMatchObject({
    origin: `${input}, byte ${byte}`,
    reason: `column "count" has ${value}, which is no int32`,
  });
});
