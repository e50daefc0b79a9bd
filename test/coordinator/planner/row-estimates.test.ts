/** Goal: estimates follow from bounds and counts as their rules say, and nothing is made up where nothing is known. */
import { agg, defineJob, t, when } from 'millrace';
import { expect, test } from 'vitest';
import { filterShare, type KnownColumns } from '../../../coordinator/planner/filter-share.ts';
import { lowerGraph } from '../../../coordinator/planner/lower-graph.ts';
import type { PlanStep } from '../../../coordinator/planner/plan-step.ts';
import { rowEstimates } from '../../../coordinator/planner/row-estimates.ts';
import { simplifyRule } from '../../../coordinator/planner/simplify-rule.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { SourceOf, Stream } from '../../../engine/api/index.ts';
import type { ColumnsOf } from '../../../engine/api/value-type.ts';
import type { SourceStatistics } from '../../../engine/contracts/source.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { rowsSink, tableSource } from '../../support/plan-runner.ts';

const Line = t.struct({
  order: t.int64(),
  day: t.date(),
  price: t.decimal(12, 2),
  note: t.utf8().nullable(),
});
const Order = t.struct({ id: t.int64(), customer: t.int64() });
type Lines = Stream<ColumnsOf<typeof Line.fields>>;
type Orders = Stream<ColumnsOf<typeof Order.fields>>;

const unknown = { sizeBytes: null, nullCount: null, min: null, max: null, distinctCount: null };
const lines: SourceStatistics = {
  rowCount: 6_000,
  sizeBytes: null,
  columns: {
    order: { ...unknown, min: 1, max: 1_500 },
    day: { ...unknown, min: 0, max: 100 },
    price: { ...unknown, min: 0, max: 200 },
    note: { ...unknown, nullCount: 600 },
  },
};
const orders: SourceStatistics = {
  rowCount: 1_500,
  sizeBytes: null,
  columns: { customer: { ...unknown, distinctCount: 50 } },
};

function planOf(build: (lines: Lines, orders: Orders) => Stream<never>): readonly PlanStep[] {
  const job = defineJob({
    name: 'estimates',
    build: ({ read }) => {
      const first = read(tableSource('lines', Line.schema) as SourceOf<never>, { id: 'lines' });
      const second = read(tableSource('orders', Order.schema) as SourceOf<never>, { id: 'orders' });
      return build(first as never, second as never).writeTo(rowsSink('out'));
    },
  });
  return simplifyRule(lowerGraph(buildJob(job, {}).graph));
}

/** Rows that the sink is expected to get. */
function rowsOf(
  build: (lines: Lines, orders: Orders) => unknown,
  statistics = new Map([
    ['lines', lines],
    ['orders', orders],
  ]),
): number | null {
  const steps = planOf(build as never);
  const before = steps.at(-1)?.inputs[0]?.from ?? 0;
  const rows = rowEstimates(steps, { statistics }).get(before)?.rows;
  return rows === undefined ? null : Math.round(rows);
}

test.each<[string, (lines: Lines) => unknown, number]>([
  ['a bound', (all) => all.where((one) => one.day.lt('1970-01-26')), 1_500],
  ['the other bound', (all) => all.where((one) => one.day.ge('1970-01-26')), 4_500],
  ['an interval', (all) => all.where((one) => one.day.between('1970-01-26', '1970-02-20')), 1_500],
  ['a bound of decimals', (all) => all.where((one) => one.price.gt('150.00')), 1_500],
  ['one of many', (all) => all.where((one) => one.order.eq(7n)), 4],
  ['some of many', (all) => all.where((one) => one.order.in(7n, 8n, 9n)), 12],
  ['all but one', (all) => all.where((one) => one.order.ne(7n)), 5_996],
  ['nulls', (all) => all.where((one) => one.note.isNull()), 600],
  ['a text', (all) => all.where((one) => one.note.eq('x')), 600],
  ['neither', (all) => all.where((one) => one.note.like('%x%').or(one.order.eq(1n)).not()), 5_396],
  [
    'what is guessed',
    (all) => all.where((one) => when(one.note.isNull(), true).otherwise(false)),
    2_000,
  ],
  ['never', (all) => all.where((one) => one.order.gt(0n).and(false)), 0],
  ['a limit', (all) => all.limit(9), 9],
  ['groups', (all) => all.keyBy((one) => one.day).aggregate({ n: agg.count() }), 101],
  ['all rows', (all) => all.aggregate({ n: agg.count() }), 1],
])('%s', (_, build, expected) => {
  expect(rowsOf(build)).toBe(expected);
});

const on = (line: never, order: never) =>
  (line as { order: { eq(other: unknown): never } }).order.eq((order as { id: unknown }).id);

test('a join finds for each reference its row, or the part of them that is left', () => {
  const join = (type: string, part: (all: Orders) => unknown) => (all: Lines, some: Orders) =>
    all.join(part(some) as never, { on, type } as never) as never;
  const few = (all: Orders) => all.where((one) => one.customer.eq(3n));
  expect(rowsOf(join('inner', (all) => all))).toBe(6_000);
  expect(rowsOf(join('inner', few))).toBe(120);
  expect(rowsOf(join('semi', few))).toBe(120);
  expect(rowsOf(join('anti', few))).toBe(5_880);
  expect(rowsOf(join('left', few))).toBe(6_000);
  expect(rowsOf((all, some) => all.crossJoin(some.limit(3)))).toBe(18_000);
});

test('where a source knows nothing, nothing is known behind it', () => {
  const none = new Map([['orders', orders]]);
  expect(rowsOf((all) => all.limit(3), none)).toBeNull();
  expect(rowsOf((all, some) => all.join(some, { on } as never), none)).toBeNull();
  expect(rowsOf((_, some) => some, none)).toBe(1_500);
});

test('a share is never below 0 nor above 1', () => {
  const far: KnownColumns = { get: () => ({ ...unknown, rowCount: 5, min: 10, max: 20 }) };
  const column: Expr = { kind: 'column', name: 'a', type: { kind: 'int32' }, nullable: false };
  const { type } = column;
  for (const value of [-99, 10, 15, 20, 99]) {
    for (const op of ['lt', 'le', 'gt', 'ge', 'eq', 'ne'] as const) {
      const right: Expr = { kind: 'literal', value, type, nullable: false };
      const condition = {
        kind: 'compare',
        op,
        left: column,
        right,
        type: { kind: 'bool' },
      } as const;
      const share = filterShare({ ...condition, nullable: false }, far);
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
  }
});
