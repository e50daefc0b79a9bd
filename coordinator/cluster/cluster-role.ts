/**
 * The coordinator of a cluster as a role: listens from the start, leads while it holds the lease, and says who does while it
 * does not.
 *
 *     follows ──lease gained──▶ session begins ──▶ leads ──lease lost, log fenced──▶ follows
 *
 * Before: cli/commands/coordinator.ts. After: coordinator/cluster/cluster-session.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { type CallContext, createRpcServer, type RpcServer } from '../../base/rpc/server.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import { serveTasks } from '../coordinator-service.ts';
import { type LeaseKeeper, startLeaseKeeper } from '../lease/lease-keeper.ts';
import type { LeaseRegister } from '../lease/lease-register.ts';
import type { MetadataLog } from '../metadata/metadata-log.ts';
import { MetadataStore } from '../metadata/metadata-store.ts';
import {
  type ExecutorEnded,
  type HeartbeatRequest,
  type JoinRequest,
  memberMethods,
  type OfLife,
  type ReadBundleRequest,
} from '../protocol/members.ts';
import { methods, type RegisterRequest } from '../protocol.ts';
import { BundleStore } from './bundle-store.ts';
import { servedMethods } from './client-service.ts';
import { ClusterSession } from './cluster-session.ts';

export interface ClusterRoleOptions {
  readonly coordinatorId: string;
  readonly listen: Address;
  /** Where others reach it. @defaultValue where it listens */
  readonly advertise?: Address;
  readonly register: LeaseRegister;
  /** @defaultValue 10,000 */
  readonly leaseMs?: number;
  readonly log: MetadataLog;
  /** A folder that is there; coordinators of one cluster share it. */
  readonly bundleFolder: string;
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Leads, or does not any more. */
  readonly onLeading?: (term: number | null) => void;
}

export interface ClusterRole {
  /** Where it listens. */
  readonly address: Address;
  stop(): Promise<void>;
}

/** Resolves when it listens. @throws NET_ADDRESS_IN_USE, errors of the log */
export async function startClusterRole(
  env: Env,
  options: ClusterRoleOptions,
): Promise<ClusterRole> {
  const role = new Role(env, options);
  await role.start();
  return role;
}

const beginAgainMs = 1_000;

class Role implements ClusterRole {
  readonly #env: Env;
  readonly #options: ClusterRoleOptions;
  readonly #server: RpcServer;
  readonly #bundles: BundleStore;
  #store: MetadataStore | null = null;
  #keeper: LeaseKeeper | null = null;
  #session: ClusterSession | null = null;
  #address: Address = '';
  #isStopped = false;

  constructor(env: Env, options: ClusterRoleOptions) {
    this.#env = env;
    this.#options = options;
    this.#bundles = new BundleStore(env, options.bundleFolder);
    this.#server = createRpcServer(env, {
      onDisconnected: (connection) => this.#session?.disconnected(connection),
    });
  }

  get address(): Address {
    return this.#address;
  }

  async start(): Promise<void> {
    const { log, listen, register, coordinatorId: nodeId, leaseMs } = this.#options;
    this.#serve();
    this.#address = await this.#server.listen(listen);
    const { wall } = this.#env.clock;
    this.#store = await MetadataStore.open(log, { wallMs: () => wall() });
    this.#keeper = startLeaseKeeper(this.#env, {
      ...{ register, nodeId, ...(leaseMs !== undefined && { durationMs: leaseMs }) },
      onGained: (token) => void this.#lead(token),
      onLost: () => this.#follow(),
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#follow();
    this.#keeper?.stop();
    await this.#server.close();
    await this.#store?.close();
  }

  async #lead(term: number): Promise<void> {
    const store = this.#store;
    const isLeading = () => this.#keeper?.token() === term && !this.#isStopped;
    const { coordinatorId, connectors, advertise = this.#address } = this.#options;
    const options = { coordinatorId, connectors, term, bundles: this.#bundles };
    while (store !== null && isLeading()) {
      try {
        await store.catchUp();
        const session = await ClusterSession.begin(this.#env, {
          ...options,
          address: advertise,
          store,
        });
        if (!isLeading()) session.close();
        else {
          this.#session = session;
          this.#options.onLeading?.(term);
        }
        return;
      } catch (error) {
        // The log may be out of reach for a while; one that is fenced has lost its lease, too.
        this.#env.observe.event('cluster.not-begun', { term, code: codeOf(error) });
        await this.#env.timers.sleep(beginAgainMs);
      }
    }
  }

  #follow(): void {
    if (this.#session === null) return;
    this.#session.close();
    this.#session = null;
    this.#options.onLeading?.(null);
  }

  #serve(): void {
    const on = <T>(
      method: string,
      handle: (session: ClusterSession, body: T, context: CallContext) => unknown,
    ) =>
      this.#server.handle(method, async (body, context) => {
        return ((await handle(this.#leading(), body as T, context)) ?? null) as JsonValue;
      });
    on<JoinRequest>(memberMethods.join, (session, body, context) => session.join(body, context));
    on<HeartbeatRequest>(memberMethods.heartbeat, (session, body, context) =>
      session.heartbeat(body, context),
    );
    on<OfLife>(memberMethods.leave, (session, body) => session.leave(body));
    on<ExecutorEnded>(memberMethods.executorEnded, (session, body) => session.executorEnded(body));
    on<ReadBundleRequest>(memberMethods.readBundle, (_, body) => this.#bundles.read(body));
    on<RegisterRequest>(methods.register, (session, body) => session.registerExecutor(body));
    serveTasks(this.#server, { job: (ref) => this.#leading().coordinator.job(ref) });
    for (const method of servedMethods) {
      this.#server.handle(method, async (body) => {
        return ((await this.#leading().clients.answer(method, body)) ?? null) as JsonValue;
      });
    }
  }

  /** @throws CLUSTER_NOT_LEADING */
  #leading(): ClusterSession {
    if (this.#session !== null) return this.#session;
    const { leader } = this.#store?.state ?? {};
    const other = leader?.address === this.#address ? null : (leader?.address ?? null);
    throw typedError(
      'CLUSTER_NOT_LEADING',
      `coordinator "${this.#options.coordinatorId}" does not lead`,
      {
        hint: other === null ? 'Ask again in a moment.' : `Ask the one at ${other}.`,
        retryable: true,
        details: other === null ? {} : { address: other },
      },
    );
  }
}
