/** Datanodes in one process: disks in memory, a net in memory, blocks written and read by the real client. */
import { crc32c } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import { createMemoryNet } from '../../base/env/memory-net.ts';
import type { Net } from '../../base/env/net.ts';
import { createRealClock } from '../../base/env/real-clock.ts';
import { createRealTimers } from '../../base/env/real-timers.ts';
import { BlockInput } from '../../dfs/client/block-input.ts';
import { BlockOutput } from '../../dfs/client/block-output.ts';
import { startTransferServer, type TransferServer } from '../../dfs/datanode/transfer-server.ts';
import type { ExtendedBlock } from '../../dfs/protocol/block.ts';
import { MemoryDisk } from './memory-disk.ts';
import {
  contentOf,
  openStore,
  promisedDisk,
  type StoreScene,
  sceneChunkBytes,
} from './replica-scene.ts';

export interface DatanodeInScene extends StoreScene {
  readonly address: string;
  readonly memory: MemoryDisk;
  readonly server: TransferServer;
}

export const sceneTimes = { diskMs: 3_000, perNodeMs: 1_000 };

export class DatanodeScene {
  readonly env: Pick<Env, 'clock' | 'timers' | 'net' | 'observe'>;
  readonly datanodes: DatanodeInScene[] = [];
  /** Of the namenode: what it has given out. */
  stamp = 1;
  updates: (readonly [number, readonly string[], number])[] = [];

  constructor(wrapNet: (net: Net) => Net = (net) => net) {
    const net = wrapNet(createMemoryNet());
    const observe = { event: () => {} };
    this.env = { clock: createRealClock(), timers: createRealTimers(), net, observe };
  }

  async add(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const address = `memory:dn-${this.datanodes.length + 1}`;
      const memory = new MemoryDisk();
      const scene = await openStore({ disk: promisedDisk(memory) });
      const server = await startTransferServer(this.env, address, {
        ...{ store: scene.store, checksum: crc32c, times: sceneTimes },
        ...{ onReceiving: () => {}, onReceived: () => {} },
      });
      this.datanodes.push({ ...scene, address, memory, server });
    }
  }

  /** Writes the scene's bytes from the block's end up to `endBytes`, and closes it. */
  async write(block: ExtendedBlock, nodes: readonly string[], endBytes: number): Promise<void> {
    const output = new BlockOutput(this.env, {
      ...{ block, isAppend: block.lengthBytes > 0, nodes, checksum: crc32c, token: '' },
      ...{ chunkBytes: sceneChunkBytes, packetBytes: 1_024, windowBytes: 4_096 },
      ...{ reserveBytes: 4_096, times: sceneTimes },
      namenode: {
        renew: async () => ++this.stamp,
        update: async (...told) => {
          this.updates.push(told);
        },
      },
    });
    await output.begin();
    await output.write(contentOf(block.lengthBytes, endBytes, block.blockId));
    await output.close();
  }

  /** Reads a range; answers with its bytes and with who was said to be damaged. */
  async read(
    block: ExtendedBlock,
    locations: readonly string[],
    from = 0,
    length = block.lengthBytes,
  ) {
    const damaged: string[] = [];
    const input = new BlockInput(this.env, {
      ...{ block, locations, checksum: crc32c, token: '', requestBytes: 1_024, silentMs: 500 },
      onDamaged: (location) => damaged.push(location),
    });
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of input.read(from, length)) pieces.push(piece);
    } finally {
      input.close();
    }
    return { bytes: new Uint8Array(Buffer.concat(pieces)), damaged };
  }

  blockOf(blockId: number, generationStamp: number, lengthBytes: number): ExtendedBlock {
    return { blockPoolId: 'pool-1', blockId, generationStamp, lengthBytes };
  }
}
