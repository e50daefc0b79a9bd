/** Goal: patterns in real processes: the same carts at any parallelism, in batch and in a stream, as a plain loop finds. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = 'jobs/carts/job.ts';
const withinMs = 30 * 60_000;

interface Event {
  readonly user: string;
  readonly kind: string;
  readonly item: string | null;
  readonly price: number | null;
  readonly at: number;
}

/** Carts of a user: what comes within the time after the first thing, unless a payment ends it. */
function cartsOf(events: readonly Event[]): Event[][] {
  const carts: Event[][] = [];
  const own = events.filter(({ kind }) => kind !== 'view');
  for (let first = 0; first < own.length; ) {
    const start = own[first];
    if (start?.kind !== 'cart') {
      first++;
      continue;
    }
    const cart: Event[] = [];
    let isPaid = false;
    for (let at = first; at < own.length; at++) {
      const event = own[at] as Event;
      if (event.at > start.at + withinMs) break;
      isPaid = event.kind === 'pay';
      if (isPaid) break;
      cart.push(event);
    }
    if (!isPaid) carts.push(cart);
    // Things before a payment may still be a cart of their own, which the payment ends as well.
    first += isPaid ? 1 : cart.length;
  }
  return carts;
}

test('the README is right', async () => {
  const output = join(tempFolder(), 'carts.csv');
  const run = await runCli(['run', job, '--input', 'jobs/carts/sample.ndjson', '--output', output]);
  expect(run.stderr).not.toContain('error');
  expect(readFileSync('jobs/carts/README.md', 'utf8')).toContain(readFileSync(output, 'utf8'));
});

test.each([
  ['batch', 2],
  ['streaming', 1],
  ['streaming', 3],
] as const)('events out of order by seconds, %s, parallelism %i', async (mode, parallelism) => {
  const folder = tempFolder();
  const [input, output] = [join(folder, 'events.ndjson'), join(folder, 'carts.csv')];
  const start = Date.parse('2026-03-01T00:00:00Z');
  const events = Array.from({ length: 20_000 }, (_, id): Event => {
    const kind = ['cart', 'cart', 'pay', 'view', 'view'][mixed(id, 1) % 5] ?? 'view';
    const at = start + id * 4001 + (mixed(id, 3) % 4000);
    return { user: `u${mixed(id, 2) % 90}`, kind, item: `i${id}`, price: mixed(id, 4) % 50, at };
  });
  writeFileSync(input, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const flags = ['--input', input, '--output', output, '--parallelism', String(parallelism)];
  await runCli(['run', job, ...flags, '--execution-mode', mode]);
  const sorted = events.toSorted((a, b) => a.at - b.at);
  const users = [...new Set(events.map(({ user }) => user))];
  const carts = users.flatMap((user) => cartsOf(sorted.filter((event) => event.user === user)));
  const lines = carts
    .sort(([a], [b]) => (a?.at ?? 0) - (b?.at ?? 0))
    .map((cart) => {
      const total = cart.reduce((sum, { price }) => sum + (price ?? 0), 0);
      const [first, last] = [cart[0], cart.at(-1)];
      const since = new Date(first?.at ?? 0).toISOString();
      return [first?.user, cart.length, total, last?.item, since].join();
    });
  const found = readFileSync(output, 'utf8').trimEnd().split('\n');
  expect(found).toEqual(['user,items,total,last,since', ...lines]);
  expect(lines.length).toBeGreaterThan(500);
});

/** A number that looks like chance, the same each time. */
function mixed(id: number, salt: number): number {
  let value = Math.imul(id + 1, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca77);
  value ^= value >>> 15;
  value = Math.imul(value, 0x2c1b3c6d);
  return (value ^ (value >>> 12)) >>> 0;
}
