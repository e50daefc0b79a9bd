/**
 * Random jobs over small tables: graphs of verbs that all have the same three columns, so that any of
 * them can stand anywhere, branch and meet again. What they give does not depend on the order of rows.
 */
import fc from 'fast-check';
import {
  agg,
  type Column,
  coalesce,
  cumulating,
  explode,
  lit,
  type Stream,
  session,
  sliding,
  t,
  tumbling,
  words,
} from 'millrace';
import { expect } from 'vitest';
import type { BuiltJob } from '../../engine/api/build-job.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { defineJob } from '../../engine/api/define-job.ts';
import type { Row } from './operator-harness.ts';
import { badRow, type PlanOutputs, rowsSink, tableSource, textsOf } from './plan-runner.ts';

const Line = t.struct({ url: t.utf8(), n: t.int64(), x: t.float64().nullable() });
const TimedLine = t.struct({ ...Line.fields, at: t.timestampMs() });
type Rows = Stream<{
  url: Column<'utf8', string, false, 'url'>;
  n: Column<'int64', bigint, false, 'n'>;
  x: Column<'float64', number, true, 'x'>;
}>;

const verbs: Record<string, (rows: Rows) => Rows> = {
  where: (rows) => rows.where((row) => row.n.gt(2)),
  // Two conditions, one of them over what a projection computed.
  whereBoth: (rows) => rows.where((row) => row.url.ne('b').and(row.n.lt(5)).and(row.x.gt(-1))),
  whereAll: (rows) => rows.where((row) => row.n.eq(row.n).or(true)),
  whereNone: (rows) => rows.where((row) => row.n.gt(1).and(false)),
  // The product would fail where the first condition does not hold: rules must not ask it there.
  whereGuarded: (rows) => rows.where((row) => row.n.le(3).and(row.n.mul(2n ** 61n).gt(0))),
  whereGuardedBefore: (rows) =>
    rows
      .where((row) => row.n.le(3))
      .derive((row) => ({ x: row.x.add(0.5) }))
      .where((row) =>
        row.n
          .mul(2n ** 61n)
          .gt(0)
          .and(row.x.gt(0)),
      ),
  // What the condition computes is computed again.
  whereAgain: (rows) =>
    rows
      .where((row) => row.url.ne('b').and(row.x.mul(2).add(1).gt(0)))
      .derive((row) => ({ x: row.x.mul(2).add(1).sub(row.n) })),
  whereAgainExact: (rows) =>
    rows.where((row) => row.n.mul(2).add(1).lt(9)).derive((row) => ({ n: row.n.mul(2).add(1) })),
  whereText: (rows) => rows.where((row) => row.url.ge('b').or(row.x.isNull())),
  select: (rows) => rows.select(({ x, n, url }) => ({ url, n: n.add(1), x })),
  same: (rows) => rows.select(({ url, n, x }) => ({ url, n, x })),
  onlyUrl: (rows) => rows.select(({ url }) => ({ url, n: 1n, x: 0.5 })) as never,
  derive: (rows) => rows.derive((row) => ({ x: row.x.add(1) })),
  explode: (rows) => rows.select(({ url, n, x }) => ({ url: explode(words(url)), n, x })),
  filter: (rows) => rows.filter((row) => row.n !== 3n),
  map: (rows) => rows.map(Line, (row) => ({ url: `${row.url} m`, n: row.n, x: row.x })),
  flatMap: (rows) => rows.flatMap(Line, (row) => [row.copy(), { ...row.copy(), x: null }]),
  aggregate: (rows) =>
    rows.keyBy((row) => row.url).aggregate({ n: agg.count(), x: agg.max((row) => row.x) }),
  aggregateByExpression: (rows) =>
    rows
      .keyBy((row) => ({ n: row.n.mul(2) }))
      .aggregate({ x: agg.min((row) => row.x.add(row.n)) })
      .select((row) => ({ url: 'a', n: row.n, x: row.x })) as never,
  severalKeys: (rows) =>
    rows
      .keyBy((row) => [row.url, row.x])
      .aggregate({ n: agg.sum((row) => row.n) })
      .select(({ url, n, x }) => ({ url, n, x })),
  average: (rows) =>
    rows
      .keyBy((row) => ({ isSmall: row.n.lt(2), hasX: row.x.isNull() }))
      .aggregate({ url: agg.max((row) => row.url), n: agg.count(), x: agg.avg((row) => row.n) })
      .select(({ url, n, x }) => ({ url, n, x })) as never,
  aggregateAll: (rows) =>
    rows
      .aggregate({ url: agg.min((row) => row.url), n: agg.count(), x: agg.avg((row) => row.n) })
      .select(({ url, n, x }) => ({ url: coalesce(url, 'none'), n, x })),
  countDistinctAll: (rows) =>
    rows
      .aggregate({ n: agg.countDistinct((row) => row.url) })
      .select(({ n }) => ({ url: 'all', n, x: lit(null, t.float64()) })) as never,
  distinct: (rows) => rows.distinct(),
  countDistinct: (rows) =>
    rows
      .keyBy((row) => row.url)
      .aggregate({ n: agg.countDistinct((row) => row.x), x: agg.min((row) => row.x) }),
  onlyCountDistinct: (rows) =>
    rows
      .keyBy((row) => row.x)
      .aggregate({ n: agg.countDistinct((row) => row.url) })
      .select(({ n, x }) => ({ url: 'a', n, x })) as never,
  windows: (rows) =>
    rows
      .map(TimedLine, (row) => ({ ...row.copy(), at: Number(row.n % 5n) * 700 }))
      .eventTime((row) => row.at)
      .keyBy((row) => row.url)
      .window(tumbling({ sizeMs: 1_000, offsetMs: -1 }))
      .aggregate({ n: agg.count(), x: agg.max((row) => row.x) })
      .select(({ url, n, x }) => ({ url, n, x })),
  sliding: (rows) =>
    rows
      .map(TimedLine, (row) => ({ ...row.copy(), at: Number(row.n % 5n) * 700 }))
      .eventTime((row) => row.at)
      .keyBy((row) => row.url)
      .window(sliding({ sizeMs: 1_500, slideMs: 500 }))
      .aggregate({ n: agg.count(), x: agg.max((row) => row.x) })
      .select(({ url, n, x }) => ({ url, n, x })),
  sessions: (rows) =>
    rows
      .map(TimedLine, (row) => ({ ...row.copy(), at: Number(row.n % 7n) * 700 }))
      .eventTime((row) => row.at)
      .keyBy((row) => row.url)
      .window(session({ gapMs: 1_000 }))
      .aggregate({ n: agg.count(), x: agg.max((row) => row.x) })
      .select(({ url, n, x }) => ({ url, n, x })),
  countDistinctCumulating: (rows) =>
    rows
      .map(TimedLine, (row) => ({ ...row.copy(), at: Number(row.n % 5n) * 700 }))
      .eventTime((row) => row.at)
      .keyBy((row) => row.x)
      .window(cumulating({ sizeMs: 2_000, stepMs: 500 }))
      .aggregate({ n: agg.countDistinct((row) => row.url) })
      .select(({ n, x }) => ({ url: 'a', n, x })) as never,
  reduce: (rows) =>
    rows
      .keyBy((row) => row.url)
      .reduce((left, right) => {
        const isLeft = (left.x ?? -9) > (right.x ?? -9);
        return { url: right.url, n: left.n + right.n, x: isLeft ? left.x : right.x };
      }),
  orderBy: (rows) => rows.orderBy((row) => [row.n.desc(), row.url.asc(), row.x.asc()]),
  top: (rows) => rows.orderBy((row) => [row.n.asc(), row.url.asc(), row.x.desc()]).limit(5),
  // Which rows a limit keeps is open: these are all the same.
  limit: (rows) => rows.select(() => ({ url: 'same', n: 2n, x: 1 })).limit(3) as never,
  mapReduce: (rows) =>
    rows.mapReduce({
      key: t.utf8(),
      value: t.int64(),
      output: Line,
      map: (row, emit) => emit(row.url, row.n),
      combine: (_url, values) => sumOf(values),
      reduce: (url, values) => [{ url, n: sumOf(values), x: null }],
    }),
  // The largest number for each length of text, with the first text that has it.
  mapReduceInOrder: (rows) =>
    rows.mapReduce({
      key: t.utf8(),
      value: t.int64(),
      output: Line,
      map: (row, emit) => emit(row.url, row.n),
      group: ({ key }) => key.length(),
      order: ({ key, value }) => [value.desc(), key.asc()],
      reduce: (url, values) => [...values].slice(0, 1).map((n) => ({ url, n, x: null })),
    }),
  // Only the ends of partitions; ties are of the same rank.
  firstOfPartitions: (rows) =>
    rows
      .over(
        { partitionBy: (row) => row.url, orderBy: (row) => [row.n.desc(), row.x.asc()] },
        (analytic) => ({ place: analytic.rank() }),
      )
      .where((row) => row.place.le(2))
      .select(({ url, n, x }) => ({ url, n, x })),
  onlyOfPartitions: (rows) =>
    rows
      .distinct()
      .over(
        { partitionBy: (row) => row.x, orderBy: (row) => [row.url.asc(), row.n.asc()] },
        (analytic, row) => ({ place: analytic.rowNumber(), before: analytic.lag(row.n) }),
      )
      .where((row) => row.place.eq(2))
      .select(({ url, before, x }) => ({ url, n: coalesce(before, 0n), x })) as never,
  orderByExpression: (rows) => rows.orderBy((row) => [row.n.mod(7).desc(), row.url.asc()]),
};

