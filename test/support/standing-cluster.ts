/**
 * A cluster of real processes for a whole test file: a coordinator and workers on ports of their own, ended by their ids, with
 * all that they have started, when the file is done.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from './cli-process.ts';

export interface ClusterOptions {
  /** @defaultValue 2 */
  readonly workers?: number;
  /** Of each worker. @defaultValue 2 */
  readonly slots?: number;
}

export interface StandingCluster {
  /** Of the coordinator. */
  readonly address: string;
  readonly folder: string;
  /** Ends all processes, and removes their files. */
  stop(): Promise<void>;
}

const command = join(projectFolder, 'cli/millrace.mjs');
const startMsMax = 60_000;

/** Resolves when all workers are registered. */
export async function startStandingCluster({
  workers = 2,
  slots = 2,
}: ClusterOptions = {}): Promise<StandingCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-cluster-'));
  const roles: Role[] = [];
  const start = (name: string, args: readonly string[]) => {
    const role = new Role(args, join(folder, name));
    roles.push(role);
    return role;
  };
  const stop = async () => {
    // Workers first: they hand back their slots, and end their executors.
    for (const role of roles.toReversed()) await role.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const coordinator = start('coordinator', ['coordinator', '--listen', '127.0.0.1:0', '--json']);
    const { address } = JSON.parse(await coordinator.said('stdout', '"address"'));
    const own = ['--coordinator', address, '--slots', String(slots)];
    const joining = Array.from({ length: workers }, (_, index) => {
      const name = `w${index + 1}`;
      return start(name, ['worker', ...own, '--name', name]).said('stderr', 'registered');
    });
    await Promise.all(joining);
    return { address, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

class Role {
  readonly #child: ChildProcess;
  readonly #said = { stdout: '', stderr: '' };

  constructor(args: readonly string[], dataFolder: string) {
    this.#child = spawn(process.execPath, [command, ...args, '--data', dataFolder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this.#said[name] += text;
      });
    }
  }

  /** The first line with a text. */
  async said(name: 'stdout' | 'stderr', text: string): Promise<string> {
    const deadline = AbortSignal.timeout(startMsMax);
    const stream = this.#child[name];
    while (true) {
      const line = this.#said[name].split('\n').find((one) => one.includes(text));
      if (line !== undefined) return line;
      const isOver = this.#child.exitCode !== null || deadline.aborted || stream === null;
      if (isOver) throw new Error(`no "${text}" from a role: ${JSON.stringify(this.#said)}`);
      await Promise.race([once(stream, 'data', { signal: deadline }), once(this.#child, 'exit')]);
    }
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    process.kill(pid, 'SIGTERM');
    const late = setTimeout(() => process.kill(-pid, 'SIGKILL'), 15_000);
    await ended;
    clearTimeout(late);
  }
}
