/**
 * The exchange between two processes: messages of 256 KiB out of a ring, over a connection, into a ring of the other process, with
 * checksums and credit; beside a plain socket of Node's that carries the same bytes with nothing around them.
 *
 *     sending process     fill a ring ─▶ network program ══ Unix socket, TCP or TLS ══▶
 *     receiving process   ══▶ network program ─▶ read the ring into one buffer
 *
 * Expectation, for each GB: a checksum 0.12 s, writing 0.1 s, reading 0.1 s, a copy 0.1 s; a sender fills the ring (one copy) and a
 * receiver empties it (two copies). So about 0.35 s and 0.5 s of a core, where the plain sockets take 0.1 s: 2 GB/s on two
 * cores that are quiet. On a machine that others use, compare the seconds of CPU.
 *
 * Run: `npm run bench:exchange`, with the GB of each run behind `--`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createDoorbell } from '../../base/env/doorbell.ts';
import { loadChecksum } from '../../base/env/fast-checksum.ts';
import { createRealClock } from '../../base/env/real-clock.ts';
import { createRealTimers } from '../../base/env/real-timers.ts';
import { createSocketByteNet } from '../../base/env/socket-byte-net.ts';
import { RingReader, RingWriter, ringBytes } from '../../engine/memory/ring.ts';
import { NetworkProgram } from '../../worker/exchange/network-program.ts';
import { receivingSlots } from '../../worker/exchange/remote-channel.ts';
import { medianOf } from '../median.ts';

const ways = ['unix', 'tcp', 'tls'] as const;
const turns = 5;
const slotBytes = 256 * 1024;
const messageBytes = slotBytes - 16;
const slotCount = 4;
const queuedBytesMax = 4 << 20;

type Way = (typeof ways)[number];

interface Result {
  readonly gbPerSecond: number;
  /** Seconds of CPU for each GB. */
  readonly sender: number;
  readonly receiver: number;
}

const certificates = {
  authority: textOf('authority.pem'),
  certificate: textOf('worker.pem'),
  key: textOf('worker.key'),
};

function textOf(name: string): string {
  return readFileSync(new URL(`../../test/fixtures/tls/${name}`, import.meta.url), 'utf8');
}

/** A program in this process whose slots are the two functions below, called when it wakes them. */
function startProgram(way: Way, wake: () => void): { program: NetworkProgram; ring: () => void } {
  const bell = createDoorbell(new Int32Array(new SharedArrayBuffer(4)), 0);
  const program = new NetworkProgram({
    net: createSocketByteNet(way === 'tls' ? { tls: certificates } : {}),
    clock: createRealClock(),
    timers: createRealTimers(),
    checksum: loadChecksum(),
    bell,
    bellOf: () => ({ ...bell, ring: wake }),
    yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
    name: `bench ${process.pid}`,
    lost: (_, error) => fail(error),
    refused: (_, reason) => fail(new Error(reason)),
  });
  program.begin({ jobId: 'bench', epoch: 1 });
  void program.run();
  return { program, ring: () => bell.ring() };
}

function ringOf(slots: number) {
  return {
    buffer: new SharedArrayBuffer(ringBytes(slots, slotBytes)),
    slotCount: slots,
    slotBytes,
  };
}

/** The child: one side that sends, until it is told to end. */
async function send(kind: string, way: Way, address: string, totalBytes: number): Promise<void> {
  const told =
    kind === 'raw'
      ? await sendRaw(way, address, totalBytes)
      : await sendRing(way, address, totalBytes);
  process.stdout.write(`${told}\n`);
  await new Promise((resolve) => process.stdin.once('data', resolve));
  const { user, system } = process.cpuUsage(cpuBefore);
  process.stdout.write(`${(user + system) / 1e6}\n`);
  process.exit(0);
}

let cpuBefore = process.cpuUsage();

async function sendRing(way: Way, address: string, totalBytes: number): Promise<string> {
  const near = ringOf(slotCount);
  let left = Math.ceil(totalBytes / messageBytes);
  const message = new Uint8Array(messageBytes).fill(7);
  const fill = (): void => {
    while (left > 0 && writer.tryWrite(message)) if (--left === 0) writer.end();
  };
  const { program, ring } = startProgram(way, () => setImmediate(fill));
  const writer = new RingWriter(near, ring);
  const at = await program.listen(address);
  program.open([{ key: 'bench', ring: near, bell: 0 }], []);
  cpuBefore = process.cpuUsage();
  fill();
  return at;
}