/** One row per key, so that joins make no more rows than they get. */
const byUrl = (rows: Rows): Rows =>
  rows
    .keyBy((row) => row.url)
    .aggregate({ n: agg.max((row) => row.n), x: agg.max((row) => row.x) });
const byX = (rows: Rows): Rows =>
  rows
    .keyBy((row) => row.x)
    .aggregate({ url: agg.max((row) => row.url), n: agg.max((row) => row.n) })
    .select(({ url, n, x }) => ({ url, n, x }));

const joins: Record<string, (left: Rows, right: Rows) => Rows> = {
  join: (left, right) =>
    left.join(byUrl(right), {
      on: (a, b) => a.url.eq(b.url),
      select: (a, b) => ({ url: b.url, n: a.n, x: b.x }),
    }),
  joinBuiltLeft: (left, right) =>
    left.join(byX(right), {
      on: (a, b) => a.x.eq(b.x).and(a.n.le(b.n)),
      build: 'left',
      select: (a, b) => ({ url: a.url, n: b.n, x: a.x }),
    }),
  joinBroadcast: (left, right) =>
    left.join(byUrl(right), {
      on: (a, b) => b.url.eq(a.url),
      broadcast: true,
      type: 'left',
      select: (a, b) => ({ url: a.url, n: a.n, x: b.x }),
    }),
  leftJoin: (left, right) =>
    left.join(byUrl(right), {
      on: (a, b) => a.n.add(1).eq(b.n.add(0)).and(a.url.eq(b.url)).and(b.x.gt(a.x)),
      type: 'left',
      select: (a, b) => ({ url: a.url, n: a.n, x: b.x }),
    }),
  rightJoin: (left, right) =>
    byUrl(left).join(right, {
      on: (a, b) => a.url.eq(b.url),
      type: 'right',
      select: (a, b) => ({ url: b.url, n: b.n, x: a.x }),
    }),
  fullJoin: (left, right) =>
    byUrl(left)
      .join(byUrl(right), {
        on: (a, b) => a.url.eq(b.url).and(a.n.gt(b.n)),
        type: 'full',
        build: 'left',
        select: (a, b) => ({ url: a.url, n: b.n, x: a.x }),
      })
      .map(Line, (row) => ({ url: row.url ?? 'none', n: row.n ?? -1n, x: row.x })),
  semiJoin: (left, right) => left.join(right, { on: (a, b) => a.url.eq(b.url), type: 'semi' }),
  semiJoinBuiltLeft: (left, right) =>
    left.join(right, {
      on: (a, b) => a.n.eq(b.n).and(a.x.lt(b.x)),
      type: 'semi',
      build: 'left',
    }),
  antiJoin: (left, right) =>
    left.join(right, { on: (a, b) => a.url.eq(b.url).and(a.n.lt(b.n)), type: 'anti' }),
  crossJoin: (left, right) =>
    left.crossJoin(right.orderBy((row) => [row.n.asc(), row.url.asc(), row.x.asc()]).limit(1), {
      select: (a, b) => ({ url: a.url, n: b.n, x: a.x }),
    }),
  // Conditions on one side, within the join and behind it.
  filteredJoin: (left, right) =>
    left
      .join(byUrl(right), {
        on: (a, b) => a.url.eq(b.url).and(b.n.gt(1)).and(a.n.lt(5)),
        type: 'left',
        select: (a, b) => ({ url: a.url, n: a.n, x: b.x }),
      })
      .where((row) => row.url.ge('b').and(row.x.isNull().or(row.n.lt(4)))),
  filteredInnerJoin: (left, right) =>
    left
      .join(byUrl(right), {
        on: (a, b) => a.url.eq(b.url).and(b.n.gt(1)).and(a.n.lt(5)),
        build: 'left',
        select: (a, b) => ({ url: a.url, n: b.n, x: b.x }),
      })
      .where((row) => row.url.ge('b').and(row.x.isNull())),
  filteredAntiJoin: (left, right) =>
    left
      .join(right, {
        on: (a, b) => a.url.eq(b.url).and(b.n.gt(1)).and(a.n.lt(5)),
        type: 'anti',
      })
      .where((row) => row.n.gt(0)),
  // Small tables that filter a large one, which comes first.
  joinInARow: (left, right) =>
    left
      .join(byUrl(right), {
        on: (a, b) => a.url.eq(b.url),
        select: (a, b) => ({ url: b.url, n: a.n, x: b.x }),
      })
      .join(byX(right), {
        on: (a, b) => a.x.eq(b.x).and(a.n.le(b.n)),
        select: (a, b) => ({ url: a.url, n: b.n, x: b.x }),
      })
      .join(
        left.where((row) => row.n.eq(2)),
        { on: (a, b) => a.n.eq(b.n), type: 'semi' },
      ),
  joinInARowAgain: (left, right) =>
    left
      .join(right, { on: (a, b) => a.x.eq(b.x), type: 'anti' })
      .join(byUrl(right.where((row) => row.n.eq(3))), {
        on: (a, b) => a.url.eq(b.url),
        select: (a, b) => ({ url: a.url, n: b.n, x: a.x }),
      }),
  intersect: (left, right) => left.intersect(right),
  intersectAll: (left, right) => left.intersect(right, { all: true }),
  except: (left, right) => left.except(right),
  exceptAll: (left, right) =>
    left.except(right, { all: true }).where((row) => row.n.gt(0).and(row.x.lt(5))),
  joinOfAll: (left, right) =>
    left.join(byUrl(right), {
      on: (a, b) => a.n.gt(b.n).and(a.url.eq('a')).and(b.url.eq('b')),
      type: 'left',
      select: (a, b) => ({ url: a.url, n: a.n, x: b.x }),
    }),
};

