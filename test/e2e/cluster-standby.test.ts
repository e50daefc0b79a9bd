/**
 * Goal: where two coordinators share an etcd, the other one leads within seconds of the first one's end, workers and clients follow,
 * jobs go on, and a leader that was asleep does nothing any more.
 */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EtcdServer } from '../support/etcd/etcd-server.ts';
import { progress, submitArgs } from '../support/faulted-cluster.ts';
import { FragileCluster } from '../support/fragile-cluster.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('a killed and a frozen leader, and each entry is there once', async () => {
  const etcd = await EtcdServer.start();
  onTestFinished(() => etcd.remove());
  const folder = tempFolder();
  const choice = { count: 60_000, fileCount: 3, keysPerFile: 200, seed: 9 };
  writeEntries(join(folder, 'in'), choice);
  const output = join(folder, 'out');
  const cluster = await FragileCluster.start({
    ...{ folder, workers: 2, slots: 2, coordinators: 2, etcd: etcd.endpoint },
  });
  const { id } = await cluster.ask<{ readonly id: string }>([...submitArgs, '--rate', '500']);
  await progress(cluster, output);

  await cluster.signal('c1', 'SIGKILL');
  await cluster.hasSaid('c2', 'leads, term 2');
  await progress(cluster, output);

  await cluster.startCoordinator('c1', 'listens');
  await cluster.signal('c2', 'SIGSTOP');
  await cluster.hasSaid('c1', 'leads, term 3');
  await progress(cluster, output);
  await cluster.signal('c2', 'SIGCONT');
  await cluster.hasSaid('c2', 'does not lead any more');
  await progress(cluster, output);

  await cluster.ask(['stop', id]);
  await cluster.ask([...submitArgs, '--wait']);
  const { lineCount, ...found } = auditLedger(output, choice);
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
});
