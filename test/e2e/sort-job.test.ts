/**
 * Goal: data ten times the memory is sorted within it, by the real command; no spill file is left when a
 * job ends, fails or is cancelled, and those of a killed process go with the next run.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  expectFailure,
  projectFolder,
  runCli,
  startCli,
  summaryOf,
} from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mb = 1 << 20;
const memoryBytes = 32 * mb;
const memory = ['--memory', '32MB', '--parallelism', '1'];
const small = 900_000;
const large = 3_400_000;

interface Scene {
  readonly args: string[];
  readonly output: string;
  readonly spillDir: string;
  /** What the generator says. */
  readonly checksum: string;
}

/** A file of so many records, and the command that sorts it. */
function sceneOf(records: number, folder = tempFolder()): Scene {
  const [input, output, spillDir] = ['in.bin', 'sorted/', 'spill'].map((name) =>
    join(folder, name),
  );
  const out = openSync(String(input), 'w');
  const script = join(projectFolder, 'jobs/sort/generate.ts');
  const said = spawnSync(process.execPath, [script, String(records), '3'], {
    stdio: ['ignore', out, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(out);
  const files = ['--input', String(input), '--output', String(output)];
  return {
    args: [
      'run',
      'jobs/sort/job.ts',
      ...files,
      ...memory,
      '--spill-dir',
      String(spillDir),
      '--json',
    ],
    output: String(output),
    spillDir: String(spillDir),
    checksum: /checksum (\w+)/.exec(said.stderr)?.[1] ?? `none: ${said.stderr}`,
  };
}

/** Bytes of all spill files that are there. */
function spilledBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sizes = names.map((name) => statSync(join(folder, name), { throwIfNoEntry: false }));
  return sizes.reduce((sum, stat) => sum + (stat?.isFile() === true ? stat.size : 0), 0);
}

test('ten times the memory is sorted in it', async () => {
  const { args, output, spillDir, checksum } = sceneOf(large);
  const summary = summaryOf(await runCli(args, { deadlineMs: 240_000 }));
  expect(summary).toMatchObject({ status: 'finished', rowsIn: large, rowsOut: large });
  expect(Number(summary.bytesIn)).toBeGreaterThan(10 * memoryBytes);
  expect(Number(summary.peakMemoryBytes)).toBeLessThan(memoryBytes + 300 * mb);
  expect(summary.operators).toContainEqual(
    expect.objectContaining({ kind: 'sort', bytesSpilled: expect.any(Number) }),
  );
  expect(readdirSync(spillDir)).toEqual([]);
  const check = await runCli(['run', 'jobs/sort/check.ts', '--input', output]);
  expect(check.stdout).toMatch(new RegExp(`│ ${large} │ +\\d+ │ ${checksum} │ ascending │`));
}, 300_000);

test('a disk that is full of spilled rows: one error, and nothing is left', async () => {
  const { args, output, spillDir } = sceneOf(small);
  const result = await runCli(args, { within: ['prlimit', `--fsize=${4 * mb}`] });
  const says =
    /"orderBy" has put [\d.]+ MB on disk and there is no room for more[\s\S]*--spill-dir/;
  expectFailure(result, { code: 'SPILL_DISK_FULL', exitCode: 1, says });
  expect(readdirSync(spillDir)).toEqual([]);
  expect(existsSync(output)).toBe(false);
}, 120_000);

test('what a killed process left goes with the next run, and Ctrl-C leaves nothing', async () => {
  const { args, output, spillDir } = sceneOf(large);
  const killed = startCli(args);
  await expect.poll(() => spilledBytes(spillDir), { timeout: 60_000 }).toBeGreaterThan(0);
  killed.kill('SIGKILL', 'group');
  await killed.ended;
  expect(spilledBytes(spillDir)).toBeGreaterThan(0);
  const [left] = readdirSync(spillDir);
  const interrupted = startCli(args);
  await expect
    .poll(() => readdirSync(spillDir).filter((name) => name !== left).length, { timeout: 60_000 })
    .toBe(1);
  expect(readdirSync(spillDir)).not.toContain(left);
  interrupted.kill('SIGINT');
  expect((await interrupted.ended).exitCode).toBe(130);
  expect(readdirSync(spillDir)).toEqual([]);
  expect(existsSync(output)).toBe(false);
}, 240_000);
