/**
 * The calling side of rpc: one connection per address, made when needed, and the only place of the
 * system that repeats calls. Every call ends within its deadline in one of three ways: it resolves,
 * it failed (surely not done), or its outcome is unknown (`outcomeOf` in rpc-error.ts).
 *
 * Repeats happen only when the caller allows them with `retries`, and only for calls that are safe
 * to repeat: those with an idempotency key and reads. They wait an exponential time with full jitter,
 * share the one deadline, and remember: if one attempt's outcome was unknown and the last one
 * failed, the call's outcome is unknown.
 */
import { assert } from '../assert.ts';
import type { Env } from '../env/env.ts';
import type { Address } from '../env/net.ts';
import type { Rng } from '../env/rng.ts';
import { TypedError } from '../typed-error.ts';
import { ClientConnection } from './client-connection.ts';
import type { JsonValue } from './message.ts';
import { asUnknown, busyError, disconnectedError, outcomeOf, stoppedError } from './rpc-error.ts';

export interface CallOptions {
  /** The whole call ends within this, repeats included. */
  readonly deadlineMs: number;
  /** The leader's fencing token: a receiver that has seen a newer one refuses the call. */
  readonly term?: number;
  /** The job attempt's epoch, likewise. */
  readonly epoch?: number;
  /** Makes the call safe to repeat: its work is done once. Unique per piece of work. */
  readonly idempotencyKey?: string;
  /** The call changes nothing, so it is safe to repeat. @defaultValue false */
  readonly isRead?: boolean;
  /** Repeats after the first attempt. @defaultValue 0 */
  readonly retries?: number;
}

export interface RpcClient {
  /** @throws the receiver's error, or RPC_DEADLINE, RPC_DISCONNECTED, RPC_STALE_EPOCH, RPC_NO_METHOD, RPC_BUSY, RPC_STOPPED. */
  call(method: string, body: JsonValue, options: CallOptions): Promise<JsonValue>;
  /** Ends the connection; open calls end with RPC_STOPPED. */
  close(): void;
}

export interface RpcClientOptions {
  readonly address: Address;
  /** Longest time to make a connection. @defaultValue 5,000 */
  readonly connectDeadlineMs?: number;
  /** Open calls above which a new one gets RPC_BUSY. @defaultValue 1,024 */
  readonly openCallsMax?: number;
  /** First wait before a repeat; doubles each time. @defaultValue 20 */
  readonly backoffMs?: number;
  /** Longest wait before a repeat. @defaultValue 1,000 */
  readonly backoffMsMax?: number;
}

const defaults = {
  connectDeadlineMs: 5_000,
  openCallsMax: 1_024,
  backoffMs: 20,
  backoffMsMax: 1_000,
} as const;

type ClientEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'rng'>;

export function createRpcClient(env: ClientEnv, options: RpcClientOptions): RpcClient {
  return new Client(env, options);
}

class Client implements RpcClient {
  readonly #env: ClientEnv;
  readonly #options: Required<RpcClientOptions>;
  readonly #jitter: Rng;
  #connecting: Promise<ClientConnection> | null = null;
  #connection: ClientConnection | null = null;
  #openCallCount = 0;
  #nextId = 1;
  #isStopped = false;

  constructor(env: ClientEnv, options: RpcClientOptions) {
    this.#env = env;
    this.#options = { ...defaults, ...options };
    this.#jitter = env.rng.stream(`rpc ${options.address}`);
  }

  async call(method: string, body: JsonValue, options: CallOptions): Promise<JsonValue> {
    const { retries = 0, isRead = false, idempotencyKey } = options;
    const isRepeatable = isRead || idempotencyKey !== undefined;
    assert(retries === 0 || isRepeatable, 'a call that may be repeated is idempotent');
    if (this.#openCallCount >= this.#options.openCallsMax) {
      throw busyError('caller', this.#options.openCallsMax);
    }
    this.#openCallCount++;
    try {
      return await this.#callWithRepeats(method, body, options, retries);
    } finally {
      this.#openCallCount--;
    }
  }

  close(): void {
    this.#isStopped = true;
    this.#connection?.end(stoppedError(this.#options.address, 'unknown'));
  }

  async #callWithRepeats(
    method: string,
    body: JsonValue,
    options: CallOptions,
    retries: number,
  ): Promise<JsonValue> {
    const endsAtMs = this.#env.clock.mono() + options.deadlineMs;
    const attemptMs = options.deadlineMs / (retries + 1);
    let wasUnknown = false;
    for (let attempt = 0; ; attempt++) {
      const leftMs = endsAtMs - this.#env.clock.mono();
      try {
        // The last attempt may use all that is left; the ones before it leave time for the next.
        const deadlineMs = attempt === retries ? leftMs : Math.min(leftMs, attemptMs);
        return await this.#attempt(method, body, options, deadlineMs);
      } catch (error) {
        wasUnknown ||= outcomeOf(error) === 'unknown';
        const waitMs = this.#backoffOf(attempt);
        const isLate = this.#env.clock.mono() + waitMs >= endsAtMs;
        if (attempt === retries || isLate || !this.#mayRepeatAfter(error)) {
          throw wasUnknown ? asUnknown(error) : error;
        }
        await this.#env.timers.sleep(waitMs);
      }
    }
  }

  #mayRepeatAfter(error: unknown): boolean {
    return !this.#isStopped && error instanceof TypedError && error.info.retryable;
  }

  #backoffOf(attempt: number): number {
    const { backoffMs, backoffMsMax } = this.#options;
    return this.#jitter.float() * Math.min(backoffMs * 2 ** attempt, backoffMsMax);
  }

  async #attempt(
    method: string,
    body: JsonValue,
    options: CallOptions,
    attemptMs: number,
  ): Promise<JsonValue> {
    const { address } = this.#options;
    if (this.#isStopped) throw stoppedError(address, 'failed');
    const startedAtMs = this.#env.clock.mono();
    const connection = await this.#connectWithin(Math.max(0, attemptMs));
    const deadlineMs = attemptMs - (this.#env.clock.mono() - startedAtMs);
    if (deadlineMs <= 0) throw disconnectedError(address, 'failed');
    const { term, epoch, idempotencyKey } = options;
    return await connection.call({
      kind: 'call',
      id: this.#nextId++,
      method,
      body,
      deadlineMs,
      ...(term !== undefined && { term }),
      ...(epoch !== undefined && { epoch }),
      ...(idempotencyKey !== undefined && { key: idempotencyKey }),
    });
  }

  /** The open connection, or a new one; all calls share it, each waits no longer than it may. */
  #connectWithin(deadlineMs: number): Promise<ClientConnection> {
    if (this.#connection?.isOpen) return Promise.resolve(this.#connection);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    const connecting = this.#connecting;
    return new Promise((resolve, reject) => {
      const cancel = this.#env.timers.after(deadlineMs, () =>
        reject(disconnectedError(this.#options.address, 'failed')),
      );
      connecting.then(resolve, reject).finally(cancel);
    });
  }

  async #connect(): Promise<ClientConnection> {
    const { address, connectDeadlineMs } = this.#options;
    try {
      const connection = await this.#env.net.connect(address, connectDeadlineMs);
      this.#connection = new ClientConnection(this.#env, connection);
    } catch (error) {
      throw disconnectedError(address, 'failed', error);
    }
    if (this.#isStopped) this.#connection.end(stoppedError(address, 'failed'));
    return this.#connection;
  }
}