async function sendRaw(way: Way, address: string, totalBytes: number): Promise<string> {
  const message = new Uint8Array(messageBytes).fill(7);
  const header = new Uint8Array(32);
  const serve = (socket: Socket): void => {
    let left = Math.ceil(totalBytes / messageBytes);
    const go = (): void => {
      while (left > 0) {
        left--;
        socket.cork();
        socket.write(header);
        socket.write(message);
        socket.uncork();
        if (socket.writableLength > queuedBytesMax) return void socket.once('drain', go);
      }
      socket.end();
    };
    cpuBefore = process.cpuUsage();
    go();
  };
  const { certificate: cert, key, authority: ca } = certificates;
  const server =
    way === 'tls'
      ? createTlsServer({ cert, key, ca, requestCert: true }, serve)
      : createServer(serve);
  const isUnix = address.startsWith('unix:');
  await new Promise<void>((resolve) => {
    if (isUnix) server.listen(address.slice('unix:'.length), resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  const bound = server.address();
  return isUnix || bound === null || typeof bound === 'string'
    ? address
    : `127.0.0.1:${bound.port}`;
}

async function receiveRing(way: Way, address: string): Promise<number> {
  const far = ringOf(receivingSlots(slotCount));
  const target = new Uint8Array(messageBytes);
  const ended = Promise.withResolvers<void>();
  let bytes = 0;
  const read = (): void => {
    for (;;) {
      const outcome = reader.tryRead((size) =>
        size === messageBytes ? target : new Uint8Array(size),
      );
      if (outcome === 'message') bytes += messageBytes;
      if (outcome === 'ended') ended.resolve();
      if (outcome !== 'message') return;
    }
  };
  const { program, ring } = startProgram(way, () => setImmediate(read));
  const reader = new RingReader(far, ring);
  program.open([], [{ key: 'bench', ring: far, bell: 0, address }]);
  read();
  await ended.promise;
  await program.stop();
  return bytes;
}

function receiveRaw(way: Way, address: string): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0;
    const callback = (count: number): boolean => {
      bytes += count;
      return true;
    };
    const onread = { buffer: new Uint8Array(slotBytes), callback };
    const { certificate: cert, key, authority: ca } = certificates;
    const [host = '', port = ''] = address.split(':');
    const target = host === 'unix' ? { path: port } : { host, port: Number(port) };
    const socket =
      way === 'tls'
        ? connectTls({ ...target, cert, key, ca, ...{ onread } })
        : createConnection({ ...target, onread });
    socket.on('close', () => resolve(bytes));
    socket.on('end', () => socket.destroy());
    socket.resume();
  });
}

async function measure(kind: 'raw' | 'exchange', way: Way, totalBytes: number): Promise<Result> {
  const path = join(tmpdir(), `millrace-bench-${process.pid}.sock`);
  const place = way === 'unix' ? `unix:${path}` : '127.0.0.1:0';
  const child = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), kind, way, place, String(totalBytes)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const address = await lineOf(child);
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  const bytes = await (kind === 'raw' ? receiveRaw(way, address) : receiveRing(way, address));
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  child.stdin?.write('end\n');
  const senderSeconds = Number(await lineOf(child));
  rmSync(path, { force: true });
  const gb = bytes / 1e9;
  return {
    gbPerSecond: gb / seconds,
    sender: senderSeconds / gb,
    receiver: (user + system) / 1e6 / gb,
  };
}

function lineOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the sender has ended')));
    child.stdout?.once('data', (bytes: Buffer) => resolve(bytes.toString().trim()));
  });
}

function fail(error: Error): never {
  throw error;
}

async function main(totalBytes: number): Promise<void> {
  process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`);
  process.stdout.write('            GB/s    best    CPU s per GB: sender, receiver\n');
  for (const way of ways) {
    const results = { raw: [] as Result[], exchange: [] as Result[] };
    for (let turn = 0; turn < turns; turn++) {
      for (const kind of ['raw', 'exchange'] as const) {
        results[kind].push(await measure(kind, way, totalBytes));
      }
    }
    for (const kind of ['raw', 'exchange'] as const) {
      const of = (name: keyof Result) => results[kind].map((result) => result[name]);
      const rate = of('gbPerSecond');
      const figures = [
        medianOf(rate),
        Math.max(...rate),
        Math.min(...of('sender')),
        Math.min(...of('receiver')),
      ];
      const text = figures.map((figure) => figure.toFixed(2).padStart(8)).join('');
      process.stdout.write(`${way.padEnd(5)}${kind.padEnd(9)}${text}\n`);
    }
  }
  process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}\n`);
}

const [, , first = '1', way = '', address = '', total = ''] = process.argv;
if (first === 'raw' || first === 'exchange') await send(first, way as Way, address, Number(total));
else await main(Number(first) * 1e9);
