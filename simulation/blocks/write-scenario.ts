/**
 * Scenario: a client writes blocks through pipelines of three out of four datanodes, with their real replica files, while nodes
 * crash, are cut off, pause, and connections break.
 *
 *     client ──▶ dn-2 ──▶ dn-4 ──▶ dn-1        namenode (a model): who has which block, with which stamp
 *
 * Judged at each acknowledgement, in the files: flushed bytes are on every node of the pipeline that has not died since, synced ones are durable
 * there. Judged at the end, after a power cut of all datanodes: every replica that the namenode counts has what was
 * synced or closed, and it is right; no other one has the stamp of a complete block. Blocks whose writer is gone are recovered first, and the
 * power cut may come into the middle of that. When all faults are over, blocks are closed again.
 */
import { crc32c } from '../../base/checksum.ts';
import type { Disk } from '../../base/env/disk.ts';
import type { Env } from '../../base/env/env.ts';
import type { Rng } from '../../base/env/rng.ts';
import { createRpcClient, type RpcClient } from '../../base/rpc/client.ts';
import { codeOf } from '../../base/typed-error.ts';
import { BlockOutput, type PipelineNamenode } from '../../dfs/client/block-output.ts';
import { stepPipelineClient } from '../../dfs/client/pipeline-client.ts';
import { type RecoveryPeers, recoverBlock } from '../../dfs/datanode/block-recovery.ts';
import type { stepPipelineNode } from '../../dfs/datanode/pipeline/pipeline-node.ts';
import { ReplicaStore } from '../../dfs/datanode/replicas/replica-store.ts';
import { startTransferServer } from '../../dfs/datanode/transfer-server.ts';
import type { PipelineTimes } from '../../dfs/transfer/pipeline-times.ts';
import { Cluster } from '../cluster.ts';
import { drawFaultPlan, type FaultPlan } from '../faults.ts';
import type { Verdict } from '../leader-lease-scenario.ts';
import type { SimNode } from '../sim-node.ts';
import { blockContent, firstWrongByte } from './block-content.ts';
import { type ModelBlock, ModelNamenode, namenodeAddress } from './model-namenode.ts';

/** A wrong part in place of a right one: how tests show that the judges would notice. */
export interface WritePlant {
  readonly nodeStep?: typeof stepPipelineNode;
  readonly clientStep?: typeof stepPipelineClient;
  readonly disk?: (disk: Disk) => Disk;
  readonly store?: (store: ReplicaStore) => ReplicaStore;
  readonly namenode?: (namenode: PipelineNamenode, generationStamp: number) => PipelineNamenode;
}

export interface WriteScenarioOptions {
  readonly seed: number;
  readonly plant?: WritePlant;
  readonly plan?: FaultPlan;
}

const datanodes = ['dn-1', 'dn-2', 'dn-3', 'dn-4'] as const;
const addressOf = (node: string): string => `${node}:9866`;
const nodeOf = (address: string): string => address.slice(0, address.indexOf(':'));
const faultsEndMs = 12_000;
/** Pipelines of the faults' time have ended by then, one way or the other. */
const writesEndMs = faultsEndMs + 14_000;
const endMs = writesEndMs + 4_000;
const times: PipelineTimes = { diskMs: 1_200, perNodeMs: 600 };
const chunkBytes = 512;

/** What the writer of a block was told. */
interface Written {
  readonly blockId: number;
  syncedBytes: number;
  /** When the pipeline that it has now was set up. */
  streamsSinceMs: number;
}

/** Runs one seed; call it inside `inMacrotask`. */
export function runBlockWrites(options: WriteScenarioOptions): Verdict {
  return new BlockWrites(options).run();
}

