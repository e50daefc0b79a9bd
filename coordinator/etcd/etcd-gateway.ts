/**
 * etcd through its JSON gateway, which every etcd serves on its client port: transactions, ranges, watches.
 *
 * Why not a gRPC client: the one for Node (etcd3) has had no new release for years and brings 16 MB; we need
 * three calls, and over the HTTP seam they can be simulated. In JSON keys and values are base64, numbers of
 * 64 bits are text.
 *
 * A call goes to one endpoint after the other until one can be reached. A transaction that may have arrived is
 * not repeated: its outcome is unknown.
 * @see https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
 * After: coordinator/etcd/etcd-log.ts, coordinator/etcd/etcd-register.ts.
 */
import type { HttpClient, HttpStream } from '../../base/env/http-client.ts';
import { outcomeOf } from '../../base/rpc/rpc-error.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';

export interface EtcdOptions {
  /** Such as `http://127.0.0.1:2379`; several of one cluster. */
  readonly endpoints: readonly string[];
  /** Of each call. @defaultValue 3,000 */
  readonly deadlineMs?: number;
}

export interface EtcdValue {
  readonly key: string;
  readonly value: string;
  /** Writes of the key since it was made. */
  readonly version: number;
}

export type EtcdCompare = { readonly key: string } & (
  | { readonly target: 'value'; readonly result: 'EQUAL' | 'LESS'; readonly value: string }
  /** 0 where the key is not there. */
  | { readonly target: 'version'; readonly version: number }
);

export type EtcdOperation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  /** Keys from `key` up to, not including, `end`; without it that one key. */
  | { readonly kind: 'range' | 'delete'; readonly key: string; readonly end?: string };

export interface EtcdTransaction {
  readonly compare: readonly EtcdCompare[];
  readonly success: readonly EtcdOperation[];
  readonly failure: readonly EtcdOperation[];
}

export interface EtcdAnswer {
  readonly isDone: boolean;
  readonly revision: number;
  /** What each range has found; empty for other operations. */
  readonly found: readonly (readonly EtcdValue[])[];
}

type Json = Readonly<Record<string, unknown>>;

interface WireValue {
  readonly key: string;
  readonly value?: string;
  readonly version?: string;
}

export class EtcdGateway {
  readonly #http: HttpClient;
  readonly #endpoints: readonly string[];
  readonly #deadlineMs: number;
  /** The one that answered last. */
  #current = 0;

  constructor(http: HttpClient, { endpoints, deadlineMs = 3_000 }: EtcdOptions) {
    this.#http = http;
    this.#endpoints = endpoints;
    this.#deadlineMs = deadlineMs;
  }

  async transact({ compare, success, failure }: EtcdTransaction): Promise<EtcdAnswer> {
    const body = {
      compare: compare.map(wireCompare),
      success: success.map(wireOperation),
      failure: failure.map(wireOperation),
    };
    const answer = await this.#call('/v3/kv/txn', body);
    const responses = (answer.responses ?? []) as readonly Json[];
    return {
      isDone: answer.succeeded === true,
      revision: revisionOf(answer),
      found: responses.map((response) => valuesIn((response.response_range ?? {}) as Json)),
    };
  }

  /** Keys of a range at a revision, by key, page by page; at most `limit` of them. */
  async range(
    { key, end }: { readonly key: string; readonly end: string },
    at: { readonly revision: number; readonly limit: number },
  ): Promise<readonly EtcdValue[]> {
    const ends = { key: base64(key), range_end: base64(end) };
    const answer = await this.#call('/v3/kv/range', {
      ...ends,
      limit: String(at.limit),
      revision: String(at.revision),
    });
    return valuesIn(answer);
  }

  /** Tells of puts to a range behind a revision, until it ends. */
  watch(
    { key, end, after }: { readonly key: string; readonly end: string; readonly after: number },
    onPuts: (values: readonly EtcdValue[]) => void,
  ): HttpStream {
    const create = { key: base64(key), range_end: base64(end), start_revision: String(after + 1) };
    const filters = ['NODELETE'];
    const body = JSON.stringify({ create_request: { ...create, filters } });
    const url = `${this.#endpoints[this.#current]}/v3/watch`;
    let rest = '';
    const stream = this.#http.stream(
      { url, method: 'POST', body, deadlineMs: this.#deadlineMs },
      (text) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') take(JSON.parse(line));
      },
    );
    const take = ({ result }: { readonly result?: Json }): void => {
      // It can't go on: the revision is compacted, or the server wants to end it. The caller reads anew.
      if (result === undefined || result.canceled === true) {
        stream.close();
        return;
      }
      const events = (result.events ?? []) as readonly { readonly kv: WireValue }[];
      if (events.length > 0) onPuts(events.map(({ kv }) => valueIn(kv)));
    };
    void stream.ended.then((error) => {
      if (error !== null) this.#turn();
    });
    return stream;
  }

  close(): void {
    this.#http.close();
  }

  async #call(path: string, body: Json): Promise<Json> {
    let last: unknown;
    for (let tries = 0; tries < this.#endpoints.length; tries++) {
      const url = `${this.#endpoints[this.#current]}${path}`;
      try {
        const answer = await this.#http.call({
          ...{ url, method: 'POST', body: JSON.stringify(body), deadlineMs: this.#deadlineMs },
        });
        if (answer.status === 200) return JSON.parse(answer.body);
        throw refusedError(url, answer.status, answer.body);
      } catch (error) {
        last = error;
        this.#turn();
        if (outcomeOf(error) === 'unknown' && path.endsWith('/txn')) throw error;
      }
    }
    throw last;
  }

  #turn(): void {
    this.#current = (this.#current + 1) % this.#endpoints.length;
  }
}

/** The end of the range of all keys that begin with a prefix. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function wireCompare(compare: EtcdCompare): Json {
  const key = base64(compare.key);
  return compare.target === 'value'
    ? { key, target: 'VALUE', result: compare.result, value: base64(compare.value) }
    : { key, target: 'VERSION', result: 'EQUAL', version: String(compare.version) };
}

function wireOperation(operation: EtcdOperation): Json {
  const key = base64(operation.key);
  if (operation.kind === 'put') return { request_put: { key, value: base64(operation.value) } };
  const range = operation.end === undefined ? { key } : { key, range_end: base64(operation.end) };
  return operation.kind === 'range' ? { request_range: range } : { request_delete_range: range };
}

function valuesIn(answer: Json): EtcdValue[] {
  return ((answer.kvs ?? []) as readonly WireValue[]).map(valueIn);
}

function valueIn({ key, value = '', version = '0' }: WireValue): EtcdValue {
  return { key: fromBase64(key), value: fromBase64(value), version: Number(version) };
}

function revisionOf({ header }: Json): number {
  return Number((header as { readonly revision?: string } | undefined)?.revision ?? 0);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

function refusedError(url: string, status: number, body: string): TypedError {
  const message = `etcd at "${url}" answered with ${status}: ${body.slice(0, 200)}`;
  return typedError('ETCD_REFUSED', message, {
    hint: 'Look at the log of etcd: it may have no leader, no space, or ask for a user.',
    retryable: true,
    // An etcd without a leader may have passed it on before it lost it.
    details: { status, outcome: status >= 500 ? 'unknown' : 'failed' },
  });
}
