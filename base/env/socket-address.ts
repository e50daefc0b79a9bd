/** Addresses of sockets: `127.0.0.1:4000`, `[::1]:4000`, `localhost:0`, `unix:/path`; of other hosts where there is TLS. */
import type { Server, Socket } from 'node:net';
import { codeOf } from '../typed-error.ts';
import type { Address } from './net.ts';
import { addressFormError, notLoopbackError } from './net-error.ts';

export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

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

/** Whether nothing leaves this host to reach it. */
export function isOnThisHost(address: Address): boolean {
  try {
    parseAddress(address);
    return true;
  } catch (error) {
    if (codeOf(error) === 'NET_NOT_LOOPBACK') return false;
    throw error;
  }
}

/** Any free port of the same host; of this one for a Unix socket. */
export function anyPortOf(address: Address): Address {
  const target = parseHostAddress(address);
  if ('path' in target) return '127.0.0.1:0';
  return target.host.includes(':') ? `[${target.host}]:0` : `${target.host}:0`;
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
