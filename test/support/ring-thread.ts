/**
 * One end of a ring in a real thread, for the stress test: writes or reads numbered messages whose
 * sizes and bytes follow from a seed, sleeps on its doorbell, and stalls at random places.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type RingOptions, RingReader, RingWriter } from '../../engine/memory/ring.ts';

export interface RingThreadOptions {
  readonly role: 'writer' | 'reader';
  readonly ring: RingOptions;
  /** Two doorbell words: the writer's, the reader's. */
  readonly bells: SharedArrayBuffer;
  readonly seed: number;
  readonly messageCount: number;
  /** One message in so many is large. */
  readonly largeEvery: number;
  readonly largeBytesMax: number;
  /** One message in so many is followed by a stall. */
  readonly stallEvery: number;
}

export interface RingThreadResult {
  readonly messages: number;
  readonly bytes: number;
  readonly checksum: number;
  readonly sleeps: number;
}

const options = workerData as RingThreadOptions;
const bells = new Int32Array(options.bells);
const isWriter = options.role === 'writer';
const [own, other] = isWriter ? [0, 1] : [1, 0];
const next = randomOf(options.seed);
const nextStall = randomOf(options.seed + own + 1);
const scratch = new Uint8Array(Math.max(64, options.largeBytesMax));
let [messages, bytes, checksum, sleeps] = [0, 0, 0, 0];

const wakeOther = () => {
  Atomics.add(bells, other, 1);
  Atomics.notify(bells, other);
};

if (isWriter) write();
else read();
parentPort?.postMessage({ messages, bytes, checksum, sleeps } satisfies RingThreadResult);

function write(): void {
  const writer = new RingWriter(options.ring, wakeOther);
  while (messages < options.messageCount) {
    const message = nextMessage();
    for (;;) {
      const seen = Atomics.load(bells, own);
      if (writer.tryWrite(message)) break;
      sleep(seen);
    }
    account(message);
  }
  writer.end();
}

function read(): void {
  const reader = new RingReader(options.ring, wakeOther);
  let target = new Uint8Array(0);
  const into = (sizeBytes: number) => {
    target = new Uint8Array(sizeBytes);
    return target;
  };
  for (;;) {
    const seen = Atomics.load(bells, own);
    const outcome = reader.tryRead(into);
    if (outcome === 'ended') return;
    if (outcome === 'failed') throw new Error('the writer failed');
    if (outcome === 'empty') sleep(seen);
    else receive(target);
  }
}

function receive(message: Uint8Array): void {
  const expected = nextMessage();
  const isSame = Buffer.compare(message, expected) === 0;
  if (!isSame) throw new Error(`message ${messages} differs: ${message.length} bytes`);
  account(message);
}

/** The next message of the seed; valid until the one after it. */
function nextMessage(): Uint8Array {
  const isLarge = next() % options.largeEvery === 0;
  const size = next() % (isLarge ? options.largeBytesMax : 64);
  const message = scratch.subarray(0, size);
  if (isLarge) message.fill(next());
  for (let index = 0; index < Math.min(size, 64); index++) message[index] = messages + index * 7;
  return message;
}

function account(message: Uint8Array): void {
  messages++;
  bytes += message.length;
  checksum = (Math.imul(checksum, 31) + message.length + (message[message.length >> 1] ?? 0)) | 0;
  if (nextStall() % options.stallEvery === 0) stall(nextStall() % 20_000);
}

/** Keeps the thread busy, so that the two sides drift apart. */
function stall(rounds: number): void {
  for (let round = 0; round < rounds; round++) nextStall();
}

function sleep(seenBell: number): void {
  sleeps++;
  // A lost wake-up shows as a failure and not as a test that hangs.
  const result = Atomics.wait(bells, own, seenBell, 20_000);
  if (result === 'timed-out') throw new Error(`${options.role} was not woken`);
}

/** A generator of whole numbers from a seed (xorshift, 32 bits). */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
