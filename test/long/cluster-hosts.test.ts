/**
 * Goal: two hosts that do not hear each other, though the coordinator hears both: a job with tasks on both goes on elsewhere, and each
 * entry is there once. It takes as long as an exchange takes to give up (30 s).
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WorkersAnswer } from '../../coordinator/protocol/clients.ts';
import { placeOnHosts } from '../support/cluster-places.ts';
import { progress, submitArgs } from '../support/faulted-cluster.ts';
import { FragileCluster } from '../support/fragile-cluster.ts';
import { skipWithoutHosts } from '../support/host-network.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('two workers that do not reach each other', async ({ skip }) => {
  await skipWithoutHosts(skip);
  const folder = tempFolder();
  const choice = { count: 150_000, fileCount: 3, keysPerFile: 200, seed: 7 };
  writeEntries(join(folder, 'in'), choice);
  const output = join(folder, 'out');
  const places = placeOnHosts(folder, ['c1', 'w1', 'w2', 'w3', 'client']);
  const cluster = await FragileCluster.start({ folder, workers: 3, slots: 2, places });
  const { id } = await cluster.ask<{ readonly id: string }>([...submitArgs, '--rate', '300']);
  await progress(cluster, output);
  const workersOfJob = async () => {
    const { workers } = await cluster.ask<WorkersAnswer>(['workers']);
    return workers.flatMap(({ workerId, jobs }) => (jobs.includes(id) ? [workerId] : [])).sort();
  };
  const before = await workersOfJob();
  // Three slots are on two workers or on three; with three any two of them are apart.
  const [one = '', other = ''] = before;
  await places.network.separate(places.hostOf(one), places.hostOf(other));
  const isApart = async () => {
    const now = await workersOfJob();
    return now.length > 1 && !(now.includes(one) && now.includes(other));
  };
  await expect.poll(isApart, { timeout: 120_000, interval: 500 }).toBe(true);
  await progress(cluster, output);
  await cluster.ask(['stop', id]);
  for (const name of [one, other]) await places.network.heal(places.hostOf(name));
  await cluster.ask([...submitArgs, '--wait']);
  const { lineCount, ...found } = auditLedger(output, choice);
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
});
