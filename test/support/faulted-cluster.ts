/**
 * The job `ledger` on a cluster whose processes are killed and frozen while it runs; then it is stopped with a savepoint, goes on to
 * its end, and every entry is audited by its id. Which fault comes next is drawn from a seed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawing, type EntriesChoice } from '../../jobs/ledger/make-entries.ts';
import { projectFolder } from './cli-process.ts';
import { FragileCluster, ifThere } from './fragile-cluster.ts';
import { auditLedger, type LedgerAudit, writeEntries } from './ledger-audit.ts';

export type ClusterFault = keyof typeof faults;

export interface FaultedCluster {
  /** A folder of its own. */
  readonly folder: string;
  readonly choice: EntriesChoice;
  /** Entries per second of each file, so that all faults come before the end. */
  readonly rate: number;
  readonly faults: readonly ClusterFault[];
  /** @defaultValue 200,000 */
  readonly deadlineMs?: number;
}

export interface FaultedOutcome {
  readonly audit: LedgerAudit;
  /** Seconds from the end of each fault until more was committed. */
  readonly healSeconds: readonly number[];
}

type Fault = (cluster: FragileCluster, worker: string) => Promise<void>;

/** A worker that is frozen for so long is lost: its tasks run elsewhere when it wakes up. */
const frozenMs = 9_000;

const faults = {
  killWorker: async (cluster, worker) => {
    await cluster.signal(worker, 'SIGKILL');
    await cluster.startWorker(worker);
  },
  killExecutors: async (cluster, worker) => {
    for (const id of cluster.executorsOf(worker)) ifThere(() => process.kill(id, 'SIGKILL'));
  },
  killCoordinator: async (cluster) => {
    await cluster.signal('c1', 'SIGKILL');
    await cluster.startCoordinator();
  },
  freezeWorker: async (cluster, worker) => {
    await cluster.signal(worker, 'SIGSTOP');
    await sleep(frozenMs);
    await cluster.signal(worker, 'SIGCONT');
  },
  freezeExecutors: async (cluster, worker) => {
    const ids = cluster.executorsOf(worker);
    for (const id of ids) ifThere(() => process.kill(id, 'SIGSTOP'));
    await sleep(frozenMs);
    for (const id of ids) ifThere(() => process.kill(id, 'SIGCONT'));
  },
  freezeCoordinator: async (cluster) => {
    await cluster.signal('c1', 'SIGSTOP');
    await sleep(frozenMs);
    await cluster.signal('c1', 'SIGCONT');
  },
} satisfies Record<string, Fault>;

export const allFaults = Object.keys(faults) as readonly ClusterFault[];

export async function runFaulted(options: FaultedCluster): Promise<FaultedOutcome> {
  const { folder, choice, rate, deadlineMs = 200_000 } = options;
  const output = join(folder, 'out');
  writeEntries(join(folder, 'in'), choice);
  const cluster = await FragileCluster.start({ folder, workers: 3, slots: 2, deadlineMs });
  const { id } = await cluster.ask<{ readonly id: string }>([
    ...submitArgs,
    '--rate',
    String(rate),
  ]);
  await progress(cluster, output);
  const draw = drawing(choice.seed);
  const healSeconds: number[] = [];
  for (const fault of options.faults) {
    const worker = cluster.workerNames[draw(cluster.workerNames.length)] ?? '';
    await faults[fault](cluster, worker);
    healSeconds.push(await progress(cluster, output));
  }
  // What came last may have been prepared before the last fault, and there are no tasks yet.
  await progress(cluster, output);
  await cluster.ask(['stop', id], deadlineMs);
  await cluster.ask([...submitArgs, '--wait'], deadlineMs);
  return { audit: auditLedger(output, choice), healSeconds };
}

export const submitArgs = [
  ...['submit', join(projectFolder, 'jobs/ledger/job.ts'), '--input', 'in/', '--output', 'out/'],
  ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '200ms', '--restore', 'latest'],
  ...['--parallelism', '3', '--memory', '384MB'],
];

/** Far above the 10 s that a cluster may take to go on, for a machine with other work. */
const progressMsMax = 60_000;

/** Seconds until more is visible than there is now. @throws What the cluster says of it, where nothing more comes. */
export async function progress(cluster: FragileCluster, output: string): Promise<number> {
  const before = visibleCount(output);
  const startedAtMs = performance.now();
  while (visibleCount(output) === before) {
    if (performance.now() - startedAtMs > progressMsMax) throw await standing(cluster);
    await sleep(20);
  }
  return (performance.now() - startedAtMs) / 1000;
}

/** What the cluster says of it. */
async function standing(cluster: FragileCluster): Promise<Error> {
  const said = await Promise.all(
    ['list', 'history', 'workers'].map(async (verb) => (await cluster.run([verb])).stdout),
  );
  return new Error(`nothing is committed any more\n${said.join('\n')}`);
}

function visibleCount(output: string): number {
  if (!existsSync(output)) return 0;
  return readdirSync(output).filter((name) => !/^[._]/.test(name)).length;
}
