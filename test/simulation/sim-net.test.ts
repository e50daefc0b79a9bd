/** Goal: frames keep their order on a connection; cuts hold them, breaks lose them, the dead are silent. */
import { expect, test } from 'vitest';
import type { Env } from '../../base/env/env.ts';
import type { Connection } from '../../base/env/net.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { SimNode } from '../../simulation/sim-node.ts';
import { runOnNode } from '../support/run-on-node.ts';

const noFaults = { clocks: {}, faults: [] };

interface Scene {
  readonly cluster: Cluster;
  readonly server: SimNode;
  /** What happened at either side, with the true time. */
  readonly log: { readonly atMs: number; readonly what: string }[];
}

/** A server that logs what arrives, and a client that connects after 100 ms and runs `work`. */
function scene(work: (env: Env, connection: Connection) => void, disturb: (scene: Scene) => void) {
  return inMacrotask(() => {
    const cluster = new Cluster({ seed: 5 });
    const log: { atMs: number; what: string }[] = [];
    const say = (what: string): void => void log.push({ atMs: cluster.world.nowMs, what });
    const server = cluster.addNode('server', noFaults, (env) => {
      void env.net.listen('server:1', (connection) => {
        connection.onFrame((frame) => say(`frame ${frame[0]}`));
        connection.onClose((error) => say(`server closed ${error?.name ?? 'in order'}`));
      });
    });
    cluster.addNode('client', noFaults, (env) => {
      env.timers.after(100, () => {
        env.net.connect('server:1', 1_000).then(
          (connection) => {
            connection.onClose((error) => say(`client closed ${error?.name ?? 'in order'}`));
            work(env, connection);
          },
          (error: Error) => say(error.name),
        );
      });
    });
    disturb({ cluster, server, log });
    cluster.world.run(20_000);
    expect(cluster.world.failure).toBeNull();
    return log;
  });
}

const whats = (log: Scene['log']): string[] => log.map(({ what }) => what);
const sendTen = (_: Env, connection: Connection): void => {
  for (let index = 0; index < 10; index++) connection.send(new Uint8Array([index]));
};
const tenFrames = Array.from({ length: 10 }, (_, index) => `frame ${index}`);

test('frames arrive in order, and the close after them on both sides', async () => {
  const log = await scene(
    (env, connection) => {
      sendTen(env, connection);
      connection.close();
    },
    () => {},
  );
  expect(whats(log).filter((what) => what !== 'client closed in order')).toEqual([
    ...tenFrames,
    'server closed in order',
  ]);
  expect(whats(log)).toContain('client closed in order');
});

test('a cut holds frames until it heals', async () => {
  const log = await scene(
    (env, connection) => void env.timers.after(200, () => sendTen(env, connection)),
    ({ cluster }) =>
      void cluster.world.after(200, () => cluster.net.cut(['client'], ['server'], 5_000)),
  );
  expect(whats(log)).toEqual(tenFrames);
  expect(log.every(({ atMs }) => atMs >= 5_200)).toBe(true);
});

test('a cut the other way does not hold them', async () => {
  const log = await scene(
    (env, connection) => void env.timers.after(200, () => sendTen(env, connection)),
    ({ cluster }) =>
      void cluster.world.after(200, () => cluster.net.cut(['server'], ['client'], 5_000)),
  );
  expect(whats(log)).toEqual(tenFrames);
  expect(log.every(({ atMs }) => atMs < 1_000)).toBe(true);
});

test('nobody can connect through a cut, nor to a node that is down', async () => {
  const cut = await scene(sendTen, ({ cluster }) => cluster.net.cut(['server'], ['client'], 5_000));
  expect(whats(cut)).toEqual(['NET_UNREACHABLE']);
  const down = await scene(
    sendTen,
    ({ cluster, server }) =>
      void cluster.world.after(60, () => server.crashFor(5_000, 'test', 'killed')),
  );
  expect(whats(down)).toEqual(['NET_UNREACHABLE']);
});

test('a connection that breaks says so on both sides, once, and loses what was under way', async () => {
  let breakAll = (): void => {};
  const log = await scene(
    (env, connection) => {
      sendTen(env, connection);
      breakAll();
      sendTen(env, connection); // Nobody knows yet: lost without a word.
      env.timers.after(1_000, () => expect(() => sendTen(env, connection)).toThrow('broke'));
    },
    ({ cluster }) => {
      breakAll = () => cluster.net.breakConnectionsOf('server');
    },
  );
  expect(whats(log).sort()).toEqual(['client closed NET_BROKEN', 'server closed NET_BROKEN']);
});

test('a dead node receives nothing more, and its peer hears of it soon or late', async () => {
  let closedAtMs = 0;
  const log = await scene(
    (env, connection) => {
      const cancel = env.timers.every(50, () => connection.send(new Uint8Array(1)));
      connection.onClose(() => {
        cancel();
        closedAtMs = env.clock.mono();
      });
    },
    ({ cluster, server }) => void cluster.world.after(400, () => server.crash('test', 'powerCut')),
  );
  expect(log.length).toBeGreaterThan(3);
  expect(log.every(({ atMs }) => atMs < 400)).toBe(true);
  expect(closedAtMs).toBeGreaterThan(0);
});

test('who asks late still hears, once, that the connection ended', async () => {
  const seen = await runOnNode(async (env) => {
    const log: string[] = [];
    await env.net.listen('node:1', (far) => far.close());
    const near = await env.net.connect('node:1', 1_000);
    await env.timers.sleep(1_000);
    near.onClose((error) => log.push(error?.name ?? 'in order'));
    await env.timers.sleep(1_000);
    return log;
  });
  expect(seen).toEqual(['in order']);
});

test('a paused node does everything later, in order', async () => {
  const log = await scene(sendTen, ({ cluster, server }) => {
    cluster.world.after(90, () => server.pause(3_000));
  });
  expect(whats(log)).toEqual(tenFrames);
  expect(log.every(({ atMs }) => atMs >= 3_090)).toBe(true);
});
