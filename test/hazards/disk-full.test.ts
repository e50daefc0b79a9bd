/**
 * Hazard: the disk is full while the output is written. The job fails with one message, no partial
 * file appears, and what stood there before stays.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type CliOptions, expectFailure, projectFolder, runCli } from '../support/cli-process.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

const wordcount = join(projectFolder, 'jobs/wordcount/job.ts');
const limitBytes = 256 * 1024;

/** Words enough for an output above the limit: 60,000 of 5 letters each. */
function manyWords(): string {
  const letter = (value: number) => String.fromCharCode(97 + (value % 26));
  const word = (n: number) =>
    [n, n / 26, n / 676, n / 17_576, 0].map((v) => letter(v | 0)).join('');
  return Array.from({ length: 60_000 }, (_, index) => `${word(index)}\n`).join('');
}

/** An output folder on a disk of its own where we may mount one; else files are limited in size. */
function smallDisk(folder: string): CliOptions {
  const output = join(folder, 'out');
  mkdirSync(output);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${limitBytes}`, 'tmpfs', output], {
      stdio: 'ignore',
    });
  } catch {
    return { within: ['prlimit', `--fsize=${limitBytes}`] };
  }
  onTestFinished(() => void execFileSync('umount', [output]));
  return {};
}

function limitedFiles(folder: string): CliOptions {
  mkdirSync(join(folder, 'out'));
  return { within: ['prlimit', `--fsize=${limitBytes}`] };
}

test.each`
  what                      | limit           | output           | flags              | left
  ${'a full disk'}          | ${smallDisk}    | ${'out/o.csv'}   | ${[]}              | ${{}}
  ${'a limit of file size'} | ${limitedFiles} | ${'out/o.csv'}   | ${[]}              | ${{}}
  ${'a full disk, older'}   | ${smallDisk}    | ${'out/old.csv'} | ${[]}              | ${{ 'old.csv': 'older' }}
  ${'a full disk, folder'}  | ${smallDisk}    | ${'out/parts/'}  | ${['--overwrite']} | ${{ 'parts/mine.csv': 'older' }}
`('$what: $output fails, and $left is there', async ({ limit, output, flags, left }) => {
  const cwd = tempFolder({ 'in.txt': manyWords() });
  const options = limit(cwd);
  for (const [name, text] of Object.entries<string>(left)) {
    if (name.includes('/')) mkdirSync(join(cwd, 'out/parts'));
    writeFileSync(join(cwd, 'out', name), text);
  }
  const args = ['run', wordcount, '--input', 'in.txt', '--output', output, '--json', ...flags];
  const result = await runCli(args, { cwd, ...options });
  const says = /the disk is full while "out\/[a-z.]+" is written[\s\S]*hint: Free some space/;
  expectFailure(result, { code: 'DISK_FULL', exitCode: 1, says });
  expect(contentsOf(join(cwd, 'out'))).toEqual(left);
});
