/**
 * Goal: joins of files, in real threads, give what plain JavaScript gives, at any parallelism, whatever the
 * type of the join and whichever side is kept in memory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const users = Array.from({ length: 1_000 }, (_, index) => ({
  id: index * 2,
  name: index % 10 === 0 ? null : `user number ${index}`,
  city: `city ${index % 7}`,
}));
const orders = Array.from({ length: 20_000 }, (_, index) => ({
  id: index,
  user: index % 50 === 0 ? null : (index * 7_919) % 3_000,
  total: ((index * 31) % 10_000) / 4,
}));
const ndjson = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const inputs = { 'orders.ndjson': ndjson(orders), 'users.ndjson': ndjson(users) };

const jobOf = (join: string, order: string) => `import { agg, defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Order = t.struct({ id: t.int64(), user: t.int32().nullable(), total: t.float64() });
const User = t.struct({ id: t.int64(), name: t.utf8().nullable(), city: t.utf8() });

export default defineJob({
  name: 'join',
  build: ({ read }) => {
    const orders = read(files.source({ path: 'orders.ndjson', format: ndjson(Order) }));
    const users = read(files.source({ path: 'users.ndjson', format: ndjson(User) }));
    return ${join}
      .orderBy((row) => ${order})
      .writeTo(files.sink({ path: 'out.ndjson' }));
  },
});
`;

async function rowsOf(job: string, parallelism: number) {
  const cwd = tempFolder({ 'job.ts': job, ...inputs });
  summaryOf(
    await runCli(['run', 'job.ts', '--json', '--parallelism', String(parallelism)], { cwd }),
  );
  const lines = readFileSync(join(cwd, 'out.ndjson'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line));
}

const byId = new Map(users.map((user) => [user.id, user]));
const partnerOf = ({ user }: { user: number | null }) => byId.get(user ?? -1);
const pairs = orders.flatMap((order) => {
  const user = partnerOf(order);
  return user === undefined ? [] : [{ order, user }];
});

test.each([1, 2, 3])('inner, left, semi and anti joins with %i slots', async (parallelism) => {
  const select = 'select: (order, user) => ({ id: order.id, name: user.name, city: user.city })';
  const on = 'on: (order, user) => order.user.eq(user.id)';
  const inner = await rowsOf(
    jobOf(`orders.join(users, { ${on}, ${select} })`, 'row.id.asc()'),
    parallelism,
  );
  expect(inner).toEqual(
    pairs.map(({ order, user }) => ({ id: order.id, name: user.name, city: user.city })),
  );
  const left = await rowsOf(
    jobOf(
      `orders.join(users, { ${on}.and(order.total.gt(1_000)), ${select}, type: 'left', build: 'left' })`,
      'row.id.asc()',
    ),
    parallelism,
  );
  expect(left).toEqual(
    orders.map((order) => {
      const user = order.total > 1_000 ? partnerOf(order) : undefined;
      return { id: order.id, name: user?.name ?? null, city: user?.city ?? null };
    }),
  );
  const ordered = new Set(orders.map(({ user }) => user));
  for (const type of ['semi', 'anti']) {
    const found = await rowsOf(
      jobOf(
        `users.join(orders, { on: (user, order) => order.user.eq(user.id), type: '${type}' })`,
        'row.id.asc()',
      ),
      parallelism,
    );
    expect(found).toEqual(users.filter(({ id }) => ordered.has(id) === (type === 'semi')));
  }
});
