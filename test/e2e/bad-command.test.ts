/**
 * Goal: whatever is wrong with a command line or its paths, the command says so once, with a code and
 * the exit code of a mistake, and nothing is read, written or replaced.
 */
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, projectFolder, runCli } from '../support/cli-process.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

const job = join(projectFolder, 'jobs/wordcount/job.ts');
const fine = ['run', job, '--input', 'in.txt', '--output', 'out.csv'];

/** A folder with an input, an older output, and paths that lead nowhere. */
function scene(): string {
  const folder = tempFolder({
    'in.txt': 'some words',
    'out.csv': 'older',
    'full/mine.txt': 'kept',
  });
  mkdirSync(join(folder, 'empty'));
  symlinkSync('nowhere.txt', join(folder, 'dangling'));
  return folder;
}

function untouched(folder: string): void {
  expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe('older');
  expect(readFileSync(join(folder, 'in.txt'), 'utf8')).toBe('some words');
  expect(contentsOf(join(folder, 'full'))).toEqual({ 'mine.txt': 'kept' });
}

test.each`
  args                                                                  | code                       | says
  ${['rnu', 'job.ts']}                                                  | ${'COMMAND_NOT_FOUND'}     | ${/"rnu"\nhint: Did you mean "millrace run"/}
  ${['--jsn']}                                                          | ${'FLAG_NOT_FOUND'}        | ${/--jsn/}
  ${['run']}                                                            | ${'ARGUMENT_MISSING'}      | ${/needs a job file/}
  ${['run', 'nosuch.ts']}                                               | ${'JOB_FILE_NOT_FOUND'}    | ${/"nosuch\.ts"/}
  ${['run', 'empty']}                                                   | ${'JOB_FILE_NOT_FOUND'}    | ${/"empty" is a folder/}
  ${['run', 'dangling']}                                                | ${'JOB_FILE_NOT_FOUND'}    | ${/"dangling"/}
  ${['run', job, '--inptu', 'in.txt']}                                  | ${'FLAG_NOT_FOUND'}        | ${/--inptu\nhint: Did you mean --input\?/}
  ${['run', job, '--output', 'out.csv']}                                | ${'PARAM_MISSING'}         | ${/--input <PATH>/}
  ${[...fine, '--input', '']}                                           | ${'PARAM_INVALID'}         | ${/"input" can't be ""/}
  ${[...fine, '--output=']}                                             | ${'PARAM_INVALID'}         | ${/"output" can't be ""/}
  ${[...fine, '--top', 'ten']}                                          | ${'PARAM_INVALID'}         | ${/"top" can't be "ten"\nhint: Give a whole number/}
  ${[...fine, '--top', '1.5']}                                          | ${'PARAM_INVALID'}         | ${/"top" can't be "1\.5"/}
  ${[...fine, '--top', '-3']}                                           | ${'JOB_ARGUMENT_INVALID'}  | ${/limit needs a whole number, got the number -3/}
  ${[...fine, '--json', '--top']}                                       | ${'FLAG_VALUE'}            | ${/--top/}
  ${[...fine, '--invalid-utf8', 'skip']}                                | ${'PARAM_INVALID'}         | ${/Give one of fail, replace/}
  ${[...fine, 'more.txt']}                                              | ${'ARGUMENT_NOT_EXPECTED'} | ${/"more\.txt"/}
  ${[...fine, '--parallelism', '0']}                                    | ${'FLAG_VALUE'}            | ${/from 1 to 128/}
  ${[...fine, '--parallelism', 'two']}                                  | ${'FLAG_VALUE'}            | ${/"two"/}
  ${[...fine, '--memory', '1MB']}                                       | ${'FLAG_VALUE'}            | ${/too little[\s\S]*--memory \d+MB or more/}
  ${[...fine, '--memory', 'lots']}                                      | ${'SIZE_FORM'}             | ${/512MB/}
  ${[...fine, '--format', 'xml']}                                       | ${'FLAG_VALUE'}            | ${/is not csv, ndjson, text, arrow, arrows or parquet/}
  ${[...fine, '--from-savepoint', 'x']}                                 | ${'FLAG_VALUE'}            | ${/--from-savepoint: nobody knows where checkpoints are/}
  ${[...fine, '--restore', 'x']}                                        | ${'FLAG_VALUE'}            | ${/--restore: nobody knows where checkpoints are/}
  ${[...fine, '--checkpoint-dir', 'x', '--checkpoint-mode', 'fast']}    | ${'FLAG_VALUE'}            | ${/--checkpoint-mode: "fast" is not aligned or unaligned or at-least-once/}
  ${[...fine, '--checkpoint-dir', 'x', '--alignment-timeout', 'soon']}  | ${'FLAG_VALUE'}            | ${/--alignment-timeout: "soon" is no time/}
  ${[...fine, '--checkpoint-dir', 'x', '--checkpoints-in-flight', 'x']} | ${'FLAG_VALUE'}            | ${/--checkpoints-in-flight: "x" is no whole number/}
  ${[...fine, '--checkpoint-mode', 'unaligned']}                        | ${'FLAG_VALUE'}            | ${/--checkpoint-mode: nobody knows where checkpoints are/}
  ${[...fine, '--checkpoint-dir', 'x', '--checkpoint-interval', '5']}   | ${'FLAG_VALUE'}            | ${/--checkpoint-interval: "5" is no time/}
  ${[...fine, '--output', 'in.txt']}                                    | ${'SINK_IS_INPUT'}         | ${/"in\.txt" would replace the input/}
  ${[...fine, '--input', './in.*', '--output', 'in.txt']}               | ${'SINK_IS_INPUT'}         | ${/"\.\/in\.\*"/}
  ${[...fine, '--output', '.', '--overwrite']}                          | ${'SINK_IS_INPUT'}         | ${/"\."/}
`('$args is $code', async ({ args, code, says }) => {
  const cwd = scene();
  // A flag without its value would take the next word for it.
  const flags = args.includes('--json') ? [] : ['--json'];
  const result = await runCli([...args, ...flags], { cwd });
  expectFailure(result, { code, exitCode: 2, says });
  untouched(cwd);
});

