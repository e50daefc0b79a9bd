/**
 * Goal: channels between two processes over real sockets: all messages once and in order, over cuts and damage; memory stays
 * bounded with a reader that stands; who is not meant is refused with a reason.
 */
import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { loadChecksum } from '../../../base/env/fast-checksum.ts';
import { framedByteNet } from '../../../base/env/framed-byte-net.ts';
import { createMemoryNet } from '../../../base/env/memory-net.ts';
import { createSocketByteNet } from '../../../base/env/socket-byte-net.ts';
import type { TlsCertificates } from '../../../base/env/tls-certificates.ts';
import { codeOf } from '../../../base/typed-error.ts';
import {
  decodeHeader,
  encodeHeader,
  frameHeaderBytes,
  frameKinds,
} from '../../../worker/exchange/frame.ts';
import {
  type Ends,
  ExchangeScene,
  type Fault,
  faultyNet,
  messageOf,
  type ProgramOptions,
  passAll,
  slotBytes,
  slotCount,
} from './exchange-scene.ts';

const plain = createSocketByteNet();
const scenes: ExchangeScene[] = [];
let sockets = 0;

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.stop();
});

function unixAddress(): string {
  return `unix:${join(tmpdir(), `exchange-${process.pid}-${sockets++}.sock`)}`;
}

function certificatesOf(authority: string, worker: string): TlsCertificates {
  const read = (name: string) => {
    return readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8');
  };
  return {
    authority: read(`${authority}.pem`),
    certificate: read(`${worker}.pem`),
    key: read(`${worker}.key`),
  };
}

const ours = certificatesOf('authority', 'worker');
const strangers = certificatesOf('stranger', 'stranger-worker');

async function started(
  sender: ProgramOptions,
  receiver: ProgramOptions,
  address = unixAddress(),
): Promise<ExchangeScene> {
  const scene = new ExchangeScene(sender, receiver);
  scenes.push(scene);
  await scene.start(address);
  return scene;
}

/** Of each channel messages of many sizes, numbered through. */
function messagesOf(channelCount: number, count: number): Uint8Array[][] {
  return Array.from({ length: channelCount }, (_, channel) =>
    Array.from({ length: count }, (_, index) => {
      return messageOf(channel * 1_000_000 + index, (index * 7919) % 20_000);
    }),
  );
}

function numbersOf(messages: readonly (readonly Uint8Array[])[]): number[][] {
  return messages.map((list) => list.map((bytes) => new DataView(bytes.buffer).getUint32(0, true)));
}

async function expectAllPass(scene: ExchangeScene, count: number): Promise<void> {
  const messages = messagesOf(3, count);
  const channels = messages.map((_, index) => scene.open(`edge ${index}`));
  const came = await passAll(channels, messages);
  expect(came).toEqual(numbersOf(messages));
}

const memoryNet = framedByteNet(createMemoryNet());

test.each([
  { over: 'a Unix socket', net: plain, addressOf: unixAddress },
  { over: 'TCP', net: plain, addressOf: () => '127.0.0.1:0' },
  { over: 'TLS', net: createSocketByteNet({ tls: ours }), addressOf: () => '127.0.0.1:0' },
  { over: 'the net seam', net: memoryNet, addressOf: () => 'memory:exchange' },
])('all messages of three channels arrive in order over $over', async ({ net, addressOf }) => {
  const scene = await started({ net }, { net }, addressOf());
  await expectAllPass(scene, 200);
  expect(scene.refused).toEqual([]);
});

test.each(['cut', 'leave'] as const)(
  'connections that are given up anywhere lose nothing and double nothing: %s',
  async (how) => {
    let left = 1_000;
    let cuts = 0;
    const sizes = fc.sample(fc.integer({ min: 1, max: 100_000 }), { numRuns: 30, seed: 7 });
    const fault: Fault = {
      toReceiver: (bytes) => {
        left -= bytes.length;
        if (left > 0 || cuts >= sizes.length) return bytes;
        left = sizes[cuts++] ?? 1;
        return how;
      },
    };
    const scene = await started({ net: plain }, { net: faultyNet(plain, fault) });
    await expectAllPass(scene, 150);
    expect(cuts).toBeGreaterThan(15);
  },
);

