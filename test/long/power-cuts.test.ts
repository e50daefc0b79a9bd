/** Goal: forty power cuts of a running job from files to files, twenty on each file system; every entry audited by its id. */
import { test } from 'vitest';
import { expectNothingLost } from '../support/cut-ledger.ts';

test.for(['ext4', 'xfs'] as const)(
  'twenty power cuts of %s, and no entry is lost or counted twice',
  { timeout: 900_000 },
  async (kind, { skip }) => {
    const choice = { count: 200_000, fileCount: 6, keysPerFile: 1_000, seed: 11 };
    await expectNothingLost(kind, { cutCount: 20, choice, rate: 6_000 }, skip);
  },
);
