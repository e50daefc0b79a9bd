/** Goal: the role on what a machine has, sockets, files, native checksums: a block goes through three, and is read when two replicas are of no use. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadChecksum } from '../../../base/env/fast-checksum.ts';
import { createRealClock } from '../../../base/env/real-clock.ts';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { createRealTimers } from '../../../base/env/real-timers.ts';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import { createTcpNet } from '../../../base/env/tcp-net.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { BlockInput } from '../../../dfs/client/block-input.ts';
import { BlockOutput } from '../../../dfs/client/block-output.ts';
import { type Datanode, startDatanode } from '../../../dfs/datanode/datanode.ts';
import { pipelineTimes } from '../../../dfs/transfer/pipeline-times.ts';
import { contentOf } from '../../support/replica-scene.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const checksum = loadChecksum();
const lengthBytes = 9_000_001;
const blockId = 1_073_741_825;

async function startCluster(count: number) {
  const net = createTcpNet();
  const shared = {
    clock: createRealClock(),
    timers: createRealTimers(),
    net,
    disk: createRealDisk(),
  };
  const env = { ...shared, rng: createSeededRngSource(1), observe: { event: () => {} } };
  const server = createRpcServer(env);
  const cluster = { clusterId: 'c', blockPoolId: 'p' };
  const times = { heartbeatIntervalMs: 200, blockReportIntervalMs: 60_000 };
  server.handle('datanode.register', () => ({ cluster, session: 1, ...times }));
  for (const name of ['heartbeat', 'block-report'])
    server.handle(`datanode.${name}`, () => ({ commands: [] }));
  server.handle('datanode.block-received-and-deleted', () => null);
  server.handle('datanode.report-bad-blocks', () => null);
  const root = tempFolder();
  // Unix sockets: no port of the machine is taken.
  const namenodeAddress = await server.listen(`unix:${join(root, 'namenode')}`);
  const datanodes: (Datanode & { readonly address: string; readonly folder: string })[] = [];
  for (let index = 1; index <= count; index++) {
    const name = `dn-${index}`;
    const folder = join(root, `${name}-data`);
    const address = `unix:${join(root, name)}`;
    const process = { identity: name, hasEnded: () => false } as never;
    const datanode = await startDatanode(
      { ...env, process, secrets: { hex: () => name } },
      {
        ...{ namenodeAddress, folders: [folder], host: 'localhost', networkLocation: '/rack' },
        ...{ transferAddress: address, rpcAddress: `${address}-rpc`, keptFreeBytes: 0, checksum },
        onUseless: () => {},
      },
    );
    datanodes.push(Object.assign(datanode, { address, folder }));
  }
  onTestFinished(async () => {
    for (const datanode of datanodes) await datanode.stop();
    await server.close();
  });
  return { env, datanodes };
}

test('a block of nine megabytes goes through three datanodes; it is read when one is damaged and one is gone', async () => {
  const { env, datanodes } = await startCluster(3);
  const nodes = datanodes.map(({ address }) => address);
  const content = contentOf(0, lengthBytes, blockId);
  const output = new BlockOutput(env, {
    block: { blockPoolId: 'p', blockId, generationStamp: 1, lengthBytes: 0 },
    ...{ isAppend: false, nodes, checksum, chunkBytes: 4_096, packetBytes: 256 * 1024 },
    ...{ windowBytes: 4 * 1024 * 1024, reserveBytes: lengthBytes, token: '', times: pipelineTimes },
    namenode: { renew: async () => 2, update: async () => {} },
  });
  await output.begin();
  for (let at = 0; at < lengthBytes; at += 1_000_000) {
    await output.write(content.subarray(at, at + 1_000_000));
    if (at === 4_000_000) await output.sync();
  }
  await output.close();
  expect(output.state).toMatchObject({ phase: 'finished', nodes });
  const paths = datanodes.map(({ folder }) => join(folder, 'blocks', '01', `blk_${blockId}`));
  for (const path of paths) expect(readFileSync(path).equals(content)).toBe(true);

  const [first = '', second = ''] = paths;
  const damaged = readFileSync(first);
  damaged[5_000_000] = 255 - (damaged[5_000_000] ?? 0);
  writeFileSync(first, damaged);
  rmSync(second);
  const told: string[] = [];
  const block = { blockPoolId: 'p', blockId, generationStamp: 1, lengthBytes };
  const input = new BlockInput(env, {
    ...{
      block,
      locations: nodes,
      checksum,
      token: '',
      onDamaged: (node: string) => told.push(node),
    },
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of input.read(0, lengthBytes)) pieces.push(piece);
  input.close();
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
  expect(told).toEqual(nodes.slice(0, 2));
});
