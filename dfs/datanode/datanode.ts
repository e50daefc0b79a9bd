/**
 * The datanode role: opens its volumes, takes and gives blocks, obeys the namenode.
 *
 *     start ─▶ whose folders are these? ─▶ (new ones: register first, to be told the cluster) ─▶ scan ─▶ listen ─▶ register, report, beat
 *
 * It ends when no volume is left. All it uses of the world is in `env`; the process around it is the command line's.
 *
 * Before: dfs/datanode/reporting/namenode-link.ts, dfs/datanode/transfer-server.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import { disown, own } from '../../base/env/owner-file.ts';
import { createRpcClient, type RpcClient } from '../../base/rpc/client.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { createRpcServer } from '../../base/rpc/server.ts';
import { typedError } from '../../base/typed-error.ts';
import type { DatanodeAddress } from '../protocol/block.ts';
import {
  type ClusterIdentity,
  type DatanodeCommand,
  datanodeMethods,
  datanodeProtocolVersion,
  type RegisterAnswer,
} from '../protocol/datanode-protocol.ts';
import {
  type BeginRecoveryAnswer,
  type BeginRecoveryRequest,
  recoveryMethods,
  type UpdateRecoveredAnswer,
  type UpdateRecoveredRequest,
} from '../protocol/recovery-protocol.ts';
import { type PipelineTimes, pipelineTimes } from '../transfer/pipeline-times.ts';
import { copyBlock } from './block-copier.ts';
import { type RecoveryPeers, recoverBlock } from './block-recovery.ts';
import { blockOf, type Replica } from './replicas/replica.ts';
import { type RecoveryInfo, ReplicaStore } from './replicas/replica-store.ts';
import { readIdentityOf } from './replicas/volume-set.ts';
import { Commands } from './reporting/commands.ts';
import { NamenodeLink } from './reporting/namenode-link.ts';
import { type Scrubber, startScrubber } from './scrubber.ts';
import { startTransferServer, type TransferServer } from './transfer-server.ts';

export interface DatanodeOptions {
  readonly namenodeAddress: Address;
  /** One per disk. */
  readonly folders: readonly string[];
  readonly host: string;
  readonly transferAddress: Address;
  readonly rpcAddress: Address;
  readonly networkLocation: string;
  /** Left free on each disk. */
  readonly keptFreeBytes: number;
  readonly checksum: Checksum;
  /** @defaultValue 16 MiB/s */
  readonly scrubBytesPerSecondMax?: number;
  /** @defaultValue three weeks, as HDFS */
  readonly scrubRoundMs?: number;
  readonly times?: PipelineTimes;
  /** No volume is left: there is nothing more to do. */
  readonly onUseless: () => void;
}

type DatanodeEnv = Pick<
  Env,
  'clock' | 'timers' | 'net' | 'disk' | 'rng' | 'secrets' | 'observe' | 'process'
>;
type RecoverCommand = Extract<DatanodeCommand, { kind: 'recover' }>;

const registerRetryMs = 1_000;
const callDeadlineMs = 4_000;
const threeWeeksMs = 21 * 24 * 3_600_000;

export interface Datanode {
  readonly datanodeId: string;
  readonly store: ReplicaStore;
  stop(): Promise<void>;
}

export async function startDatanode(env: DatanodeEnv, options: DatanodeOptions): Promise<Datanode> {
  const client = createRpcClient(env, { address: options.namenodeAddress });
  for (const folder of options.folders) {
    await env.disk.makeDir(folder);
    await own(env, `${folder}/datanode`, (owner) => inUseError(folder, owner));
  }
  const known = await readIdentityOf(env.disk, options.folders);
  const datanodeId = known?.datanodeId ?? `datanode-${env.secrets.hex(8)}`;
  const cluster = known ?? (await askForCluster(env, options, client, datanodeId));
  const role = new DatanodeRole(env, options, client, datanodeId, cluster);
  await role.start();
  return role;
}

/** Folders that are new belong to the cluster that the namenode names. */
async function askForCluster(
  env: DatanodeEnv,
  options: DatanodeOptions,
  client: RpcClient,
  datanodeId: string,
): Promise<ClusterIdentity> {
  const datanode = addressOf(options, datanodeId);
  const protocolVersion = datanodeProtocolVersion;
  const body = { datanode, cluster: null, protocolVersion, storages: [] };
  for (;;) {
    try {
      const answer = await client.call(datanodeMethods.register, body as unknown as JsonValue, {
        deadlineMs: callDeadlineMs,
      });
      return (answer as unknown as RegisterAnswer).cluster;
    } catch (error) {
      env.observe.event('datanode.register-failed', { error: String(error) });
      await env.timers.sleep(registerRetryMs);
    }
  }
}

