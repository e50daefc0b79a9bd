/** Goal: whatever process of a cluster is killed or frozen, a job goes on, and each entry is there once. */
import { expect, test } from 'vitest';
import { runFaulted } from '../support/faulted-cluster.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('eight faults of workers, executors and the coordinator', async () => {
  const choice = { count: 150_000, fileCount: 3, keysPerFile: 200, seed: 5 };
  const { audit, healSeconds } = await runFaulted({
    ...{ folder: tempFolder(), choice, rate: 600 },
    faults: [
      ...(['killWorker', 'killExecutors', 'killCoordinator', 'freezeWorker'] as const),
      ...(['killExecutors', 'freezeExecutors', 'killCoordinator', 'killWorker'] as const),
    ],
  });
  const { lineCount, ...found } = audit;
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
  expect(healSeconds).toHaveLength(8);
});
