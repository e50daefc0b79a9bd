/**
 * Goal: a job in one process is given a savepoint, or stopped with one, from another; what goes on from there has each
 * entry once, and a job that can't give one says why and runs on.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectFailure, summaryOf } from '../support/cli-process.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { LedgerScene } from '../support/running-ledger.ts';

const choice = { count: 100_000, fileCount: 3, keysPerFile: 100, seed: 11 };
/** Entries are there for all that happens while a job runs, also where commands take seconds to start. */
const slow = ['--rate', '2000'];
/** For a job that is let run to its end at that rate. */
const small = { ...choice, count: 24_000 };

/** Epochs of the attempts that wrote what the checkpoints of an attempt name. */
function partEpochs(folder: string, epoch: number): number[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(`-${epoch}`));
  const manifests = names.map((name) => join(folder, name, 'manifest.json')).filter(existsSync);
  return manifests.flatMap((path) => {
    const named = readFileSync(path, 'utf8').matchAll(/"path":"chk-\d+-(\d+)\//g);
    return [...named].map(([, written]) => Number(written));
  });
}

test('a savepoint stands alone: its job goes on, and another one starts from it', async () => {
  const scene = new LedgerScene(small);
  const run = scene.start('--parallelism', '2', ...slow);
  await scene.hasLines();
  mkdirSync(join(scene.folder, 'taken/more'), { recursive: true });
  const taken = { code: 'SAVEPOINT_TARGET_TAKEN', exitCode: 2, says: /taken" is not empty/ };
  expectFailure(await scene.cli('savepoint', 'ledger', 'taken'), taken);
  writeFileSync(join(scene.folder, 'file'), '');
  const noFolder = { code: 'DISK_NOT_A_FOLDER', exitCode: 2 };
  expectFailure(await scene.cli('savepoint', 'ledger', 'file/sp'), noFolder);
  // Lines are visible a moment before their checkpoint says that it is committed.
  const shown = async () => (await scene.cli('checkpoints', 'ledger', '--tasks')).stdout;
  await expect
    .poll(shown, { timeout: 30_000 })
    .toMatch(/│ checkpoint │ committed │[\s\S]*\n\d+ committed\n$/);
  const said = await scene.json('savepoint', 'ledger', 'sp');
  expect(said).toMatchObject({ name: 'ledger', savepoint: join(scene.folder, 'sp') });
  summaryOf(await run.ended);
  expect(scene.audit()).toEqual({ lineCount: small.count, ...nothingWrong });

  renameSync(join(scene.folder, 'sp'), join(scene.folder, 'moved'));
  rmSync(join(scene.folder, 'chk'), { recursive: true });
  const other = ['--output', 'other/', '--parallelism', '3', '--from-savepoint', 'moved'];
  summaryOf(await scene.start(...other).ended);
  const { lineCount, missing, ...rest } = scene.audit('other');
  // What the savepoint had read is not read again, and the sums go on from it.
  expect(missing.length).toBeGreaterThan(0);
  expect(lineCount).toBeGreaterThan(0);
  expect(rest).toEqual({ doubled: [], wrong: [] });
  const gone = { code: 'JOB_NOT_RUNNING', exitCode: 3 };
  expectFailure(await scene.cli('savepoint', 'ledger', 'late'), gone);
});

test('a job that is stopped goes on from its savepoint, each entry once', async () => {
  // Many keys, of which few change between two checkpoints: what has changed is written on top of the rest.
  const many = { ...choice, keysPerFile: 10_000 };
  const scene = new LedgerScene(many);
  const first = scene.start('--parallelism', '2', '--rate', '6000');
  await scene.hasLines();
  const said = await scene.json('stop', 'ledger', '--savepoint', 'sp');
  expect(said).toMatchObject({ status: 'stopped', savepoint: join(scene.folder, 'sp') });
  const summary = summaryOf(await first.ended);
  expect(summary).toMatchObject({ status: 'stopped', savepoint: join(scene.folder, 'sp') });
  const { lineCount, missing, ...rest } = scene.audit();
  expect(missing.length).toBeGreaterThan(0);
  expect(rest).toEqual({ doubled: [], wrong: [] });

  // Stopped once more, without a folder, at another parallelism, and killed by nobody in between.
  const flags = ['--checkpoint-dir', 'chk2/', '--from-savepoint', 'sp', '--restore', 'latest'];
  const few = ['--rate', '1000', '--checkpoint-interval', '2s'];
  const second = scene.start(...flags, '--parallelism', '3', ...few);
  const lines = () => scene.audit().lineCount;
  await expect.poll(lines, { timeout: 60_000, interval: 100 }).toBeGreaterThan(lineCount);
  const again = await scene.cli('stop', 'ledger');
  expect(again.stdout).toMatch(
    /job "ledger" is stopped: savepoint \d+ is in .*chk2\/ledger\/chk-\d+-1\n/,
  );
  summaryOf(await second.ended);
  // With as many tasks as before it adds to what was written before; with others all is written anew.
  const third = scene.start(...flags, '--parallelism', '3', ...few);
  const epochsOf = () => partEpochs(join(scene.folder, 'chk2/ledger'), 2);
  await expect.poll(epochsOf, { timeout: 60_000, interval: 50 }).toContain(1);
  third.kill('SIGKILL');
  await third.ended;
  summaryOf(await scene.start(...flags, '--parallelism', '1').ended);
  expect(partEpochs(join(scene.folder, 'chk2/ledger'), 3)).not.toContain(1);
  expect(scene.audit()).toEqual({ lineCount: many.count, ...nothingWrong });
});

test('a job without checkpoints says so, and a folder without a savepoint starts nothing', async () => {
  const scene = new LedgerScene({ ...choice, count: 9_000 });
  const empty = await scene.start('--from-savepoint', 'in').ended;
  expectFailure(empty, { code: 'CHECKPOINT_NOT_FOUND', exitCode: 1 });
});