test('a connection that brings nothing any more is left for another', async () => {
  const world = { nowMs: 0 };
  const fault: Fault = { toReceiver: (bytes, number) => (number === 1 ? 'lose' : bytes) };
  const clock = { mono: () => world.nowMs, wall: () => world.nowMs };
  const scene = await started(
    { net: plain },
    { net: faultyNet(plain, fault), clock, giveUpMs: 30_000 },
  );
  const messages = messagesOf(1, 5);
  const ends = scene.open('edge');
  await new Promise((resolve) => setTimeout(resolve, 50));
  world.nowMs = 7_000; // Behind the next ping, which is what looks at the clock.
  expect(await passAll([ends], messages)).toEqual(numbersOf(messages));
});

/** Damages a byte of each connection but the last ones, a little further in each time. */
function damage(): { readonly fault: Fault; readonly count: () => number } {
  let [damaged, passed, current] = [0, 0, 0];
  const toReceiver: Fault['toReceiver'] = (bytes, connection) => {
    if (connection !== current) [current, passed] = [connection, 0];
    const at = connection * 997 - passed;
    passed += bytes.length;
    if (at < 0 || at >= bytes.length || connection > 20) return bytes;
    damaged++;
    const copy = bytes.slice();
    copy[at] = (copy[at] ?? 0) ^ 0x10;
    return copy;
  };
  return { fault: { toReceiver }, count: () => damaged };
}

test('damaged bytes are noticed and sent again', async () => {
  const { fault, count } = damage();
  const scene = await started({ net: plain }, { net: faultyNet(plain, fault) });
  await expectAllPass(scene, 150);
  expect(count()).toBeGreaterThan(10);
});

test('a checksum that is not looked at is noticed by these tests', async () => {
  const { fault } = damage();
  const checksum = () => 0;
  const scene = await started(
    { net: plain, checksum },
    { net: faultyNet(plain, fault), checksum, giveUpMs: 100 },
  );
  const messages = messagesOf(3, 150);
  const channels = messages.map((_, index) => scene.open(`edge ${index}`));
  const came = await passAll(channels, messages, 2_000).catch(() => null);
  expect(came).not.toEqual(numbersOf(messages));
});

test('a channel that goes on in the place of another is noticed by these tests', async () => {
  const checksum = loadChecksum();
  let left = 200_000;
  const fault: Fault = {
    toReceiver: (bytes, connection) => {
      if (connection === 1) left -= bytes.length;
      return connection === 1 && left < 0 ? 'cut' : bytes;
    },
    toSender: (pieces, connection) =>
      pieces.map((piece, at) => {
        const isHeader = connection > 1 && piece.length === frameHeaderBytes;
        const header = isHeader ? decodeHeader(checksum, Uint8Array.from(piece)) : null;
        if (header?.kind !== frameKinds.open) return piece;
        const swapped = { ...header, channel: header.channel === 0 ? 1 : 0 };
        return encodeHeader(checksum, swapped, pieces[at + 1] ?? piece);
      }),
  };
  const scene = await started({ net: plain }, { net: faultyNet(plain, fault), giveUpMs: 100 });
  const messages = messagesOf(2, 100);
  const channels = messages.map((_, index) => scene.open(`edge ${index}`));
  const came = await passAll(channels, messages, 1_500).catch(() => null);
  expect(came).not.toEqual(numbersOf(messages));
});

