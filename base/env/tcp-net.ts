/**
 * The net over sockets: loopback TCP (`127.0.0.1:4000`, `[::1]:4000`, `localhost:0`) and Unix sockets (`unix:/path`) as they are,
 * any `host:port` with TLS 1.3 where both sides show a certificate. A frame on the wire is its length and its bytes:
 *
 *     ┌──────────────────────────┬───────────────┐
 *     │ u32 little-endian length │ length bytes  │   length <= frameBytesMax
 *     └──────────────────────────┴───────────────┘
 *
 * Without certificates anything off this host is refused with NET_NOT_LOOPBACK, in both directions. A longer frame than allowed
 * ends the connection.
 */
import type { Net } from './net.ts';
import { openServer, openSocket } from './sockets.ts';
import { TcpConnection } from './tcp-connection.ts';
import type { TlsCertificates } from './tls-certificates.ts';

export interface TcpNetOptions {
  /** Largest frame. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
  /** Of all TCP connections, those of this host as well. @defaultValue plain TCP, on this host only */
  readonly tls?: TlsCertificates | undefined;
}

export function createTcpNet({ frameBytesMax = 16 * 1024 * 1024, tls }: TcpNetOptions = {}): Net {
  return {
    listen: (address, accept) =>
      openServer(address, { tls }, (socket, remote) => {
        accept(new TcpConnection(socket, remote, { frameBytesMax, hasConnected: false }));
      }),
    connect: (address, deadlineMs) =>
      openSocket(address, { tls, deadlineMs }, (socket) => {
        return new TcpConnection(socket, address, { frameBytesMax, hasConnected: true });
      }),
  };
}
