/**
 * Goal: behind a function so slow that all rings are full, unaligned checkpoints are complete while rows wait, and a job that is killed with
 * SIGKILL goes on from them, at another parallelism each time, with each entry exactly once.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../support/cli-process.ts';
import { runKilled } from '../support/killed-ledger.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The ledger, whose function takes so long that rows wait in front of it. */
function slowLedger(micros: number): string {
  const text = readFileSync(join(projectFolder, 'jobs/ledger/job.ts'), 'utf8');
  const slow = `const until = performance.now() + ${micros / 1000};\n          while (performance.now() < until);\n`;
  const changed = text.replace('const now = (sum.get()', `${slow}          const now = (sum.get()`);
  expect(changed).not.toBe(text);
  return changed;
}

test('five kills behind a slow function, and no entry is lost or counted twice', async () => {
  const folder = tempFolder();
  const job = join(folder, 'job.ts');
  writeFileSync(job, slowLedger(40));
  const choice = { count: 160_000, fileCount: 4, keysPerFile: 300, seed: 11 };
  const { audit, killedCount } = await runKilled({
    ...{ folder, job, killCount: 5, choice, rate: 1_000_000, lifeMsMax: 1_200 },
    flags: ['--checkpoint-mode', 'unaligned'],
  });
  const { lineCount, ...found } = audit;
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
  expect(killedCount).toBeGreaterThan(2);
}, 300_000);
