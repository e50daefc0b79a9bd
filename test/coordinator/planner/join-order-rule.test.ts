/**
 * Goal: whatever is joined with what and in which order a job says it, the reordered joins give the same rows,
 * whatever sources say that they have; and the order that is chosen is the one of the least work.
 */
import fc from 'fast-check';
import { defineJob, t } from 'millrace';
import { expect, test } from 'vitest';
import { JoinOrders, type SizedTree } from '../../../coordinator/planner/join-order.ts';
import { joinOrderRule } from '../../../coordinator/planner/join-order-rule.ts';
import type { JoinShape } from '../../../coordinator/planner/join-tree.ts';
import { planJob, planRules } from '../../../coordinator/planner/planner.ts';
import { type BuiltJob, buildJob } from '../../../engine/api/build-job.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Row = t.struct({ a: t.int64().nullable(), b: t.int64(), c: t.utf8() });
/** Verbs whose types depend on the columns, which are drawn. */
type Rows = Readonly<Record<'select' | 'join' | 'where' | 'writeTo', (...args: unknown[]) => Rows>>;
type Columns = Record<string, { eq(other: unknown): Condition; le(other: unknown): Condition }>;
type Condition = { and(other: Condition): Condition };

interface DrawnJoin {
  readonly type: 'inner' | 'semi' | 'anti' | 'left';
  readonly left: number;
  readonly right: 'a' | 'b' | 'c';
  readonly hasSecondKey: boolean;
  readonly hasCondition: boolean;
  readonly isFiltered: boolean;
  readonly isRenamed: boolean;
  /** Whether what is joined is itself a join. */
  readonly isBushy: boolean;
}

const joins = fc.array(
  fc.record<DrawnJoin>({
    type: fc.oneof(
      { weight: 5, arbitrary: fc.constant('inner' as const) },
      { weight: 2, arbitrary: fc.constantFrom('semi' as const, 'anti' as const, 'left' as const) },
    ),
    left: fc.nat(20),
    right: fc.constantFrom('a', 'b', 'c'),
    hasSecondKey: fc.boolean(),
    hasCondition: fc.boolean(),
    isFiltered: fc.boolean(),
    isRenamed: fc.boolean(),
    isBushy: fc.boolean(),
  }),
  { minLength: 2, maxLength: 5 },
);
const table = fc.array(
  fc.record({
    a: fc.option(fc.bigInt({ min: 0n, max: 2n })),
    b: fc.bigInt({ min: 0n, max: 2n }),
    c: fc.constantFrom('x', 'y'),
  }),
  { maxLength: 5 },
);
const kindOf = (name: string) => (name.startsWith('c') ? 'text' : 'number');

/** Table `at` with columns a_at, b_at, c_at. */
function tableOf(read: (spec: never) => unknown, at: number): Rows {
  const rows = read(tableSource(`t${at}`, Row.schema) as never);
  return (rows as Rows).select((row: Columns) => ({
    [`a_${at}`]: row.a,
    [`b_${at}`]: row.b,
    [`c_${at}`]: row.c,
  }));
}

function jobOf(drawn: readonly DrawnJoin[]): BuiltJob {
  const build = ({ read }: { read: (spec: never) => unknown }) => {
    let names = ['a_0', 'b_0', 'c_0'];
    let rows = tableOf(read, 0);
    for (const [index, join] of drawn.entries()) {
      const at = index + 1;
      let right = tableOf(read, at);
      let own = ['a', 'b', 'c'].map((name) => `${name}_${at}`);
      if (join.isBushy) {
        right = right.join(tableOf(read, at + 10), {
          on: (x: Columns, y: Columns) => x[`b_${at}`]?.eq(y[`b_${at + 10}`]),
        });
        own = [...own, ...['a', 'b', 'c'].map((name) => `${name}_${at + 10}`)];
      }
      const rightKey = `${join.right}_${at}`;
      const fitting = names.filter((name) => kindOf(name) === kindOf(rightKey));
      const leftKey = fitting[join.left % fitting.length] ?? '';
      const second = names.find((name) => kindOf(name) === 'text') ?? '';
      const last = names.findLast((name) => kindOf(name) === 'number') ?? '';
      rows = rows.join(right, {
        type: join.type,
        on: (x: Columns, y: Columns) => {
          const key = x[leftKey]?.eq(y[rightKey]) as Condition;
          const both = join.hasSecondKey ? key.and(x[second]?.eq(y[`c_${at}`]) as Condition) : key;
          return join.hasCondition ? both.and(x[last]?.le(y[`b_${at}`]) as Condition) : both;
        },
      });
      if (join.type === 'inner' || join.type === 'left') names = [...names, ...own];
      const [some = '', other = ''] = names.filter((name) => kindOf(name) === 'number').slice(-2);
      if (join.isFiltered) rows = rows.where((row: Columns) => row[some]?.le(row[other]));
      if (!join.isRenamed) continue;
      // A name that the next table has, too, and columns in another order.
      const renamed = [...names].reverse();
      const given = (name: string) => (name === `a_${at}` ? `a_${at}_renamed` : name);
      rows = rows.select((row: Columns) =>
        Object.fromEntries(renamed.map((name) => [given(name), row[name]])),
      );
      names = renamed.map(given);
    }
    return rows.writeTo(rowsSink('out')) as never;
  };
  return buildJob(defineJob({ name: 'joins', build: build as never }), {});
}

