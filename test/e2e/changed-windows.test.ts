/**
 * Goal: windows that are open at a kill go on with one result less, and with others in another order; a join of streams goes on
 * when it keeps one column less: the rows are those of a run that was never killed.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runCli, startCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Bid {
  readonly item: string;
  readonly price: number;
  readonly at: number;
}

const bids = Array.from(
  { length: 12_000 },
  (_, at): Bid => ({
    ...{ item: `i${at % 23}`, price: (at * 31) % 997, at: 1_700_000_000_000 + at * 100 },
  }),
);

const jobText = (aggregates: string) => `
import { agg, defineJob, t, tumbling } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Bid = t.struct({ item: t.utf8(), price: t.int64(), at: t.timestampMs() });

export default defineJob({
  name: 'prices',
  mode: 'streaming',
  build: ({ read }) =>
    read(files.source({ path: 'in/', format: ndjson(Bid) }))
      .eventTime((bid) => bid.at)
      .keyBy((bid) => bid.item)
      .window(tumbling({ sizeMs: 3_600_000 }))
      .aggregate(${aggregates}, { id: 'prices' })
      .writeTo(files.sink({ path: 'out/', format: 'ndjson' })),
});
`;

const args = (file: string, ...flags: string[]) => [
  ...['run', file, '--json', '--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms'],
  ...flags,
];

/** Runs a job until its log has some checkpoints, and kills it. */
async function killAmidst(
  { folder, job }: { readonly folder: string; readonly job: string },
  ...given: Parameters<typeof args>
): Promise<void> {
  const log = join(folder, 'chk', job, 'log');
  const { ended, kill } = startCli(args(...given), { cwd: folder });
  while (!existsSync(log) || Number(readdirSync(log).sort().at(-1) ?? 0) < 6) await sleep(5);
  kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
}

test('an aggregate over open windows goes on with one result less', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'in'));
  writeFileSync(
    join(folder, 'in/a.ndjson'),
    bids.map((bid) => `${JSON.stringify(bid)}\n`).join(''),
  );
  const all =
    '{ n: agg.count(), total: agg.sum((bid) => bid.price), mean: agg.avg((bid) => bid.price), most: agg.max((bid) => bid.price) }';
  writeFileSync(join(folder, 'all.ts'), jobText(all));
  writeFileSync(
    join(folder, 'some.ts'),
    jobText('{ most: agg.max((bid) => bid.price), n: agg.count() }'),
  );
  writeFileSync(
    join(folder, 'more.ts'),
    jobText(all.replace('n:', 'least: agg.min((bid) => bid.price), n:')),
  );
  await killAmidst({ folder, job: 'prices' }, 'all.ts', '--rate', '3000', '--parallelism', '2');
  const refused = await runCli(args('more.ts', '--restore', 'latest'), { cwd: folder });
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('"least" is new');
  const run = await runCli(args('some.ts', '--restore', 'latest', '--parallelism', '1'), {
    cwd: folder,
  });
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stderr).toContain('"total" left out; "mean" left out');
  const lines = readdirSync(join(folder, 'out')).flatMap((name) =>
    readFileSync(join(folder, 'out', name), 'utf8')
      .split('\n')
      .filter(Boolean),
  );
  const found = lines.map((line) => JSON.parse(line) as { item: string; n: number; most: number });
  const groups = Map.groupBy(bids, ({ item }) => item);
  expect(found.length).toBeGreaterThanOrEqual(groups.size);
  for (const [item, own] of groups) {
    const windows = found.filter((one) => one.item === item);
    expect(windows.reduce((sum, { n }) => sum + n, 0)).toBe(own.length);
    expect(Math.max(...windows.map(({ most }) => most))).toBe(
      Math.max(...own.map(({ price }) => price)),
    );
  }
});

const joinText = (columns: string) => `
import { defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Order = t.struct({ id: t.int64(), user: t.int32(), note: t.utf8() });
const User = t.struct({ key: t.int32(), name: t.utf8(), age: t.int32().nullable() });

export default defineJob({
  name: 'orders',
  mode: 'streaming',
  build: ({ read }) =>
    read(files.source({ path: 'orders/', format: ndjson(Order) }), { id: 'orders' })
      .join(read(files.source({ path: 'users/', format: ndjson(User) }), { id: 'users' }), {
        on: (order, user) => order.user.eq(user.key),
        keep: {},
      })
      .select((row) => ({ id: row.id, name: row.name, ${columns} }))
      .writeTo(files.sink({ path: 'out/', format: 'ndjson' })),
});
`;

test('a join goes on when it keeps one column less, and another one that may be null', async () => {
  const folder = tempFolder();
  const file = (name: string, rows: readonly object[]) =>
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  mkdirSync(join(folder, 'orders'));
  mkdirSync(join(folder, 'users'));
  const count = 9000;
  // Each order has a user of its own, so that what is kept on either side finds its partner late.
  file(
    'orders/a.ndjson',
    Array.from({ length: count }, (_, id) => ({ id, user: id, note: `n${id}` })),
  );
  file(
    'users/a.ndjson',
    Array.from({ length: count }, (_, at) => ({
      key: count - 1 - at,
      name: `u${count - 1 - at}`,
      age: at % 90,
    })),
  );
  writeFileSync(join(folder, 'first.ts'), joinText('note: row.note'));
  writeFileSync(join(folder, 'second.ts'), joinText('age: row.age'));
  await killAmidst({ folder, job: 'orders' }, 'first.ts', '--rate', '2000', '--parallelism', '2');
  const run = await runCli(args('second.ts', '--restore', 'latest', '--parallelism', '3'), {
    cwd: folder,
  });
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stderr).toContain('column "note" left out');
  const found = readdirSync(join(folder, 'out'))
    .flatMap((name) =>
      readFileSync(join(folder, 'out', name), 'utf8')
        .split('\n')
        .filter(Boolean),
    )
    .map((line) => JSON.parse(line) as { id: number; name: string; age?: number | null });
  expect(new Set(found.map(({ id }) => id)).size).toBe(count);
  expect(found.length).toBe(count);
  for (const { id, name, age } of found) {
    expect(name).toBe(`u${id}`);
    if (age !== undefined && age !== null) expect(age).toBe((count - 1 - id) % 90);
  }
  const ages = found.filter(({ age }) => age !== undefined);
  expect(ages.some(({ age }) => age === null)).toBe(true);
  expect(ages.some(({ age }) => age !== null)).toBe(true);
});
