/**
 * Goal: a job that runs is given another parallelism, up and down, and each entry counts once; what can't be is refused
 * while it runs on.
 */
import { expect, test } from 'vitest';
import { expectFailure, summaryOf } from '../support/cli-process.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { LedgerScene } from '../support/running-ledger.ts';

const choice = { count: 100_000, fileCount: 4, keysPerFile: 100, seed: 23 };

test('from one task to three, to two, in one process; from there on: each entry once', async () => {
  const scene = new LedgerScene(choice);
  // Slow, so that entries are left where commands take seconds to start.
  const run = scene.start('--parallelism', '1', '--rate', '3000');
  await scene.hasLines();
  const refused = { code: 'RESCALE_REFUSED', exitCode: 2, says: /runs with parallelism 1 already/ };
  expectFailure(await scene.cli('rescale', 'ledger', '--parallelism', '1'), refused);
  const tooMany = {
    code: 'FLAG_VALUE',
    exitCode: 2,
    says: /"129" is no whole number from 1 to 128/,
  };
  expectFailure(await scene.cli('rescale', 'ledger', '--parallelism', '129'), tooMany);

  const lines = () => scene.audit().lineCount;
  for (const [from, to] of [
    [1, 3],
    [3, 2],
  ]) {
    const before = lines();
    const said = await scene.json('rescale', 'ledger', '--parallelism', String(to));
    expect(said).toMatchObject({ name: 'ledger', from, to });
    // Lines come again.
    await expect.poll(lines, { timeout: 60_000, interval: 100 }).toBeGreaterThan(before);
  }
  await scene.json('stop', 'ledger');
  expect(summaryOf(await run.ended).status).toBe('stopped');
  expect(lines()).toBeLessThan(choice.count);
  const rest = summaryOf(await scene.start('--parallelism', '2', '--restore', 'latest').ended);
  expect(rest.status).toBe('finished');
  expect(scene.audit()).toEqual({ lineCount: choice.count, ...nothingWrong });
});

test('with too little memory for so many slots it runs on as it was', async () => {
  const scene = new LedgerScene({ ...choice, count: 20_000 });
  const run = scene.start('--parallelism', '1', '--rate', '8000', '--memory', '64MB');
  await scene.hasLines();
  const refused = { code: 'RESCALE_REFUSED', exitCode: 2, says: /too little for 3 slots/ };
  expectFailure(await scene.cli('rescale', 'ledger', '--parallelism', '3'), refused);
  summaryOf(await run.ended);
  expect(scene.audit()).toEqual({ lineCount: 20_000, ...nothingWrong });
});
