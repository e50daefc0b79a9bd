/**
 * Goal: the enrich job gives each order its user, asked over HTTP, in any number of tasks, in order or not; a user is
 * asked for once, again when the service fails, and a service that never answers ends the job.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = join(import.meta.dirname, '../../jobs/enrich/job.ts');
const orders = Array.from({ length: 500 }, (_, id) => ({
  ...{ id, user: id % 10 === 9 ? null : (id * 7) % 40, total: id / 4 },
}));
const input = orders.map((order) => `${JSON.stringify(order)}\n`).join('');

/** Users of odd numbers below 30 have no city; those from 30 on are not known. */
const userOf = (user: number | null) =>
  user === null || user >= 30
    ? { name: null, city: null }
    : { name: `user ${user}`, city: user % 2 === 1 ? null : 'London' };

/** A service of users. @param failures - How often each user's question fails at first. */
async function service(answer: (user: number, count: number, response: ServerResponse) => void) {
  const asked = new Map<number, number>();
  const server = createServer((request, response) => {
    const user = Number(request.url?.split('/').at(-1));
    const count = (asked.get(user) ?? 0) + 1;
    asked.set(user, count);
    answer(user, count, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, asked, close };
}

function answerUser(user: number, response: ServerResponse): void {
  const { name, city } = userOf(user);
  response.statusCode = name === null ? 404 : 200;
  response.end(name === null ? '' : JSON.stringify({ name, city }));
}

async function run(url: string, ...flags: string[]) {
  const cwd = tempFolder({ 'orders.ndjson': input });
  const args = ['run', job, '--input', 'orders.ndjson', '--service', url, '--output', 'out.ndjson'];
  const result = await runCli([...args, '--json', ...flags], { cwd });
  const rows = () =>
    readFileSync(join(cwd, 'out.ndjson'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return { result, rows };
}

const expected = orders.map((order) => ({ ...order, ...userOf(order.user) }));

test('orders come out beside their users, in order, and each user is asked for once', async () => {
  const users = await service((user, _count, response) => answerUser(user, response));
  const { result, rows } = await run(users.url, '--parallelism', '1');
  summaryOf(result);
  expect(rows()).toEqual(expected);
  expect(new Set(users.asked.values())).toEqual(new Set([1]));
  users.close();
});

test('several tasks, any order, a service that fails at first', async () => {
  const users = await service((user, count, response) => {
    if (count > 1) return answerUser(user, response);
    response.statusCode = 503;
    response.end();
  });
  const { result, rows } = await run(users.url, '--parallelism', '3', '--unordered');
  summaryOf(result);
  expect(rows().sort((a, b) => a.id - b.id)).toEqual(expected);
  users.close();
});

test('a service that never answers ends the job, and the error names the lookup', async () => {
  const silent = await service(() => undefined);
  const flags = ['--timeout-ms', '50', '--attempts', '2', '--parallelism', '1'];
  const { result } = await run(silent.url, ...flags);
  expect(result.exitCode).not.toBe(0);
  expect(result.stderr + result.stdout).toContain('has not answered for 50 ms');
  silent.close();
});