test('a reader that stands holds the writer back, and memory stays bounded', async () => {
  const scene = await started({ net: plain }, { net: plain });
  const { writer, reader } = scene.open('edge');
  const message = messageOf(1, slotBytes - 16);
  const before = process.memoryUsage();
  let written = 0;
  for (let turn = 0; turn < 500; turn++) {
    if (writer.tryWrite(message)) written++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  // Its own ring and the window; the rest of the reader's ring is for barriers.
  expect(written).toBe(slotCount * 2);
  const { external, arrayBuffers } = process.memoryUsage();
  expect(external + arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(8 << 20);
  // A barrier overtakes what stands: its note is there though nothing was read.
  writer.note([7, 0, 0]);
  await expect.poll(() => reader.takeNote()).toEqual({ place: written, numbers: [7, 0, 0] });
  expect(reader.copyUpTo(written)).toHaveLength(written);
});

test('a channel that is opened before the other side has it is served later', async () => {
  const scene = await started({ net: plain }, { net: plain });
  const early = scene.open('edge 0');
  await new Promise((resolve) => setTimeout(resolve, 30));
  const late = scene.open('edge 1');
  const messages = messagesOf(2, 20);
  expect(await passAll([early, late], messages)).toEqual(numbersOf(messages));
});

test('a writer that has failed is known to be so behind what it wrote', async () => {
  const scene = await started({ net: plain }, { net: plain });
  const { writer, reader } = scene.open('edge');
  writer.tryWrite(messageOf(5, 100));
  writer.fail();
  const outcomes: string[] = [];
  await expect
    .poll(() => {
      const outcome = reader.tryRead((sizeBytes) => new Uint8Array(sizeBytes));
      if (outcome !== 'empty') outcomes.push(outcome);
      return outcomes;
    })
    .toEqual(['message', 'failed']);
});

test('bytes that mean nothing end their connection, and no other', async () => {
  const scene = await started({ net: plain }, { net: plain });
  const stranger = connectSocket(scene.address.slice('unix:'.length));
  const closed = new Promise((resolve) => stranger.once('close', resolve));
  stranger.on('error', () => undefined);
  stranger.write(Uint8Array.from({ length: 5_000 }, (_, at) => (at * 37) & 255));
  await closed;
  expect(scene.refused).toEqual(['what should be a header is none']);
  await expectAllPass(scene, 20);
});

test.each([
  {
    what: 'an older epoch is refused for good',
    epochs: { sender: 2, receiver: 1 },
    code: 'EXCHANGE_REFUSED',
  },
  {
    what: 'a newer epoch that does not come is given up',
    epochs: { sender: 1, receiver: 2 },
    code: 'EXCHANGE_LOST',
  },
])('$what', async ({ epochs, code }) => {
  const scene = new ExchangeScene({ net: plain }, { net: plain, giveUpMs: 200 });
  scenes.push(scene);
  await scene.start(unixAddress(), epochs);
  const { reader } = scene.open('edge');
  await expect.poll(() => scene.lost, { timeout: 3_000 }).toEqual([{ keys: ['edge'], code }]);
  expect(reader.tryRead((sizeBytes) => new Uint8Array(sizeBytes))).toBe('failed');
});

test('an epoch that comes a moment later is waited for', async () => {
  const scene = new ExchangeScene({ net: plain }, { net: plain });
  scenes.push(scene);
  await scene.start(unixAddress(), { sender: 1, receiver: 2 });
  const waiting = scene.open('edge');
  await expect.poll(() => scene.refused).not.toEqual([]);
  scene.sender.begin({ jobId: 'job', epoch: 2 });
  const messages = messagesOf(1, 5);
  const again: Ends = { ...waiting, writer: scene.open('edge').writer };
  expect(await passAll([again], messages)).toEqual(numbersOf(messages));
});

test('nothing listens or connects beyond this host without certificates', async () => {
  const accept = () => ({ onBytes: () => {}, onDrain: () => {}, onClose: () => {} });
  const codes = await Promise.all([
    plain.listen('0.0.0.0:0', accept).catch(codeOf),
    plain.connect('10.0.0.1:1', 100, accept()).catch(codeOf),
  ]);
  expect(codes).toEqual(['NET_NOT_LOOPBACK', 'NET_NOT_LOOPBACK']);
});

test.each([
  { who: 'a certificate of another authority', tls: strangers },
  { who: 'no certificate', tls: undefined },
])('a receiver with $who is not let in', async ({ tls }) => {
  const net = createSocketByteNet({ tls });
  const scene = await started(
    { net: createSocketByteNet({ tls: ours }) },
    { net, giveUpMs: 200 },
    '127.0.0.1:0',
  );
  scene.open('edge');
  await expect.poll(() => scene.lost[0]?.code, { timeout: 3_000 }).toBe('EXCHANGE_LOST');
});
