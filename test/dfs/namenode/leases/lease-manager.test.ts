/** Goal: files are taken from writers that are silent, at the limits and not before, and a recovery is not begun twice at once. */
import { expect, test } from 'vitest';
import { LeaseManager, recoveryHolder } from '../../../../dfs/namenode/leases/lease-manager.ts';

const limits = { softLimitMs: 60, hardLimitMs: 1_200, recoveryRetryMs: 10 };
const openFiles = (...writers: string[]) => ({
  openFiles: new Map(writers.map((clientName, index) => [index, { row: index, clientName }])),
});

test.each`
  renewedAt | now      | isSoft   | isHard
  ${null}   | ${160}   | ${false} | ${false}
  ${null}   | ${161}   | ${true}  | ${false}
  ${null}   | ${1_301} | ${true}  | ${true}
  ${500}    | ${560}   | ${false} | ${false}
  ${500}    | ${561}   | ${true}  | ${false}
  ${500}    | ${1_700} | ${true}  | ${false}
  ${500}    | ${1_701} | ${true}  | ${true}
`('started at 100, renewed at $renewedAt: at $now soft $isSoft, hard $isHard', (row) => {
  const leases = new LeaseManager(limits, 100);
  if (row.renewedAt !== null) leases.renew('ann', row.renewedAt);
  expect(leases.isSoftExpired('ann', row.now)).toBe(row.isSoft);
  expect(leases.due(openFiles('ann'), row.now)).toEqual(row.isHard ? [0] : []);
});

test('all files of a silent writer are due, and those of others are not', () => {
  const leases = new LeaseManager(limits, 0);
  leases.renew('ann', 2_000);
  expect(leases.due(openFiles('bob', 'ann', 'bob'), 2_100)).toEqual([0, 2]);
});

test('a file that is being recovered is due again after a while, until it is closed', () => {
  const leases = new LeaseManager(limits, 0);
  const files = openFiles(recoveryHolder);
  expect(leases.due(files, 1)).toEqual([0]);
  leases.noteRecovery(0, 1);
  expect(leases.due(files, 10)).toEqual([]);
  expect(leases.due(files, 11)).toEqual([0]);
  expect(leases.due(openFiles(), 12)).toEqual([]);
  expect(leases.due(files, 13)).toEqual([0]);
});

test('who writes nothing is forgotten, and counts from the start when he comes again', () => {
  const leases = new LeaseManager(limits, 0);
  leases.renew('ann', 5_000);
  leases.due(openFiles(), 5_000);
  expect(leases.isSoftExpired('ann', 5_000)).toBe(true);
});
