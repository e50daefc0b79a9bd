/**
 * Data connections over sockets: `unix:/path` and loopback TCP as they are, any `host:port` with TLS 1.3 where both sides show a
 * certificate that the authority has signed. Without certificates nothing listens or connects beyond this host.
 *
 *     write    cork, all pieces, uncork: one call of the system for headers and slots
 *     read     256 KiB that are allocated once per connection that was opened from here
 *
 * The handshake of TLS comes before the first byte of ours, so who has no certificate learns nothing, not even the version.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
} from 'node:tls';
import type { ByteConnection, ByteHandlers, ByteNet } from './byte-net.ts';
import { systemCodeOf } from './disk-error.ts';
import type { Address } from './net.ts';
import { brokenError, unreachableError } from './net-error.ts';
import {
  closeServer,
  listenAt,
  listeningAddressOf,
  parseAddress,
  parseHostAddress,
  remoteOf,
  type Target,
} from './tcp-net.ts';

/** Texts in PEM, as they are in the files. */
export interface TlsCertificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface SocketByteNetOptions {
  /** Of all TCP connections, those of this host as well. @defaultValue plain TCP, on this host only */
  readonly tls?: TlsCertificates | undefined;
}

const readBytes = 256 * 1024;
/** A peer that was cut off without a word is noticed after a time of this order. */
const keepAliveMs = 10_000;
/** A handshake that is not over by then never will be. */
const handshakeMs = 5_000;

export function createSocketByteNet({ tls }: SocketByteNetOptions = {}): ByteNet {
  const targetOf = (address: Address) => {
    return tls === undefined ? parseAddress(address) : parseHostAddress(address);
  };
  return {
    async listen(address, accept) {
      const target = targetOf(address);
      const sockets = new Set<Socket>();
      const serve = (socket: Socket): void => {
        const connection = new SocketConnection(socket, remoteOf(socket, address));
        connection.attach(accept(connection));
        socket.on('data', (bytes: Uint8Array) => connection.received(bytes));
      };
      const server = serverOf('path' in target ? undefined : tls, serve);
      // All of them, those whose handshake goes on as well.
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      await listenAt(server, target, address);
      return {
        address: listeningAddressOf(server, target),
        close: () => closeServer(server, sockets),
      };
    },
    async connect(address, deadlineMs, handlers) {
      return await connectTo(address, deadlineMs, handlers, { target: targetOf(address), tls });
    },
  };
}

function serverOf(tls: TlsCertificates | undefined, serve: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer(serve);
  const server = createTlsServer({
    ...tlsOptionsOf(tls),
    ...{ requestCert: true, rejectUnauthorized: true, handshakeTimeout: handshakeMs },
  });
  server.on('secureConnection', serve);
  // Whoever shows no certificate is cut off, and is no event of ours.
  server.on('tlsClientError', (_, socket) => socket.destroy());
  return server;
}

function tlsOptionsOf({ authority, certificate, key }: TlsCertificates) {
  return { ca: authority, cert: certificate, key, minVersion: 'TLSv1.3' } as const;
}

interface Way {
  readonly target: Target;
  readonly tls: TlsCertificates | undefined;
}

function connectTo(
  address: Address,
  deadlineMs: number,
  handlers: ByteHandlers,
  { target, tls }: Way,
): Promise<ByteConnection> {
  return new Promise((resolve, reject) => {
    let connection: SocketConnection | null = null;
    const onread = {
      buffer: new Uint8Array(readBytes),
      callback: (count: number, buffer: Uint8Array): boolean => {
        connection?.received(buffer.subarray(0, count));
        return true;
      },
    };
    const isTls = tls !== undefined && !('path' in target);
    const socket = isTls
      ? connectTls(tlsWayOf(target, tls, onread))
      : createConnection({ ...target, noDelay: true, onread });
    const fail = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachableError(address, reason, cause));
    };
    const timer = setTimeout(() => fail(`no answer within ${deadlineMs} ms`), deadlineMs);
    const onError = (error: Error): void => fail(reasonOf(error), error);
    socket.once('error', onError);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      connection = new SocketConnection(socket, address);
      connection.attach(handlers);
      socket.resume(); // Else nobody reads the end.
      resolve(connection);
    });
  });
}

/** `onread` is an option of the socket, which is passed on to it. */
function tlsWayOf(target: Target, tls: TlsCertificates, onread: object): ConnectionOptions {
  return { ...target, ...tlsOptionsOf(tls), ...{ onread } };
}

/** What TLS complains of has a code of its own, and a sentence that says more. */
function reasonOf(error: Error): string {
  const code = systemCodeOf(error);
  return code.startsWith('E') && !code.startsWith('ERR_') ? code : error.message;
}

class SocketConnection implements ByteConnection {
  readonly remote: Address;
  readonly #socket: Socket;
  #handlers: ByteHandlers | null = null;
  #isClosing = false;
  #error: Error | null = null;

  constructor(socket: Socket, remote: Address) {
    this.#socket = socket;
    this.remote = remote;
  }

  attach(handlers: ByteHandlers): void {
    this.#handlers = handlers;
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('error', (error) => {
      this.#error ??= brokenError(this.remote, error);
    });
    socket.on('drain', () => handlers.onDrain());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => handlers.onClose(this.#isClosing ? null : this.#error));
  }

  received(bytes: Uint8Array): void {
    if (!this.#isClosing) this.#handlers?.onBytes(bytes);
  }

  write(pieces: readonly Uint8Array[]): boolean {
    if (this.#isClosing || this.#socket.destroyed) return true; // Its end is on its way to `onClose`.
    let hasRoom = true;
    this.#socket.cork();
    for (const piece of pieces) hasRoom = this.#socket.write(piece);
    this.#socket.uncork();
    return hasRoom;
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.destroy();
  }
}
