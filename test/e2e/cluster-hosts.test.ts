/**
 * Goal: a cluster on five hosts whose cables are cut, cut one way, slow and lossy: a job goes on without the host that is gone and behind
 * its return, and each entry is there once. The disk is one that all hosts share, so what was cut off can still write to it. Where there
 * can be no hosts the test says so and is skipped: `cluster-faults.test.ts` harms processes of one host.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { WorkersAnswer } from '../../coordinator/protocol/clients.ts';
import { placeOnHosts } from '../support/cluster-places.ts';
import { progress, submitArgs } from '../support/faulted-cluster.ts';
import { FragileCluster } from '../support/fragile-cluster.ts';
import { skipWithoutHosts } from '../support/host-network.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A worker that is not heard for so long is lost, and gives itself up. */
const lostAfterMs = 8_000;
const joinMsMax = 60_000;

test('cables that are cut, cut one way, slow and lossy, and no entry is lost or counted twice', async ({
  skip,
}) => {
  await skipWithoutHosts(skip);
  const folder = tempFolder();
  const choice = { count: 150_000, fileCount: 3, keysPerFile: 200, seed: 6 };
  writeEntries(join(folder, 'in'), choice);
  const output = join(folder, 'out');
  const places = placeOnHosts(folder, ['c1', 'w1', 'w2', 'w3', 'client']);
  const { network, hostOf } = places;
  const cluster = await FragileCluster.start({ folder, workers: 3, slots: 2, places });
  const { id } = await cluster.ask<{ readonly id: string }>([...submitArgs, '--rate', '400']);
  await progress(cluster, output);

  for (const cut of [{ in: 1, out: 1 }, { out: 1 }, { in: 1 }]) {
    const { workerId, incarnation } = await busyWorker(cluster);
    const end = sleep(lostAfterMs);
    await network.fault(hostOf(workerId), cut);
    // What was on its way when the cable was cut is no progress without it.
    await sleep(1_000);
    await progress(cluster, output);
    await end;
    await network.heal(hostOf(workerId));
    await progress(cluster, output);
    const joinsAgain = async () => (await workersOf(cluster)).get(workerId)?.incarnation;
    await expect.poll(joinsAgain, { timeout: joinMsMax }).toBe(incarnation + 1);
  }

  const { workerId } = await busyWorker(cluster);
  await network.fault(hostOf('c1'), { delayMs: 20 });
  await network.fault(hostOf(workerId), { in: 0.05, out: 0.05, delayMs: 20 });
  for (let at = 0; at < 10; at++) await progress(cluster, output);
  await network.heal(hostOf(workerId));

  // Nobody is heard by it, so all workers give themselves up and come back.
  await network.fault(hostOf('c1'), { in: 1, out: 1 });
  await sleep(lostAfterMs);
  await network.heal(hostOf('c1'));
  await progress(cluster, output);

  await cluster.ask(['stop', id]);
  await cluster.ask([...submitArgs, '--wait']);
  const { lineCount, ...found } = auditLedger(output, choice);
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
});

async function workersOf(cluster: FragileCluster) {
  const { workers } = await cluster.ask<WorkersAnswer>(['workers']);
  return new Map(workers.map((worker) => [worker.workerId, worker]));
}

/** One that has tasks of the job. */
async function busyWorker(cluster: FragileCluster) {
  const workers = await workersOf(cluster);
  const busy = [...workers.values()].find(({ jobs }) => jobs.length > 0);
  if (busy === undefined) throw new Error('no worker has a task of a job that makes progress');
  return busy;
}
