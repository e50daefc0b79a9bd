/**
 * The net over sockets of this host: loopback TCP (`127.0.0.1:4000`, `[::1]:4000`, `localhost:0`)
 * and Unix sockets (`unix:/path`). A frame on the wire is its length and its bytes:
 *
 *     ┌──────────────────────────┬───────────────┐
 *     │ u32 little-endian length │ length bytes  │   length <= frameBytesMax
 *     └──────────────────────────┴───────────────┘
 *
 * Anything off this host is refused with NET_NOT_LOOPBACK, in both directions: without TLS and
 * authentication nothing may leave the machine. A longer frame than allowed ends the connection.
 */
import { chmod, unlink } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { systemCodeOf } from './disk-error.ts';
import type { Address, Connection, Listener, Net } from './net.ts';
import {
  addressFormError,
  addressInUseError,
  notLoopbackError,
  unreachableError,
} from './net-error.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface TcpNetOptions {
  /** Largest frame. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
}

export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

export function createTcpNet(options: TcpNetOptions = {}): Net {
  const { frameBytesMax = 16 * 1024 * 1024 } = options;
  return {
    async listen(address, accept): Promise<Listener> {
      const target = parseAddress(address);
      const sockets = new Set<Socket>();
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        accept(new TcpConnection(socket, remoteOf(socket, address), frameBytesMax));
      });
      await listenAt(server, target, address);
      const close = (): Promise<void> => closeServer(server, sockets);
      return { address: listeningAddressOf(server, target), close };
    },
    connect(address, deadlineMs): Promise<Connection> {
      return connectTo(address, deadlineMs, frameBytesMax);
    },
  };
}

/** Reads an address and refuses what is not on this host. */
export function parseAddress(address: Address): Target {
  const target = parseHostAddress(address);
  if ('path' in target) return target;
  const { host } = target;
  if (host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)) return target;
  throw notLoopbackError(address);
}

/** Reads an address of any host. */
export function parseHostAddress(address: Address): Target {
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length);
    if (path === '' || path.includes('\0')) throw addressFormError(address);
    return { path };
  }
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw addressFormError(address);
  const host = match[1] ?? match[2] ?? '';
  // The name is not looked up: a resolver could answer with another host.
  return { host: host === 'localhost' ? '127.0.0.1' : host, port };
}

function connectTo(address: Address, deadlineMs: number, bytesMax: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ ...parseAddress(address), noDelay: true });
    const fail = (reason: string, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachableError(address, reason, cause));
    };
    const timer = setTimeout(() => fail(`no answer within ${deadlineMs} ms`), deadlineMs);
    const onError = (error: Error): void => fail(systemCodeOf(error), error);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(new TcpConnection(socket, address, bytesMax));
    });
  });
}

export async function listenAt(server: Server, target: Target, address: Address): Promise<void> {
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

export function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

export function listeningAddressOf(server: Server, target: Target): Address {
  if ('path' in target) return `unix:${target.path}`;
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : target.port;
  return target.host.includes(':') ? `[${target.host}]:${port}` : `${target.host}:${port}`;
}

export function remoteOf(socket: Socket, listening: Address): Address {
  if (socket.remoteAddress === undefined) return `${listening}#caller`;
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
