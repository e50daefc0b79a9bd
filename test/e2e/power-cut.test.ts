/**
 * Goal: a job from files to files whose disk loses its power again and again goes on from its latest checkpoint: every entry
 * has one line, with the sum that a plain loop gives. Where no power can be cut the test says so and is skipped.
 */
import { closeSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectNothingLost } from '../support/cut-ledger.ts';
import { CuttableDisk, missingForPowerCuts } from '../support/power-cut.ts';

const kinds = ['ext4', 'xfs'] as const;

test.for(kinds)('a power cut of %s takes what was not made durable', (kind, { skip }) => {
  const missing = missingForPowerCuts(kind);
  if (missing !== null) return skip(missing);
  const disk = CuttableDisk.forTest(kind);
  const [kept, lost] = [join(disk.folder, 'kept'), join(disk.folder, 'lost')];
  for (const path of [kept, lost]) writeFileSync(path, 'before');
  for (const path of [kept, disk.folder]) {
    const file = openSync(path, 'r');
    fsyncSync(file);
    closeSync(file);
  }
  writeFileSync(lost, 'behind');
  disk.cut();
  expect(() => writeFileSync(join(disk.folder, 'late'), 'late')).toThrow(/EIO|EROFS|ESHUTDOWN/);
  disk.unmount();
  disk.mount();
  expect(readFileSync(kept, 'utf8')).toBe('before');
  expect(readFileSync(lost, 'utf8')).not.toBe('behind');
});

test.for(kinds)(
  'four power cuts of %s, and no entry is lost or counted twice',
  { timeout: 300_000 },
  async (kind, { skip }) => {
    const choice = { count: 24_000, fileCount: 4, keysPerFile: 300, seed: 5 };
    await expectNothingLost(kind, { cutCount: 4, choice, rate: 3_000 }, skip);
  },
);
