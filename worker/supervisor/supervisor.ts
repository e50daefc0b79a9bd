/**
 * The supervisor of a worker: its life in the cluster, its slots, and a process for each job attempt that runs here. It knows
 * nothing of tasks and runs nobody's code, so nothing that a job does holds its heartbeats up.
 *
 *     coordinator ◀──join, heartbeat, executorEnded── supervisor ──launches, kills──▶ executors
 *                 ──reserve, confirm, release, start, stop──▶          │
 *                                                                      └── slots, bundles, logs below its data folder
 *
 * A call names the life that it is meant for; one for another life is refused. When a life ends, whatever runs is killed at
 * once, and the slots are free.
 *
 * Before: cli/commands/worker.ts. After: worker/supervisor/executor-set.ts, worker/membership/heartbeat-sender.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import { disown, own } from '../../base/env/owner-file.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { createRpcServer, type RpcServer } from '../../base/rpc/server.ts';
import { toWire, typedError } from '../../base/typed-error.ts';
import { checkJobId } from '../../coordinator/protocol/clients.ts';
import {
  clusterVersion,
  memberMethods,
  memberTiming,
  type OfLife,
  type OfSlots,
  type ReadLogRequest,
  type ReserveRequest,
  type SlotsAnswer,
  type StartExecutorRequest,
  type StopExecutorRequest,
} from '../../coordinator/protocol/members.ts';
import {
  type HeartbeatOptions,
  HeartbeatSender,
  type MembershipAnswer,
} from '../membership/heartbeat-sender.ts';
import {
  emptyReservations,
  type ReservationCall,
  stepReservations,
} from '../membership/slot-reservations.ts';
import type { WorkerLeaseLoss } from '../membership/worker-lease.ts';
import { BundleCache } from './bundle-cache.ts';
import { CoordinatorCalls } from './coordinator-calls.ts';
import type { ExecutorLauncher } from './executor-launcher.ts';
import { ExecutorSet, type ExecutorSetOptions } from './executor-set.ts';
import { JobLogs } from './job-logs.ts';
import { LoadMeter } from './load-meter.ts';
import { RunFolder } from './run-folder.ts';

export interface SupervisorOptions {
  readonly workerId: string;
  readonly address: Address;
  /** One or more; whichever leads is followed. */
  readonly coordinators: readonly Address[];
  readonly slots: number;
  /** For all slots together. */
  readonly memoryBytes: number;
  /** Of this worker alone: bundles, logs, sockets and spill files. Made when there is none. */
  readonly dataDir: string;
  readonly launcher: ExecutorLauncher;
  /** Where executors listen, such as `10.0.0.1:0`. @defaultValue Unix sockets in `dataDir`, for this host */
  readonly executorListen?: Address;
  /** Called when its place in the cluster has changed. */
  readonly onChange: (change: SupervisorChange) => void;
  /** @defaultValue memberTiming */
  readonly timing?: Pick<HeartbeatOptions, keyof typeof memberTiming>;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepExecutors */
  readonly step?: ExecutorSetOptions['step'];
}

export type SupervisorChange =
  | { readonly kind: 'joined'; readonly coordinator: Address }
  | { readonly kind: 'ended'; readonly reason: WorkerLeaseLoss }
  /** A worker of that name is alive; it is asked again. */
  | { readonly kind: 'refused' }
  /** Nobody answers, or not as a coordinator would; it is asked again. */
  | { readonly kind: 'notJoined'; readonly error: unknown };

export interface SupervisorHandle {
  readonly address: Address;
  /** Says goodbye, ends all executors and stops listening. */
  stop(): Promise<void>;
}

/** Resolves when it listens; it joins as soon as a coordinator takes it. @throws NET_ADDRESS_IN_USE, WORKER_FOLDER_IN_USE, errors of the disk */
export async function startSupervisor(
  env: Env,
  options: SupervisorOptions,
): Promise<SupervisorHandle> {
  const supervisor = new Supervisor(env, options);
  await supervisor.start();
  return supervisor;
}