test('reordered joins give the same rows', { timeout: 60_000 }, () => {
  let reordered = 0;
  const rules = planRules.filter((rule) => rule !== joinOrderRule);
  fc.assert(
    fc.property(
      joins,
      fc.array(table, { minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(1, 100, 1e4, 1e6), { minLength: 3, maxLength: 7 }),
      fc.integer({ min: 1, max: 2 }),
      (drawn, tables, counts, parallelism) => {
        const { graph, functions } = jobOf(drawn);
        const names = Array.from({ length: 20 }, (_, at) => [`t${at}`, tables[at % 4] ?? []]);
        const sources = graph.nodes.filter(({ kind }) => kind === 'source');
        const statistics = new Map(
          sources.map(({ id }, at) => {
            const rowCount = counts[at % counts.length] ?? 1;
            return [id, { rowCount, sizeBytes: null, columns: {} }] as const;
          }),
        );
        const inputs = { functions, tables: Object.fromEntries(names) };
        const plans = [
          planJob(graph, { parallelism, statistics }),
          planJob(graph, { parallelism, statistics, rules }),
        ];
        if (JSON.stringify(plans[0]) !== JSON.stringify(plans[1])) reordered++;
        const [found, expected] = plans.map((plan) => textsOf(runPlan(plan, inputs).get('out')));
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
  expect(reordered).toBeGreaterThan(60);
});

const inner = (rows: number) => ({ rows, asks: null });
const link = (a: number, b: number, values: number, tableRows: readonly number[]) => {
  const rows: number[] = [];
  for (const [at, relation] of [a, b].entries()) rows[relation] = tableRows[at] ?? 1;
  return { set: (1 << a) | (1 << b), tableRows: rows, values };
};
const leftDeep = (count: number): JoinShape =>
  Array.from({ length: count }, (_, at): JoinShape => at).reduce((left, right) => ({
    left,
    right,
  }));

test('small relations are joined before the large one', () => {
  const [lines, suppliers, nations] = [6e6, 1e4, 1];
  const tree: SizedTree = {
    relations: [inner(lines), inner(suppliers), inner(nations)],
    links: [link(0, 1, 1e4, [6e6, 1e4]), link(1, 2, 25, [1e4, 25])],
    conditions: [],
    parallelism: 2,
  };
  const best = new JoinOrders(tree).best();
  expect(best?.shape).toEqual({ left: 0, right: { left: 1, right: 2 } });
  expect(best?.rows).toBeCloseTo(6e6 / 25);
});

test('two columns that refer to one table are as many pairs as it has rows', () => {
  const tree: SizedTree = {
    relations: [inner(6e6), inner(8e5)],
    links: [link(0, 1, 2e5, [6e6, 8e5]), link(0, 1, 1e4, [6e6, 8e5])],
    conditions: [],
    parallelism: 2,
  };
  expect(new JoinOrders(tree).best()?.rows).toBeCloseTo(6e6);
});

test('rows are asked only when what is asked about them is there', () => {
  const asks = { reads: 0b11, share: 0.001 };
  const tree: SizedTree = {
    relations: [inner(1e3), inner(1e3), inner(1e3), { rows: 10, asks }],
    links: [link(0, 1, 1e3, [1e3, 1e3]), link(1, 2, 10, [1e3, 10])],
    conditions: [],
    parallelism: 2,
  };
  const shape = JSON.stringify(new JoinOrders(tree).best()?.shape);
  expect(shape).toContain('"right":3');
  expect(shape).not.toContain('{"left":3');
});

test('what nothing links is not joined', () => {
  const tree = { relations: [inner(1), inner(1)], links: [], conditions: [], parallelism: 1 };
  expect(new JoinOrders(tree).best()).toBeNull();
});

test('the work of the best order is that of its shape, and never more than that of another', () => {
  const counts = fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 3, maxLength: 12 });
  fc.assert(
    fc.property(counts, (rows) => {
      const tree: SizedTree = {
        relations: rows.map(inner),
        links: rows.slice(1).map((count, at) => link(at, at + 1, count, [rows[at] ?? 1, count])),
        conditions: [],
        parallelism: 2,
      };
      const orders = new JoinOrders(tree);
      const best = orders.best();
      expect(best?.work).toBeCloseTo(orders.planOf(best?.shape ?? 0).work, 0);
      if (rows.length > 10) return;
      expect(best?.work).toBeLessThanOrEqual(orders.planOf(leftDeep(rows.length)).work * 1.000001);
    }),
  );
});
