/**
 * The HTTP seam on Node's own client: connections are kept and used again. `https:` addresses by TLS; plain
 * ones are of this host only, and others refused with NET_NOT_LOOPBACK.
 */
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { type TypedError, typedError } from '../typed-error.ts';
import type { HttpAnswer, HttpClient, HttpRequest, HttpStream, HttpTls } from './http-client.ts';
import { notLoopbackError } from './net-error.ts';

/** Above it an answer is none that anybody asked for. */
const answerBytesMax = 64 * 1024 * 1024;
const loopbackHosts = ['127.0.0.1', '[::1]', 'localhost'];
const notSent = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'];

export function createRealHttpClient(tls: HttpTls = {}): HttpClient {
  return new RealHttpClient(tls);
}

class RealHttpClient implements HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #tlsAgent: TlsAgent;

  constructor(tls: HttpTls) {
    this.#tlsAgent = new TlsAgent({ ...tls, keepAlive: true, maxSockets: 16 });
  }

  call(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      // Throws, and so rejects, before anything is sent.
      const sent = this.#send(request);
      const timer = setTimeout(() => sent.destroy(deadlineError(request)), request.deadlineMs);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        reject(asTyped(error, request));
      };
      sent.on('error', fail);
      sent.on('response', (answer) => {
        const pieces: Buffer[] = [];
        let sizeBytes = 0;
        answer.on('data', (piece: Buffer) => {
          sizeBytes += piece.length;
          if (sizeBytes > answerBytesMax) sent.destroy(tooLargeError(request));
          else pieces.push(piece);
        });
        answer.on('error', fail);
        answer.on('end', () => {
          clearTimeout(timer);
          resolve({ status: statusOf(answer), body: Buffer.concat(pieces).toString('utf8') });
        });
      });
    });
  }

  stream(request: HttpRequest, onText: (text: string) => void): HttpStream {
    const sent = this.#send(request);
    let isClosed = false;
    const timer = setTimeout(() => sent.destroy(deadlineError(request)), request.deadlineMs);
    const ended = new Promise<Error | null>((resolve) => {
      const end = (error: Error): void => {
        clearTimeout(timer);
        resolve(isClosed ? null : asTyped(error, request));
      };
      sent.on('error', end);
      sent.on('response', (answer) => {
        clearTimeout(timer);
        answer.setEncoding('utf8');
        answer.on('data', onText);
        answer.on('error', end);
        answer.on('close', () => end(new Error('the stream has ended')));
      });
    });
    const close = (): void => {
      isClosed = true;
      sent.destroy(new Error('closed'));
    };
    return { ended, close };
  }

  close(): void {
    this.#agent.destroy();
    this.#tlsAgent.destroy();
  }

  #send({ url, method, body, headers }: HttpRequest): ClientRequest {
    const isTls = url.startsWith('https:');
    if (!isTls && !isOfThisHost(url)) throw notLoopbackError(originOf(url));
    const agent = isTls ? this.#tlsAgent : this.#agent;
    const sent = (isTls ? httpsRequest : httpRequest)(url, {
      method,
      agent,
      headers: { ...headers },
    });
    sent.end(body);
    return sent;
  }
}

function isOfThisHost(url: string): boolean {
  return URL.canParse(url) && loopbackHosts.includes(new URL(url).hostname);
}

function statusOf(answer: IncomingMessage): number {
  return answer.statusCode ?? 0;
}

function asTyped(error: Error & { readonly code?: string }, { url }: HttpRequest): Error {
  if ('info' in error) return error;
  const isFailed = notSent.includes(error.code ?? '');
  const code = isFailed ? 'HTTP_UNREACHABLE' : 'HTTP_BROKEN';
  const what = isFailed ? 'can not be reached' : 'broke the call off';
  return typedError(code, `"${originOf(url)}" ${what}: ${error.message}`, {
    hint: 'Look whether the service runs and whether the address is right.',
    retryable: true,
    details: { address: originOf(url), outcome: isFailed ? 'failed' : 'unknown' },
    cause: error,
  });
}

function deadlineError({ url, deadlineMs }: HttpRequest): TypedError {
  const message = `"${originOf(url)}" has not answered within ${deadlineMs} ms`;
  return typedError('HTTP_DEADLINE', message, {
    hint: 'The work may have been done. Look whether the service is overloaded or cut off.',
    retryable: true,
    details: { address: originOf(url), outcome: 'unknown' },
  });
}

function tooLargeError({ url }: HttpRequest): TypedError {
  const message = `"${originOf(url)}" answers with more than ${answerBytesMax} bytes`;
  return typedError('HTTP_TOO_LARGE', message, {
    hint: 'Ask for less at once.',
    details: { address: originOf(url), outcome: 'unknown' },
  });
}

/** Without path and query, which may have secrets. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}