function sumOf(values: Iterable<bigint>): bigint {
  let sum = 0n;
  for (const value of values) sum += value;
  return sum;
}

export interface RandomJob extends BuiltJob {
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  /** What was drawn, for messages. */
  readonly text: string;
}

/** Compares what sinks got, whatever the order. */
export function expectSameRows(job: RandomJob, a?: PlanOutputs, b?: PlanOutputs): void {
  const hasLimit = job.graph.nodes.some(({ kind }) => kind === 'limit');
  for (const node of job.graph.nodes) {
    if (node.kind !== 'sink') continue;
    const name = String(node.sink.options);
    // What a source does not read, since a limit has its rows, it does not find bad.
    if (name === 'dead letters' && hasLimit) continue;
    expect(textsOf(a?.get(name)), `${job.text}: ${name}`).toEqual(textsOf(b?.get(name)));
  }
}

interface Draw {
  readonly verb: string;
  /** Which of the streams so far; which other one, for a union. */
  readonly of: number;
  readonly with: number;
}

const rows = fc.array(
  fc.record({
    url: fc.constantFrom('a', 'b', 'c d', 'a longer text, with words'),
    n: fc.bigInt({ min: 0n, max: 5n }),
    x: fc.option(fc.constantFrom(-1.5, 0, 2, 7)),
  }),
  { maxLength: 60 },
);

