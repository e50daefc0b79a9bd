/**
 * Connections to brokers, two to each at most: one for fetches, which a broker holds open while it has nothing,
 * and one for all other calls, which would wait behind them.
 *
 * A call ends: with its answer, with Kafka's error, or when its time is over; then its connection is closed, for
 * the answer may still come and nobody would take it.
 */
import { type API, type Broker, type Connection, ConnectionPool } from '@platformatic/kafka';
import { codeOf } from '../../../base/typed-error.ts';
import type { KafkaConnection } from '../connection-secrets.ts';
import {
  authenticationError,
  isTlsCode,
  kafkaCodeOf,
  kafkaError,
  tlsError,
  unreachableError,
} from '../kafka-errors.ts';
import { type KafkaEnv, within } from '../retrying.ts';

const clientId = 'millrace';
const connectTimeoutMsMax = 5_000;
const saslNames = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

export interface CallOptions {
  readonly timeoutMs: number;
  /** For messages: `topic "bids"`. */
  readonly what: string;
  /** Whether the broker may hold it open. @defaultValue false */
  readonly isFetch?: boolean;
}

export class BrokerConnections {
  readonly #env: KafkaEnv;
  readonly #seeds: readonly Broker[];
  readonly #addresses: string;
  readonly #calls: ConnectionPool;
  readonly #fetches: ConnectionPool;

  constructor({ brokers, tls, sasl, callTimeoutMs }: KafkaConnection, env: KafkaEnv) {
    this.#env = env;
    this.#addresses = brokers.join(', ');
    this.#seeds = brokers.map(brokerOf);
    const options = {
      connectTimeout: Math.min(callTimeoutMs, connectTimeoutMsMax),
      // Longer than any call of ours may take: those have deadlines of their own.
      requestTimeout: callTimeoutMs * 2,
      // An address is no name that could be asked for; certificates are checked for it all the same.
      ...(tls !== null && { tls, tlsServerName: !this.#seeds.some(({ host }) => isAddress(host)) }),
      ...(sasl !== null && { sasl: { ...sasl, mechanism: saslNames[sasl.mechanism] } }),
    };
    this.#calls = new ConnectionPool(clientId, options);
    this.#fetches = new ConnectionPool(clientId, options);
  }

  /** Asks whichever of the brokers that the user named answers. */
  callAny<A extends unknown[], R>(api: API<A, R>, args: A, options: CallOptions): Promise<R> {
    return this.#call(() => this.#calls.getFirstAvailable([...this.#seeds]), api, args, options);
  }

  call<A extends unknown[], R>(
    broker: Broker,
    api: API<A, R>,
    args: A,
    options: CallOptions,
  ): Promise<R> {
    const pool = options.isFetch === true ? this.#fetches : this.#calls;
    return this.#call(() => pool.get(broker), api, args, options);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#calls.close(), this.#fetches.close()]);
  }

  async #call<A extends unknown[], R>(
    connect: () => Promise<Connection>,
    api: API<A, R>,
    args: A,
    { timeoutMs, what }: CallOptions,
  ): Promise<R> {
    const late = () => unreachableError(this.#addresses, new Error(`no answer in ${timeoutMs} ms`));
    const used: { connection?: Connection } = {};
    const work = async () => {
      used.connection = await connect();
      return api.async(used.connection, ...args);
    };
    try {
      return await within(this.#env, timeoutMs, work(), late);
    } catch (error) {
      if (codeOf(error) === 'KAFKA_UNREACHABLE') await used.connection?.close();
      throw this.#typed(error, what);
    }
  }

  #typed(error: unknown, what: string): unknown {
    if (codeOf(error) !== null) return error;
    const known = kindOf(error);
    if (known.kind === 'answer') return kafkaError(known.number, what, error);
    if (known.kind === 'authentication') return authenticationError(this.#addresses, error);
    if (known.kind === 'tls') return tlsError(this.#addresses, error);
    return known.kind === 'network' ? unreachableError(this.#addresses, error) : error;
  }
}

/** What the package's error, or one of those inside of it, says. */
function kindOf(
  error: unknown,
):
  | { readonly kind: 'answer'; readonly number: number }
  | { readonly kind: 'authentication' | 'tls' | 'network' | 'other' } {
  const inside = errorsInside(error);
  if (inside.some(({ code }) => isTlsCode(code))) return { kind: 'tls' };
  const isNetwork = inside.some(({ code }) => networkCodes.test(String(code)));
  // A listener that closes the connection in the midst of it has not refused the user.
  if (!isNetwork && inside.some(({ code }) => code === 'PLT_KFK_AUTHENTICATION')) {
    return { kind: 'authentication' };
  }
  const answer = inside.find(({ apiCode }) => typeof apiCode === 'number');
  if (answer !== undefined) {
    const number = Number(answer.apiCode);
    // The broker says so, and may close the connection before the package has ended it.
    return refusals.has(number) ? { kind: 'authentication' } : { kind: 'answer', number };
  }
  return { kind: isNetwork ? 'network' : 'other' };
}

/** UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED */
const refusals: ReadonlySet<number> = new Set([33, 34, 58]);
const networkCodes = /^(PLT_KFK_(NETWORK|TIMEOUT|UNEXPECTED_CORRELATION_ID|USER)|E[A-Z]+)$/;

interface LibraryError {
  readonly code?: unknown;
  readonly apiCode?: unknown;
  readonly errors?: unknown;
  readonly cause?: unknown;
}

function errorsInside(error: unknown): LibraryError[] {
  if (typeof error !== 'object' || error === null) return [];
  const { errors, cause } = error as LibraryError;
  const inner = [...(Array.isArray(errors) ? errors : []), cause];
  return [error, ...inner.flatMap(errorsInside)];
}

function brokerOf(address: string): Broker {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  return { host, port: Number(address.slice(at + 1)) };
}

/** Whether a host is given by its number (IPv4, IPv6), and not by a name. */
function isAddress(host: string): boolean {
  return host.includes(':') || /^\d+(\.\d+){3}$/.test(host);
}

/** Whether the answer means that another broker has it now. */
export function hasMoved(error: unknown): boolean {
  const number = kafkaCodeOf(error);
  return codeOf(error) === 'KAFKA_UNREACHABLE' || (number !== null && movedNumbers.has(number));
}

const movedNumbers: ReadonlySet<number> = new Set([3, 5, 6, 8, 9, 14, 15, 16, 41, 74, 75]);
