/** Goal: a call over HTTP ends within its deadline and says whether it may have done something; a stream comes in pieces. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRealHttpClient } from '../../../base/env/real-http-client.ts';
import { outcomeOf } from '../../../base/rpc/rpc-error.ts';
import { codeOf } from '../../../base/typed-error.ts';

const client = createRealHttpClient();
let server: Server;
let origin = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      if (request.url === '/breaks') return request.socket.destroy();
      if (request.url === '/hangs') return;
      if (request.url === '/large') return response.end(Buffer.alloc(65 * 1024 * 1024));
      response.statusCode = request.url === '/missing' ? 404 : 200;
      response.write(`${request.method} `);
      setTimeout(() => response.end(Buffer.concat(pieces).toString()), 20);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  client.close();
  server.closeAllConnections();
  server.close();
});

const post = (url: string, deadlineMs = 5_000) =>
  ({ url, method: 'POST', body: 'grüße', deadlineMs }) as const;

test('answers, whatever their status', async () => {
  expect(await client.call(post(`${origin}/`))).toEqual({ status: 200, body: 'POST grüße' });
  const missing = await client.call({ url: `${origin}/missing`, method: 'GET', deadlineMs: 5_000 });
  expect(missing).toEqual({ status: 404, body: 'GET ' });
});

test.each`
  what                        | url                      | deadlineMs | code                  | outcome
  ${'nobody is there'}        | ${'http://127.0.0.1:1/'} | ${5_000}   | ${'HTTP_UNREACHABLE'} | ${'failed'}
  ${'no such host'}           | ${'https://no.invalid/'} | ${5_000}   | ${'HTTP_UNREACHABLE'} | ${'failed'}
  ${'another host, plain'}    | ${'http://10.0.0.1/'}    | ${5_000}   | ${'NET_NOT_LOOPBACK'} | ${'failed'}
  ${'it breaks the call off'} | ${'/breaks'}             | ${5_000}   | ${'HTTP_BROKEN'}      | ${'unknown'}
  ${'it does not answer'}     | ${'/hangs'}              | ${50}      | ${'HTTP_DEADLINE'}    | ${'unknown'}
  ${'it answers too much'}    | ${'/large'}              | ${20_000}  | ${'HTTP_TOO_LARGE'}   | ${'unknown'}
`('$what: $code, and the work is $outcome', async ({ url, deadlineMs, code, outcome }) => {
  const call = client.call(post(url.startsWith('/') ? origin + url : url, deadlineMs));
  const error: unknown = await call.catch((caught: unknown) => caught);
  expect([codeOf(error), outcomeOf(error)]).toEqual([code, outcome]);
});

test('a stream comes in pieces, and ends by itself or when it is closed', async () => {
  const texts: string[] = [];
  const whole = client.stream(post(`${origin}/`), (text) => texts.push(text));
  expect(codeOf(await whole.ended)).toBe('HTTP_BROKEN');
  expect(texts).toEqual(['POST ', 'grüße']);
  const closed = client.stream(post(`${origin}/hangs`), () => undefined);
  closed.close();
  expect(await closed.ended).toBeNull();
  expect(codeOf(await client.stream(post(`${origin}/hangs`, 30), () => undefined).ended)).toBe(
    'HTTP_DEADLINE',
  );
});
