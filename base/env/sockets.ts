/**
 * Sockets as the nets need them: listening, and connecting within a time, plain on this host or with TLS on any. Unix sockets are
 * always plain: nobody but this user can reach them.
 */
import { chmod, unlink } from 'node:fs/promises';
import {
  createConnection,
  createServer,
  type OnReadOpts,
  type Server,
  type Socket,
} from 'node:net';
import { systemCodeOf } from './disk-error.ts';
import type { Address } from './net.ts';
import { addressInUseError, connectError, unreachableError } from './net-error.ts';
import {
  listeningAddressOf,
  parseAddress,
  parseHostAddress,
  remoteOf,
  type Target,
} from './socket-address.ts';
import type { TlsCertificates } from './tls-certificates.ts';

export interface OpenServer {
  readonly address: Address;
  close(): Promise<void>;
}

export interface SocketWay {
  /** Of all TCP connections, those of this host as well. Undefined: plain, on this host only. */
  readonly tls: TlsCertificates | undefined;
}

/** @param serve - Is given each socket, and the address of its peer. */
export async function openServer(
  address: Address,
  { tls }: SocketWay,
  serve: (socket: Socket, remote: Address) => void,
): Promise<OpenServer> {
  const target = targetOf(address, tls);
  const sockets = new Set<Socket>();
  const served = (socket: Socket): void => serve(socket, remoteOf(socket, address));
  const isPlain = tls === undefined || 'path' in target;
  const server = isPlain ? createServer(served) : (await loadTls()).createTlsServer(tls, served);
  // All of them, those whose handshake goes on as well.
  server.prependListener('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listenAt(server, target, address);
  return {
    address: listeningAddressOf(server, target),
    close: () => closeServer(server, sockets),
  };
}

export interface SocketRequest extends SocketWay {
  readonly deadlineMs: number;
  readonly onread?: OnReadOpts;
}

/** @param opened - Is called within the event: what it attaches misses nothing. */
export async function openSocket<T>(
  address: Address,
  { tls, deadlineMs, onread }: SocketRequest,
  opened: (socket: Socket) => T,
): Promise<T> {
  const target = targetOf(address, tls);
  const options = { ...target, noDelay: true, ...(onread !== undefined && { onread }) };
  const secured = tls === undefined || 'path' in target ? null : { tls, ...(await loadTls()) };
  return await new Promise((resolve, reject) => {
    const socket = secured?.connectTlsSocket(secured.tls, options) ?? createConnection(options);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const late = () => fail(unreachableError(address, `no answer within ${deadlineMs} ms`));
    const timer = setTimeout(late, deadlineMs);
    const onError = (error: Error): void => fail(connectError(address, error));
    socket.once('error', onError);
    socket.once(secured !== null ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(opened(socket));
    });
  });
}

/** Node's part for TLS takes its time to load, and most processes have none. */
function loadTls() {
  return import('./tls-sockets.ts');
}

function targetOf(address: Address, tls: TlsCertificates | undefined): Target {
  return tls === undefined ? parseAddress(address) : parseHostAddress(address);
}

async function listenAt(server: Server, target: Target, address: Address): Promise<void> {
  try {
    await listenOnce(server, target);
  } catch (error) {
    if (systemCodeOf(error) !== 'EADDRINUSE') {
      throw unreachableError(address, systemCodeOf(error), error);
    }
    if (!('path' in target) || (await isAnswering(target))) throw addressInUseError(address, error);
    // The socket file of a process that died: nobody answers, so the name is free.
    await unlink(target.path);
    await listenOnce(server, target);
  }
  if ('path' in target) await chmod(target.path, 0o600); // Only this user may connect.
}

function listenOnce(server: Server, target: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function isAnswering(target: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(target);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
