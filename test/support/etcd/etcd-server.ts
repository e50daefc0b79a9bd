/**
 * A real etcd for a test file: one process on free ports of the loopback, with data of its own. The program is
 * that of the PATH, or the package's, fetched once into `.cache/test` through apt (8 MB, no root needed).
 *
 * Where neither is to be had the tests fail and say so: a store that is left out is a promise nobody looks at.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createRealHttpClient } from '../../../base/env/real-http-client.ts';
import { projectFolder } from '../cli-process.ts';
import { freePort } from '../free-port.ts';

/** Far above what it takes beside other work: about a second. */
const startTimeoutMs = 60_000;
const installFolder = join(projectFolder, '.cache/test/etcd');

export class EtcdServer {
  /** As clients take it. */
  readonly endpoint: string;
  readonly #program: string;
  readonly #folder: string;
  readonly #peer: string;
  #process: ChildProcess | null = null;

  private constructor(program: string, ports: readonly number[]) {
    const [client, peer] = ports.map((port) => `http://127.0.0.1:${port}`);
    this.#program = program;
    this.#folder = mkdtempSync(join(tmpdir(), 'millrace-etcd-'));
    this.endpoint = client ?? '';
    this.#peer = peer ?? '';
  }

  static async start(): Promise<EtcdServer> {
    const server = new EtcdServer(installEtcd(), [await freePort(), await freePort()]);
    await server.resume();
    return server;
  }

  /** Starts the server that was killed, on its data. */
  async resume(): Promise<void> {
    const log = openSync(this.#log, 'a');
    const args = [
      ...['--name', 'e1', '--data-dir', join(this.#folder, 'data')],
      ...['--listen-client-urls', this.endpoint, '--advertise-client-urls', this.endpoint],
      ...['--listen-peer-urls', this.#peer, '--initial-advertise-peer-urls', this.#peer],
      ...['--initial-cluster', `e1=${this.#peer}`],
    ];
    this.#process = spawn(this.#program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    await this.#untilHealthy();
  }

  /** Nothing is heard of it until `goOn`. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    const ending = this.#process;
    this.#process = null;
    if (ending === null || ending.exitCode !== null) return;
    const hasEnded = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await hasEnded;
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #log(): string {
    return join(this.#folder, 'etcd.log');
  }

  async #untilHealthy(): Promise<void> {
    const http = createRealHttpClient();
    const request = { url: `${this.endpoint}/health`, method: 'GET', deadlineMs: 1_000 } as const;
    const endsAtMs = Date.now() + startTimeoutMs;
    let last: unknown;
    while (Date.now() < endsAtMs && this.#process?.exitCode === null) {
      try {
        const { body } = await http.call(request);
        if (body.includes('"true"')) return http.close();
        last = body;
      } catch (error) {
        last = error;
      }
      await pause(50);
    }
    http.close();
    throw new Error(
      `etcd does not come up: ${last}\n${readFileSync(this.#log, 'utf8').slice(-2_000)}`,
    );
  }
}

/** The program; fetches it when it is not there. */
function installEtcd(): string {
  if (spawnSync('etcd', ['--version']).status === 0) return 'etcd';
  const program = join(installFolder, 'usr/bin/etcd');
  if (existsSync(program)) return program;
  process.stdout.write(`fetching etcd with apt into ${installFolder} (8 MB, once)\n`);
  const fresh = `${installFolder}.${process.pid}.new`;
  mkdirSync(fresh, { recursive: true });
  try {
    // Lists of its own: those of the machine may be old, or not there, and are root's.
    for (const folder of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(fresh, folder), { recursive: true });
    }
    const lists = ['-o', `Dir::State::lists=${fresh}/lists`, '-o', `Dir::Cache=${fresh}/cache`];
    run(fresh, 'apt-get', [...lists, 'update']);
    run(fresh, 'apt-get', [...lists, 'download', 'etcd-server']);
    const archive = readdirSync(fresh).find((name) => name.endsWith('.deb')) ?? '';
    run(fresh, 'dpkg-deb', ['-x', archive, '.']);
    for (const folder of ['lists', 'cache']) rmSync(join(fresh, folder), { recursive: true });
    if (!existsSync(program)) {
      rmSync(installFolder, { recursive: true, force: true });
      renameSync(fresh, installFolder);
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return program;
}

function run(folder: string, command: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(
    `the tests of etcd need it: "${command} ${args.join(' ')}" failed (${error?.message ?? stderr}). ` +
      'Put etcd 3.4 or newer on the PATH.',
  );
}
