/** Goal: one hundred kills of a running job from files to files, in four jobs; every entry audited by its id. */
import { expect, test } from 'vitest';
import { runKilled } from '../support/killed-ledger.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

test.each([1, 2, 3, 4])(
  'seed %i: twenty-five kills, and no entry is lost or counted twice',
  async (seed) => {
    const choice = { count: 200_000, fileCount: 6, keysPerFile: 1_000, seed };
    const { audit, killedCount } = await runKilled({
      ...{ folder: tempFolder(), killCount: 25, choice },
      rate: 12_000,
    });
    const { lineCount, ...found } = audit;
    expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
    expect(killedCount).toBeGreaterThan(15);
  },
  900_000,
);
