/**
 * Goal: what analysts ask of rows, in real threads and with little memory, gives what DuckDB gives for the same
 * question in SQL.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { runPython } from '../support/pyarrow.ts';
import { tempFolder } from '../support/temp-folder.ts';

const bids = Array.from({ length: 60_000 }, (_, id) => ({
  id,
  user: id % 40 === 0 ? null : `user ${(id * 7_919) % 211}`,
  url: `/pages/of/auctions/${(id * 31) % 97}`,
  price: id % 9 === 0 ? null : ((id * 104_729) % 20_011) / 4,
  qty: (id * 271) % 13,
  at: (id * 48_271) % 5_003,
}));

type Answer = Record<string, unknown>;

/** Rows of the job, whose stream is `verbs` behind the bids, in the order of the columns given. */
async function rowsOf(verbs: string, order: string, ...flags: readonly string[]) {
  const job = `import { agg, defineJob, t, when } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Bid = t.struct({
  id: t.int64(),
  user: t.utf8().nullable(),
  url: t.utf8(),
  price: t.float64().nullable(),
  qty: t.int32(),
  at: t.int64(),
});

export default defineJob({
  name: 'analytics',
  build: ({ read }) =>
    read(files.source({ path: 'bids.ndjson', format: ndjson(Bid) }))
      ${verbs}
      .orderBy((row) => ${order})
      .writeTo(files.sink({ path: 'out.ndjson' })),
});
`;
  const lines = bids.map((bid) => `${JSON.stringify(bid)}\n`).join('');
  const cwd = tempFolder({ 'job.ts': job, 'bids.ndjson': lines });
  summaryOf(await runCli(['run', 'job.ts', '--json', '--parallelism', '2', ...flags], { cwd }));
  const written = readFileSync(join(cwd, 'out.ndjson'), 'utf8').split('\n').slice(0, -1);
  const rows = written.map((line): Answer => JSON.parse(line));
  return { rows, path: join(cwd, 'bids.ndjson') };
}

function answersOf(path: string, ...queries: readonly string[]): Answer[][] {
  const folder = join(projectFolder, 'test/fixtures/analytics');
  return JSON.parse(runPython(folder, 'answers.py', path, ...queries));
}

const over = `.over(
        { partitionBy: (bid) => bid.user, orderBy: (bid) => [bid.at.asc(), bid.qty.desc()] },
        (analytic, bid) => ({
          rank: analytic.rank(),
          denseRank: analytic.denseRank(),
          bids: analytic.count(),
          spent: analytic.sum(bid.price),
          mean: analytic.avg(bid.qty),
          most: analytic.max(bid.price, { frame: 'partition' }),
          least: analytic.min(bid.url),
          all: analytic.sum(bid.qty, { frame: 'partition' }),
        }),
      )
      .over(
        { partitionBy: (bid) => [bid.url], orderBy: (bid) => bid.id.desc() },
        (analytic, bid) => ({
          place: analytic.rowNumber(),
          before: analytic.lag(bid.id),
          next: analytic.lead(bid.price, 3, -1),
          soFar: analytic.sum(bid.qty, { frame: 'rows' }),
        }),
      )
      .over({}, (analytic, bid) => ({ total: analytic.count(bid.price) }))`;

const overSql = `select *,
    rank() over users as "rank", dense_rank() over users as denseRank, count(*) over users as bids,
    sum(price) over users as spent, avg(qty) over users as mean,
    max(price) over (partition by "user") as most, min(url) over users as least,
    cast(sum(qty) over (partition by "user") as bigint) as "all",
    row_number() over urls as place, lag(id) over urls as before, lead(price, 3, -1) over urls as next,
    cast(sum(qty) over (urls rows unbounded preceding) as bigint) as soFar,
    count(price) over () as total
  from bids
  window users as (partition by "user" order by "at", qty desc), urls as (partition by url order by id desc)
  order by id`;

test.each(['1GB', '96MB'])('analytic functions with %s', async (memory) => {
  const { rows, path } = await rowsOf(over, 'row.id.asc()', '--memory', memory);
  const [expected] = answersOf(path, overSql);
  expect(rows.length).toBe(bids.length);
  expect(rows).toEqual(expected);
});

const ordered = `.keyBy((bid) => bid.user)
      .aggregate({
        bids: agg.count(),
        spent: agg.sum((bid) => bid.price),
        first: agg.first((bid) => bid.price, { orderBy: (bid) => [bid.at.desc(), bid.id.asc()] }),
        last: agg.last((bid) => bid.id, { orderBy: (bid) => [bid.at.desc(), bid.id.asc()] }),
        pages: agg.stringAgg((bid) => bid.url, ', ', { orderBy: (bid) => [bid.at.desc(), bid.id.asc()] }),
      })
      // What SQL calls having.
      .where((row) => row.bids.gt(100))`;

const orderedSql = `select "user", count(*) as bids, sum(price) as spent,
    first(price order by "at" desc, id) filter (price is not null) as first,
    last(id order by "at" desc, id) as last,
    string_agg(url, ', ' order by "at" desc, id) as pages
  from bids group by "user" having count(*) > 100 order by "user" nulls last`;

