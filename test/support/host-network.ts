/**
 * Hosts on one machine, with a network of their own whose cables can be cut: network namespaces, each with a cable to a bridge.
 *
 *     host 1: eth0 ──── port 1 ┐                      faults are at the port: what comes in there is what the host sends
 *     host 2: eth0 ──── port 2 ┤ bridge "floor"
 *     host 3: eth0 ──── port 3 ┘                      slow: port 3 ─ bridge "side" ─ wire (host-wire.py) ─ bridge "floor"
 *
 * They share files and process ids, and reach nothing outside. Frames are dropped by a classic BPF program of a few words, for tc's other
 * classifiers and netem are not in every kernel.
 *
 * Needs root, iproute2, nsenter and python3. Where one of them is missing the tests say which, and do not pass for it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface CableFault {
  /** Share of frames from the host that are lost; 1 cuts it off. */
  readonly out?: number;
  /** The same of frames to the host. */
  readonly in?: number;
  /** For each frame, each way. */
  readonly delayMs?: number;
}

const prefix = 'mrnet';
const wireScript = join(import.meta.dirname, 'host-wire.py');

/** Says why there can be no hosts here, and skips the test, where there can be none. */
export async function skipWithoutHosts(skip: (note: string) => never): Promise<void> {
  const missing = await missingForHosts();
  if (missing === null) return;
  process.stderr.write(`\nNOT TESTED on hosts: ${missing}\n`);
  skip(missing);
}

async function missingForHosts(): Promise<string | null> {
  if (process.platform !== 'linux') return 'only Linux has network namespaces';
  if (process.getuid?.() !== 0) return 'to make network namespaces takes root';
  const tools = { ip: '-V', tc: '-V', nsenter: '-V', python3: '-V' };
  const missing = Object.entries(tools).find(([tool, flag]) => spawnSync(tool, [flag]).error);
  if (missing !== undefined) return `"${missing[0]}" is not installed`;
  let network: HostNetwork | null = null;
  try {
    network = new HostNetwork(1);
    // Not every kernel has what each of them takes.
    await network.fault(1, { in: 0.5, out: 1, delayMs: 1 });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await network?.remove();
  }
}

/** Hosts are numbered from 1. */
export class HostNetwork {
  readonly #name = `${prefix}-${process.pid}-${randomBytes(3).toString('hex')}`;
  readonly #hub = `${this.#name}-hub`;
  readonly #wires = new Map<number, ChildProcess>();

