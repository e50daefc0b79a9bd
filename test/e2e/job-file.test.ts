/**
 * Goal: whatever is wrong with a job file, the command says so in one message with the right code and
 * exit code. Real processes, because modules are loaded by Node here and by the test runner there.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';

const command = fileURLToPath(new URL('../../cli/millrace.mjs', import.meta.url));

function explain(files: Record<string, string>, file = 'job.ts') {
  const folder = tempFolder(files);
  const args = [command, 'explain', file, '--json'];
  const result = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { exitCode: result.status, stdout: result.stdout, stderr: result.stderr, folder };
}

const jobText = `import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';
export default defineJob({
  name: 'outside',
  params: { input: t.path(), output: t.path() },
  build: ({ read, params }) =>
    read(files.source({ path: params.input, format: text() }))
      .writeTo(files.sink({ path: params.output })),
});
`;

test('a job outside of the package finds "millrace", and Node has nothing to warn about', () => {
  const { exitCode, stdout, stderr } = explain({ 'job.ts': jobText });
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout).job).toBe('outside');
});

test('so does a job in plain JavaScript', () => {
  const { exitCode, stderr } = explain({ 'job.mjs': jobText }, 'job.mjs');
  expect([exitCode, stderr]).toEqual([0, '']);
});

test.each`
  what                       | text                                                         | code                      | message
  ${'a syntax error'}        | ${'const a = 1;\nconst b = (;\n'}                            | ${'JOB_FILE_SYNTAX'}      | ${/job\.ts:2:12: expression expected\n {2}2 │ const b = \(;\n {4}│ {12}\^/}
  ${'a name declared twice'} | ${'const a: number = 1;\nconst a: number = 2;\n'}            | ${'JOB_FILE_SYNTAX'}      | ${/job\.ts:2:7: identifier 'a' has already been declared/}
  ${'an enum'}               | ${'enum Color { Red }\nexport default Color;\n'}             | ${'JOB_FILE_TYPESCRIPT'}  | ${/job\.ts:1:1: TypeScript enum does not run/}
  ${'a package not there'}   | ${"import x from 'no-such-package';\nexport default x;\n"}   | ${'JOB_FILE_IMPORT'}      | ${/imports "no-such-package"[\s\S]*npm install no-such-package/}
  ${'a file not there'}      | ${"import './words';\n"}                                     | ${'JOB_FILE_IMPORT'}      | ${/words", which is not there[\s\S]*extension/}
  ${'an export not there'}   | ${"import { nope } from 'millrace';\nexport default nope;"}  | ${'JOB_FILE_IMPORT'}      | ${/job\.ts:1:10: "millrace" exports nothing named "nope"/}
  ${'top-level code throws'} | ${"function f() { throw new Error('kaput'); }\nf();\n"}      | ${'JOB_FILE_THREW'}       | ${/caused by: kaput\n {4}at f \(job\.ts:1:22\)/}
  ${'JSON does not parse'}   | ${'export default JSON.parse("{");\n'}                       | ${'JOB_FILE_THREW'}       | ${/caused by: Expected property name/}
  ${'no export'}             | ${'const job = 1;\n'}                                        | ${'JOB_NOT_A_JOB'}        | ${/exports no job: it exports nothing/}
  ${'no job exported'}       | ${'export default { name: "x" };\n'}                         | ${'JOB_NOT_A_JOB'}        | ${/its default export is no job/}
  ${'no default export'}     | ${jobText.replace('export default', 'export const words =')} | ${'JOB_NOT_A_JOB'}        | ${/only "words"\nhint: "words" is a job: write "export default words;"/}
  ${'a wrong declaration'}   | ${jobText.replace("'outside'", "'no good name'")}            | ${'JOB_ARGUMENT_INVALID'} | ${/can't be the name of a job/}
`('$what is $code', ({ text, code, message }) => {
  const { exitCode, stdout, stderr } = explain({ 'job.ts': text });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`error[${code}]: `);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/node:internal|import-error|ExperimentalWarning/);
  expect(JSON.parse(stdout).error.code).toBe(code);
});

test('an error in an imported file names that file', () => {
  const { stderr, folder } = explain({
    'job.ts': "import './words.mjs';\n",
    'words.mjs': 'const b = = 3;\n',
  });
  expect(stderr).toContain(`${join(folder, 'words.mjs')}:1:11: unexpected token '='`);
});

test('a reader that stops early is no error', () => {
  const folder = tempFolder({ 'job.ts': jobText });
  const shell = `"${process.execPath}" "${command}" explain job.ts | head -c 1`;
  const result = spawnSync('sh', ['-c', shell], { cwd: folder, encoding: 'utf8' });
  expect([result.status, result.stderr]).toEqual([0, '']);
});