test.each(['1GB', '64MB'])('aggregates of rows in an order, with %s', async (memory) => {
  const { rows, path } = await rowsOf(ordered, 'row.user.asc()', '--memory', memory);
  const [expected] = answersOf(path, orderedSql);
  expect(rows.length).toBeGreaterThan(200);
  expect(rows).toEqual(expected);
});

const pivot = `.keyBy((bid) => bid.url)
      .aggregate({
        early: agg.sum((bid) => when(bid.at.lt(1_000), bid.qty).otherwise(null)),
        late: agg.sum((bid) => when(bid.at.ge(4_000), bid.qty).otherwise(null)),
        dear: agg.count((bid) => when(bid.price.gt(4_000), true).otherwise(null)),
        spread: agg.stddev((bid) => bid.qty),
        all: agg.variancePop((bid) => bid.qty),
      })`;

const pivotSql = `select url, cast(sum(case when "at" < 1000 then qty end) as bigint) as early,
    cast(sum(case when "at" >= 4000 then qty end) as bigint) as late,
    count(case when price > 4000 then true end) as dear,
    stddev_samp(qty) as spread, var_pop(qty) as "all"
  from bids group by url order by url`;

test('a pivot by cases, and deviations', async () => {
  const { rows, path } = await rowsOf(pivot, 'row.url.asc()');
  const [expected = []] = answersOf(path, pivotSql);
  expect(rows.length).toBe(97);
  for (const [at, { spread, all, ...row }] of rows.entries()) {
    const { spread: otherSpread, all: otherAll, ...other } = expected[at] ?? {};
    expect(row).toEqual(other);
    expect(spread).toBeCloseTo(Number(otherSpread), 9);
    expect(all).toBeCloseTo(Number(otherAll), 9);
  }
});

const approximate = `.derive((bid) => ({ few: bid.id.mod(5), some: bid.id.mod(1_009) }))
      .keyBy((bid) => bid.few)
      .aggregate({
        bids: agg.count(),
        ids: agg.approxDistinct((bid) => bid.id),
        somes: agg.approxDistinct((bid) => bid.some),
        users: agg.approxDistinct((bid) => bid.user),
        prices: agg.approxDistinct((bid) => bid.price),
        last: agg.last((bid) => bid.id, { orderBy: (bid) => bid.at.add(bid.id).asc() }),
        first: agg.first((bid) => bid.id, { orderBy: (bid) => bid.id.desc() }),
        urls: agg.countDistinct((bid) => bid.url),
      })`;

const approximateSql = `select id % 5 as few, count(*) as bids, count(distinct id) as ids,
    count(distinct id % 1009) as somes, count(distinct "user") as users, count(distinct price) as prices,
    last(id order by "at" + id, id) as last, first(id order by id desc) as first, count(distinct url) as urls
  from bids group by few order by few`;

/** Three times the standard error. */
const errorMax = (3 * 1.04) / Math.sqrt(4_096);

const quantiles = `.keyBy((bid) => bid.user)
      .aggregate({
        bids: agg.count(),
        least: agg.approxQuantile((bid) => bid.price, 0),
        half: agg.approxQuantile((bid) => bid.price, 0.5),
        most: agg.approxQuantile((bid) => bid.price, 0.99),
        middle: agg.approxQuantile((bid) => bid.id, 0.5),
      })`;

/** Quantiles that are 1 % of the rows away from those that are asked for. */
const quantilesSql = `select "user", count(*) as bids, min(price) as least,
    quantile_cont(price, [0.49, 0.51]) as half, quantile_cont(price, [0.98, 1.0]) as most,
    quantile_cont(id, [0.49, 0.51]) as middle
  from bids group by "user" order by "user" nulls last`;

test.each(['1GB', '64MB'])(
  'quantiles are within a hundredth of their rank, with %s',
  async (memory) => {
    const { rows, path } = await rowsOf(quantiles, 'row.user.asc()', '--memory', memory);
    const [expected = []] = answersOf(path, quantilesSql);
    expect(rows.length).toBe(212);
    for (const [at, { user, bids: count, least, ...found }] of rows.entries()) {
      const { user: other, bids: otherCount, least: otherLeast, ...answers } = expected[at] ?? {};
      expect({ user, count, least }).toEqual({ user: other, count: otherCount, least: otherLeast });
      for (const [name, value] of Object.entries(found)) {
        const [low = 0, high = 0] = answers[name] as number[];
        expect(Number(value)).toBeGreaterThanOrEqual(low);
        expect(Number(value)).toBeLessThanOrEqual(high);
      }
    }
  },
);

test('estimates of distinct values are near, beside aggregates of other kinds', async () => {
  const { rows, path } = await rowsOf(approximate, 'row.few.asc()');
  const [expected = []] = answersOf(path, approximateSql);
  expect(rows.length).toBe(5);
  for (const [at, { ids, somes, users, prices, ...row }] of rows.entries()) {
    const { ids: i, somes: s, users: u, prices: p, ...other } = expected[at] ?? {};
    expect(row).toEqual(other);
    const pairs = [ids, i, somes, s, users, u, prices, p].map(Number);
    for (let pair = 0; pair < pairs.length; pair += 2) {
      const [estimate = 0, exact = 0] = pairs.slice(pair, pair + 2);
      expect(Math.abs(estimate - exact) / exact).toBeLessThan(errorMax);
    }
  }
});