type SlotCall = ReservationCall extends infer C
  ? C extends unknown
    ? Omit<C, 'nowMs'>
    : never
  : never;

class Supervisor implements SupervisorHandle {
  address: Address;
  readonly #env: Env;
  readonly #options: SupervisorOptions;
  readonly #server: RpcServer;
  readonly #calls: CoordinatorCalls;
  readonly #load: LoadMeter;
  readonly #bundles: BundleCache;
  readonly #logs: JobLogs;
  readonly #runFolder: RunFolder;
  readonly #executors: ExecutorSet;
  #heartbeats: HeartbeatSender | null = null;
  #slots;
  #isLeaving = false;

  constructor(env: Env, options: SupervisorOptions) {
    this.#env = env;
    this.#options = options;
    const { address, coordinators, dataDir, launcher, slots, memoryBytes, step } = options;
    this.address = address;
    this.#slots = emptyReservations(slots, memoryBytes);
    this.#server = createRpcServer(env);
    this.#calls = new CoordinatorCalls(env, coordinators);
    this.#load = new LoadMeter(env.process);
    this.#logs = new JobLogs(env, { folder: `${dataDir}/logs` });
    this.#runFolder = new RunFolder(env, {
      folder: `${dataDir}/run`,
      listen: options.executorListen,
    });
    this.#bundles = new BundleCache(env, {
      folder: `${dataDir}/bundles`,
      readPart: (hash, part) => this.#calls.readBundle({ hash, part }),
    });
    this.#executors = new ExecutorSet(env, {
      ...{ launcher, bundles: this.#bundles, logs: this.#logs, runFolder: this.#runFolder },
      spillDir: `${dataDir}/spill`,
      tell: (end) => this.#calls.executorEnded({ ...this.#life(), ...end }),
      ...(step !== undefined && { step }),
    });
  }

  async start(): Promise<void> {
    const { dataDir } = this.#options;
    await this.#env.disk.makeDir(dataDir, true);
    await own(this.#env, `${dataDir}/worker`, (owner) => inUseError(dataDir, owner));
    try {
      await this.#begin();
    } catch (error) {
      await disown(this.#env, `${dataDir}/worker`);
      throw error;
    }
  }

  async #begin(): Promise<void> {
    for (const part of [this.#bundles, this.#logs, this.#runFolder]) await part.open();
    this.#handle<ReserveRequest>(memberMethods.reserve, (request) => this.#reserve(request));
    this.#handle<OfSlots>(memberMethods.confirm, (request) => this.#ofSlots('confirm', request));
    this.#handle<OfSlots>(memberMethods.release, (request) => this.#ofSlots('release', request));
    this.#handle<StartExecutorRequest>(memberMethods.startExecutor, (request) => {
      return this.#startExecutor(request);
    });
    this.#handle<StopExecutorRequest>(memberMethods.stopExecutor, async ({ executorId }) => {
      await this.#executors.stop(executorId);
      return null;
    });
    this.#handle<ReadLogRequest & OfLife>(memberMethods.readLog, async ({ jobId, from }) => {
      checkJobId(jobId);
      return { ...(await this.#logs.of(jobId).read(from)) };
    });
    this.address = await this.#server.listen(this.#options.address);
    this.#heartbeats = new HeartbeatSender(this.#env, {
      ...{ ...memberTiming, ...this.#options.timing },
      calls: {
        register: (instance) => this.#join(instance),
        heartbeat: (incarnation, senderDelayMs) => this.#beat(incarnation, senderDelayMs),
      },
      onJoined: () => this.#joined(),
      onEnded: (_incarnation, reason) => this.#endLife(reason),
    });
  }

  async stop(): Promise<void> {
    this.#isLeaving = true;
    const life = this.#life();
    this.#heartbeats?.stop();
    if (life.incarnation > 0) {
      try {
        await this.#calls.leave(life);
      } catch (error) {
        // The silence that begins now says the same a little later.
        this.#env.observe.event('membership.leave-failed', { message: toWire(error).message });
      }
    }
    await this.#executors.close();
    this.#calls.close();
    await this.#options.launcher.close();
    await this.#server.close();
    await disown(this.#env, `${this.#options.dataDir}/worker`);
  }

  /** Registers a method whose requests name the life that they are meant for. */
  #handle<Request>(
    method: string,
    answer: (request: Request & OfLife) => JsonValue | Promise<JsonValue>,
  ): void {
    this.#server.handle(method, (body) => {
      const request = body as unknown as Request & OfLife;
      this.#checkLife(request);
      return answer(request);
    });
  }

  #life(): OfLife {
    const { workerId } = this.#options;
    return { workerId, incarnation: this.#heartbeats?.incarnation() ?? 0 };
  }

  #checkLife({ workerId, incarnation }: OfLife): void {
    const life = this.#life();
    if (workerId === life.workerId && incarnation === life.incarnation) return;
    const own = life.incarnation === 0 ? 'has none now' : `has life ${life.incarnation}`;
    const message = `call for life ${incarnation} of worker "${workerId}"; worker "${life.workerId}" ${own}`;
    throw typedError('MEMBER_FENCED', message, {
      hint: 'Wait for its next registration. One that is under way may be heard of here a moment later.',
      retryable: workerId === life.workerId && incarnation > life.incarnation,
      details: { workerId, incarnation: life.incarnation, outcome: 'failed' },
    });
  }

  async #join(instance: string): Promise<MembershipAnswer> {
    const { workerId, slots, memoryBytes, onChange } = this.#options;
    const executors = this.#executors.running();
    const reserved = [...this.#slots.reserved.values()].map(({ jobId, attempt }) => {
      return { jobId, attempt };
    });
    const room = { slots, memoryBytes, executors, reserved };
    const self = { workerId, instance, address: this.address, ...room };
    try {
      const answer = await this.#calls.join({ version: clusterVersion, ...self });
      if (answer.kind === 'refused') onChange({ kind: 'refused' });
      return answer;
    } catch (error) {
      if (!this.#isLeaving) onChange({ kind: 'notJoined', error });
      throw error;
    }
  }

  async #beat(incarnation: number, senderDelayMs: number): Promise<MembershipAnswer> {
    const { workerId } = this.#options;
    const load = this.#load.measure();
    return await this.#calls.heartbeat({ workerId, incarnation, senderDelayMs, load });
  }

  #joined(): void {
    const { launcher, onChange } = this.#options;
    launcher.prepare();
    onChange({ kind: 'joined', coordinator: this.#calls.leader });
  }

  #endLife(reason: WorkerLeaseLoss): void {
    const { slots, memoryBytes, onChange } = this.#options;
    this.#executors.endLife();
    this.#slots = emptyReservations(slots, memoryBytes);
    onChange({ kind: 'ended', reason });
  }

  #reserve({ jobId, attempt, slots, memoryBytes, keepMs }: ReserveRequest): JsonValue {
    if (this.#isLeaving) return { answer: 'refused' };
    const inUse = this.#executors.slotsInUse();
    return this.#step({ kind: 'reserve', jobId, attempt, slots, memoryBytes, keepMs, inUse });
  }

  #ofSlots(kind: 'confirm' | 'release', { jobId, attempt }: OfSlots): JsonValue {
    return this.#step({ kind, jobId, attempt });
  }

  #step(call: SlotCall): JsonValue {
    const nowMs = this.#env.clock.mono();
    const { state, answer } = stepReservations(this.#slots, { ...call, nowMs });
    this.#slots = state;
    return { answer } satisfies SlotsAnswer;
  }

  #startExecutor(request: StartExecutorRequest): null {
    checkJobId(request.jobId);
    if (!this.#isLeaving) this.#executors.start(request);
    return null;
  }
}

function inUseError(dataDir: string, owner: string) {
  return typedError(
    'WORKER_FOLDER_IN_USE',
    `folder "${dataDir}" belongs to worker process ${owner}`,
    {
      hint: `Stop the other worker, or give this one a folder of its own with --data. If it surely does not run, remove "${dataDir}/worker.owner".`,
      details: { path: dataDir, owner },
    },
  );
}
