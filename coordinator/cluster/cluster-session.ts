/**
 * The coordinator of a cluster for as long as it leads: who is there, who may run, what runs. It begins with what the metadata
 * log says, and is thrown away when the lease is lost: nothing of it is told to the next leader but by that log.
 *
 *     leads ─▶ term in the log ─▶ workers of the log may come back ─▶ jobs without an end are taken up ─▶ serves
 *
 * Before: coordinator/cluster/cluster-role.ts. After: coordinator/cluster/cluster-jobs.ts, coordinator/cluster/client-service.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { CallContext } from '../../base/rpc/server.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import { Coordinator } from '../coordinator.ts';
import { type MemberChange, MembershipKeeper } from '../membership/membership-keeper.ts';
import type { MetadataEvent } from '../metadata/metadata-event.ts';
import type { MetadataStore } from '../metadata/metadata-store.ts';
import type {
  ExecutorEnded,
  HeartbeatAnswer,
  HeartbeatRequest,
  JoinAnswer,
  JoinRequest,
  OfLife,
} from '../protocol/members.ts';
import type { RegisterAnswer, RegisterRequest } from '../protocol.ts';
import type { BundleStore } from './bundle-store.ts';
import { ClientService } from './client-service.ts';
import { ClusterJobs } from './cluster-jobs.ts';
import { assertKnownVersion } from './cluster-version.ts';
import { Executors } from './executors.ts';
import { Namespaces } from './namespaces.ts';
import { Schedules } from './schedules.ts';
import { SlotQueue } from './slot-queue.ts';
import { SupervisorCalls } from './supervisor-calls.ts';

export interface SessionOptions {
  readonly coordinatorId: string;
  /** Where this coordinator is reached. */
  readonly address: string;
  readonly term: number;
  readonly store: MetadataStore;
  readonly bundles: BundleStore;
  readonly connectors: ReadonlyMap<string, Connector>;
}

export class ClusterSession {
  readonly coordinator: Coordinator;
  readonly clients: ClientService;
  readonly #env: Env;
  readonly #options: SessionOptions;
  readonly #members: MembershipKeeper;
  readonly #calls: SupervisorCalls;
  readonly #queue: SlotQueue;
  readonly #executors: Executors;
  readonly #jobs: ClusterJobs;
  readonly #schedules: Schedules;
  /** Lives that have joined in this term; others are known from the log. */
  readonly #joined = new Map<string, number>();

