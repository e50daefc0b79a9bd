/**
 * Calls to whichever of several addresses leads: a client for each, and the one that answered last is asked first.
 *
 *     a: connection refused ─▶ b: "CLUSTER_NOT_LEADING, c does" ─▶ c: answers ─▶ the next call goes to c at once
 *
 * Each address is asked once in a call, and all share its deadline: one that is frozen takes its part of it and no more. A
 * call that may have been done is asked of another address only when it changes nothing that must not change twice (`isRead`).
 *
 * Before: base/rpc/client.ts.
 */
import type { Env } from '../env/env.ts';
import type { Address } from '../env/net.ts';
import { codeOf, TypedError } from '../typed-error.ts';
import { type CallOptions, createRpcClient, type RpcClient } from './client.ts';
import type { JsonValue } from './message.ts';
import { outcomeOf } from './rpc-error.ts';

export interface LeaderClient extends RpcClient {
  /** Who is asked first: who has answered last. */
  readonly leader: Address;
}

export interface LeaderClientOptions {
  /** One or more. */
  readonly addresses: readonly Address[];
  /** Longest time to make a connection. @defaultValue 2,000 */
  readonly connectDeadlineMs?: number;
}

/** Of addresses that the list has not: each came from a coordinator, and is forgotten for newer ones. */
const hintsMax = 8;

export function createLeaderClient(
  env: Pick<Env, 'clock' | 'timers' | 'net' | 'rng'>,
  options: LeaderClientOptions,
): LeaderClient {
  return new Leader(env, options);
}

class Leader implements LeaderClient {
  readonly #env: Pick<Env, 'clock' | 'timers' | 'net' | 'rng'>;
  readonly #addresses: readonly Address[];
  readonly #connectDeadlineMs: number;
  readonly #clients = new Map<Address, RpcClient>();
  #leader: Address;
  #isClosed = false;

  constructor(
    env: Pick<Env, 'clock' | 'timers' | 'net' | 'rng'>,
    { addresses, connectDeadlineMs = 2_000 }: LeaderClientOptions,
  ) {
    this.#env = env;
    this.#addresses = addresses;
    this.#connectDeadlineMs = connectDeadlineMs;
    this.#leader = addresses[0] ?? '';
  }

  get leader(): Address {
    return this.#leader;
  }

  async call(method: string, body: JsonValue, options: CallOptions): Promise<JsonValue> {
    const endsAtMs = this.#env.clock.mono() + options.deadlineMs;
    const asked = new Set<Address>();
    let address = this.#leader;
    while (true) {
      asked.add(address);
      const others = this.#addresses.filter((one) => !asked.has(one)).length;
      const leftMs = Math.max(0, endsAtMs - this.#env.clock.mono());
      try {
        const attempt = { ...options, deadlineMs: leftMs / (others + 1) };
        const answer = await this.#clientOf(address).call(method, body, attempt);
        this.#leader = address;
        return answer;
      } catch (error) {
        const next = nextAddress(error, { addresses: this.#addresses, asked, address });
        if (next === null) throw error;
        // Calls that are made meanwhile need not find out for themselves.
        this.#leader = next;
        const isPerhapsDone = outcomeOf(error) === 'unknown' && options.isRead !== true;
        if (isPerhapsDone || this.#env.clock.mono() >= endsAtMs) throw error;
        address = next;
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const client of this.#clients.values()) client.close();
  }

  #clientOf(address: Address): RpcClient {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const connectDeadlineMs = this.#connectDeadlineMs;
    const client = createRpcClient(this.#env, { address, connectDeadlineMs });
    if (this.#isClosed) client.close();
    this.#clients.set(address, client);
    this.#forgetHints();
    return client;
  }

  #forgetHints(): void {
    const hints = [...this.#clients].filter(([address]) => !this.#addresses.includes(address));
    for (const [address, client] of hints.slice(0, -hintsMax)) {
      client.close();
      this.#clients.delete(address);
    }
  }
}

export interface AskedSoFar {
  readonly addresses: readonly Address[];
  readonly asked: ReadonlySet<Address>;
  /** Who has answered with the error, or has not answered. */
  readonly address: Address;
}

/** Whom to ask behind an error; null when it is the answer. */
export function nextAddress(
  error: unknown,
  { addresses, asked, address }: AskedSoFar,
): Address | null {
  if (!(error instanceof TypedError)) return null;
  const isOther = error.info.code === 'CLUSTER_NOT_LEADING';
  if (!isOther && !isNotThere(error)) return null;
  const hint = isOther ? error.info.details?.address : undefined;
  if (typeof hint === 'string' && hint !== '' && !asked.has(hint)) return hint;
  const from = addresses.indexOf(address) + 1;
  const inTurn = [...addresses.slice(from), ...addresses.slice(0, from)];
  return inTurn.find((one) => !asked.has(one)) ?? null;
}

function isNotThere(error: TypedError): boolean {
  const code = codeOf(error);
  return code === 'RPC_DISCONNECTED' || code === 'RPC_DEADLINE';
}