/** Graphs of up to `verbsMax` verbs and unions over two tables, with one to three outputs. */
export function randomJobs(verbsMax = 8): fc.Arbitrary<RandomJob> {
  const names = ['union', 'union', ...Object.keys(verbs)];
  const draw = fc.record({
    verb: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...names) },
      { weight: 2, arbitrary: fc.constantFrom(...Object.keys(joins)) },
      // Rare among the others, and all that some rules look at.
      { weight: 1, arbitrary: fc.constantFrom('joinInARow', 'joinInARowAgain') },
    ),
    // Mostly the newest stream, so that there are long chains.
    of: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(9) }),
    with: fc.nat(9),
  });
  return fc
    .record({
      draws: fc.array(draw, { maxLength: verbsMax }),
      outputCount: fc.integer({ min: 1, max: 3 }),
      isParallel: fc.boolean(),
      hasDeadLetters: fc.boolean(),
      isSorted: fc.boolean(),
      tables: fc.record({ first: rows, second: rows }),
    })
    .map(({ draws, outputCount, isParallel, hasDeadLetters, isSorted, ...drawn }) => {
      const { first, second } = drawn.tables;
      const tables = { first, second: hasDeadLetters ? withBadRows(second) : second };
      const job = defineJob({
        name: 'random',
        build({ read }) {
          const deadLetters = rowsSink('dead letters', isParallel);
          const second = tableSource('second', Line.schema);
          const streams: Rows[] = [
            read(second, hasDeadLetters ? { deadLetters } : {}) as never,
            read(tableSource('first', Line.schema)) as never,
          ];
          for (const one of draws) streams.push(applied(one, streams));
          // A table as it is, sorted: what no other stream reads.
          const table = read(tableSource('first', Line.schema)) as never as Rows;
          if (isSorted) streams.push(table.orderBy((row) => [row.n.desc(), row.x.asc()]));
          return streams
            .slice(-outputCount)
            .map((stream, at) => stream.writeTo(rowsSink(`out ${at}`, isParallel)));
        },
      });
      const text = draws.map((one) => `${one.verb} ${one.of} ${one.with}`).join(', ');
      return { ...buildJob(job, {}), tables, text: `${text}; ${outputCount} outputs` };
    });
}

/** Every third row can't be read. */
function withBadRows(good: readonly Row[]): Row[] {
  return good.map((row, at) => (at % 3 === 2 ? { [badRow]: `row ${at}` } : row));
}

function applied({ verb, of, with: other }: Draw, streams: readonly Rows[]): Rows {
  const at = (back: number) => streams[streams.length - 1 - (back % streams.length)] as Rows;
  if (verb === 'union') return at(of).union(at(other)) as never;
  const join = joins[verb];
  if (join !== undefined) return join(at(of), at(other));
  return verbs[verb]?.(at(of)) as Rows;
}