class BlockWrites {
  readonly #options: WriteScenarioOptions;
  readonly #cluster: Cluster;
  readonly #plan: FaultPlan;
  readonly #namenode: ModelNamenode;
  readonly #stores = new Map<string, ReplicaStore>();
  readonly #startedAtMs = new Map<string, number>();
  readonly #written = new Map<number, Written>();
  readonly #counts = {
    flushed: 0,
    synced: 0,
    closed: 0,
    recovered: 0,
    leasesRecovered: 0,
    abandoned: 0,
    lost: 0,
    judged: 0,
  };
  #lastClosedAtMs = 0;

  constructor(options: WriteScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({ seed: options.seed });
    const { world } = this.#cluster;
    this.#namenode = new ModelNamenode(datanodes, world.stream('namenode'));
    const limits = { nodes: [...datanodes, 'client'], diskNodes: datanodes };
    const more = { untilMs: faultsEndMs, driftMax: 0.01 };
    this.#plan = options.plan ?? drawFaultPlan(world.stream('faults'), { ...limits, ...more });
  }

  run(): Verdict {
    const { world } = this.#cluster;
    this.#cluster.addNode('namenode', this.#plan, (env) => void this.#namenode.serve(env));
    for (const name of datanodes) {
      this.#cluster.addNode(name, this.#plan, (env) => this.#startDatanode(name, env));
    }
    this.#cluster.addNode('client', this.#plan, (env) => this.#startClient(env));
    this.#cluster.armFaults(this.#plan.faults, faultsEndMs);
    // Recoveries of blocks without a writer begin; the power cut comes into the middle of some of them.
    world.after(writesEndMs, () => void this.#recoverOpenBlocks().catch(() => undefined)); // Judged below.
    world.after(writesEndMs + world.stream('the end').int(0, 12), () => {
      for (const name of datanodes) this.#nodeAt(name).crashFor(300, 'the end', 'powerCut');
    });
    world.after(writesEndMs + 2_000, () => {
      const judged = this.#recoverOpenBlocks().then(() => this.#judgeReplicas());
      judged.catch((error: unknown) => world.fail('replicas', String(error)));
    });
    world.run(endMs);
    if (world.failure === null && this.#lastClosedAtMs < faultsEndMs) {
      world.fail('blocks are closed', 'none was after the faults');
    }
    if (world.failure === null && this.#counts.judged === 0) {
      world.fail('replicas', 'the judge did not come to an end');
    }
    return {
      ...{ seed: this.#options.seed, failure: world.failure, traceHash: world.trace.digest() },
      ...{ plan: this.#plan, eventCount: world.eventCount, counts: this.#counts },
    };
  }

  #nodeAt(name: string): SimNode {
    return this.#cluster.nodes.get(name) as SimNode;
  }

  #startDatanode(name: string, env: Env): void {
    this.#startedAtMs.set(name, this.#cluster.world.nowMs);
    const disk = this.#options.plant?.disk?.(env.disk) ?? env.disk;
    this.#serveDatanode(name, { ...env, disk }).catch((error: unknown) => {
      const isDisk = ['DISK_IO', 'DFS_VOLUME_FAILED'].includes(codeOf(error) ?? '');
      if (isDisk) env.process.exit(70);
      throw error;
    });
  }

  async #serveDatanode(name: string, env: Env): Promise<void> {
    const { plant } = this.#options;
    await env.disk.makeDir('/data');
    const opened = await ReplicaStore.open(
      { disk: env.disk, observe: env.observe, secrets: env.secrets, checksum: crc32c },
      {
        folders: ['/data'],
        owner: { clusterId: 'c', blockPoolId: 'p', datanodeId: name },
        keptFreeBytes: 0,
        onDamaged: ({ blockId, damage }) =>
          this.#cluster.world.fail('no damage', `block ${blockId} on ${name}: ${damage}`),
        // In a turn of its own: whoever had met the failure goes on to say so.
        onVolumeFailed: () => void env.timers.after(0, () => env.process.exit(70)),
      },
    );
    const store = plant?.store?.(opened) ?? opened;
    this.#stores.set(name, opened);
    await startTransferServer(env, addressOf(name), {
      ...{ store, checksum: crc32c, times, onReceiving: () => {}, onReceived: () => {} },
      ...(plant?.nodeStep !== undefined && { step: plant.nodeStep }),
    });
  }

  #startClient(env: Env): void {
    const rpc = createRpcClient(env, { address: namenodeAddress, connectDeadlineMs: 400 });
    const rng = env.rng.stream('client');
    const excluded: string[] = [];
    const writeBlocks = async (): Promise<void> => {
      while (this.#cluster.world.nowMs < writesEndMs - 6_000) {
        try {
          await this.#writeBlock(env, rpc, rng, excluded);
        } catch (error) {
          const code = codeOf(error);
          if (code === 'DFS_PIPELINE_ABANDONED') this.#counts.abandoned++;
          if (code === 'DFS_PIPELINE_LOST') this.#counts.lost++;
          await env.timers.sleep(rng.int(20, 300));
        }
      }
    };
    writeBlocks().catch((error: unknown) => this.#cluster.world.fail('client', String(error)));
  }

  async #writeBlock(env: Env, rpc: RpcClient, rng: Rng, excluded: string[]): Promise<void> {
    const { plant } = this.#options;
    const deadline = { deadlineMs: 1_000 };
    const given = (await rpc.call('add-block', excluded, deadline)) as unknown as ModelBlock;
    const { blockId, generationStamp, nodes } = given;
    const written: Written = { blockId, syncedBytes: 0, streamsSinceMs: 0 };
    this.#written.set(blockId, written);
    const namenode: PipelineNamenode = {
      renew: async () => Number(await rpc.call('renew', blockId, deadline)),
      update: async (stamp, addresses, lengthBytes) => {
        const names = addresses.map(nodeOf);
        const body = { blockId, generationStamp: stamp, nodes: names, lengthBytes };
        await rpc.call('update', body, deadline);
      },
    };
    const output = new BlockOutput(env, {
      block: { blockPoolId: 'p', blockId, generationStamp, lengthBytes: 0 },
      ...{ isAppend: false, nodes: nodes.map(addressOf), checksum: crc32c, chunkBytes, times },
      ...{ packetBytes: 1_024, windowBytes: 6_000, reserveBytes: 20_000, token: '' },
      namenode: plant?.namenode?.(namenode, generationStamp) ?? namenode,
      step: (state, event, limits) => {
        const stepped = (plant?.clientStep ?? stepPipelineClient)(state, event, limits);
        const isNew = stepped.state.phase === 'streaming' && state.phase !== 'streaming';
        if (isNew) written.streamsSinceMs = this.#cluster.world.nowMs;
        if (isNew && state.attempt > 1) this.#counts.recovered++;
        return stepped;
      },
    });
    try {
      await output.begin();
      for (let index = rng.int(1, 14); index > 0; index--) {
        const from = output.lengthBytes;
        await output.write(blockContent(blockId, from, from + rng.int(1, 2_400)));
        const kind = rng.int(0, 6);
        if (kind < 2) await output.flush();
        if (kind === 2) await output.sync();
        if (kind < 2) this.#judgeAck(output, written, output.lengthBytes, false);
        if (kind === 2) this.#judgeAck(output, written, output.lengthBytes, true);
        await env.timers.sleep(rng.float() * 60);
      }
      await output.close();
      this.#judgeAck(output, written, output.lengthBytes, true);
    } catch (error) {
      for (const address of output.state.failedNodes) excluded.push(nodeOf(address));
      while (excluded.length > 2) excluded.shift();
      throw error;
    }
    const body = { blockId, lengthBytes: output.lengthBytes };
    await rpc.call('complete', body, { ...deadline, idempotencyKey: `${blockId}`, retries: 5 });
    this.#counts.closed++;
    this.#lastClosedAtMs = this.#cluster.world.nowMs;
  }

  /** What was just acknowledged is in the files of every node of the pipeline. */
  #judgeAck(output: BlockOutput, written: Written, ackedBytes: number, isSynced: boolean): void {
    const { world } = this.#cluster;
    this.#counts[isSynced ? 'synced' : 'flushed']++;
    if (isSynced) written.syncedBytes = ackedBytes;
    for (const name of output.state.nodes.map(nodeOf)) {
      // What was flushed only may go with the node, and the client hears of it later.
      const hasDied =
        !this.#nodeAt(name).isUp || (this.#startedAtMs.get(name) ?? 0) > written.streamsSinceMs;
      if (hasDied && !isSynced) continue;
      const { blockId } = written;
      const path = `/data/blocks/${(blockId % 256).toString(16).padStart(2, '0')}/blk_${blockId}`;
      const inode = this.#nodeAt(name).diskState.names.get(path);
      const bytes = (isSynced ? inode?.durable : inode?.cached) ?? new Uint8Array();
      const wrongAt = firstWrongByte(blockId, bytes.subarray(0, ackedBytes));
      if (bytes.length >= ackedBytes && wrongAt === null) continue;
      const what = `${ackedBytes} bytes of block ${blockId} are ${isSynced ? 'synced' : 'flushed'}`;
      const has = `${name} has ${bytes.length}, right up to ${wrongAt ?? bytes.length}`;
      world.fail('acknowledged is there', `${what}, and ${has}`);
    }
  }

  /** As the namenode has it done when a lease has ended. */
  async #recoverOpenBlocks(): Promise<void> {
    for (const block of this.#namenode.blocks.values()) {
      const { blockId, nodes } = block;
      if (block.isComplete || (this.#written.get(blockId)?.syncedBytes ?? 0) === 0) continue;
      const recoveryId = this.#namenode.nextStamp();
      const order = { blockId, recoveryId, newLengthBytes: null, locations: nodes };
      const outcome = await recoverBlock(order, this.#peers);
      const { lengthBytes, locations } = outcome;
      Object.assign(block, { lengthBytes, nodes: locations, generationStamp: recoveryId });
      block.isComplete = true;
      this.#counts.leasesRecovered++;
    }
  }

  readonly #peers: RecoveryPeers = {
    begin: async (name, blockId, recoveryId) => {
      const store = this.#stores.get(name);
      if (!this.#nodeAt(name).isUp || store === undefined) throw new Error(`${name} is down`);
      if (store.find(blockId) === null) return null;
      return { location: name, ...(await store.beginRecovery(blockId, recoveryId)) };
    },
    update: async (name, blockId, recoveryId, lengthBytes) => {
      await this.#stores.get(name)?.updateRecovered(blockId, recoveryId, lengthBytes);
    },
  };

  /** After the last power cut: what the namenode counts on is there. */
  async #judgeReplicas(): Promise<void> {
    for (const block of this.#namenode.blocks.values()) {
      for (const name of datanodes) {
        const objection = await this.#objectionTo(block, name);
        if (objection !== null) {
          this.#cluster.world.fail('replicas', `block ${block.blockId} on ${name}: ${objection}`);
        }
        this.#counts.judged++;
      }
    }
  }

  async #objectionTo(block: ModelBlock, name: string): Promise<string | null> {
    const { blockId, generationStamp, nodes, lengthBytes, isComplete } = block;
    const store = this.#stores.get(name);
    const replica = store?.find(blockId) ?? null;
    const promisedBytes = this.#written.get(blockId)?.syncedBytes ?? 0;
    const isCounted = nodes.includes(name);
    if (replica === null || store === undefined) {
      return isCounted && promisedBytes > 0 ? 'there is no replica' : null;
    }
    if (!isCounted) {
      const isSame = isComplete && replica.generationStamp >= generationStamp;
      return isSame ? `it is left out, and has stamp ${replica.generationStamp}` : null;
    }
    if (replica.damage !== null) return replica.damage;
    if (replica.lengthBytes < promisedBytes) {
      return `${promisedBytes} bytes were promised, and it has ${replica.lengthBytes}`;
    }
    if (promisedBytes > 0 && replica.generationStamp < generationStamp) {
      return `it has stamp ${replica.generationStamp}, and the block ${generationStamp}`;
    }
    const isWhole = replica.state === 'finalized' && replica.lengthBytes === lengthBytes;
    if (isComplete && !isWhole) return `it is ${replica.state} with ${replica.lengthBytes} bytes`;
    const reader = await store.openReader({ blockId, generationStamp: 0 });
    const { bytes } = await reader.read(0, replica.lengthBytes);
    await reader.close();
    const wrongAt = firstWrongByte(blockId, bytes);
    return wrongAt === null ? null : `it is wrong at ${wrongAt}`;
  }
}