  constructor(hostCount: number) {
    removeLeftBehind();
    try {
      run('ip', ['netns', 'add', this.#hub]);
      this.#addBridge('floor');
      for (let host = 1; host <= hostCount; host++) this.#addHost(host);
    } catch (error) {
      removeAll(this.#name);
      throw error;
    }
  }

  /** One that is removed when the test ends, with all processes that are on it then. */
  static forTest(hostCount: number): HostNetwork {
    const network = new HostNetwork(hostCount);
    onTestFinished(() => network.remove());
    return network;
  }

  addressOf(host: number): string {
    return `10.77.0.${host}`;
  }

  /** The command that runs a command on a host, as the same process. */
  within(host: number): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#nameOf(host)}`];
  }

  /** Takes the place of the host's fault of before. */
  async fault(host: number, { in: toHost = 0, out = 0, delayMs = 0 }: CableFault): Promise<void> {
    await this.heal(host);
    if (toHost > 0 || out > 0) this.#tc(['qdisc', 'add', 'dev', portOf(host), 'clsact']);
    if (out > 0) this.#filter(host, 'ingress', dropProgram(out));
    if (toHost > 0) this.#filter(host, 'egress', dropProgram(toHost));
    if (delayMs > 0) await this.#delay(host, delayMs);
  }

  /** These two don't hear each other any more, and all others do; takes the place of their faults of before. */
  async separate(one: number, other: number): Promise<void> {
    for (const [host, unheard] of [
      [one, other],
      [other, one],
    ] as const) {
      await this.heal(host);
      this.#tc(['qdisc', 'add', 'dev', portOf(host), 'clsact']);
      this.#filter(host, 'egress', dropFromProgram(this.addressOf(unheard)));
    }
  }

  async heal(host: number): Promise<void> {
    const wire = this.#wires.get(host);
    this.#wires.delete(host);
    if (wire !== undefined) {
      this.#link(['set', portOf(host), 'master', 'floor']);
      await ended(wire);
      this.#link(['del', `side${host}`]);
    }
    // There may be none.
    spawnSync('tc', ['-n', this.#hub, 'qdisc', 'del', 'dev', portOf(host), 'clsact']);
  }

  async remove(): Promise<void> {
    for (const wire of this.#wires.values()) await ended(wire);
    removeAll(this.#name);
  }

  #addHost(host: number): void {
    const name = this.#nameOf(host);
    const [port, address] = [portOf(host), `${this.addressOf(host)}/24`];
    run('ip', ['netns', 'add', name]);
    const peer = ['peer', 'name', port, 'netns', this.#hub];
    run('ip', ['link', 'add', 'eth0', 'netns', name, 'type', 'veth', ...peer]);
    run('ip', ['-n', name, 'addr', 'add', address, 'dev', 'eth0']);
    for (const device of ['lo', 'eth0']) run('ip', ['-n', name, 'link', 'set', device, 'up']);
    this.#link(['set', port, 'master', 'floor', 'up']);
  }

  #addBridge(name: string): void {
    this.#link(['add', name, 'type', 'bridge']);
    this.#link(['set', name, 'up']);
  }

  /** @param where - As the port sees it. */
  #filter(host: number, where: 'ingress' | 'egress', program: string): void {
    const filter = ['filter', 'add', 'dev', portOf(host), where, 'bpf'];
    this.#tc([...filter, 'direct-action', 'bytecode', program]);
  }

  async #delay(host: number, delayMs: number): Promise<void> {
    const [side, near, far] = [`side${host}`, `near${host}`, `far${host}`];
    const command = ['netns', 'exec', this.#hub, 'python3', wireScript, near, far];
    const wire = spawn('ip', [...command, String(delayMs / 1000)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#wires.set(host, wire);
    await new Promise<void>((resolve, reject) => {
      wire.stdout.once('data', () => resolve());
      wire.once('exit', () => reject(new Error('no slow wire can be made')));
    });
    this.#addBridge(side);
    this.#link(['set', near, 'master', side, 'up']);
    this.#link(['set', far, 'master', 'floor', 'up']);
    this.#link(['set', portOf(host), 'master', side]);
  }

  #nameOf(host: number): string {
    return `${this.#name}-${host}`;
  }

  #link(args: readonly string[]): void {
    run('ip', ['-n', this.#hub, 'link', ...args]);
  }

  #tc(args: readonly string[]): void {
    run('tc', ['-n', this.#hub, ...args]);
  }
}

function portOf(host: number): string {
  return `port${host}`;
}

/** Classic BPF: loads a random word, and drops the frame (2) where that is below a bound; else other filters are asked (-1). */
function dropProgram(share: number): string {
  if (share >= 1) return '1,6 0 0 2';
  const bound = Math.floor(share * 2 ** 32);
  return `4,32 0 0 4294963256,53 1 0 ${bound},6 0 0 2,6 0 0 4294967295`;
}

/** The same for IPv4 frames (type at byte 12) whose sender (at byte 26) is this one. */
function dropFromProgram(address: string): string {
  const sender = address.split('.').reduce((bits, byte) => bits * 256 + Number(byte), 0);
  return `6,40 0 0 12,21 0 3 2048,32 0 0 26,21 0 1 ${sender},6 0 0 2,6 0 0 4294967295`;
}

/** Networks of processes that ended before they could remove them. */
function removeLeftBehind(): void {
  for (const name of namespaces()) {
    const maker = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) removeAll(name);
  }
}

/** Namespaces whose names begin so, and the processes in them. */
function removeAll(nameBegin: string): void {
  for (const name of namespaces().filter((one) => one.startsWith(nameBegin))) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
    // By `kill`, for one that has ended meanwhile is no mistake.
    const ids = stdout.split('\n').filter((id) => id !== '');
    if (ids.length > 0) spawnSync('kill', ['-KILL', ...ids]);
    spawnSync('ip', ['netns', 'del', name]);
  }
}

function namespaces(): string[] {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
}

function ended(wire: ChildProcess): Promise<void> {
  if (wire.exitCode !== null || wire.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    wire.once('exit', () => resolve());
    wire.kill('SIGKILL');
  });
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
