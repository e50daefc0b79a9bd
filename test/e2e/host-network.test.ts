/** Goal: what is cut between hosts is cut, in the directions that were asked for, and a network that nobody removed is no trouble. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { type CableFault, HostNetwork, skipWithoutHosts } from '../support/host-network.ts';

test('frames that are lost by direction and share', async ({ skip }) => {
  await skipWithoutHosts(skip);
  const network = HostNetwork.forTest(2);
  const heard = async (fault: CableFault) => {
    await network.fault(1, fault);
    return { sent: shareHeard(network, 1, 2), received: shareHeard(network, 2, 1) };
  };
  expect(await heard({})).toEqual({ sent: 1, received: 1 });
  expect(await heard({ out: 1 })).toEqual({ sent: 0, received: 1 });
  expect(await heard({ in: 1 })).toEqual({ sent: 1, received: 0 });
  expect(await heard({ in: 1, out: 1 })).toEqual({ sent: 0, received: 0 });
  const half = await heard({ out: 0.5 });
  expect(half.received).toBe(1);
  expect(half.sent).toBeGreaterThan(0.3);
  expect(half.sent).toBeLessThan(0.7);
  await network.heal(1);
  expect(shareHeard(network, 1, 2)).toBe(1);
});

test('a slow cable, and what it is behind that', async ({ skip }) => {
  await skipWithoutHosts(skip);
  const network = HostNetwork.forTest(2);
  await network.fault(1, { delayMs: 200 });
  expect(refusedAfterMs(network)).toBeGreaterThanOrEqual(400);
  await network.fault(1, { delayMs: 1 });
  expect(refusedAfterMs(network)).toBeLessThan(400);
});

test('a network of a process that is gone is removed by the next', async ({ skip }) => {
  await skipWithoutHosts(skip);
  // Above any process id of Linux.
  const left = 'mrnet-4194999-abcdef-1';
  spawnSync('ip', ['netns', 'add', left]);
  expect(namespaces()).toContain(left);
  const network = HostNetwork.forTest(1);
  expect(namespaces()).not.toContain(left);
  await network.remove();
  expect(namespaces()).not.toContain(`mrnet-${process.pid}-`);
});

const datagrams = 200;

/** Of datagrams to all, in tenths; what hosts tell each other by themselves is less than that. */
function shareHeard(network: HostNetwork, from: number, to: number): number {
  const before = framesReceived(network, to);
  // To all, for it needs no answer of where the receiver is.
  onHost(
    network,
    from,
    `const s = require('dgram').createSocket('udp4').bind(0, () => {
      s.setBroadcast(true);
      let left = ${datagrams};
      const next = () => left-- === 0 ? s.close() : s.send('x', 9, '10.77.0.255', next);
      next();
    })`,
  );
  return Math.min(10, Math.floor(((framesReceived(network, to) - before) / datagrams) * 10)) / 10;
}

/** Of a connection to a port that nobody listens on: there and back. */
function refusedAfterMs(network: HostNetwork): number {
  const script = `const { performance: p } = require('perf_hooks');
    const ask = (then) => {
      const startedAtMs = p.now();
      require('net').connect(9, '${network.addressOf(2)}').on('error', () => then(p.now() - startedAtMs));
    };
    ask(() => ask(console.log))`;
  return Number(onHost(network, 1, script));
}

function framesReceived(network: HostNetwork, host: number): number {
  const [program = '', ...args] = network.within(host);
  const { stdout } = spawnSync(program, [...args, 'ip', '-j', '-s', 'link', 'show', 'eth0'], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout)[0].stats64.rx.packets;
}

function onHost(network: HostNetwork, host: number, script: string): string {
  const [program = '', ...args] = network.within(host);
  const { status, stdout, stderr } = spawnSync(program, [...args, process.execPath, '-e', script], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

function namespaces(): string {
  return spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
}
