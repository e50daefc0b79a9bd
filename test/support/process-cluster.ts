/**
 * A cluster whose workers are processes as users start them, with executors below, and jobs are submitted as users do it;
 * its coordinator is a role in this process.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { createRealEnv } from '../../base/env/real-env.ts';
import { ClusterClient } from '../../cli/cluster/cluster-client.ts';
import { connectors } from '../../connectors/registry.ts';
import { startClusterRole } from '../../coordinator/cluster/cluster-role.ts';
import type { JobOutcome } from '../../coordinator/job/job-outcome.ts';
import { createMemoryRegister } from '../../coordinator/lease/memory-register.ts';
import { openFileLog } from '../../coordinator/metadata/file-log.ts';
import {
  clientMethods,
  type LogsAnswer,
  type WatchAnswer,
  type WorkersAnswer,
  type WorkerView,
} from '../../coordinator/protocol/clients.ts';
import { type CliOptions, type CliProcess, runCli, startCli } from './cli-process.ts';
import { tempFolder } from './temp-folder.ts';

export interface ClusterWorker {
  readonly cli: CliProcess;
  readonly data: string;
}

export class ProcessCluster {
  readonly folder = tempFolder();
  readonly address: string;
  readonly client: ClusterClient;

  private constructor(address: string) {
    this.address = address;
    this.client = new ClusterClient(createRealEnv(), [address]);
  }

  static async start(): Promise<ProcessCluster> {
    const leads = Promise.withResolvers<void>();
    const env = createRealEnv();
    const data = tempFolder();
    const role = await startClusterRole(env, {
      ...{ coordinatorId: 'test', listen: '127.0.0.1:0', bundleFolder: data, connectors },
      ...{ register: createMemoryRegister(), log: await openFileLog(env, `${data}/log`) },
      onLeading: () => leads.resolve(),
    });
    const cluster = new ProcessCluster(role.address);
    onTestFinished(async () => {
      cluster.client.close();
      await role.stop();
    });
    await leads.promise;
    return cluster;
  }

  /** Resolves when it has registered. */
  async addWorker(name: string, slots: number, options: CliOptions = {}): Promise<ClusterWorker> {
    const data = join(this.folder, name);
    const where = ['--coordinator', this.address, '--data', data, '--name', name];
    const cli = startCli(['worker', ...where, '--slots', String(slots)], options);
    await cli.hasSaid(`registered with ${this.address}`);
    return { cli, data };
  }

  /** As `millrace submit` does it; resolves with the job's id. */
  async submit(file: string, params: readonly string[]): Promise<string> {
    const where = ['--cluster', this.address, '--parallelism', '2', '--memory', '128MB'];
    const { exitCode, stdout, stderr } = await runCli(['submit', file, ...where, ...params]);
    expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, '']);
    return stdout.trim();
  }

  watch(job: string): Promise<WatchAnswer> {
    return this.client.ask({ method: clientMethods.watch, body: { job }, isRepeatable: true });
  }

  async outcomeOf(job: string): Promise<JobOutcome> {
    return await until(async () => (await this.watch(job)).outcome);
  }

  logsOf(job: string): Promise<LogsAnswer> {
    return this.client.ask({ method: clientMethods.logs, body: { job, from: {} } });
  }

  async workers(): Promise<readonly WorkerView[]> {
    const { workers } = await this.client.ask<WorkersAnswer>({ method: clientMethods.workers });
    return workers;
  }
}

/** Asks until it has something; the test's own deadline is the end of it. */
export async function until<T>(look: () => Promise<T | null> | T | null): Promise<T> {
  for (let tries = 0; tries < 4_000; tries++) {
    const found = await look();
    if (found !== null) return found;
    await sleep(20);
  }
  return expect.unreachable('it never came to be');
}

/** Of the supervisor itself: the command may have started it on another Node. */
export function supervisorIdOf({ data }: ClusterWorker): number {
  return Number(/_(\d+)_\d+$/m.exec(readFileSync(join(data, 'worker.owner'), 'utf8'))?.[1]);
}

/** Processes that a process has started, by their ids; Linux only. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(parent) === pid ? [Number(name)] : [];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
