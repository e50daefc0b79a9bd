/**
 * Data connections over sockets: `unix:/path` and loopback TCP as they are, any `host:port` with TLS 1.3 where both sides show a
 * certificate that the authority has signed. Without certificates nothing listens or connects beyond this host.
 *
 *     write    cork, all pieces, uncork: one call of the system for headers and slots
 *     read     256 KiB that are allocated once per connection that was opened from here
 *
 * The handshake of TLS comes before the first byte of ours, so who has no certificate learns nothing, not even the version.
 */
import type { Socket } from 'node:net';
import type { ByteConnection, ByteHandlers, ByteNet } from './byte-net.ts';
import type { Address } from './net.ts';
import { socketError } from './net-error.ts';
import { openServer, openSocket } from './sockets.ts';
import type { TlsCertificates } from './tls-certificates.ts';

export interface SocketByteNetOptions {
  /** Of all TCP connections, those of this host as well. @defaultValue plain TCP, on this host only */
  readonly tls?: TlsCertificates | undefined;
}

const readBytes = 256 * 1024;
/** A peer that was cut off without a word is noticed after a time of this order. */
const keepAliveMs = 10_000;

export function createSocketByteNet({ tls }: SocketByteNetOptions = {}): ByteNet {
  return {
    listen: (address, accept) =>
      openServer(address, { tls }, (socket, remote) => {
        const connection = new SocketConnection(socket, remote);
        connection.attach(accept(connection));
        socket.on('data', (bytes: Uint8Array) => connection.received(bytes));
      }),
    async connect(address, deadlineMs, handlers) {
      let connection: SocketConnection | null = null;
      const onread = {
        buffer: new Uint8Array(readBytes),
        callback: (count: number, buffer: Uint8Array): boolean => {
          connection?.received(buffer.subarray(0, count));
          return true;
        },
      };
      return await openSocket(address, { tls, deadlineMs, onread }, (socket) => {
        connection = new SocketConnection(socket, address);
        connection.attach(handlers);
        socket.resume(); // Else nobody reads the end.
        return connection;
      });
    },
  };
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
      this.#error ??= socketError(this.remote, error);
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
