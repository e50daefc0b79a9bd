/**
 * A cluster of real processes for one test that harms it: a coordinator and workers as the command starts them, which can be killed, frozen
 * and started again where they were.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type CliProcess, type CliResult, runCli, startCli } from './cli-process.ts';

export interface ClusterChoice {
  /** A folder of its own. */
  readonly folder: string;
  readonly workers: number;
  /** Of each worker. */
  readonly slots: number;
  /** Of the processes; a test's own is shorter. @defaultValue 200,000 */
  readonly deadlineMs?: number;
}

export class FragileCluster {
  readonly address: string;
  readonly workerNames: readonly string[];
  readonly #choice: ClusterChoice;
  readonly #running = new Map<string, CliProcess>();

  private constructor(choice: ClusterChoice, address: string) {
    this.#choice = choice;
    this.address = address;
    this.workerNames = Array.from({ length: choice.workers }, (_, index) => `w${index + 1}`);
  }

  /** Resolves when all workers have registered. */
  static async start(choice: ClusterChoice): Promise<FragileCluster> {
    const cluster = new FragileCluster(choice, `127.0.0.1:${await freePort()}`);
    onTestFinished(() => cluster.#stop());
    await cluster.startCoordinator();
    await Promise.all(cluster.workerNames.map((name) => cluster.startWorker(name)));
    return cluster;
  }

  async startCoordinator(): Promise<void> {
    const data = join(this.#choice.folder, 'coordinator');
    const args = ['coordinator', '--listen', this.address, '--data', data, '--name', 'coordinator'];
    await this.#start('coordinator', args, 'leads');
  }

  async startWorker(name: string): Promise<void> {
    const { folder, slots } = this.#choice;
    const place = ['--data', join(folder, name), '--name', name, '--slots', String(slots)];
    const args = [
      'worker',
      '--coordinator',
      this.address,
      ...place,
      '--memory',
      `${slots * 128}MB`,
    ];
    await this.#start(name, args, 'registered');
  }

  /** Sends a signal to a worker's supervisor or to the coordinator; resolves when it has ended, where it is killed. */
  async signal(name: string, signal: NodeJS.Signals): Promise<void> {
    const running = this.#running.get(name);
    running?.kill(signal);
    if (signal === 'SIGKILL') await running?.ended;
  }

  /** Process ids of the executors of a worker; the one that is started ahead is among them. */
  executorsOf(name: string): readonly number[] {
    return childrenOf(this.#running.get(name)?.id ?? 0);
  }

  /** Runs a command against the cluster. */
  run(args: readonly string[], deadlineMs?: number): Promise<CliResult> {
    const deadline = deadlineMs === undefined ? {} : { deadlineMs };
    return runCli([...args, '--cluster', this.address], { cwd: this.#choice.folder, ...deadline });
  }

  /** The same, with `--json`, for what has to succeed. */
  async ask<Answer>(args: readonly string[], deadlineMs?: number): Promise<Answer> {
    const { exitCode, stdout, stderr } = await this.run([...args, '--json'], deadlineMs);
    if (exitCode !== 0) throw new Error(`millrace ${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }

  async #start(name: string, args: readonly string[], says: string): Promise<void> {
    const { deadlineMs = 200_000, folder } = this.#choice;
    const running = startCli(args, { cwd: folder, deadlineMs });
    this.#running.set(name, running);
    await running.hasSaid(says);
  }

  /** Also those that are frozen end. */
  async #stop(): Promise<void> {
    for (const { kill } of this.#running.values()) {
      // Of some, nobody is left to hear it.
      for (const signal of ['SIGCONT', 'SIGKILL'] as const) ifThere(() => kill(signal));
    }
    await Promise.race([
      Promise.all([...this.#running.values()].map(({ ended }) => ended)),
      sleep(5_000),
    ]);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a port was asked for');
  return address.port;
}

/** As /proc has it. */
function childrenOf(parent: number): number[] {
  const ids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return ids.filter((id) => {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}

/** Does something to a process that may have ended. */
export function ifThere(work: () => void): void {
  try {
    work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
