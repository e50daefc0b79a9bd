/**
 * Goal: a job that is wrong says so before it starts, in one message that names the place; one that
 * goes wrong while it runs names the operator, the record and the line of the user's own file.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, runCli } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

const noJob = "import { defineJob } from 'millrace';\n";

async function runJob(text: string, input = 'one\ntwo\n', ...flags: string[]) {
  const cwd = tempFolder({ 'job.ts': text, 'in.txt': input });
  const args = ['run', 'job.ts', '--input', 'in.txt', '--output', 'o.csv', '--json', ...flags];
  const slots = flags.includes('--parallelism') ? [] : ['--parallelism', '2'];
  const result = await runCli([...args, ...slots], { cwd });
  expect(existsSync(join(cwd, 'o.csv'))).toBe(false);
  // No temporary file either.
  expect(Object.keys(contentsOf(cwd))).toEqual(['in.txt', 'job.ts']);
  return result;
}

test.each`
  what                            | text                                                                                                        | code                          | says
  ${'a syntax error'}             | ${`${noJob}const a = ;\n`}                                                                                  | ${'JOB_FILE_SYNTAX'}          | ${/job\.ts:2:11/}
  ${'an empty file'}              | ${''}                                                                                                       | ${'JOB_NOT_A_JOB'}            | ${/exports nothing/}
  ${'no job exported'}            | ${'export default 7;\n'}                                                                                    | ${'JOB_NOT_A_JOB'}            | ${/default export is no job/}
  ${'a builder that throws'}      | ${jobText('.limit(fail())', { before: "function fail(): number {\n  throw new TypeError('kaput');\n}" })}   | ${'JOB_BUILD_FAILED'}         | ${/kaput[\s\S]*job\.ts:4:9/}
  ${'a builder without sink'}     | ${jobText('').replace('=>\n', '=> void\n')}                                                                 | ${'JOB_NO_SINK'}              | ${/writeTo/}
  ${'an async builder'}           | ${jobText('').replace('build: (', 'build: async (')}                                                        | ${'JOB_NO_SINK'}              | ${/asynchronous/}
  ${'a column that is not there'} | ${jobText('.where((row) => row.txet.eq("a"))')}                                                             | ${'EXPR_NO_COLUMN'}           | ${/no field named "txet"; fields are "text"/}
  ${'a column lost by select'}    | ${jobText('.select((row) => ({ line: row.text })).keyBy((row) => row.text).aggregate({ n: agg.count() })')} | ${'EXPR_NO_COLUMN'}           | ${/no field named "text"; fields are "line"/}
  ${'text compared to a number'}  | ${jobText('.where((row) => row.text.eq(7))')}                                                               | ${'EXPR_TYPE_MISMATCH'}       | ${/7 can't stand beside "text", which is utf8/}
  ${'a sum of text'}              | ${jobText('.keyBy((row) => row.text).aggregate({ n: agg.sum((row) => row.text) })')}                        | ${'EXPR_TYPE_MISMATCH'}       | ${/agg\.sum needs a number, "text" is utf8/}
  ${'&& in an expression'}        | ${jobText('.where((row) => row.text.eq("a") && row.text.eq("b"))')}                                         | ${'EXPR_JAVASCRIPT_OPERATOR'} | ${/&&[\s\S]*hint: .*and/}
  ${'=== in an expression'}       | ${jobText('.where((row) => row.text === "a")')}                                                             | ${'EXPR_JAVASCRIPT_OPERATOR'} | ${/===[\s\S]*hint: .*eq/}
  ${'a reserved parameter'}       | ${jobText('', { params: 'checkpointDir: t.path().optional()' })}                                            | ${'JOB_PARAM_RESERVED'}       | ${/checkpoint/}
`('$what is $code', async ({ text, code, says }) => {
  expectFailure(await runJob(text), { code, exitCode: 2, says });
});

test('a wrong parameter of the job names the nearest', async () => {
  const text = jobText('.limit(params.count)', { params: 'count: t.int32()' });
  const wrong = await runJob(text, 'one\n', '--cuont', '3');
  expectFailure(wrong, { code: 'FLAG_NOT_FOUND', exitCode: 2, says: /mean --count\?/ });
  const missing = await runJob(text);
  expectFailure(missing, { code: 'PARAM_MISSING', exitCode: 2, says: /--count <NUMBER>/ });
  const tooLarge = await runJob(text, 'one\n', '--count', '2147483648');
  expectFailure(tooLarge, { code: 'PARAM_INVALID', exitCode: 2, says: /2147483647/ });
});

const failing = `function check(line: string): string {
  if (line === 'number 1234') {
    throw new RangeError('no such ' + line);
  }
  return line;
}`;
const numbers = Array.from({ length: 3_000 }, (_, index) => `number ${index}\n`).join('');

test.each`
  what           | chain
  ${'flatMap'}   | ${'.flatMap(t.struct({ line: t.utf8() }), (row) => [{ line: check(row.text) }], { name: "checker" })'}
  ${'map'}       | ${'.mapReduce({ key: t.utf8(), value: t.int32(), output: t.struct({ line: t.utf8() }), map: (row, emit) => emit(check(row.text), 1), reduce: (line) => [{ line }] }, { name: "checker" })'}
  ${'combine'}   | ${'.mapReduce({ key: t.utf8(), value: t.int32(), output: t.struct({ line: t.utf8() }), map: (row, emit) => emit(row.text, 1), combine: (line) => check(line).length, reduce: (line) => [{ line }] }, { name: "checker" })'}
  ${'partition'} | ${'.mapReduce({ key: t.utf8(), value: t.int32(), output: t.struct({ line: t.utf8() }), map: (row, emit) => emit(row.text, 1), partition: (line) => check(line).length % 2, reduce: (line) => [{ line }] }, { name: "checker" })'}
  ${'reduce'}    | ${'.mapReduce({ key: t.utf8(), value: t.int32(), output: t.struct({ line: t.utf8() }), map: (row, emit) => emit(row.text, 1), reduce: (line) => [{ line: check(line) }] }, { name: "checker" })'}
`('a failure in $what names operator, record and line', async ({ what, chain }) => {
  const result = await runJob(jobText(chain, { before: failing }), numbers);
  const says = /failed: no such number 1234\n {4}at check \(job\.ts:5:11\)/;
  expectFailure(result, { code: 'USER_FUNCTION_FAILED', exitCode: 1, says });
  // A partition function runs in the exchange that leads to the operator.
  const operator = what === 'partition' ? 'source → checker: exchange' : 'checker';
  expect(result.stderr).toContain(`user function "${what}" of operator "${operator}"`);
  expect(result.stderr).toMatch(/\n {2}record: .*number 1234/);
});

test.each`
  what                 | value              | says
  ${'no iterable'}     | ${'7'}             | ${/"flatMap"/}
  ${'a field missing'} | ${'[{}]'}          | ${/"n"/}
  ${'a wrong type'}    | ${'[{ n: "x" }]'}  | ${/"n"/}
  ${'a fraction'}      | ${'[{ n: 1.5 }]'}  | ${/1\.5 of column "n"/}
  ${'a null'}          | ${'[{ n: null }]'} | ${/"n"/}
`('a function that gives $what is told so', async ({ value, says }) => {
  const chain = `.flatMap(t.struct({ n: t.int64() }), (row) => ${value} as never)`;
  const result = await runJob(jobText(chain));
  expectFailure(result, { code: 'USER_FUNCTION_RESULT', exitCode: 1, says });
});

test('a job that builds another graph each time is refused', async () => {
  const chain = `.limit(Math.floor(Math.random() * 1e15))
      .flatMap(t.struct({ a: t.utf8() }), (row) => [{ a: row.text }])`;
  const text = jobText(chain);
  const result = await runJob(text);
  expectFailure(result, { code: 'JOB_FUNCTIONS_DIFFER', exitCode: 1, says: /another graph/ });
});

test('a sum past int64 ends the job with operator and column', async () => {
  const chain = `.flatMap(t.struct({ k: t.utf8(), n: t.int64() }), () => [{ k: 'a', n: 2n ** 62n }])
      .keyBy((row) => row.k).aggregate({ total: agg.sum((row) => row.n) })`;
  const result = await runJob(jobText(chain), 'x\n'.repeat(10_000));
  expectFailure(result, { code: 'AGGREGATE_OVERFLOW', exitCode: 1, says: /"total"/ });
});

test('memory too small even for rows on disk says what it needs, and the least to give', async () => {
  // Rows of many texts: some thousands of them are more than all of the memory.
  const names = `Array.from({ length: 120 }, (_, i) => 'c' + i)`;
  const chain = `.join(
        read(files.source({ path: params.input, format: text() }))
          .flatMap(t.struct(Object.fromEntries(${names}.map((name) => [name, t.utf8()]))), (row) =>
            Array.from({ length: 100 }, (_, at) =>
              Object.fromEntries(${names}.map((name) => [name, row.text + at + '/'.repeat(20)])))),
        { on: (line, other) => line.text.eq(other.c0) })`;
  const lines = Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join('');
  const result = await runJob(jobText(chain), lines, '--memory', '32MB', '--parallelism', '1');
  const says = /"join" needs [\d.]+ MB of memory to join on disk[\s\S]*hint: .*--memory \d+MB/;
  expectFailure(result, { code: 'MEMORY_TOO_SMALL', exitCode: 1, says });
});