  private constructor(env: Env, options: SessionOptions) {
    const { term, store, bundles, connectors, address, coordinatorId } = options;
    this.#env = env;
    this.#options = options;
    this.#members = new MembershipKeeper(env, {
      onChange: (workerId, change) => this.#changed(workerId, change),
    });
    this.#calls = new SupervisorCalls(env, term);
    this.#queue = new SlotQueue(env, { calls: this.#calls });
    this.#executors = new Executors(env, { calls: this.#calls, coordinator: address, term });
    this.coordinator = new Coordinator(env, { connectors });
    this.#jobs = new ClusterJobs(env, {
      ...{ store, term, coordinator: this.coordinator, executors: this.#executors },
      ...{ queue: this.#queue, hasBundle: (hash) => bundles.has(hash) },
      isAlive: (life) => this.#isAlive(life),
    });
    this.#schedules = new Schedules(env, {
      ...{ store, term, hasBundle: (hash) => bundles.has(hash) },
      submit: (request, beside) => this.#jobs.submit(request, beside),
    });
    this.clients = new ClientService(env, {
      ...{ coordinatorId, term, bundles, jobs: this.#jobs, store },
      schedules: this.#schedules,
      namespaces: new Namespaces({ store, queue: this.#queue, term }),
      ...{ queue: this.#queue, members: this.#members, calls: this.#calls },
    });
  }

  /** @throws METADATA_FENCED where another one leads by now; errors of the log */
  static async begin(env: Env, options: SessionOptions): Promise<ClusterSession> {
    const { store, term, coordinatorId, address } = options;
    const began: MetadataEvent = { kind: 'termBegan', term, coordinatorId, address };
    await store.propose(term, ({ leader }) => (term > (leader?.term ?? 0) ? [began] : null));
    const session = new ClusterSession(env, options);
    session.#restore();
    session.#jobs.recover();
    session.#schedules.begin();
    return session;
  }

  /** A supervisor registers: for a new life all that the one before had is gone. */
  async join(request: JoinRequest, { connection }: CallContext): Promise<JoinAnswer> {
    const { version, workerId, instance, address, slots, memoryBytes } = request;
    assertKnownVersion(version);
    const answer = this.#members.register(workerId, { instance, connection });
    if (answer.kind !== 'registered') return { kind: 'refused' };
    const { incarnation } = answer;
    const { store, term } = this.#options;
    const event: MetadataEvent = {
      ...{ kind: 'workerRegistered', workerId, incarnation, instance },
      ...{ address, slots, memoryBytes },
    };
    await store.propose(term, ({ workers }) => {
      return incarnation > (workers[workerId]?.incarnation ?? 0) ? [event] : null;
    });
    this.#calls.know(workerId, incarnation, address);
    await this.#endUnwanted(request, incarnation);
    this.#joined.set(workerId, incarnation);
    this.#queue.workerJoined({ workerId, incarnation, slots, memoryBytes });
    return { kind: 'registered', incarnation, term };
  }

  heartbeat(request: HeartbeatRequest, { connection }: CallContext): HeartbeatAnswer {
    const { workerId, incarnation, senderDelayMs, load } = request;
    const answer = this.#members.heartbeat(workerId, { incarnation, connection, senderDelayMs });
    if (answer.kind !== 'answered') return { kind: 'fenced' };
    this.#queue.workerLoad(workerId, load);
    return { kind: this.#joined.get(workerId) === incarnation ? 'answered' : 'rejoin' };
  }

  leave({ workerId, incarnation }: OfLife): void {
    this.#members.leave(workerId, incarnation);
  }

  disconnected(connection: number): void {
    this.#members.disconnected(connection);
  }

  executorEnded({ executorId, error }: ExecutorEnded): void {
    this.#executors.ended(executorId, error);
  }

  /** @throws EXECUTOR_UNKNOWN */
  registerExecutor(request: RegisterRequest): RegisterAnswer {
    this.#executors.register(request);
    return { term: this.#options.term };
  }

  close(): void {
    this.#schedules.close();
    this.#jobs.close();
    this.#queue.close();
    this.#members.stop();
    this.#executors.close();
    this.#calls.close();
  }

  #restore(): void {
    for (const worker of Object.values(this.#options.store.state.workers)) {
      const { workerId, instance, incarnation, isThere } = worker;
      if (isThere) this.#members.restore(workerId, { instance, incarnation });
      else this.#members.restoreEnded(workerId, incarnation);
    }
  }

  /** What is of an attempt that has ended meanwhile, or of a coordinator before this one. */
  async #endUnwanted(
    { workerId, executors, reserved }: JoinRequest,
    incarnation: number,
  ): Promise<void> {
    const life = { workerId, incarnation };
    for (const executorId of executors) {
      if (!this.#executors.isWanted(executorId)) this.#executors.stop({ ...life, executorId });
    }
    const slots = reserved.map((of) => ({ ...life, ...of }));
    const unheld = slots.filter((one) => !this.#queue.isHeld(one));
    // Who can't be told joins again.
    await Promise.all(unheld.map((one) => this.#calls.release(one)));
  }

  #isAlive({ workerId, incarnation }: OfLife): boolean {
    const state = this.#members.stateOf(workerId);
    const isThere = state.kind === 'alive' || state.kind === 'suspect';
    return isThere && state.incarnation === incarnation;
  }

  #changed(workerId: string, change: MemberChange): void {
    if (change.kind === 'suspected') this.#queue.workerTrusted(workerId, false);
    else if (change.kind === 'trusted') this.#queue.workerTrusted(workerId, true);
    else void this.#gone(workerId, change.incarnation, change.kind);
  }

  /** Its tasks have failed before anything else is done: nobody waits for the log to say so. */
  async #gone(workerId: string, incarnation: number, reason: string): Promise<void> {
    const { store, term } = this.#options;
    this.#queue.workerGone(workerId);
    this.#executors.workerGone(workerId);
    this.#calls.forget(workerId);
    try {
      await store.propose(term, ({ workers }) => {
        const isKnown = workers[workerId]?.incarnation === incarnation;
        return isKnown ? [{ kind: 'workerGone', workerId, incarnation, reason }] : null;
      });
    } catch (error) {
      this.#env.observe.event('worker.not-noted', { workerId, code: codeOf(error) });
    }
  }
}