function inUseError(folder: string, owner: string) {
  return typedError('DFS_IN_USE', `volume "${folder}" belongs to ${owner}`, {
    hint: `Stop the other datanode, or give this one folders of its own. If it surely does not run, remove "${folder}/datanode.owner".`,
    details: { folder, owner },
  });
}

function addressOf(options: DatanodeOptions, datanodeId: string): DatanodeAddress {
  const { host, transferAddress, rpcAddress, networkLocation } = options;
  return { datanodeId, host, transferAddress, rpcAddress, httpAddress: null, networkLocation };
}

/** Numbers of a request are counts, whoever has sent it. @throws DFS_ARGUMENT */
function checked<T extends BeginRecoveryRequest>(request: T): T {
  const { blockId, recoveryId } = request;
  const lengthBytes = 'lengthBytes' in request ? request.lengthBytes : 0;
  for (const [name, value] of Object.entries({ blockId, recoveryId, lengthBytes })) {
    if (Number.isSafeInteger(value) && Number(value) >= 0) continue;
    throw typedError('DFS_ARGUMENT', `${name} of a recovery is ${JSON.stringify(value)}`, {
      hint: 'It must be a whole number of 0 or more: another version, or another program, has called.',
    });
  }
  return request;
}

class DatanodeRole implements Datanode {
  readonly datanodeId: string;
  readonly #env: DatanodeEnv;
  readonly #options: DatanodeOptions;
  readonly #client: RpcClient;
  readonly #cluster: ClusterIdentity;
  readonly #peers = new Map<Address, RpcClient>();
  #store: ReplicaStore | null = null;
  #server: TransferServer | null = null;
  #link: NamenodeLink | null = null;
  #commands: Commands | null = null;
  #scrubber: Scrubber | null = null;
  #rpc: { close(): Promise<void> } | null = null;

  constructor(
    env: DatanodeEnv,
    options: DatanodeOptions,
    client: RpcClient,
    datanodeId: string,
    cluster: ClusterIdentity,
  ) {
    this.#env = env;
    this.#options = options;
    this.#client = client;
    this.datanodeId = datanodeId;
    this.#cluster = { clusterId: cluster.clusterId, blockPoolId: cluster.blockPoolId };
  }

