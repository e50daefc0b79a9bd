/**
 * The HTTP seam, calling side: whole answers, and answers that go on for ever. For services that have no
 * other door; Millrace's own roles talk rpc.
 *
 * A call that fails says whether it may have done something (`details.outcome`, read by `outcomeOf`): only one
 * that never reached the other side surely has not.
 */

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the whole call; of a stream, until its head is there. */
  readonly deadlineMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface HttpStream {
  /** Resolves when it has ended, however; `null` after `close`. */
  readonly ended: Promise<Error | null>;
  close(): void;
}

export interface HttpClient {
  /** @throws HTTP_UNREACHABLE, HTTP_BROKEN, HTTP_DEADLINE, HTTP_TOO_LARGE */
  call(request: HttpRequest): Promise<HttpAnswer>;
  /** Hands on the answer's body as it comes, in pieces of any length. */
  stream(request: HttpRequest, onText: (text: string) => void): HttpStream;
  /** Ends all connections. */
  close(): void;
}

/** Of one's own, for a service that asks who calls; PEM. */
export interface HttpTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}
