/** Goal: with certificates control connections are TLS 1.3 both ways, and whoever has none of this authority is told why. */
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { Connection, Listener } from '../../../base/env/net.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createTcpNet } from '../../../base/env/tcp-net.ts';
import type { TlsCertificates } from '../../../base/env/tls-certificates.ts';
import { TypedError } from '../../../base/typed-error.ts';
import { makeCertificates } from '../../support/certificates.ts';

interface Scene {
  readonly listener: Listener;
  /** That were let in. */
  readonly accepted: Connection[];
}

async function listening(
  tls: TlsCertificates | undefined,
  address = '127.0.0.1:0',
): Promise<Scene> {
  const accepted: Connection[] = [];
  const listener = await createTcpNet({ tls }).listen(address, (connection) => {
    accepted.push(connection);
    connection.onFrame((frame) => connection.send(frame));
  });
  onTestFinished(() => listener.close());
  return { listener, accepted };
}

/** The frame that comes back, or why none does. */
async function echo(tls: TlsCertificates | undefined, address: string): Promise<string> {
  try {
    const connection = await createTcpNet({ tls }).connect(address, 2_000);
    const answer = new Promise<string>((resolve) => {
      connection.onFrame((frame) => resolve(new TextDecoder().decode(frame)));
      connection.onClose((error) => resolve(textOf(error)));
    });
    connection.send(new TextEncoder().encode('hello'));
    return await answer.finally(() => connection.close());
  } catch (error) {
    return textOf(error);
  }
}

function textOf(error: unknown): string {
  return error instanceof TypedError ? `${error.info.code}: ${error.message}` : String(error);
}

test('frames go both ways between roles of one authority', async () => {
  const { coordinator, client } = makeCertificates();
  const { listener, accepted } = await listening(coordinator);
  expect(await echo(client, listener.address)).toBe('hello');
  expect(accepted).toHaveLength(1);
});

test('a large frame arrives whole', async () => {
  const { coordinator, worker } = makeCertificates();
  const { listener } = await listening(coordinator);
  const connection = await createTcpNet({ tls: worker }).connect(listener.address, 2_000);
  const sent = new Uint8Array(3_000_000).map((_, index) => index % 251);
  const back = new Promise<Uint8Array>((resolve) => connection.onFrame(resolve));
  connection.send(sent);
  expect(Buffer.compare(await back, sent)).toBe(0);
  connection.close();
});

test('who is not trusted is not let in, and hears why', async () => {
  const ours = makeCertificates();
  const strangers = makeCertificates();
  const elsewhere = makeCertificates({ hosts: ['elsewhere.example'] });
  const refused = async (server: TlsCertificates | undefined, own: TlsCertificates | undefined) => {
    const { listener, accepted } = await listening(server);
    const said = await echo(own, listener.address);
    expect(accepted).toHaveLength(server === undefined ? accepted.length : 0);
    return said;
  };
  expect(await refused(ours.coordinator, strangers.client)).toMatch(
    /^NET_NOT_TRUSTED: .* its certificate is of another authority$/,
  );
  const { authority } = ours.client;
  expect(await refused(ours.coordinator, { ...strangers.client, authority })).toMatch(
    /^NET_NOT_TRUSTED: .* it ended the connection at once, as with a certificate that it does not take$/,
  );
  expect(await refused(elsewhere.coordinator, elsewhere.client)).toMatch(
    /^NET_NOT_TRUSTED: .* its certificate is for other hosts$/,
  );
  expect(await refused(ours.coordinator, undefined)).toBe('null'); // A side without TLS can't tell.
  expect(await refused(undefined, ours.client)).toMatch(/^NET_UNREACHABLE/);
});

test('a certificate that has run out is not taken', async () => {
  const old = makeCertificates({ nowMs: Date.now() - 400 * 24 * 60 * 60 * 1000 });
  const { listener } = await listening(old.coordinator);
  expect(await echo(old.client, listener.address)).toMatch(/its certificate has run out$/);
});

test.each([
  ['TLS 1.2', { maxVersion: 'TLSv1.2' as SecureVersion }],
  ['no certificate', {}],
])('a peer with %s is cut off before a byte of ours', async (_, options) => {
  const { coordinator, client } = makeCertificates();
  const { listener, accepted } = await listening(coordinator);
  const port = Number(listener.address.split(':')[1]);
  const own = 'maxVersion' in options ? { cert: client.certificate, key: client.key } : {};
  const socket = connectTls({ port, host: '127.0.0.1', ca: client.authority, ...own, ...options });
  socket.on('error', () => undefined);
  socket.on('secureConnect', () => socket.write('hello'));
  let bytes = 0;
  socket.on('data', (piece) => {
    bytes += piece.length;
  });
  await new Promise((resolve) => socket.on('close', resolve));
  expect([accepted.length, bytes]).toEqual([0, 0]);
});

test('whoever says nothing does not keep the listener from closing', async () => {
  const { coordinator } = makeCertificates();
  const { listener } = await listening(coordinator);
  const socket = createConnection(Number(listener.address.split(':')[1]), '127.0.0.1');
  await new Promise((resolve) => socket.on('connect', resolve));
  const ended = new Promise((resolve) => socket.on('close', resolve));
  await listener.close();
  await ended;
});

test('with certificates connections may leave the host, without them they may not', async () => {
  const own = Object.values(networkInterfaces()).flat();
  const address = own.find((one) => one?.family === 'IPv4' && !one.internal)?.address;
  const host = address ?? '127.0.0.1';
  const { coordinator, client } = makeCertificates({ hosts: [host] });
  const { listener } = await listening(coordinator, `${host}:0`);
  expect(await echo(client, listener.address)).toBe('hello');
  if (address !== undefined)
    expect(await echo(undefined, listener.address)).toMatch(/^NET_NOT_LOOPBACK/);
});

test('Unix sockets stay plain, and the real environment has both', async () => {
  const { coordinator, client } = makeCertificates();
  const path = `unix:/tmp/millrace-tls-${process.pid}.sock`;
  const { listener } = await listening(coordinator, path);
  expect(await echo(undefined, listener.address)).toBe('hello');
  const { listener: other } = await listening(coordinator);
  const connection = await createRealEnv({ tls: client }).net.connect(other.address, 2_000);
  const back = new Promise<Uint8Array>((resolve) => connection.onFrame(resolve));
  connection.send(new Uint8Array([7]));
  expect([...(await back)]).toEqual([7]);
  connection.close();
});
