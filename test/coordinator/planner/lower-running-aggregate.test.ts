/**
 * Goal: what a job gives out as changes while rows come comes to the rows that it gives as batch, for jobs of several
 * operators, any number of tasks, and changes of every row or by key.
 */
import fc from 'fast-check';
import { agg, type Column, coalesce, type Stream, t } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { SinkChanges } from '../../../engine/contracts/connector.ts';
import { changePlanOf } from '../../../engine/plan/change-plan.ts';
import { applied, appliedByKey, sorted } from '../../support/changelog.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource } from '../../support/plan-runner.ts';

const Line = t.struct({ url: t.utf8(), n: t.int64(), x: t.float64().nullable() });
type Rows = Stream<{
  url: Column<'utf8', string, false, 'url'>;
  n: Column<'int64', bigint, false, 'n'>;
  x: Column<'float64', number, true, 'x'>;
}>;

type RowOfRows = Parameters<Parameters<Rows['where']>[0]>[0];

/** Another for each other row, so that which is first is no matter of chance. */
function placeOf({ n, x, url }: RowOfRows) {
  return n.cast(t.utf8()).concat(' ', coalesce(x.cast(t.utf8()), 'none'), ' ', url);
}

/** Verbs of rows that may go again. */
const verbs: Record<string, (rows: Rows) => unknown> = {
  where: (rows) => rows.where((row) => row.n.gt(2)),
  select: (rows) => rows.select(({ x, n, url }) => ({ url, n: n.mod(4), x })),
  derive: (rows) => rows.derive((row) => ({ x: row.x.add(0.5) })),
  union: (rows) => rows.union(rows.where((row) => row.url.ne('b'))),
  distinct: (rows) => rows.distinct(),
  count: (rows) =>
    rows.keyBy((row) => row.url).aggregate({ n: agg.count(), x: agg.sum((row) => row.x) }),
  average: (rows) =>
    rows
      .keyBy((row) => ({ n: row.n.mod(3) }))
      .aggregate({ x: agg.avg((row) => row.x), c: agg.count((row) => row.x) })
      .select(({ n, x, c }) => ({ url: c.cast(t.utf8()), n, x })),
  severalKeys: (rows) =>
    rows
      .keyBy((row) => [row.url, row.x])
      .aggregate({ n: agg.sum((row) => row.n) })
      .select(({ url, n, x }) => ({ url, n, x })),
  values: (rows) =>
    rows
      .keyBy((row) => row.url)
      .aggregate({ n: agg.countDistinct((row) => row.x) })
      .select(({ url, n }) => ({ url, n, x: n.cast(t.float64()) })),
  // In an order of all columns, so that it is the same rows whatever comes first.
  first: (rows) => rows.orderBy((row) => [row.n.desc(), row.url.asc(), row.x.asc()]).limit(3),
  lastOfKey: (rows) => rows.keyBy((row) => row.url).deduplicate({ keep: 'last', by: placeOf }),
  firstOfKey: (rows) =>
    rows.keyBy((row) => ({ n: row.n.mod(3) })).deduplicate({ keep: 'first', by: placeOf }),
  numbers: (rows) =>
    rows
      .over(
        { partitionBy: (row) => row.url, orderBy: (row) => [row.n.desc(), row.x.asc()] },
        (analytic) => ({ place: analytic.rowNumber() }),
      )
      .where((row) => row.place.le(2))
      .select(({ url, place, x }) => ({ url, n: place, x })),
  ranks: (rows) =>
    rows
      .over(
        { partitionBy: (row) => [row.n.mod(2), row.x], orderBy: (row) => row.n.add(1).asc() },
        (analytic) => ({ place: analytic.rank() }),
      )
      .where((row) => row.place.lt(4).and(row.url.ne('c')))
      .select(({ url, place, x }) => ({ url, n: place, x })),
  denseRanks: (rows) =>
    rows
      .over({ orderBy: (row) => row.url.asc() }, (analytic) => ({ place: analytic.denseRank() }))
      .where((row) => row.place.eq(2))
      .select(({ url, n, x, place }) => ({ url, n: n.add(place), x })),
  all: (rows) =>
    rows
      .aggregate({ n: agg.count(), x: agg.sum((row) => row.x) })
      .select(({ n, x }) => ({ url: 'all', n, x })),
  extremes: (rows) =>
    rows
      .keyBy((row) => row.url)
      .aggregate({ n: agg.max((row) => row.n), x: agg.min((row) => row.x) }),
  extremeTexts: (rows) =>
    rows
      .keyBy((row) => ({ n: row.n.mod(3) }))
      .aggregate({
        url: agg.max((row) => row.url),
        least: agg.min((row) => row.url),
        c: agg.count(),
        x: agg.avg((row) => row.x),
      })
      .select(({ n, url, least, c, x }) => ({ url: url.concat(least), n: n.add(c), x })),
  extremeOfAll: (rows) =>
    rows
      .aggregate({ n: agg.count(), x: agg.max((row) => row.x), least: agg.min((row) => row.x) })
      .select(({ n, x, least }) => ({ url: 'all', n, x: x.sub(least) })),
};