  get store(): ReplicaStore {
    if (this.#store === null) throw new Error('assertion failed: the datanode has started');
    return this.#store;
  }

  async start(): Promise<void> {
    const { folders, keptFreeBytes, checksum, times = pipelineTimes } = this.#options;
    this.#store = await ReplicaStore.open(
      { ...this.#env, checksum },
      {
        ...{ folders, keptFreeBytes, owner: { ...this.#cluster, datanodeId: this.datanodeId } },
        onDamaged: (replica) => this.#onDamaged(replica),
        onVolumeFailed: () => this.#onVolumeFailed(),
      },
    );
    this.#server = await startTransferServer(this.#env, this.#options.transferAddress, {
      ...{ store: this.store, checksum, times },
      onReceiving: (replica) => this.#changed(replica, 'receiving'),
      onReceived: (replica) => this.#changed(replica, 'received'),
    });
    await this.#serveRecovery();
    this.#commands = this.#makeCommands();
    this.#link = this.#makeLink();
    void this.#link.run();
    this.#scrubber = startScrubber(this.#env, {
      store: this.store,
      bytesPerSecondMax: this.#options.scrubBytesPerSecondMax ?? 16 * 1024 * 1024,
      roundMs: this.#options.scrubRoundMs ?? threeWeeksMs,
    });
  }

  async stop(): Promise<void> {
    this.#scrubber?.stop();
    this.#link?.stop();
    await this.#server?.close();
    await this.#rpc?.close();
    this.#client.close();
    for (const peer of this.#peers.values()) peer.close();
    for (const folder of this.#options.folders) await disown(this.#env, `${folder}/datanode`);
  }

  #makeLink(): NamenodeLink {
    const { store } = this;
    return new NamenodeLink(this.#env, {
      client: this.#client,
      datanodeId: this.datanodeId,
      registration: async () => ({
        datanode: addressOf(this.#options, this.datanodeId),
        cluster: this.#cluster,
        protocolVersion: datanodeProtocolVersion,
        storages: await store.storageReports(),
      }),
      storages: () => store.storageReports(),
      replicas: () => store.replicas(),
      storageIds: () => store.workingVolumes.map(({ identity }) => identity.storageId),
      load: () => ({
        transferCount: this.#server?.transferCount ?? 0,
        replicationCount: this.#commands?.copyCount ?? 0,
      }),
      onCommand: (command) => this.#commands?.take(command),
    });
  }

  #makeCommands(): Commands {
    const { store } = this;
    const { checksum, times = pipelineTimes } = this.#options;
    return new Commands(this.#env, {
      ...{ store, blockPoolId: this.#cluster.blockPoolId },
      copy: async ({ block, token, targets, bytesPerSecondMax }) => {
        const addresses = targets.map(({ datanode }) => datanode.transferAddress);
        const order = { block, token, targets: addresses, bytesPerSecondMax };
        await copyBlock(this.#env, { store, checksum, times, ...order });
      },
      recover: (command) => this.#recover(command),
      onDeleted: (replica) => this.#changed(replica, 'deleted'),
      reportSoon: (storageId) => this.#link?.reportSoon(storageId),
    });
  }

  /** Leads a recovery, and tells the namenode what it came to. */
  async #recover(command: RecoverCommand): Promise<void> {
    const { block, recoveryId, newLengthBytes } = command;
    const locations = command.locations.map(({ datanode }) => datanode.datanodeId);
    const storageIds = new Map<string, string>();
    const order = { blockId: block.blockId, recoveryId, newLengthBytes, locations };
    const outcome = await recoverBlock(order, this.#peersOf(command, storageIds));
    await this.#link?.commitRecovery({
      ...{ block, recoveryId, newLengthBytes: outcome.lengthBytes },
      locations: outcome.locations.map((datanodeId) => ({
        ...{ datanodeId, storageId: storageIds.get(datanodeId) ?? '' },
      })),
    });
  }

  /** Locations of a recovery are reached over rpc, this datanode included. */
  #peersOf(command: RecoverCommand, storageIds: Map<string, string>): RecoveryPeers {
    const { token } = command;
    const call = async (datanodeId: string, method: string, body: object): Promise<JsonValue> => {
      const place = command.locations.find((each) => each.datanode.datanodeId === datanodeId);
      const client = this.#peerAt(place?.datanode.rpcAddress ?? '');
      return await client.call(method, { ...body, token } as unknown as JsonValue, {
        deadlineMs: callDeadlineMs,
      });
    };
    return {
      begin: async (location, blockId, recoveryId) => {
        const found = await call(location, recoveryMethods.begin, { blockId, recoveryId });
        return found === null ? null : { location, ...(found as unknown as RecoveryInfo) };
      },
      update: async (location, blockId, recoveryId, lengthBytes) => {
        const body = { blockId, recoveryId, lengthBytes };
        const answer = await call(location, recoveryMethods.update, body);
        storageIds.set(location, (answer as unknown as UpdateRecoveredAnswer).storageId);
      },
    };
  }

  #peerAt(address: Address): RpcClient {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    const peer = createRpcClient(this.#env, { address });
    this.#peers.set(address, peer);
    return peer;
  }

  async #serveRecovery(): Promise<void> {
    const server = createRpcServer(this.#env);
    server.handle(recoveryMethods.begin, async (body) => {
      const { blockId, recoveryId } = checked(body as unknown as BeginRecoveryRequest);
      if (this.store.find(blockId) === null) return null;
      const answer: BeginRecoveryAnswer = await this.store.beginRecovery(blockId, recoveryId);
      return { ...answer };
    });
    server.handle(recoveryMethods.update, async (body) => {
      const { blockId, recoveryId, lengthBytes } = checked(
        body as unknown as UpdateRecoveredRequest,
      );
      const replica = await this.store.updateRecovered(blockId, recoveryId, lengthBytes);
      this.#changed(replica, 'received');
      const answer: UpdateRecoveredAnswer = { storageId: replica.volume.identity.storageId };
      return { ...answer };
    });
    await server.listen(this.#options.rpcAddress);
    this.#rpc = server;
  }

  #changed(replica: Replica, status: 'receiving' | 'received' | 'deleted'): void {
    const { storageId } = replica.volume.identity;
    this.#link?.changed({ block: blockOf(replica), storageId, status });
  }

  #onDamaged(replica: Replica): void {
    const { blockPoolId } = this.#cluster;
    this.#link?.foundBad({
      block: { ...blockOf(replica), blockPoolId },
      ...{ datanodeId: this.datanodeId, storageId: replica.volume.identity.storageId },
    });
  }

  #onVolumeFailed(): void {
    if (this.#store !== null && this.#store.workingVolumes.length === 0) this.#options.onUseless();
  }
}
