/**
 * The executor processes of all jobs, as the coordinator knows them: asked for, registered, lost.
 *
 *     start ──▶ asked for ──registers──▶ ready ──▶ ended by us
 *                  └── does not start, does not register in time ──▶ lost ◀── its process ends, its worker is lost,
 *                                                                             it answers no pings
 *
 * An executor that is lost stays so: another one takes its place, under another id.
 *
 * Before: coordinator/cluster/cluster-session.ts. After: coordinator/cluster/job-host.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { createRpcClient, type RpcClient } from '../../base/rpc/client.ts';
import { codeOf, fromWire, toWire, typedError, type WireError } from '../../base/typed-error.ts';
import type { TaskHost } from '../job/task-host.ts';
import type { OfLife, StartExecutorRequest, StopExecutorRequest } from '../protocol/members.ts';
import { methods, type RegisterRequest } from '../protocol.ts';
import { hostOver } from '../worker-host.ts';
import { workerLostError } from './supervisor-calls.ts';

/** How long a process may take from being asked for to its registration. */
const startMs = 30_000;
const pingMs = 2_000;
/** An end that was not heard of is asked for again. */
const stopAgainMs = 1_000;
/** Over before the next one: a connection that did not answer is given up with it. */
const pingDeadlineMs = 1_500;
/** Pings that go without an answer, one after the other, before it counts as lost. */
const silentPingsMax = 4;

/** What an executor is asked for with. */
export type ExecutorSpec = Omit<StartExecutorRequest, 'executorId' | 'coordinator'>;

/** An executor that takes tasks. */
export interface ReadyExecutor {
  readonly host: TaskHost;
  readonly exchangeAddress: string;
  /** Where the files of its tasks are. */
  readonly spillFolder: string;
}

export interface Executor extends OfLife {
  readonly executorId: string;
  readonly slots: number;
  /** @throws EXECUTOR_LOST, where it does not come to take tasks */
  readonly ready: Promise<ReadyExecutor>;
  /** Null while it has not registered. */
  readonly readyNow: ReadyExecutor | null;
  readonly isLost: boolean;
  /** It can't be used any more, whatever it does: it is told to end. */
  lose(reason: unknown): void;
  /** It is not needed any more. */
  end(): void;
}

export interface ExecutorsOptions {
  readonly calls: {
    startExecutor(request: StartExecutorRequest): Promise<void>;
    stopExecutor(request: StopExecutorRequest): Promise<void>;
  };
  /** Where executors register. */
  readonly coordinator: string;
  readonly term: number;
}

type ExecutorEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'rng' | 'observe' | 'secrets'>;

export class Executors {
  readonly #env: ExecutorEnv;
  readonly #options: ExecutorsOptions;
  readonly #all = new Map<string, OneExecutor>();
  #isClosed = false;