const anyRow = fc.record({
  url: fc.constantFrom('a', 'b', 'c', 'a url that is too long to be in its view'),
  n: fc.bigInt(0n, 6n),
  x: fc.constantFrom(null, 0.5, 1.25, -2),
});
const cases = fc.record({
  first: fc.constantFrom(...Object.keys(verbs)),
  others: fc.array(fc.constantFrom(...Object.keys(verbs)), { maxLength: 3 }),
  rows: fc.array(anyRow, { maxLength: 80 }),
  parallelism: fc.constantFrom(1, 2, 3, 7),
});

function graphOf(first: string, others: readonly string[], changes?: SinkChanges) {
  const job = defineJob({
    name: 'changes',
    build: (({ read }: { read: (source: unknown) => Rows }) => {
      const begun = verbs[first]?.(read(tableSource('rows', Line.schema))) as Rows;
      const rows = others.reduce((before, verb) => verbs[verb]?.(before) as Rows, begun);
      const sink = rowsSink('out');
      return rows.writeTo(changes === undefined ? sink : { ...sink, changes });
    }) as never,
  });
  return buildJob(job, {}).graph;
}

test('changes come to the rows of the batch job', { timeout: 240_000 }, () => {
  fc.assert(
    fc.property(cases, ({ first, others, rows, parallelism }) => {
      const inputs = { tables: { rows }, functions: new Map() };
      const run = (changes: SinkChanges | undefined, mode: 'batch' | 'streaming') => {
        const physical = planJob(graphOf(first, others, changes), { parallelism, mode });
        return (runPlan(physical, inputs).get('out') ?? []) as readonly Row[];
      };
      const expected = sorted(run(undefined, 'batch'));
      const final = run(undefined, 'streaming');
      expect(sorted(final), 'final rows of a stream').toEqual(expected);
      const column = 'change';
      const retract = run({ mode: 'retract', column, isAsked: true }, 'streaming');
      expect(applied(retract, column), 'every row that goes and comes').toEqual(expected);
      const upsert = { mode: 'upsert', column, isAsked: true } as const;
      const { mode, key } = givenTo(first, others);
      // Rows that are only added need no key.
      if (mode === 'append') {
        expect(applied(run(upsert, 'streaming'), column), 'added rows').toEqual(expected);
        return;
      }
      if (key === null) {
        expect(() => run(upsert, 'streaming')).toThrow(/PLAN_CHANGES_REFUSED|have none/);
        return;
      }
      expect(appliedByKey(run(upsert, 'streaming'), column, key), 'by key').toEqual(expected);
    }),
    { numRuns: 150 },
  );
});

/** Of which mode the sink's rows are, and by which key. */
function givenTo(first: string, others: readonly string[]) {
  const graph = graphOf(first, others, { mode: 'retract', column: 'change', isAsked: true });
  const { nodes } = changePlanOf(graph, 'streaming');
  const { mode, key } = nodes.get(graph.nodes.at(-1)?.inputs[0] ?? '') ?? {};
  return { mode, key: key ?? null };
}
