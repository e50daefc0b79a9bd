/** Goal: process over state and timers, in real processes: the same alerts at any parallelism, in batch and in a stream. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = 'jobs/fraud/job.ts';

test('the README is right', async () => {
  const output = join(tempFolder(), 'alerts.csv');
  const run = await runCli(['run', job, '--input', 'jobs/fraud/sample.ndjson', '--output', output]);
  expect(run.stderr).not.toContain('error');
  expect(readFileSync('jobs/fraud/README.md', 'utf8')).toContain(readFileSync(output, 'utf8'));
});

test.each([
  ['batch', 1],
  ['streaming', 1],
  ['streaming', 3],
] as const)('payments out of order by seconds, %s, parallelism %i', async (mode, parallelism) => {
  const folder = tempFolder();
  const input = join(folder, 'payments.ndjson');
  const output = join(folder, 'alerts.csv');
  const start = Date.parse('2026-03-01T00:00:00Z');
  const payments = Array.from({ length: 20_000 }, (_, id) => ({
    account: mixed(id, 1) % 200,
    id,
    amount: mixed(id, 2) % 2 === 0 ? 0.5 : (mixed(id, 3) % 1000) + 1,
    at: start + id * 180 + (mixed(id, 4) % 4000),
  }));
  writeFileSync(input, payments.map((payment) => `${JSON.stringify(payment)}\n`).join(''));
  const flags = ['--input', input, '--output', output, '--parallelism', String(parallelism)];
  flags.push('--execution-mode', mode);
  await runCli(['run', job, ...flags]);
  const before = new Map<number, (typeof payments)[number]>();
  const lines: string[] = ['account,smallId,id,amount,at'];
  for (const payment of payments.toSorted((a, b) => a.at - b.at || a.id - b.id)) {
    const { account, id, amount, at } = payment;
    const small = before.get(account);
    if (small !== undefined && small.amount < 1 && amount > 500 && at - small.at <= 60_000) {
      lines.push([account, small.id, id, amount, new Date(at).toISOString()].join());
    }
    before.set(account, payment);
  }
  expect(lines.length).toBeGreaterThan(10);
  expect(readFileSync(output, 'utf8')).toBe(`${lines.join('\n')}\n`);
});

/** A number that looks like chance, and is the same each time. */
function mixed(id: number, salt: number): number {
  let value = Math.imul(id * 8 + salt, 0x9e3779b1);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca77);
  return (value ^ (value >>> 13)) >>> 0;
}