  constructor(env: ExecutorEnv, options: ExecutorsOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** @param onLost - Is called once, unless it is ended before. */
  start(spec: ExecutorSpec, onLost: (error: WireError) => void): Executor {
    const executorId = `${spec.jobId}~${spec.epoch}~${this.#env.secrets.hex(4)}`;
    const { calls, coordinator } = this.#options;
    const one = new OneExecutor(this.#env, {
      ...{ spec, executorId, onLost, term: this.#options.term },
      stop: () => this.stop({ ...spec, executorId }),
    });
    this.#all.set(executorId, one);
    const request = { ...spec, executorId, coordinator };
    calls.startExecutor(request).catch((error: unknown) => one.lose(error));
    return one;
  }

  /** @throws EXECUTOR_UNKNOWN, for one that nobody waits for any more */
  register(request: RegisterRequest): void {
    const { executorId = '' } = request;
    const one = this.#all.get(executorId);
    if (one === undefined) throw unknownError(executorId);
    one.register(request);
  }

  /** The supervisor says that its process has ended. */
  ended(executorId: string, error: WireError): void {
    this.#all.get(executorId)?.lose(fromWire(error));
    this.#all.delete(executorId);
  }

  workerGone(workerId: string): void {
    for (const one of this.#all.values()) {
      if (one.workerId === workerId) one.lose(workerLostError(workerId));
    }
  }

  /** Whether somebody here has asked for it, and wants it still. */
  isWanted(executorId: string): boolean {
    return this.#all.get(executorId)?.isLost === false;
  }

  /** Has a process ended that may run there: asks until it is answered, or its worker's life is over. */
  stop(request: StopExecutorRequest): void {
    this.#all.delete(request.executorId);
    void this.#stopUntilHeard(request);
  }

  async #stopUntilHeard({ workerId, incarnation, executorId }: StopExecutorRequest): Promise<void> {
    const { calls } = this.#options;
    while (!this.#isClosed) {
      try {
        await calls.stopExecutor({ workerId, incarnation, executorId });
        return;
      } catch (error) {
        const code = codeOf(error);
        this.#env.observe.event('executor.not-stopped', { workerId, executorId, code });
        // With a life all of its processes end.
        if (code === 'WORKER_LOST' || code === 'MEMBER_FENCED') return;
        await this.#env.timers.sleep(stopAgainMs);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const one of this.#all.values()) one.close();
    this.#all.clear();
  }
}

interface OneOptions {
  readonly spec: ExecutorSpec;
  readonly executorId: string;
  readonly term: number;
  readonly onLost: (error: WireError) => void;
  readonly stop: () => void;
}

class OneExecutor implements Executor {
  readonly executorId: string;
  readonly workerId: string;
  readonly incarnation: number;
  readonly slots: number;
  readonly ready: Promise<ReadyExecutor>;
  readonly #env: ExecutorEnv;
  readonly #options: OneOptions;
  readonly #registered = Promise.withResolvers<ReadyExecutor>();
  #client: RpcClient | null = null;
  #readyNow: ReadyExecutor | null = null;
  #isOver = false;
  #stopTimer: () => void;
  #silentPings = 0;

  constructor(env: ExecutorEnv, options: OneOptions) {
    const { spec, executorId } = options;
    this.#env = env;
    this.#options = options;
    this.executorId = executorId;
    this.workerId = spec.workerId;
    this.incarnation = spec.incarnation;
    this.slots = spec.slots;
    this.ready = this.#registered.promise;
    this.ready.catch(() => undefined); // Who waits for it hears of it.
    this.#stopTimer = env.timers.after(startMs, () => this.lose(lateError(startMs)));
  }

  get readyNow(): ReadyExecutor | null {
    return this.#readyNow;
  }

  get isLost(): boolean {
    return this.#isOver;
  }

  register({ address, slotCount, exchangeAddress = '', spillFolder = '' }: RegisterRequest): void {
    if (this.#isOver || this.#client !== null) return;
    this.#stopTimer();
    const client = createRpcClient(this.#env, { address });
    this.#client = client;
    const host = hostOver(client, slotCount, () => this.#options.term);
    this.#readyNow = { host, exchangeAddress, spillFolder };
    this.#registered.resolve(this.#readyNow);
    this.#stopTimer = this.#env.timers.every(pingMs, () => void this.#ping(client));
  }

  lose(reason: unknown): void {
    if (this.#isOver) return;
    const error = lostError(this, reason);
    this.#registered.reject(error);
    this.close();
    this.#env.observe.event('executor.lost', {
      executorId: this.executorId,
      reason: error.message,
    });
    this.#options.stop();
    this.#options.onLost(toWire(error));
  }

  end(): void {
    if (this.#isOver) return;
    this.close();
    this.#options.stop();
  }

  /** Nothing is told, and nothing comes of it any more. */
  close(): void {
    this.#isOver = true;
    this.#stopTimer();
    this.#client?.close();
    this.#registered.reject(lostError(this, 'it is not wanted any more'));
  }

  /** Its control thread runs no user code: who does not answer has stopped, or is out of reach. */
  async #ping(client: RpcClient): Promise<void> {
    try {
      const options = { deadlineMs: pingDeadlineMs, term: this.#options.term, isRead: true };
      await client.call(methods.ping, null, options);
      this.#silentPings = 0;
    } catch (error) {
      if (++this.#silentPings >= silentPingsMax) this.lose(error);
    }
  }
}

function lostError({ executorId, workerId }: Executor, reason: unknown) {
  const why = reason instanceof Error ? reason.message : String(reason);
  return typedError('EXECUTOR_LOST', `the process of the job on worker "${workerId}": ${why}`, {
    hint: 'What it ran is started again. Where this happens each time, millrace logs JOB shows its last words.',
    retryable: true,
    details: { executorId, workerId },
    cause: reason,
  });
}

function lateError(ms: number) {
  return new Error(`it did not register within ${ms / 1000} s`);
}

function unknownError(executorId: string) {
  return typedError('EXECUTOR_UNKNOWN', `nobody waits for executor "${executorId}" any more`, {
    hint: 'Its attempt has ended: so must it.',
  });
}
