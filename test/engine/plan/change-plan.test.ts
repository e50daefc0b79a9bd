/** Goal: which streams carry changes, of which mode and by which key, is what the operators and sinks ask for. */
import { agg, type Column, type Stream, t } from 'millrace';
import { expect, test } from 'vitest';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { SinkChanges } from '../../../engine/contracts/connector.ts';
import { changePlanOf } from '../../../engine/plan/change-plan.ts';
import type { JobMode } from '../../../engine/plan/logical-graph.ts';
import { rowsSink, tableSource } from '../../support/plan-runner.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const Line = t.struct({ url: t.utf8(), n: t.int64() });
type Rows = Stream<{
  url: Column<'utf8', string, false, 'url'>;
  n: Column<'int64', bigint, false, 'n'>;
}>;
type Made = Pick<Stream<never>, 'writeTo'>;

const retract = { mode: 'retract', column: 'change', isAsked: true } as const;
const upsert = { mode: 'upsert', column: 'change', isAsked: true } as const;
const unasked = { mode: 'retract', column: 'change', isAsked: false } as const;

function planOf(
  make: (rows: Rows) => unknown,
  changes: SinkChanges | null,
  { isUnbounded = false, mode = 'streaming' as JobMode } = {},
) {
  const job = defineJob({
    name: 'changes',
    mode,
    build: (({ read }: { read: (source: unknown) => Rows }) => {
      const source = { ...tableSource('rows', Line.schema), ...(isUnbounded && { isUnbounded }) };
      const made = [make(read(source))].flat() as Made[];
      const sink = rowsSink('out');
      return made.map((one) => one.writeTo(changes === null ? sink : { ...sink, changes }));
    }) as never,
  });
  const { graph } = buildJob(job, {});
  const { nodes } = changePlanOf(graph, mode);
  const texts = graph.nodes.map(({ id }) => {
    const { mode: given = '', key, isRunning, showsKind } = nodes.get(id) ?? {};
    const by = given === 'append' || key == null ? '' : ` by ${key.join()}`;
    return `${id} ${given}${by}${isRunning ? ', runs' : ''}${showsKind ? ', shown' : ''}`;
  });
  return texts.filter((text) => !text.startsWith('source'));
}

const counts = (rows: Rows) => rows.keyBy((row) => row.url).aggregate({ n: agg.count() });
const placed = (rows: Rows) =>
  rows.over({ partitionBy: (row) => row.url, orderBy: (row) => row.n.desc() }, (analytic) => ({
    place: analytic.rowNumber(),
  }));
const renamed = (rows: Rows) => counts(rows).select(({ url, n }) => ({ n, site: url }));

test.each([
  [
    'every row',
    counts,
    retract,
    ['aggregate-url retract by url, runs', 'sink-rows retract by url, shown'],
  ],
  [
    'by key',
    counts,
    upsert,
    ['aggregate-url upsert by url, runs', 'sink-rows upsert by url, shown'],
  ],
  [
    'a key under another name',
    renamed,
    upsert,
    [
      'aggregate-url upsert by url, runs',
      'select-1 upsert by site',
      'sink-rows upsert by site, shown',
    ],
  ],
  [
    'a filter needs the row before',
    (rows: Rows) => counts(rows).where((row) => row.n.gt(1)),
    upsert,
    [
      'aggregate-url retract by url, runs',
      'where-1 retract by url',
      'sink-rows retract by url, shown',
    ],
  ],
  ['a sink of final rows', counts, null, ['aggregate-url append', 'sink-rows append']],
  ['one that was not asked', counts, unasked, ['aggregate-url append', 'sink-rows append']],
  [
    'what behind it can take no row out',
    (rows: Rows) => counts(rows).aggregate({ spread: agg.stddev((row) => row.n) }),
    retract,
    ['aggregate-url append', 'aggregate-1 retract by , runs', 'sink-rows retract by , shown'],
  ],
  [
    'rows that are only added',
    (rows: Rows) => rows.distinct().where((row) => row.n.gt(0)),
    null,
    ['distinct-1 append, runs', 'where-1 append', 'sink-rows append'],
  ],
  [
    'distinct rows of changes',
    (rows: Rows) =>
      counts(rows)
        .select(({ n }) => ({ n }))
        .distinct(),
    upsert,
    [
      'aggregate-url retract by url, runs',
      'select-1 retract',
      'distinct-1 upsert by n, runs',
      'sink-rows upsert by n, shown',
    ],
  ],
  [
    'the first rows of changes',
    (rows: Rows) =>
      counts(rows)
        .orderBy((row) => row.n.desc())
        .limit(3),
    retract,
    [
      'aggregate-url retract by url, runs',
      'orderBy-1 retract, runs',
      'limit-1 retract, runs',
      'sink-rows retract, shown',
    ],
  ],
  [
    'numbers up to a bound, by partition and number',
    (rows: Rows) => placed(rows).where((row) => row.place.le(3)),
    upsert,
    [
      'analytic-1 retract by url,place, runs',
      'where-1 retract by url,place',
      'sink-rows retract by url,place, shown',
    ],
  ],
  [
    'one row of each key',
    (rows: Rows) => rows.keyBy((row) => row.url).deduplicate({ keep: 'last', by: (row) => row.n }),
    retract,
    [
      'analytic-1 retract by url, runs',
      'where-1 retract by url',
      'select-1 retract by url',
      'sink-rows retract by url, shown',
    ],
  ],
  [
    'ranks that nothing bounds',
    (rows: Rows) => placed(rows).where((row) => row.place.ge(3)),
    retract,
    ['analytic-1 append', 'where-1 append', 'sink-rows append, shown'],
  ],
  [
    'ranks that are read besides',
    (rows: Rows) => {
      const all = placed(rows);
      return [all.where((row) => row.place.le(3)), all];
    },
    retract,
    ['analytic-1 append', 'where-1 append', 'sink-rows append, shown', 'sink-rows-2 append, shown'],
  ],
  [
    'a sort that is read besides',
    (rows: Rows) => {
      const sorted = counts(rows).orderBy((row) => row.n.desc());
      return [sorted.limit(3), sorted];
    },
    retract,
    [
      'aggregate-url append',
      'orderBy-1 append',
      'limit-1 append',
      'sink-rows append, shown',
      'sink-rows-2 append, shown',
    ],
  ],
] as const)('%s', (_, make, changes, expected) => {
  expect(planOf(make, changes)).toEqual(expected);
});

