/** Goal: a job builds the same graph every time, with its functions and flags; failures say where. */
import { agg, defineJob, type ReadOptions, type SourceOf, t } from 'millrace';
import { files, text } from 'millrace/files';
import { nexmark } from 'millrace/generator';
import { expect, test } from 'vitest';
import { buildJob, fingerprintOf } from '../../../engine/api/build-job.ts';
import type { RunFlags } from '../../../engine/api/endpoints.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { bids, buildOf } from './bids.ts';

const sink = files.sink({ path: 'out.csv' });

test('the same values give an equal graph and fingerprint, other values another', () => {
  const job = defineJob({
    name: 'top',
    params: { top: t.int32().optional() },
    build: ({ read, params }) =>
      read(files.source({ path: 'in', format: text() }))
        .limit(params.top)
        .writeTo(sink),
  });
  const [first, second, other] = [{ top: 3 }, { top: 3 }, {}].map(
    (values) => buildJob(job, values).graph,
  );
  expect(first).toEqual(second);
  expect(first && fingerprintOf(first)).toBe(second && fingerprintOf(second));
  expect(first && fingerprintOf(first)).not.toBe(other && fingerprintOf(other));
  expect(other?.nodes.map((node) => node.kind)).toEqual(['source', 'sink']);
});

test('the fingerprint does not depend on the order of properties', () => {
  const { graph } = buildOf(() => bids().writeTo(sink));
  const turned = JSON.parse(JSON.stringify(graph), (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).reverse())
      : value,
  );
  expect(Object.keys(turned)).not.toEqual(Object.keys(graph));
  expect(fingerprintOf(turned)).toBe(fingerprintOf(graph));
  expect(fingerprintOf(graph)).toMatch(/^[0-9a-f]{16}$/);
});

test('the graph is plain JSON data, and frozen', () => {
  const { graph } = buildOf(() =>
    bids()
      .where((bid) => bid.auction.gt(2n ** 62n).and(bid.at.lt(new Date(0))))
      .keyBy((bid) => bid.url)
      .aggregate({ n: agg.count() })
      .writeTo(sink),
  );
  expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
  const where = graph.nodes[1];
  expect(Object.isFrozen(graph) && Object.isFrozen(where?.schema.fields)).toBe(true);
  expect(where?.kind === 'where' && Object.isFrozen(where.predicate)).toBe(true);
});

test('functions are found by operator id', () => {
  const { functions } = buildOf(() =>
    bids()
      .flatMap(t.struct({ n: t.int32() }), () => [{ n: 1 }], { id: 'ones' })
      .mapReduce({
        key: t.int32(),
        value: t.int32(),
        output: t.struct({ n: t.int32() }),
        map: (row, emit) => emit(row.n, 1),
        reduce: () => [],
      })
      .writeTo(sink),
  );
  expect([...functions].map(([id, { kind }]) => [id, kind])).toEqual([
    ['ones', 'flatMap'],
    ['mapReduce-1', 'mapReduce'],
  ]);
});

test.each`
  settings                                          | flags                                     | expected
  ${{ path: 'a.csv' }}                              | ${{ overwrite: false }}                   | ${{ format: { kind: 'csv' }, overwrite: false }}
  ${{ path: 'a.jsonl' }}                            | ${{ overwrite: true }}                    | ${{ format: { kind: 'ndjson' }, overwrite: true }}
  ${{ path: 'a.csv' }}                              | ${{ overwrite: false, format: 'ndjson' }} | ${{ format: { kind: 'ndjson' }, overwrite: false }}
  ${{ path: 'a', format: 'csv', overwrite: false }} | ${{ overwrite: true, format: 'ndjson' }}  | ${{ format: { kind: 'csv' }, overwrite: false }}
`('a sink $settings with flags $flags', ({ settings, flags, expected }) => {
  const job = defineJob({
    name: 'flags',
    build: ({ read }) =>
      read(files.source({ path: 'in', format: text() })).writeTo(files.sink(settings)),
  });
  const last = buildJob(job, {}, flags).graph.nodes.at(-1);
  expect(last?.kind === 'sink' && last.sink).toEqual({
    connector: 'files',
    options: { path: settings.path, ...expected },
    isParallel: false,
  });
});

test('an operator put in moves no id of another', () => {
  const ids = (isLonger: boolean) => {
    const start = isLonger ? bids().where((bid) => bid.price.gt(1)) : bids();
    const stream = start
      .keyBy((bid) => bid.url)
      .aggregate({ n: agg.count() })
      .where((row) => row.n.gt(1), { name: 'many' });
    return buildOf(() => stream.writeTo(sink)).graph.nodes.map((node) => node.id);
  };
  expect(ids(false)).toEqual(['source-bids', 'aggregate-url', 'many', 'sink-files']);
  expect(ids(true)).toEqual(['source-bids', 'where-1', 'aggregate-url', 'many', 'sink-files']);
});

