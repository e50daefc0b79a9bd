/**
 * Goal: a control stream, in real processes: the same alerts at any parallelism, in batch and in a stream, as a plain
 * loop finds; and rules that come and go while a job without an end runs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
// Vitest finds the package for a job file that lies elsewhere when a test has imported it.
import 'millrace';
import 'millrace/memory';
import { run } from 'millrace/run';
import { expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = 'jobs/rules';

interface Payment {
  readonly account: number;
  readonly id: number;
  readonly amount: number;
  readonly at: number;
}

interface Rule {
  readonly rule: string;
  readonly of: string;
  readonly most: number | null;
  readonly at: number;
}

async function alertsOf(paths: { input: string; rules: string }, flags: readonly string[] = []) {
  const output = join(tempFolder(), 'alerts.csv');
  const given = ['--input', paths.input, '--rules', paths.rules, '--output', output];
  const { stderr } = await runCli(['run', `${folder}/job.ts`, ...given, ...flags]);
  expect(stderr).not.toContain('error');
  return readFileSync(output, 'utf8');
}

test('the README is right', async () => {
  const paths = { input: `${folder}/payments.ndjson`, rules: `${folder}/rules.ndjson` };
  expect(readFileSync(`${folder}/README.md`, 'utf8')).toContain(await alertsOf(paths));
});

const dayMs = 86_400_000;

/** The lines of the output, by a loop over all payments and all rules. */
function expectedLines(payments: readonly Payment[], rules: readonly Rule[]): string {
  const limits = new Map<string, Rule>();
  for (const rule of rules.toSorted((a, b) => a.at - b.at)) {
    if (rule.most === null) limits.delete(rule.rule);
    else limits.set(rule.rule, rule);
  }
  const days = Map.groupBy(payments, ({ account, at }) => `${account} ${Math.floor(at / dayMs)}`);
  const sums = [...days.values()].map((some) => ({
    account: some[0]?.account ?? 0,
    amount: some.reduce((sum, { amount }) => sum + amount, 0),
    at: Math.floor((some[0]?.at ?? 0) / dayMs) * dayMs,
  }));
  const found = [...limits.values()].flatMap(({ rule, of, most }) => {
    const all = of === 'day' ? sums : payments;
    const above = all.filter(({ amount }) => amount > (most ?? 0));
    return above.map(({ account, at, amount }) => ({ rule, account, at, amount, most }));
  });
  const sorted = found.toSorted(
    (a, b) =>
      a.at - b.at ||
      a.account - b.account ||
      (a.rule === b.rule ? a.amount - b.amount : a.rule < b.rule ? -1 : 1),
  );
  const lines = sorted.map(({ rule, account, at, amount, most }) => {
    return [rule, account, new Date(at).toISOString(), amount, most].join();
  });
  return ['rule,account,at,amount,most', ...lines, ''].join('\n');
}

test.each([
  ['batch', 1],
  ['batch', 3],
  ['streaming', 1],
  ['streaming', 3],
] as const)('payments of three days and many rules, %s, parallelism %i', async (mode, tasks) => {
  const start = Date.parse('2026-03-01T00:00:00Z');
  const payments = Array.from(
    { length: 20_000 },
    (_, id): Payment => ({
      account: mixed(id, 1) % 50,
      id,
      amount: (mixed(id, 2) % 2000) / 2,
      at: start + Math.floor((id * 3 * dayMs) / 20_000) + (mixed(id, 3) % 4000),
    }),
  );
  const rules = Array.from(
    { length: 400 },
    (_, id): Rule => ({
      rule: `rule ${mixed(id, 4) % 30}`,
      of: mixed(id, 4) % 2 === 0 ? 'payment' : 'day',
      most:
        mixed(id, 5) % 4 === 0 ? null : mixed(id, 4) % 2 === 0 ? 990 + (mixed(id, 6) % 10) : 70_000,
      // Neighbours are in another order in the file than by their times.
      at: start + (id ^ 1) * 1000,
    }),
  );
  const place = tempFolder();
  const paths = { input: join(place, 'payments.ndjson'), rules: join(place, 'rules.ndjson') };
  const textOf = (rows: readonly object[]) =>
    rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(paths.input, textOf(payments));
  writeFileSync(paths.rules, textOf(rules));
  const expected = expectedLines(payments, rules);
  expect(expected.split('\n').length).toBeGreaterThan(100);
  const flags = ['--parallelism', String(tasks), '--execution-mode', mode];
  expect(await alertsOf(paths, flags)).toBe(expected);
});

const liveJob = `
  import { defineJob, state, t } from 'millrace';
  import { memory } from 'millrace/memory';

  const Payment = t.struct({ id: t.int32(), account: t.int32() });
  const Limit = t.struct({ most: t.int32() });
  const endless = { isUnbounded: true };
  export default defineJob({
    name: 'live-rules',
    build: ({ read }) =>
      read(memory.source('payments', Payment, endless))
        .keyBy((payment) => payment.account)
        .process({
          state: { limits: state.broadcast(t.utf8(), t.int32()) },
          output: t.struct({ id: t.int32(), most: t.int32() }),
          control: read(memory.source('rules', Limit, endless)),
          onControl: ({ most }, { state: { limits } }) => limits.set('all', most),
          onRow: ({ id }, { state: { limits }, emit }) => emit({ id, most: limits.get('all') ?? 0 }),
        })
        .writeTo(memory.sink()),
  });
`;

test('rules that come and go while a job without an end runs', async () => {
  const end = new AbortController();
  /** What the last payment of an account was looked at with. */
  const seen = new Map<number, number>();
  const turns = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let onAnswer = () => {};

  /** A payment each time the one before has come out. */
  async function* payments() {
    for (let id = 0; !end.signal.aborted; id++) {
      const answer = Promise.withResolvers<void>();
      onAnswer = answer.resolve;
      yield [{ id, account: id % 8 }]; // A list goes on at once.
      await answer.promise;
    }
  }
  async function* rules() {
    yield [{ most: 100 }];
    await turns[0]?.promise;
    yield [{ most: 200 }];
    await turns[1]?.promise;
  }
  const all = (most: number) => seen.size === 8 && [...seen.values()].every((one) => one === most);
  const module = pathToFileURL(join(tempFolder({ 'job.ts': liveJob }), 'job.ts'));
  const running = run(module, {
    ...{ parallelism: 3, memory: '256MB', signal: end.signal },
    inputs: { payments: payments(), rules: rules() },
    onRows(rows) {
      for (const { id, most } of rows) seen.set(Number(id) % 8, Number(most));
      if (all(100)) turns[0]?.resolve();
      if (all(200)) {
        turns[1]?.resolve();
        end.abort();
      }
      onAnswer();
    },
  });
  expect(await running.then(() => 'finished', codeOf)).toBe('JOB_CANCELLED');
  expect(all(200)).toBe(true);
});

/** A number that looks like chance, and is the same each time. */
function mixed(id: number, salt: number): number {
  let value = Math.imul(id * 8 + salt, 0x9e3779b1);
  value = Math.imul(value ^ (value >>> 15), 0x85ebca77);
  return (value ^ (value >>> 13)) >>> 0;
}