test('one reader of final rows gives all of them final rows', () => {
  const made = (rows: Rows) => [counts(rows), counts(rows).filter(() => true)];
  expect(planOf(made, retract)).toEqual([
    'aggregate-url retract by url, runs',
    'sink-rows retract by url, shown',
    'aggregate-url-2 append',
    'filter-1 append',
    'sink-rows-2 append, shown',
  ]);
  const shared = (rows: Rows) => {
    const one = counts(rows);
    return [one, one.filter(() => true)];
  };
  expect(planOf(shared, retract)[0]).toBe('aggregate-url append');
});

test('as batch nothing changes', () => {
  expect(planOf(counts, retract, { mode: 'batch' })).toEqual([
    'aggregate-url append',
    'sink-rows append',
  ]);
});

test('without an end a sink that can take changes is given them', () => {
  expect(planOf(counts, unasked, { isUnbounded: true })).toEqual([
    'aggregate-url retract by url, runs',
    'sink-rows retract by url, shown',
  ]);
  expect(planOf((rows) => rows, unasked, { isUnbounded: true })).toEqual(['sink-rows append']);
  const first = (rows: Rows) => placed(rows).where((row) => row.place.le(3));
  expect(planOf(first, unasked, { isUnbounded: true })[0]).toBe(
    'analytic-1 retract by url,place, runs',
  );
  expect(() => planOf(placed, unasked, { isUnbounded: true })).toThrow(/at the end of the input/);
});

test.each([
  [
    counts,
    null,
    'PLAN_CHANGES_REFUSED',
    '"aggregate-url" changes its results for ever, and "sink-rows"',
  ],
  [
    (rows: Rows) => counts(rows).filter(() => true),
    retract,
    'PLAN_CHANGES_REFUSED',
    '"filter-1" takes added rows only',
  ],
  [
    (rows: Rows) => counts(rows).aggregate({ spread: agg.stddev((row) => row.n) }),
    retract,
    'PLAN_CHANGES_REFUSED',
    '"aggregate-1" can\'t take a row out of its stddev',
  ],
  [
    (rows: Rows) => counts(rows).select(({ n }) => ({ n })),
    upsert,
    'PLAN_CHANGES_REFUSED',
    '"sink-rows" takes changes by key',
  ],
  [
    (rows: Rows) => rows.orderBy((row) => row.n.asc()),
    retract,
    'PLAN_NEEDS_END',
    '"orderBy-1" gives',
  ],
  [
    (rows: Rows) => rows.aggregate({ n: agg.approxDistinct((row) => row.n) }),
    retract,
    'PLAN_NEEDS_END',
    '"aggregate-1" gives',
  ],
] as const)('refused: %#', (make, changes, code, message) => {
  const error = typedErrorOf(() => planOf(make, changes, { isUnbounded: true }));
  expect(error?.info.code).toBe(code);
  expect(error?.message).toContain(message);
  expect(error?.info.hint).toBeTruthy();
});

test('a batch job over an input without an end is refused', () => {
  const error = typedErrorOf(() => planOf(counts, retract, { isUnbounded: true, mode: 'batch' }));
  expect(error?.info.code).toBe('PLAN_NEEDS_END');
});
