/** Goal: alerts are what a plain loop over sorted payments finds, and what the README says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { parseParams } from '../../engine/api/param-values.ts';
import job from '../../jobs/fraud/job.ts';

const folder = join(import.meta.dirname, '../../jobs/fraud');

interface Payment {
  readonly account: number;
  readonly id: number;
  readonly amount: number;
  readonly at: string;
}

/** The lines of the output. */
function alertsOf(payments: readonly Payment[]): string[] {
  const before = new Map<number, Payment>();
  const alerts: Payment[] = [];
  const lines = new Map<Payment, string>();
  const sorted = payments.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at) || a.id - b.id);
  for (const payment of sorted) {
    const { account, id, amount, at } = payment;
    const small = before.get(account);
    const isSoon = small !== undefined && Date.parse(at) - Date.parse(small.at) <= 60_000;
    if (isSoon && small.amount < 1 && amount > 500) {
      alerts.push(payment);
      lines.set(payment, [account, small.id, id, amount, at].join());
    }
    before.set(account, payment);
  }
  return alerts.map((alert) => lines.get(alert) ?? '');
}

test('the sample gives what its README says', () => {
  const payments = readFileSync(join(folder, 'sample.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Payment);
  const lines = ['account,smallId,id,amount,at', ...alertsOf(payments)].join('\n');
  expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`${lines}\n`);
});

test('payments of an account go to one task', () => {
  const { graph } = buildJob(job, parseParams(job.params, { input: 'payments.ndjson' }));
  const physical = planJob(graph, { parallelism: 2 });
  const process = physical.vertices.find(({ chain }) => chain[0]?.kind === 'process');
  const edge = physical.edges.find(({ to }) => to === process?.id);
  expect(edge?.exchange).toEqual({ kind: 'hash', columns: ['account'] });
});
