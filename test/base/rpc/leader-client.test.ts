/** Goal: calls find whoever leads, by the list and by what others say, and nothing is done twice. */
import { expect, onTestFinished, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createLeaderClient, nextAddress } from '../../../base/rpc/leader-client.ts';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { typedError } from '../../../base/typed-error.ts';

const deadlineMs = 2_000;

function notLeading(address: string) {
  return typedError('CLUSTER_NOT_LEADING', 'another one leads', { details: { address } });
}

/** Servers of one process by name; each tells who was asked. */
function scene() {
  const env = createRealEnv({ seed: 1 });
  const asked: string[] = [];
  const serve = async (name: string, answer: () => JsonValue | Promise<JsonValue>) => {
    const server = createRpcServer(env);
    server.handle('who', () => {
      asked.push(name);
      return answer();
    });
    onTestFinished(() => server.close());
    return await server.listen(`memory:${name}`);
  };
  const clientOf = (...names: string[]) => {
    const client = createLeaderClient(env, { addresses: names.map((name) => `memory:${name}`) });
    onTestFinished(() => client.close());
    return client;
  };
  return { asked, serve, clientOf };
}

test('an address where nobody is and one that does not lead are passed over, and not asked again', async () => {
  const { asked, serve, clientOf } = scene();
  await serve('b', () => {
    throw notLeading('memory:d');
  });
  await serve('d', () => 'd');
  const client = clientOf('a', 'b', 'c');
  expect(await client.call('who', null, { deadlineMs })).toBe('d');
  expect(await client.call('who', null, { deadlineMs })).toBe('d');
  expect([asked, client.leader]).toEqual([['b', 'd', 'd'], 'memory:d']);
});

test('one that is frozen takes its part of the deadline only, and what may have been done is not asked of another', async () => {
  const { asked, serve, clientOf } = scene();
  await serve('a', () => new Promise(() => undefined));
  await serve('b', () => 'b');
  const client = clientOf('a', 'b');
  await expect(client.call('who', null, { deadlineMs: 60 })).rejects.toMatchObject({
    info: { code: 'RPC_DEADLINE' },
  });
  expect(asked).toEqual(['a']);
  // The next call begins with the other one.
  expect(await client.call('who', null, { deadlineMs })).toBe('b');
  const reader = clientOf('a', 'b');
  expect(await reader.call('who', null, { deadlineMs: 400, isRead: true })).toBe('b');
});

test('when nobody leads, the last error is told, and each was asked once', async () => {
  const { asked, serve, clientOf } = scene();
  await serve('a', () => {
    throw notLeading('memory:b');
  });
  await serve('b', () => {
    throw notLeading('memory:a');
  });
  await expect(clientOf('a', 'b').call('who', null, { deadlineMs })).rejects.toMatchObject({
    info: { code: 'CLUSTER_NOT_LEADING' },
  });
  expect(asked).toEqual(['a', 'b']);
});

test.each`
  code                     | hint   | asked      | next
  ${'CLUSTER_NOT_LEADING'} | ${'x'} | ${'b'}     | ${'x'}
  ${'CLUSTER_NOT_LEADING'} | ${''}  | ${'b'}     | ${'c'}
  ${'CLUSTER_NOT_LEADING'} | ${'a'} | ${'a b'}   | ${'c'}
  ${'RPC_DISCONNECTED'}    | ${'x'} | ${'b'}     | ${'c'}
  ${'RPC_DEADLINE'}        | ${''}  | ${'b c'}   | ${'a'}
  ${'RPC_DEADLINE'}        | ${''}  | ${'a b c'} | ${null}
  ${'CLUSTER_VERSION'}     | ${''}  | ${'b'}     | ${null}
`('behind $code of b that names "$hint", $next is asked', ({ code, hint, asked, next }) => {
  const error = typedError(code, 'b says so', { details: { address: hint } });
  const addresses = ['a', 'b', 'c'];
  expect(nextAddress(error, { addresses, asked: new Set(asked.split(' ')), address: 'b' })).toBe(
    next,
  );
});
