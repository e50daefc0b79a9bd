/**
 * TLS under the nets: 1.3, and both sides show a certificate that the authority has signed. Who has none is cut off within the
 * handshake, before the first byte of ours. Loaded only where certificates are given.
 */
import type { Server, Socket } from 'node:net';
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer,
  type TLSSocket,
} from 'node:tls';
import type { TlsCertificates } from './tls-certificates.ts';

/** A handshake that is not over by then never will be. */
const handshakeMs = 5_000;

/** @param serve - Is given each socket whose peer has shown its certificate. */
export function createTlsServer(tls: TlsCertificates, serve: (socket: Socket) => void): Server {
  const server = createServer({
    ...optionsOf(tls),
    ...{ requestCert: true, rejectUnauthorized: true, handshakeTimeout: handshakeMs },
  });
  server.on('secureConnection', serve);
  // Whoever shows no certificate is cut off, and is no event of ours.
  server.on('tlsClientError', (_, socket) => socket.destroy());
  return server;
}

/** @param options - Where to, and what else a socket takes: the socket below is given it. */
export function connectTlsSocket(tls: TlsCertificates, options: ConnectionOptions): TLSSocket {
  return connectTls({ ...options, ...optionsOf(tls) });
}

function optionsOf({ authority, certificate, key }: TlsCertificates) {
  return { ca: authority, cert: certificate, key, minVersion: 'TLSv1.3' } as const;
}
