/**
 * A cluster of real processes for one test that harms it: a coordinator and workers as the command starts them, which can be killed, frozen
 * and started again where they were.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { TlsRole } from '../../cli/up/private-authority.ts';
import {
  type CliOptions,
  type CliProcess,
  type CliResult,
  runCli,
  startCli,
} from './cli-process.ts';
import type { ClusterPlaces } from './cluster-places.ts';
import { freePort } from './free-port.ts';

export interface ClusterChoice {
  /** A folder of its own. */
  readonly folder: string;
  readonly workers: number;
  /** Of each worker. */
  readonly slots: number;
  /** Coordinators, of which one leads; needs `etcd`. @defaultValue 1 */
  readonly coordinators?: number;
  /** Where etcd answers. @defaultValue metadata is in a file */
  readonly etcd?: string;
  /** Where its processes are: `c1`, `w1` and so on, and `client` for the commands that ask. @defaultValue all on this host, without TLS */
  readonly places?: ClusterPlaces;
  /** Of the processes; a test's own is shorter. @defaultValue 200,000 */
  readonly deadlineMs?: number;
}

export class FragileCluster {
  /** Of all coordinators. */
  readonly addresses: readonly string[];
  readonly coordinatorNames: readonly string[];
  readonly workerNames: readonly string[];
  readonly #choice: ClusterChoice;
  readonly #running = new Map<string, CliProcess>();

  private constructor(choice: ClusterChoice, addresses: readonly string[]) {
    this.#choice = choice;
    this.addresses = addresses;
    this.coordinatorNames = addresses.map((_, index) => `c${index + 1}`);
    this.workerNames = Array.from({ length: choice.workers }, (_, index) => `w${index + 1}`);
  }

  /** Resolves when all workers have registered; the first coordinator leads. */
  static async start(choice: ClusterChoice): Promise<FragileCluster> {
    const addresses: string[] = [];
    for (let at = 1; at <= (choice.coordinators ?? 1); at++) {
      const host = choice.places?.addressOf(`c${at}`) ?? '127.0.0.1';
      addresses.push(`${host}:${await freePort()}`);
    }
    const cluster = new FragileCluster(choice, addresses);
    onTestFinished(() => cluster.#stop());
    for (const [index, name] of cluster.coordinatorNames.entries()) {
      await cluster.startCoordinator(name, index === 0 ? 'leads' : 'listens');
    }
    await Promise.all(cluster.workerNames.map((name) => cluster.startWorker(name)));
    return cluster;
  }

  /** @param says - What it is waited for. */
  async startCoordinator(name = 'c1', says: 'leads' | 'listens' = 'leads'): Promise<void> {
    const { folder, etcd } = this.#choice;
    const listen = this.addresses[this.coordinatorNames.indexOf(name)] ?? '';
    const place = ['--listen', listen, '--data', join(folder, 'coordinator'), '--name', name];
    const metadata = etcd === undefined ? [] : ['--etcd', etcd];
    await this.#start('coordinator', name, [...place, ...metadata], says);
  }

  /** Resolves when a process has said something. */
  async hasSaid(name: string, text: string): Promise<void> {
    await this.#running.get(name)?.hasSaid(text);
  }

  async startWorker(name: string): Promise<void> {
    const { folder, slots, places } = this.#choice;
    const place = ['--data', join(folder, name), '--name', name, '--slots', String(slots)];
    const listen = places === undefined ? [] : ['--listen', `${places.addressOf(name)}:0`];
    const memory = ['--memory', `${slots * 128}MB`];
    const args = ['--coordinator', this.addresses.join(), ...place, ...listen, ...memory];
    await this.#start('worker', name, args, 'registered');
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
    const options = { ...this.#optionsOf('client', 'client'), ...deadline };
    return runCli([...args, '--cluster', this.addresses.join()], options);
  }

  /** The same, with `--json`, for what has to succeed. */
  async ask<Answer>(args: readonly string[], deadlineMs?: number): Promise<Answer> {
    const { exitCode, stdout, stderr } = await this.run([...args, '--json'], deadlineMs);
    if (exitCode !== 0) throw new Error(`millrace ${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as Answer;
  }

  async #start(
    role: 'coordinator' | 'worker',
    name: string,
    args: readonly string[],
    says: string,
  ): Promise<void> {
    const { deadlineMs = 200_000 } = this.#choice;
    const running = startCli([role, ...args], { ...this.#optionsOf(role, name), deadlineMs });
    this.#running.set(name, running);
    await running.hasSaid(says);
  }

  #optionsOf(role: TlsRole, name: string): CliOptions {
    const { folder: cwd, places } = this.#choice;
    if (places === undefined) return { cwd };
    return { cwd, within: places.within(name), env: places.certificates(role) };
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
