/**
 * Goal: two processes' networks in threads of their own carry rows between rings; who can not listen says why.
 */
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createRealClock } from '../../../base/env/real-clock.ts';
import { createRealObserve } from '../../../base/env/real-observe.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { RingReader, RingWriter, ringBytes } from '../../../engine/memory/ring.ts';
import type { ExchangeNetwork } from '../../../worker/exchange/exchange-network.ts';
import { PiscinaSlotRunner } from '../../../worker/threads/piscina-slot-runner.ts';
import { startThreadNetwork } from '../../../worker/threads/thread-network.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { messageOf, passAll, slotBytes, slotCount } from '../exchange/exchange-scene.ts';

const observe = createRealObserve({ clock: createRealClock(), isEnabled: false });
const job = { jobId: 'job', epoch: 1 };
const open: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) await one.stop();
});

async function startNetwork(address: string) {
  const runner = new PiscinaSlotRunner(1);
  open.push({ stop: () => runner.close() });
  const network = await startThreadNetwork({ runner, observe, address, name: address });
  open.unshift(network);
  network.begin(job);
  return { network, runner };
}

function ringOf(slots: number) {
  const buffer = new SharedArrayBuffer(ringBytes(slots, slotBytes));
  return { buffer, slotCount: slots, slotBytes };
}

const socketOf = (folder: string, name: string) => `unix:${join(folder, name)}`;

test('rows go from a ring of one to a ring of the other', async () => {
  const folder = tempFolder();
  const sender = await startNetwork(socketOf(folder, 'a.sock'));
  const receiver = await startNetwork(socketOf(folder, 'b.sock'));
  const [near, far] = [ringOf(slotCount), ringOf(slotCount * 2)];
  const address = sender.network.address;
  sender.network.open([{ key: 'k', ring: near, bell: 0 }], []);
  receiver.network.open([], [{ key: 'k', ring: far, bell: 0, address }]);
  const bellOf = (end: { network: ExchangeNetwork; runner: PiscinaSlotRunner }) => () =>
    end.runner.bellOf(end.network.bell).ring();
  const writer = new RingWriter(near, bellOf(sender));
  const reader = new RingReader(far, bellOf(receiver));
  const messages = Array.from({ length: 300 }, (_, at) => messageOf(at, (at * 7919) % 20_000));
  const came = await passAll([{ writer, reader }], [messages]);
  expect(came).toEqual([messages.map((_, at) => at)]);
});

test('who can not listen says why', async () => {
  const address = socketOf(tempFolder(), 'a.sock');
  await startNetwork(address);
  expect(await startNetwork(address).catch(codeOf)).toBe('NET_ADDRESS_IN_USE');
  expect(await startNetwork('0.0.0.0:0').catch(codeOf)).toBe('NET_NOT_LOOPBACK');
});
