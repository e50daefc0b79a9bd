/**
 * Goal: two hundred faults of a cluster in four lives: workers, executors and the coordinator are killed and frozen while a ledger
 * runs; every entry is audited by its id, and the time until more was committed is told.
 */
import { loadavg } from 'node:os';
import { expect, test } from 'vitest';
import { drawing } from '../../jobs/ledger/make-entries.ts';
import { allFaults, runFaulted } from '../support/faulted-cluster.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

const faultCount = 50;

test.each([1, 2, 3, 4])('seed %i: fifty faults, and each entry is there once', async (seed) => {
  const draw = drawing(seed);
  const faults = Array.from({ length: faultCount }, () => {
    return allFaults[draw(allFaults.length)] ?? 'killWorker';
  });
  const choice = { count: 1_200_000, fileCount: 3, keysPerFile: 500, seed };
  const startMs = performance.now();
  const { audit, healSeconds } = await runFaulted({
    ...{ folder: tempFolder(), choice, faults, rate: 400, deadlineMs: 3_000_000 },
  });
  const sorted = healSeconds.toSorted((a, b) => a - b);
  const secondsAt = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]?.toFixed(1);
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  // For docs/reliability.md.
  process.stdout.write(
    `${faultCount} faults, heals p50 ${secondsAt(0.5)} s, p90 ${secondsAt(0.9)} s, max ${secondsAt(1)} s, ` +
      `${seconds} s, load ${loadavg().map(Math.round).join(' ')}\n`,
  );
  const { lineCount, ...found } = audit;
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
});
