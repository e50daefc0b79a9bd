/** Goal: a job that is killed at any moment, ten times, and run again ends with each entry exactly once. */
import { expect, test } from 'vitest';
import { runKilled } from '../support/killed-ledger.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('ten kills, and no entry is lost or counted twice', async () => {
  const choice = { count: 60_000, fileCount: 4, keysPerFile: 500, seed: 7 };
  const { audit, killedCount } = await runKilled({
    ...{ folder: tempFolder(), killCount: 10, choice },
    rate: 8_000,
  });
  const { lineCount, ...found } = audit;
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
  expect(killedCount).toBeGreaterThan(5);
});
