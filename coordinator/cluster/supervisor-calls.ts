/**
 * Calls to the supervisors of workers: one client for each life that is known, the leader's term and a deadline on each call.
 *
 * Before: coordinator/cluster/cluster-session.ts. After: base/rpc/client.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import { createRpcClient, type RpcClient } from '../../base/rpc/client.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  type LogPart,
  memberMethods,
  type OfLife,
  type OfSlots,
  type ReadLogRequest,
  type ReserveRequest,
  type SlotsAnswer,
  type StartExecutorRequest,
  type StopExecutorRequest,
} from '../protocol/members.ts';
import type { SlotCalls } from './slot-queue.ts';

/** Supervisors have nothing to wait for: who does not answer by then is not there. */
const deadlineMs = 4_000;

type CallEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'rng'>;

export class SupervisorCalls implements SlotCalls {
  readonly #env: CallEnv;
  readonly #term: number;
  readonly #lives = new Map<string, { readonly incarnation: number; readonly client: RpcClient }>();

  constructor(env: CallEnv, term: number) {
    this.#env = env;
    this.#term = term;
  }

  /** A life has begun, at an address; calls to an earlier one have no receiver any more. */
  know(workerId: string, incarnation: number, address: Address): void {
    this.forget(workerId);
    this.#lives.set(workerId, { incarnation, client: createRpcClient(this.#env, { address }) });
  }

  forget(workerId: string): void {
    this.#lives.get(workerId)?.client.close();
    this.#lives.delete(workerId);
  }

  close(): void {
    for (const workerId of [...this.#lives.keys()]) this.forget(workerId);
  }

  reserve(request: ReserveRequest): Promise<SlotsAnswer> {
    return this.#call(memberMethods.reserve, request);
  }

  confirm(request: OfSlots): Promise<SlotsAnswer> {
    return this.#call(memberMethods.confirm, request);
  }

  release(request: OfSlots): Promise<SlotsAnswer> {
    return this.#call(memberMethods.release, request);
  }

  async startExecutor(request: StartExecutorRequest): Promise<void> {
    await this.#call(memberMethods.startExecutor, request);
  }

  async stopExecutor(request: StopExecutorRequest): Promise<void> {
    await this.#call(memberMethods.stopExecutor, request);
  }

  readLog(life: OfLife, request: ReadLogRequest): Promise<LogPart> {
    return this.#call(memberMethods.readLog, { ...life, ...request });
  }

  /** All of these may come twice: ids and attempts say so to who takes them. */
  async #call<Answer>(method: string, request: OfLife): Promise<Answer> {
    const { workerId, incarnation } = request;
    const life = this.#lives.get(workerId);
    if (life?.incarnation !== incarnation) throw workerLostError(workerId);
    const options = { deadlineMs, term: this.#term, isRead: true, retries: 1 };
    const answer = await life.client.call(method, request as unknown as JsonValue, options);
    return answer as unknown as Answer;
  }
}

export function workerLostError(workerId: string) {
  return typedError('WORKER_LOST', `worker "${workerId}" is not there any more`, {
    hint: 'What it ran goes on elsewhere. millrace workers shows who is there.',
    retryable: true,
  });
}