test('a failure has its place in the job, and its cause', () => {
  const failing = defineJob({
    name: 'failing',
    build: () => {
      throw new RangeError('no such table');
    },
  });
  const mistaken = defineJob({
    name: 'mistaken',
    build: () =>
      bids()
        .where((bid) => (bid as never as { usr: typeof bid.url }).usr.eq('a'))
        .writeTo(sink),
  });
  expect(typedErrorOf(() => buildJob(failing, {}))).toMatchObject({
    message: 'build of job "failing" failed: RangeError: no such table',
    info: {
      code: 'JOB_BUILD_FAILED',
      details: { place: expect.stringMatching(/build-job\.test\.ts:\d+:\d+$/) },
    },
    cause: expect.any(RangeError),
  });
  expect(typedErrorOf(() => buildJob(mistaken, {}))).toMatchObject({
    info: {
      code: 'EXPR_NO_COLUMN',
      details: { place: expect.stringMatching(/build-job\.test\.ts:\d+:\d+$/) },
    },
  });
});

test('the row of a lambda can be taken apart and copied, and columns have no value', () => {
  const { graph } = buildOf(() =>
    bids()
      .select((bid) => ({ ...bid, double: bid.small.mul(2) }))
      .where(({ double, small }) => double.gt(small))
      .writeTo(sink),
  );
  expect(graph.nodes[1]?.schema.fields.map((field) => field.name)).toContain('double');
  for (const use of [String, Number, JSON.stringify] as const) {
    expect(() => bids().where((bid) => use(bid.url) as never)).toThrow(
      '"url" was used with a JavaScript operator',
    );
  }
});

test('the choice of a source and of a job is checked', () => {
  expect(() => defineJob({ name: 'a b', build: () => bids().writeTo(sink) })).toThrow(
    '"a b" can\'t be the name',
  );
  expect(() => defineJob({ name: 'a' } as never)).toThrow('job "a" has no build function');
  const job = defineJob({ name: 'a', build: ({ read }) => read(null as never).writeTo(sink) });
  expect(() => buildJob(job, {})).toThrow('read needs a source, got null');
  expect(() => bids().writeTo(null as never)).toThrow('writeTo needs a sink, got null');
});

test('a rate of the command line is for all sources, in the way of their own where they have one', () => {
  const paced = (settings: ReadOptions | undefined, source: SourceOf<unknown>) => {
    const job = defineJob({
      name: 'paced',
      build: ({ read }) => read(source, settings).writeTo(sink),
    });
    return (flags: RunFlags) => {
      const node = buildJob(job, {}, flags).graph.nodes.find(({ kind }) => kind === 'source');
      return node?.kind === 'source' ? node.source : null;
    };
  };
  const flags = { overwrite: false };
  const events = paced(undefined, nexmark.bids({ events: 10 }))({ ...flags, rate: 100 });
  expect(events?.options).toMatchObject({ events: 10, rate: 100, eventsPerSecond: 100 });
  expect(events).not.toHaveProperty('rate');
  const lines = files.source({ path: 'in.txt', format: text() });
  expect(paced(undefined, lines)(flags)).not.toHaveProperty('rate');
  expect(paced(undefined, lines)({ ...flags, rate: 100 })?.rate).toBe(100);
  expect(paced({ rate: 5 }, lines)(flags)?.rate).toBe(5);
  expect(paced({ rate: 5 }, lines)({ ...flags, rate: 0.5 })?.rate).toBe(0.5);
  expect(paced({ rate: null }, lines)({ ...flags, rate: 100 })).not.toHaveProperty('rate');
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-4, '9'])(
  'a rate of %s is refused',
  (rate) => {
    const lines = files.source({ path: 'in.txt', format: text() });
    const settings = { rate: rate as number };
    const job = defineJob({ name: 'a', build: ({ read }) => read(lines, settings).writeTo(sink) });
    expect(typedErrorOf(() => buildJob(job, {}))).toMatchObject({
      message: expect.stringContaining("rate of read can't be the"),
      info: { code: 'JOB_ARGUMENT_INVALID', hint: expect.stringContaining('rows per second') },
    });
  },
);

test('with a folder, each relative path is seen from there: of sources, sinks, dead letters and late rows', () => {
  const job = (path: string) =>
    defineJob({
      name: 'paths',
      params: {},
      build: ({ read }) =>
        read(files.source({ path, format: text() }), { deadLetters: files.sink({ path: 'dead/' }) })
          .map(t.struct({ at: t.timestampMs() }), () => ({ at: new Date(0) }))
          .eventTime((row) => row.at, { untimely: files.sink({ path: 'late.csv' }) })
          .writeTo(files.sink({ path: 's3://bucket/out/' })),
    });
  const pathsOf = (path: string, flags: RunFlags) =>
    buildJob(job(path), {}, flags).graph.nodes.flatMap((node) => {
      if (node.kind === 'source') return [(node.source.options as { path: string }).path];
      return node.kind === 'sink' ? [(node.sink.options as { path: string }).path] : [];
    });
  const flags = { overwrite: false, folder: '/home/ada' };
  const rest = ['s3://bucket/out/', '/home/ada/dead/', '/home/ada/late.csv'];
  expect(pathsOf('../in/*.txt', flags)).toEqual(['/home/ada/../in/*.txt', ...rest]);
  expect(pathsOf('/data/in', flags)).toEqual(['/data/in', ...rest]);
  expect(pathsOf('in', { overwrite: false })).toEqual(['in', rest[0], 'dead/', 'late.csv']);
});
