/**
 * Goal: a job file of a user's, anywhere on the disk, does with every verb what the same lines of
 * plain JavaScript do, at any parallelism; parameters reach its functions in slot threads unchanged.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { jobText } from '../support/job-text.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Sale {
  readonly shop: string;
  readonly item: number;
  readonly price: number;
  readonly units: number;
}

/** Made by arithmetic, so that every run has the same: 20,000 sales of 7 shops and 50 items. */
const sales: Sale[] = Array.from({ length: 20_000 }, (_, index) => ({
  shop:
    ['Lyon', 'Ulm', 'Oslo', 'Bâle', 'Zürich — Hauptbahnhof', 'Łódź', '東京'][(index * 31) % 7] ??
    '',
  item: (index * 7_919) % 50,
  price: ((index * 104_729) % 1_000) / 4,
  units: (index % 9) - 2,
}));
const input = sales.map((sale) => `${Object.values(sale).join(';')}\n`).join('');

const parse = `.flatMap(
        t.struct({ shop: t.utf8(), item: t.int32(), price: t.float64(), units: t.int64() }),
        (row) => {
          const [shop = '', item, price, units] = row.text.split(';');
          return [{ shop, item: Number(item), price: Number(price), units: Number(units) }];
        },
      )`;

async function rowsOf(text: string, flags: readonly string[] = [], file = 'job.ts') {
  const cwd = tempFolder({ [file]: text, 'in.txt': input });
  const paths = ['--input', 'in.txt', '--output', 'out.ndjson'];
  summaryOf(await runCli(['run', file, ...paths, '--json', ...flags], { cwd }));
  const lines = readFileSync(join(cwd, 'out.ndjson'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** One row per key, as \`aggregate\` makes it. */
function grouped<K>(rows: readonly Sale[], keyOf: (sale: Sale) => K) {
  return [...Map.groupBy(rows, keyOf)].map(([key, group]) => ({
    key,
    sales: group.length,
    units: group.reduce((sum, { units }) => sum + units, 0),
    low: Math.min(...group.map(({ price }) => price)),
    high: Math.max(...group.map(({ price }) => price)),
  }));
}

const aggregates = `.aggregate({
        sales: agg.count(),
        units: agg.sum((row) => row.units),
        low: agg.min((row) => row.price),
        high: agg.max((row) => row.price),
      })`;
const byUtf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

test.each([1, 2, 3])('keys of text, several sort keys, at parallelism %i', async (parallelism) => {
  const chain = `${parse}
      .keyBy((row) => ({ key: row.shop }))
      ${aggregates}
      .orderBy((row) => [row.sales.desc(), row.key.asc()])`;
  const rows = await rowsOf(jobText(chain), ['--parallelism', String(parallelism)]);
  const expected = grouped(sales, ({ shop }) => shop);
  expected.sort((a, b) => b.sales - a.sales || byUtf8(a.key, b.key));
  expect(rows).toEqual(expected);
});

test('keys of numbers after where and select, and a limit', async () => {
  const chain = `${parse}
      .where((row) => row.units.gt(0).and(row.shop.ne('Ulm').or(row.price.lt(100))))
      .select((row) => ({ item: row.item, units: row.units.mul(2), price: row.price }))
      .keyBy((row) => ({ key: row.item }))
      ${aggregates}
      .orderBy((row) => [row.units.desc(), row.low.asc(), row.key.desc()])
      .limit(12)`;
  const kept = sales
    .filter(({ units, shop, price }) => units > 0 && (shop !== 'Ulm' || price < 100))
    .map((sale) => ({ ...sale, units: sale.units * 2 }));
  const expected = grouped(kept, ({ item }) => item);
  expected.sort((a, b) => b.units - a.units || a.low - b.low || b.key - a.key);
  expect(await rowsOf(jobText(chain))).toEqual(expected.slice(0, 12));
});

test('orderBy alone sorts all rows', async () => {
  const chain = `${parse}.orderBy((row) => [row.price.desc(), row.shop.asc(), row.item.asc(), row.units.desc()])`;
  const expected = sales.toSorted(
    (a, b) => b.price - a.price || byUtf8(a.shop, b.shop) || a.item - b.item || b.units - a.units,
  );
  expect(await rowsOf(jobText(chain), ['--parallelism', '2'])).toEqual(expected);
});

test('flatMap with a generator gives none, one or many rows', async () => {
  const chain = `.flatMap(t.struct({ n: t.int32(), even: t.bool() }), function* (row) {
        const units = Number(row.text.split(';')[3]);
        for (let n = 0; n < units; n++) yield { n, even: n % 2 === 0 };
      })
      .keyBy((row) => row.n)
      .aggregate({ count: agg.count() })
      .orderBy((row) => row.n.asc())`;
  const expected = [0, 1, 2, 3, 4, 5].map((n) => ({
    n,
    count: sales.filter(({ units }) => units > n).length,
  }));
  expect(await rowsOf(jobText(chain))).toEqual(expected);
});

test('mapReduce with combine and partition, in plain JavaScript', async () => {
  const chain = `.mapReduce({
        key: t.utf8(),
        value: t.int64(),
        output: t.struct({ shop: t.utf8(), units: t.int64() }),
        map: (row, emit) => {
          const [shop, , , units] = row.text.split(';');
          emit(shop, BigInt(units));
        },
        combine: (_shop, units) => sum(units),
        partition: (shop, count) => shop.length % count,
        reduce: (shop, units) => [{ shop, units: sum(units) }],
      })
      .orderBy((row) => row.shop.asc())`;
  const before = `function sum(values) {
  let total = 0n;
  for (const value of values) total += value;
  return total;
}`;
  const expected = grouped(sales, ({ shop }) => shop)
    .map(({ key, units }) => ({ shop: key, units }))
    .sort((a, b) => byUtf8(a.shop, b.shop));
  for (const flags of [
    ['--parallelism', '1'],
    ['--parallelism', '3'],
  ]) {
    expect(await rowsOf(jobText(chain, { before }), flags, 'job.mjs')).toEqual(expected);
  }
});

test.each([1, 3])('functions over rows, at parallelism %i', async (parallelism) => {
  const chain = `${parse.replace('.flatMap(', '.map(').replace('return [{', 'return {').replace('}];', '};')}
      .filter((row) => row.units > 0n && row.shop !== 'Ulm')
      .derive((row) => ({ total: row.price.mul(row.units), shop: row.shop }))
      .keyBy((row) => row.shop)
      .reduce((best, row) => row.total > best.total || (row.total === best.total && row.item < best.item) ? row : best)
      .orderBy((row) => row.shop.asc())`;
  const rows = await rowsOf(jobText(chain), ['--parallelism', String(parallelism)]);
  const kept = sales
    .filter(({ units, shop }) => units > 0 && shop !== 'Ulm')
    .map((sale) => ({ ...sale, total: sale.price * sale.units }));
  const best = [...Map.groupBy(kept, ({ shop }) => shop).values()].map((group) =>
    group.reduce((a, b) => (b.total > a.total || (b.total === a.total && b.item < a.item) ? b : a)),
  );
  const seen = (row: Record<string, unknown>) => [row.shop, row.item, row.total];
  expect(rows.map(seen)).toEqual(best.map(seen).sort((a, b) => byUtf8(String(a[0]), String(b[0]))));
});

test('parameters of every type reach functions as they were given', async () => {
  const params = `
    large: t.int64(), small: t.int32(), share: t.float64(), word: t.utf8(), isOn: t.bool(), isOff: t.bool().default(true),
    exact: t.int64({ js: 'number' }).default(9_007_199_254_740_991), none: t.int64().optional(),
    place: t.path().default('/a b/ü'), mode: t.utf8().choices('x', 'y').default('y'),
    top: t.int64().default(-9_223_372_036_854_775_808n),`;
  const chain = `.limit(1).flatMap(t.struct({ name: t.utf8(), type: t.utf8(), value: t.utf8() }), () =>
        Object.entries(params).map(([name, value]) => ({ name, type: typeof value, value: String(value) })))
      .orderBy((row) => row.name.asc())`;
  const flags = ['--large', '9223372036854775807', '--small=-2147483648', '--share', '0.1'];
  const more = ['--word', 'naïve, "quoted"\n', '--is-on', '--no-is-off', '--parallelism', '2'];
  const rows = await rowsOf(jobText(chain, { params }), [...flags, ...more]);
  // Those of the job's ends are whole paths where another process reads them.
  const own = rows.filter(({ name }) => name !== 'input' && name !== 'output');
  expect(own.map(({ name, type, value }) => [name, type, value])).toEqual([
    ['exact', 'number', '9007199254740991'],
    ['isOff', 'boolean', 'false'],
    ['isOn', 'boolean', 'true'],
    ['large', 'bigint', '9223372036854775807'],
    ['mode', 'string', 'y'],
    ['none', 'undefined', 'undefined'],
    ['place', 'string', '/a b/ü'],
    ['share', 'number', '0.1'],
    ['small', 'number', '-2147483648'],
    ['top', 'bigint', '-9223372036854775808'],
    ['word', 'string', 'naïve, "quoted"\n'],
  ]);
});

test('int64 beyond 2^53 stays exact through functions, sums and both formats', async () => {
  const chain = `.limit(4).flatMap(t.struct({ n: t.int64() }), () => [{ n: params.large }])
      .keyBy((row) => row.n).aggregate({ sum: agg.sum((row) => row.n) })`;
  const text = jobText(chain, { params: 'large: t.int64()' });
  for (const [format, expected] of [
    ['csv', 'n,sum\n2305843009213693951,9223372036854775804\n'],
    ['ndjson', '{"n":2305843009213693951,"sum":9223372036854775804}\n'],
  ] as const) {
    const cwd = tempFolder({ 'job.ts': text, 'in.txt': input });
    const paths = ['--input', 'in.txt', '--output', 'o', '--format', format];
    const args = ['run', 'job.ts', ...paths, '--large', '2305843009213693951', '--json'];
    summaryOf(await runCli(args, { cwd }));
    expect(readFileSync(join(cwd, 'o'), 'utf8')).toBe(expected);
  }
});

test('a job may import modules of its own', async () => {
  const before = "import { shout } from './lib/shout.ts';";
  const chain = '.limit(1).flatMap(t.struct({ a: t.utf8() }), () => [{ a: shout("hi") }])';
  const cwd = tempFolder({
    'job.ts': jobText(chain, { before }),
    'lib/shout.ts': 'export const shout = (text: string): string => text.toUpperCase();\n',
    'in.txt': 'x\n',
  });
  const args = ['run', 'job.ts', '--input', 'in.txt', '--output', 'o.csv', '--json'];
  summaryOf(await runCli(args, { cwd }));
  expect(readFileSync(join(cwd, 'o.csv'), 'utf8')).toBe('a\nHI\n');
});

const withContext = `.mapReduce({
        key: t.utf8(),
        value: t.struct({ units: t.int64({ js: 'number' }), price: t.float64() }),
        output: t.struct({ kind: t.utf8(), units: t.utf8() }),
        sideFiles: { closed: 'closed.txt' },
        map: (row, emit, { count, sideFile }) => {
          if (sideFile('closed').text.split('\\n').includes(row.shop)) return count('closed');
          emit(String(row.item % 3) + ' ' + String(row.item), { units: row.units, price: row.price });
        },
        group: ({ key }) => key.substring(0, 1),
        order: ({ value }) => [value.field('units').desc(), value.field('price').asc()],
        reduce: (key, values, { count }) => {
          count('kinds');
          const units = [];
          for (const value of values) units.push(value.units * 1000 + value.price);
          return [{ kind: key.slice(0, 1), units: units.join() }];
        },
      })`;

test.each(['1', '2', '3'])(
  'mapReduce with counters, side files, groups and an order, %s tasks',
  async (parallelism) => {
    const text = jobText(`${parse}${withContext}`);
    const closed = ['Ulm', 'Oslo'];
    const cwd = tempFolder({ 'job.ts': text, 'in.txt': input, 'closed.txt': closed.join('\n') });
    const args = ['run', 'job.ts', '--input', 'in.txt', '--output', 'out.ndjson', '--json'];
    const summary = summaryOf(await runCli([...args, '--parallelism', parallelism], { cwd }));
    const open = sales.filter(({ shop }) => !closed.includes(shop));
    expect(summary.counters).toEqual({ closed: sales.length - open.length, kinds: 3 });
    const rows = readFileSync(join(cwd, 'out.ndjson'), 'utf8').trim().split('\n');
    const found = rows.map((line) => JSON.parse(line)).sort((a, b) => (a.kind < b.kind ? -1 : 1));
    const expected = ['0', '1', '2'].map((kind) => {
      const group = open.filter(({ item }) => String(item % 3) === kind);
      group.sort((a, b) => b.units - a.units || a.price - b.price);
      return { kind, units: group.map(({ units, price }) => units * 1000 + price).join() };
    });
    expect(found).toEqual(expected);
  },
);