test.each`
  path               | code                   | says
  ${'nosuch.txt'}    | ${'SOURCE_NOT_FOUND'}  | ${/no file or folder "nosuch\.txt"/}
  ${'in.tx'}         | ${'SOURCE_NOT_FOUND'}  | ${/did you mean "in\.txt"\?/}
  ${'nosuch/in.txt'} | ${'SOURCE_NOT_FOUND'}  | ${/There is no "nosuch" in the current folder/}
  ${'dangling'}      | ${'SOURCE_NOT_FOUND'}  | ${/"dangling" in the current folder is a link/}
  ${'in.txt/below'}  | ${'SOURCE_NOT_FOUND'}  | ${/There is no "below" in "in\.txt"/}
  ${'nosuch/*.txt'}  | ${'SOURCE_NOT_FOUND'}  | ${/"nosuch"/}
  ${'empty'}         | ${'SOURCE_EMPTY'}      | ${/no file is in folder "empty"/}
  ${'**/*.parquet'}  | ${'SOURCE_EMPTY'}      | ${/no file matches "\*\*\/\*\.parquet"[\s\S]* files were looked at/}
  ${'/dev/zero'}     | ${'SOURCE_UNREADABLE'} | ${/"\/dev\/zero" is neither a file nor a folder/}
`('--input $path is $code', async ({ path, code, says }) => {
  const cwd = scene();
  const result = await runCli([...fine, '--input', path, '--json'], { cwd });
  expectFailure(result, { code, exitCode: 1, says });
  untouched(cwd);
});

test.each`
  path              | code                     | says
  ${'nosuch/o.csv'} | ${'SINK_PARENT_MISSING'} | ${/no folder "nosuch"\nhint: .*mkdir -p "nosuch"/}
  ${'in.txt/o.csv'} | ${'SINK_UNWRITABLE'}     | ${/"in\.txt" is no folder/}
  ${'in.txt/'}      | ${'SINK_IS_INPUT'}       | ${/would replace the input/}
  ${'out.csv/'}     | ${'SINK_UNWRITABLE'}     | ${/"out\.csv/}
  ${'full'}         | ${'SINK_FOLDER_EXISTS'}  | ${/--overwrite/}
  ${'/dev/full'}    | ${'SINK_UNWRITABLE'}     | ${/neither a file nor a folder/}
`('--output $path is $code', async ({ path, code, says }) => {
  const cwd = scene();
  const result = await runCli([...fine, '--output', path, '--json'], { cwd });
  expectFailure(result, { code, exitCode: code === 'SINK_IS_INPUT' ? 2 : 1, says });
  untouched(cwd);
});

/** Somebody who owns nothing: a chmod does not bind root. */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined;

test.each`
  what                  | closed      | args                          | code                   | says
  ${'an input file'}    | ${'in.txt'} | ${[]}                         | ${'SOURCE_UNREADABLE'} | ${/file "in\.txt" cannot be read/}
  ${'an input folder'}  | ${'empty'}  | ${['--input', 'empty']}       | ${'SOURCE_UNREADABLE'} | ${/folder "empty" cannot be read/}
  ${'an output folder'} | ${'full'}   | ${['--output', 'full/o.csv']} | ${'SINK_UNWRITABLE'}   | ${/"full\/o\.csv" cannot be written: no right/}
`('$what without the right to it is $code', async ({ closed, args, code, says }) => {
  const cwd = scene();
  chmodSync(cwd, 0o777);
  chmodSync(join(cwd, closed), closed === 'full' ? 0o555 : 0o000);
  const result = await runCli([...fine, ...args, '--json'], {
    cwd,
    ...(nobody !== undefined && { uid: nobody }),
  });
  chmodSync(join(cwd, closed), 0o777);
  expectFailure(result, { code, exitCode: 1, says });
  untouched(cwd);
});
