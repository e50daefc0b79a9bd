/**
 * Goal: types go from source to sink. Most of this file is checked by tsc: a wrong line that is
 * accepted makes its `@ts-expect-error` an error.
 */
import { agg, defineJob, explode, type Stream, t, tumbling, words } from 'millrace';
import { files, text } from 'millrace/files';
import { expect, expectTypeOf, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { Column } from '../../../engine/api/column.ts';
import { bids, buildOf } from './bids.ts';

const sink = files.sink({ path: 'out.csv' });

test('comparisons take values of the column type and conditions take conditions', () => {
  const build = () =>
    bids()
      .where((bid) => bid.price.gt(100).and(bid.url.eq('/a').or(bid.isOpen)))
      .where((bid) =>
        bid.auction
          .ge(5n)
          .and(bid.auction.lt(10))
          .and(bid.at.lt(new Date(0))),
      )
      .where((bid) => bid.user.isNull().not().and(bid.small.eq(bid.auction)))
      .writeTo(sink);
  expect(buildOf(build).graph.nodes.map((node) => node.id)).toEqual([
    'source-bids',
    'where-1',
    'where-2',
    'where-3',
    'sink-files',
  ]);
});

test('a join has the columns of both sides, nullable where rows come alone', () => {
  const users = () => bids().select((bid) => ({ id: bid.auction, name: bid.user }));
  const on = { on: (bid: { auction: Int64 }, user: { id: Int64 }) => bid.auction.eq(user.id) };
  const inner = bids().select(({ auction, url }) => ({ auction, url }));
  expectTypeOf(inner.join(users(), on)).toEqualTypeOf<
    Stream<{
      readonly auction: Column<'int64', bigint, false, 'auction'>;
      readonly url: Column<'utf8', string, false, 'url'>;
      readonly id: Column<'int64', bigint, false, 'id'>;
      readonly name: Column<'utf8', string, true, 'name'>;
    }>
  >();
  const left = inner.join(users(), { ...on, type: 'left' });
  expectTypeOf(left).toEqualTypeOf<
    Stream<{
      readonly auction: Column<'int64', bigint, false, 'auction'>;
      readonly url: Column<'utf8', string, false, 'url'>;
      readonly id: Column<'int64', bigint, true, 'id'>;
      readonly name: Column<'utf8', string, true, 'name'>;
    }>
  >();
  expectTypeOf(inner.join(users(), { ...on, type: 'semi' })).toEqualTypeOf<typeof inner>();
  const named = inner.join(users(), {
    ...on,
    type: 'full',
    select: (bid, user) => ({ url: bid.url, id: user.id, one: 1n }),
  });
  expectTypeOf(named).toEqualTypeOf<
    Stream<{
      readonly url: Column<'utf8', string, true, 'url'>;
      readonly id: Column<'int64', bigint, true, 'id'>;
      readonly one: Column<'int64', bigint, false, 'one'>;
    }>
  >();
  const wrong = [
    // @ts-expect-error both sides have the column "id"
    () => users().join(users(), { on: (a, b) => a.id.eq(b.id) }),
    // @ts-expect-error both sides have the column "id"
    () => users().crossJoin(users()),
    // @ts-expect-error a number is no text
    () => inner.join(users(), { on: (a, b) => a.auction.eq(b.name), type: 'semi' }),
    // @ts-expect-error there is no such type of join
    () => inner.join(users(), { ...on, type: 'outer' }),
  ];
  for (const build of wrong) expect(codeOf(thrownBy(build))).toMatch(/^(PLAN|EXPR|JOB)_/);
});

function thrownBy(build: () => unknown): unknown {
  try {
    build();
  } catch (error) {
    return error;
  }
  return null;
}

type Int64 = Column<'int64', bigint, boolean>;

test('what the compiler refuses is refused at run time too', () => {
  const wrong = [
    // @ts-expect-error a text is no number
    () => bids().where((bid) => bid.url.gt(1)),
    // @ts-expect-error a number is no text
    () => bids().where((bid) => bid.price.eq('1')),
    // @ts-expect-error where needs a condition
    () => bids().where((bid) => bid.price),
    // @ts-expect-error a boolean of JavaScript is no condition
    () => bids().where(() => true),
    // @ts-expect-error and needs two conditions
    () => bids().where((bid) => bid.isOpen.and(bid.price)),
    // @ts-expect-error only a condition has an opposite
    () => bids().where((bid) => bid.price.not()),
    // @ts-expect-error texts are not added
    () => bids().select((bid) => ({ x: bid.url.add('!') })),
    // @ts-expect-error milliseconds are not compared with microseconds
    () => bids().where((bid) => bid.at.eq(bid.exact)),
    // @ts-expect-error only text has words
    () => bids().select((bid) => ({ x: explode(words(bid.price)) })),
    () =>
      bids()
        .keyBy((bid) => bid.url)
        // @ts-expect-error only numbers are summed
        .aggregate({ x: agg.sum((bid) => bid.user) }),
    // @ts-expect-error orderBy needs asc() or desc()
    () => bids().orderBy((bid) => bid.price),
    () =>
      bids()
        .select((bid) => [bid.url])
        // @ts-expect-error a list has no named columns
        .select((row) => ({ x: row.nothing })),
  ];
  for (const run of wrong) {
    expect(codeOf(errorOf(run)), String(run)).toBe('EXPR_TYPE_MISMATCH');
  }
});

test('a field that is not there is refused by the compiler and named at run time', () => {
  // @ts-expect-error no field usr
  const error = errorOf(() => bids().where((bid) => bid.usr.eq('ada')));
  expect((error as Error).message).toBe(
    'no field named "usr"; fields are "user", "url", "at", "price", "small", "isOpen", "exact", "auction"',
  );
});

test('arithmetic has the type of the wider operand', () => {
  bids().select((bid) => {
    expectTypeOf(bid.small.add(1)).toExtend<Column<'int32', number>>();
    expectTypeOf(bid.small.add(bid.auction)).toExtend<Column<'int64', bigint>>();
    expectTypeOf(bid.small.mul(bid.price)).toExtend<Column<'float64', number>>();
    expectTypeOf(bid.at.sub(bid.at)).toExtend<Column<'int64', number>>();
    expectTypeOf(bid.at.sub(1_000)).toExtend<Column<'timestampMs', number>>();
    expectTypeOf(bid.user.eq('a')).toExtend<Column<'bool', boolean, true>>();
    expectTypeOf(bid.url.eq('a')).toExtend<Column<'bool', boolean, false>>();
    return { url: bid.url };
  });
});

test('aggregate knows the key and its results', () => {
  const stream = bids()
    .keyBy((bid) => bid.user)
    .aggregate({
      bids: agg.count(),
      top: agg.max((bid) => bid.price),
      total: agg.sum((bid) => bid.small),
      last: agg.min((bid) => bid.at),
    });
  stream.flatMap(t.struct({ x: t.utf8() }), (row) => {
    expectTypeOf(row.user).toEqualTypeOf<string | null>();
    expectTypeOf(row.bids).toEqualTypeOf<bigint>();
    expectTypeOf(row.top).toEqualTypeOf<number>();
    expectTypeOf(row.total).toEqualTypeOf<bigint>();
    expectTypeOf(row.last).toEqualTypeOf<number>();
    expectTypeOf(row.copy().bids).toEqualTypeOf<bigint>();
    return [];
  });
  // @ts-expect-error url is gone after the aggregate
  expect(() => stream.where((row) => row.url.eq('a'))).toThrow('no field named "url"');
});

test('a key of an expression is named by the user, or "key"', () => {
  const late = bids()
    .keyBy((bid) => ({ late: bid.at.gt(0) }))
    .aggregate({ n: agg.count() })
    .where((row) => row.late);
  const unnamed = bids()
    .keyBy((bid) => bid.at.gt(0))
    .aggregate({ n: agg.count() })
    .where((row) => row.key.and(row.n.gt(1)));
  expect(
    [late, unnamed].map((stream) => buildOf(() => stream.writeTo(sink)).graph.nodes.length),
  ).toEqual([4, 4]);
});

test('several keys: an object of columns, or a list of them', () => {
  const byObject = bids()
    .keyBy((bid) => ({ who: bid.user, late: bid.at.gt(0), url: bid.url }))
    .aggregate({ n: agg.count() });
  byObject.where((row) => row.late.and(row.who.isNull()).and(row.url.eq('a')));
  const byList = bids()
    .keyBy((bid) => [bid.user, bid.small])
    .aggregate({ n: agg.count() });
  byList.flatMap(t.struct({ x: t.utf8() }), (row) => {
    expectTypeOf(row.user).toEqualTypeOf<string | null>();
    expectTypeOf(row.small).toEqualTypeOf<number>();
    return [];
  });
  // @ts-expect-error url is no key
  expect(() => byList.where((row) => row.url.eq('a'))).toThrow('no field named "url"');
  // @ts-expect-error a key is a column
  const noColumn = () => bids().keyBy((bid) => [bid.user, 1]);
  expect(noColumn).toThrow('keyBy needs a column, or several, its lambda gave the number 1');
  expectTypeOf(bids().distinct()).toEqualTypeOf(bids());
});

test('aggregate functions have the types of their results', () => {
  const stream = bids()
    .keyBy((bid) => bid.url)
    .aggregate({
      users: agg.countDistinct((bid) => bid.user),
      mean: agg.avg((bid) => bid.small),
      least: agg.min((bid) => bid.user),
      most: agg.max((bid) => bid.isOpen),
      first: agg.first((bid) => bid.user),
      last: agg.last((bid) => bid.isOpen),
      spread: agg.stddev((bid) => bid.price),
      spreadOfAll: agg.stddevPop((bid) => bid.price),
      variance: agg.variance((bid) => bid.auction),
      varianceOfAll: agg.variancePop((bid) => bid.auction),
      middle: agg.approxQuantile((bid) => bid.auction, 0.5),
      middleTime: agg.approxQuantile((bid) => bid.exact, 0.5),
    });
  stream.flatMap(t.struct({ x: t.utf8() }), (row) => {
    expectTypeOf(row.users).toEqualTypeOf<bigint>();
    expectTypeOf(row.mean).toEqualTypeOf<number>();
    expectTypeOf(row.least).toEqualTypeOf<string | null>();
    expectTypeOf(row.most).toEqualTypeOf<boolean>();
    expectTypeOf(row.first).toEqualTypeOf<string | null>();
    expectTypeOf(row.last).toEqualTypeOf<boolean>();
    expectTypeOf(row.spread).toEqualTypeOf<number | null>();
    expectTypeOf(row.spreadOfAll).toEqualTypeOf<number>();
    expectTypeOf(row.variance).toEqualTypeOf<number | null>();
    expectTypeOf(row.varianceOfAll).toEqualTypeOf<number>();
    expectTypeOf(row.middle).toEqualTypeOf<number>();
    expectTypeOf(row.middleTime).toEqualTypeOf<bigint>();
    return [];
  });
  const keyed = bids().keyBy((bid) => bid.url);
  const wrong = [
    // @ts-expect-error only numbers have an average
    () => keyed.aggregate({ x: agg.avg((bid) => bid.user) }),
    // @ts-expect-error texts have no quantiles
    () => keyed.aggregate({ x: agg.approxQuantile((bid) => bid.user, 0.5) }),
    // @ts-expect-error a moment has no deviation
    () => keyed.aggregate({ x: agg.stddev((bid) => bid.at) }),
  ];
  for (const run of wrong) expect(codeOf(errorOf(run))).toBe('EXPR_TYPE_MISMATCH');
});

test('windows add their bounds', () => {
  const timed = bids().eventTime((bid) => bid.at, { outOfOrdernessMs: 1_000 });
  const perUser = timed
    .keyBy((bid) => ({ who: bid.user }))
    .window(tumbling({ sizeMs: 60_000, offsetMs: 500 }))
    .aggregate({ n: agg.count() });
  perUser.flatMap(t.struct({ x: t.utf8() }), (row) => {
    expectTypeOf(row.windowStart).toEqualTypeOf<number>();
    expectTypeOf(row.windowEnd).toEqualTypeOf<number>();
    expectTypeOf(row.who).toEqualTypeOf<string | null>();
    expectTypeOf(row.n).toEqualTypeOf<bigint>();
    return [];
  });
  const all = timed.window(tumbling({ sizeMs: 60_000 })).aggregate({ n: agg.count() });
  all.where((row) => row.windowStart.lt(row.windowEnd).and(row.n.gt(1)));
  // @ts-expect-error a price is no time
  expect(codeOf(errorOf(() => bids().eventTime((bid) => bid.price)))).toBe('EXPR_TYPE_MISMATCH');
  // @ts-expect-error a window has a size
  expect(codeOf(errorOf(() => tumbling({})))).toBe('JOB_ARGUMENT_INVALID');
});

test('event time is followed through the verbs that hand it on, and no further', () => {
  const timed = bids().eventTime((bid) => bid.at);
  const window = tumbling({ sizeMs: 1_000 });
  const columnOf = (stream: Stream<unknown>) => {
    const grouped = stream.window(window).aggregate({ n: agg.count() });
    const { graph } = buildOf(() => grouped.writeTo(sink));
    const node = graph.nodes.find(({ kind }) => kind === 'aggregate');
    return node?.kind === 'aggregate' ? node.window?.column : null;
  };
  const handedOn = [
    timed.where((bid) => bid.price.gt(1)),
    timed.filter(() => true),
    timed.derive((bid) => ({ price: bid.price.add(1) })),
    timed.select((bid) => ({ at: bid.at, user: bid.user })),
    timed.orderBy((bid) => bid.at.asc()).limit(3),
    timed.distinct().union(timed),
  ];
  for (const stream of handedOn) expect(columnOf(stream as never)).toBe('at');
  expect(columnOf(timed.select((bid) => ({ when: bid.at })) as never)).toBe('when');
  const lost = [
    bids(),
    timed.select((bid) => ({ user: bid.user })),
    timed.derive((bid) => ({ at: bid.at.add(1) })),
    timed.map(t.struct({ at: t.timestampMs() }), (row) => ({ at: row.at })),
    timed.union(bids()),
  ];
  for (const stream of lost) {
    expect(codeOf(errorOf(() => columnOf(stream as never)))).toBe('PLAN_NO_EVENT_TIME');
  }
});

test('functions read and give typed rows', () => {
  const Out = t.struct({ name: t.utf8().nullable(), n: t.int64(), at: t.timestampMs() });
  bids().flatMap(Out, (bid) => {
    expectTypeOf(bid.auction).toEqualTypeOf<bigint>();
    expectTypeOf(bid.user).toEqualTypeOf<string | null>();
    expectTypeOf(bid.at).toEqualTypeOf<number>();
    expectTypeOf(bid.exact).toEqualTypeOf<bigint>();
    return [{ name: bid.user, n: 1, at: new Date(bid.at) }];
  });
  // @ts-expect-error n is missing
  bids().flatMap(Out, () => [{ name: null, at: 0 }]);
  // @ts-expect-error n is no text
  bids().flatMap(Out, () => [{ name: null, n: '1', at: 0 }]);
});

test('derive keeps, replaces and adds columns', () => {
  const stream = bids().derive((bid) => ({
    price: bid.small.add(1),
    isDear: bid.price.gt(100),
    source: 'web',
  }));
  stream.map(t.struct({ x: t.utf8() }), (row) => {
    expectTypeOf(row.price).toEqualTypeOf<number>();
    expectTypeOf(row.isDear).toEqualTypeOf<boolean>();
    expectTypeOf(row.source).toEqualTypeOf<string>();
    expectTypeOf(row.user).toEqualTypeOf<string | null>();
    return { x: row.url };
  });
  stream.where((row) => row.isDear.and(row.source.eq('web')));
  expect(() => bids().derive((bid) => bid.url)).toThrow('derive needs an object of columns');
});

test('filter, map and reduce see typed rows and give them', () => {
  const Out = t.struct({ name: t.utf8().nullable(), n: t.int64() });
  bids()
    .filter((bid) => bid.price > 1 && bid.user !== null)
    .map(Out, (bid) => ({ name: bid.user, n: bid.auction + 1n }))
    .keyBy((row) => row.name)
    .reduce((left, right) => {
      expectTypeOf(left.n).toEqualTypeOf<bigint>();
      expectTypeOf(right.copy().n).toEqualTypeOf<bigint>();
      return right.n > left.n ? right : { name: left.name, n: left.n + right.n };
    })
    .where((row) => row.n.gt(1));
  // @ts-expect-error a filter answers true or false
  bids().filter((bid) => bid.price);
  // @ts-expect-error n is missing
  bids().map(Out, (bid) => ({ name: bid.user }));
  // @ts-expect-error a map gives one row
  bids().map(Out, (bid) => [{ name: bid.user, n: 1 }]);
  const named = bids().keyBy((bid) => bid.url);
  // @ts-expect-error reduce gives a row of the same fields
  named.reduce((left) => left.url);
});

test('mapReduce types its pairs and its output', () => {
  const stream = bids().mapReduce({
    key: t.utf8(),
    value: t.int64({ js: 'number' }),
    output: t.struct({ url: t.utf8(), n: t.int64({ js: 'number' }) }),
    map: (bid, emit) => emit(bid.url, 1),
    combine: (_url, counts) => {
      expectTypeOf(counts).toEqualTypeOf<Iterable<number>>();
      return 1;
    },
    partition: (url, count) => url.length % count,
    reduce: (url, counts) => [{ url, n: [...counts].length }],
  });
  stream.where((row) => row.n.gt(1).and(row.url.eq('a')));
  bids().mapReduce({
    key: t.utf8(),
    value: t.utf8(),
    output: t.struct({ url: t.utf8() }),
    // @ts-expect-error the key is a text
    map: (bid, emit) => emit(1, bid.url),
    reduce: (url) => [{ url }],
  });
});

test('parameters are typed in build', () => {
  defineJob({
    name: 'params',
    params: {
      input: t.path(),
      mode: t.utf8().choices('fail', 'replace').default('fail'),
      top: t.int32().optional(),
      from: t.int64().optional(),
      ratio: t.float64().default(0.5),
    },
    build: ({ read, params }) => {
      expectTypeOf(params.input).toEqualTypeOf<string>();
      expectTypeOf(params.mode).toEqualTypeOf<'fail' | 'replace'>();
      expectTypeOf(params.top).toEqualTypeOf<number | undefined>();
      expectTypeOf(params.from).toEqualTypeOf<bigint | undefined>();
      expectTypeOf(params.ratio).toEqualTypeOf<number>();
      const format = text({ invalidUtf8: params.mode });
      return read(files.source({ path: params.input, format }))
        .limit(params.top)
        .writeTo(sink);
    },
  });
  expect(() =>
    defineJob({
      name: 'x',
      // @ts-expect-error a struct is no parameter
      params: { a: t.struct({ b: t.utf8() }) },
      build: () => bids().writeTo(sink),
    }),
  ).toThrow('parameter "a"');
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}

test('union has the columns of both, null where one of them may be', () => {
  const url = () => bids().select((bid) => ({ url: bid.url, user: bid.user }));
  const other = () => bids().select((bid) => ({ url: bid.user, user: bid.url }));
  const stream = url().union(other(), other());
  stream.map(t.struct({ x: t.utf8() }), (row) => {
    expectTypeOf(row.url).toEqualTypeOf<string | null>();
    expectTypeOf(row.user).toEqualTypeOf<string | null>();
    return { x: row.url ?? '' };
  });
  bids()
    .union(bids())
    .map(t.struct({ x: t.utf8() }), (row) => {
      expectTypeOf(row.url).toEqualTypeOf<string>();
      expectTypeOf(row.user).toEqualTypeOf<string | null>();
      return { x: row.url };
    });
  // @ts-expect-error price is no text
  expect(() => url().union(bids().select((bid) => ({ url: bid.price, user: bid.url })))).toThrow(
    'column 1 is "url" (float64) there and "url" (utf8) here',
  );
  // @ts-expect-error user is missing
  expect(() => url().union(bids().select((bid) => ({ url: bid.url })))).toThrow(
    'column 2 is missing there and "user" (utf8) here',
  );
  const wider = () => bids().select(({ url, user, price }) => ({ url, user, price }));
  // @ts-expect-error price is too much
  expect(() => url().union(wider())).toThrow(
    'column 3 is "price" (float64) there and missing here',
  );
});

test('intersect and except have the columns of a union', () => {
  const url = () => bids().select((bid) => ({ url: bid.url }));
  const other = () => bids().select((bid) => ({ url: bid.user }));
  expectTypeOf(url().intersect(other())).toEqualTypeOf(url().union(other()));
  expectTypeOf(url().except(url(), { all: true })).toEqualTypeOf(url().union(url()));
  // @ts-expect-error price is no text
  expect(() => url().except(bids().select((bid) => ({ url: bid.price })))).toThrow(
    'except with the other stream: column 1 is "url" (float64) there and "url" (utf8) here',
  );
  // @ts-expect-error all is a flag
  expect(() => url().intersect(url(), { all: 1 })).toThrow('all of intersect is true or false');
});

test('build returns a written stream or a list of them', () => {
  defineJob({ name: 'x', build: () => [bids().writeTo(sink), bids().limit(1).writeTo(sink)] });
  // @ts-expect-error a stream that is not written is no end
  defineJob({ name: 'x', build: () => [bids().writeTo(sink), bids()] });
});
