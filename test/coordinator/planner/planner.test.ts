/**
 * Goal: whatever a job's verbs are, its plan is sound: schemas fit, rows that must meet do, and each
 * task count is right. What single plans look like is in test/plans.
 */

import fc from 'fast-check';
import { agg, explode, type Stream, t, words } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import type { Column } from '../../../engine/api/column.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import type { LogicalGraph } from '../../../engine/plan/logical-graph.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { bids, buildOf } from '../../engine/api/bids.ts';

type Rows = Stream<{ url: Column<'utf8'>; n: Column<'int64'>; x: Column<'float64', number, true> }>;

/** Verbs that keep the three columns, so that they can stand in any order. */
const verbs: Record<string, (rows: Rows) => Rows> = {
  where: (rows) => rows.where((row) => row.n.gt(1)),
  select: (rows) => rows.select(({ x, n, url }) => ({ n: n.add(1), url, x })),
  explode: (rows) => rows.select(({ url, n, x }) => ({ x, url: explode(words(url)), n })),
  flatMap: (rows) =>
    rows.flatMap(t.struct({ url: t.utf8(), n: t.int64(), x: t.float64().nullable() }), () => []),
  aggregate: (rows) =>
    rows.keyBy((row) => row.url).aggregate({ n: agg.count(), x: agg.max((row) => row.x) }),
  aggregateByExpression: (rows) =>
    rows
      .keyBy((row) => ({ n: row.n.multiply(2) }))
      .aggregate({ x: agg.min((row) => row.x.add(row.n)) })
      .select((row) => ({ ...row, url: 'a' })),
  orderBy: (rows) => rows.orderBy((row) => [row.x.desc(), row.url.asc()]),
  limit: (rows) => rows.limit(10),
  mapReduce: (rows) =>
    rows.mapReduce({
      key: t.utf8(),
      value: t.int64(),
      output: t.struct({ url: t.utf8(), n: t.int64(), x: t.float64().nullable() }),
      map: (row, emit) => emit(row.url, row.n),
      combine: (_key, [first]) => first ?? 0n,
      reduce: () => [],
    }),
  onlyUrl: (rows) =>
    rows.select((row) => ({
      url: row.url,
      n: 1n,
      x: row.n.multiply(1.0).multiply(2),
    })) as never as Rows,
};

const jobs = fc.record({
  names: fc.array(fc.constantFrom(...Object.keys(verbs)), { maxLength: 7 }),
  isParallel: fc.boolean(),
  parallelism: fc.integer({ min: 1, max: 5 }),
});

function graphOf(names: readonly string[], isParallel: boolean): LogicalGraph {
  const start: Rows = bids().select((bid) => ({
    url: bid.url,
    n: bid.auction,
    x: bid.price,
  })) as never;
  const rows = names.reduce((stream, name) => verbs[name]?.(stream) ?? stream, start);
  return buildOf(() => rows.writeTo({ connector: 'none', options: {}, isParallel })).graph;
}

test('every operator finds its columns, and the sink its schema', () => {
  fc.assert(
    fc.property(jobs, ({ names, isParallel, parallelism }) => {
      const logical = graphOf(names, isParallel);
      const graph = planJob(logical, { parallelism });
      let input: Schema = { fields: [] };
      for (const operator of operatorsOf(graph)) {
        const available = input.fields.map((field) => field.name);
        for (const name of readsOf(operator)) expect(available, operator.kind).toContain(name);
        if (['filter', 'sort', 'top', 'limit', 'sink'].includes(operator.kind)) {
          expect(operator.output).toEqual(input);
        }
        input = operator.output;
      }
      expect(input).toEqual(logical.nodes.at(-1)?.schema);
    }),
  );
});

test('exchanges fit the vertices that they join', () => {
  fc.assert(
    fc.property(jobs, ({ names, isParallel, parallelism }) => {
      const { vertices, edges } = planJob(graphOf(names, isParallel), { parallelism });
      expect(edges.length).toBe(vertices.length - 1);
      expect(vertices[0]?.parallelism).toBe(parallelism);
      if (parallelism === 1) expect(edges).toEqual([]);
      for (const [index, edge] of edges.entries()) {
        const [from, to] = [vertices[index], vertices[index + 1]];
        expect([edge.from, edge.to]).toEqual([from?.id, to?.id]);
        expect(edge.schema).toEqual(from?.chain.at(-1)?.output);
        expect(from?.parallelism).toBe(parallelism);
        const isOne = edge.exchange.kind === 'gather' || edge.exchange.kind === 'merge';
        expect(to?.parallelism).toBe(isOne ? 1 : parallelism);
      }
    }),
  );
});

test('rows of one key, and all rows of a limit or a sort, meet in one task', () => {
  fc.assert(
    fc.property(jobs, ({ names, isParallel, parallelism }) => {
      const { vertices, edges } = planJob(graphOf(names, isParallel), { parallelism });
      for (const [index, { chain, parallelism: tasks }] of vertices.entries()) {
        if (tasks === 1) continue;
        for (const [place, operator] of chain.entries()) {
          const before = place === 0 ? edges[index - 1]?.exchange.kind : 'chain';
          const after = place === chain.length - 1 ? edges[index]?.exchange.kind : 'chain';
          expect([before, after]).toEqual(neighbours(operator, before, after));
        }
        if (chain.at(-1)?.kind === 'sink') expect(isParallel).toBe(true);
      }
    }),
  );
});

/** What must stand before and after an operator that runs in several tasks. */
function neighbours(operator: OperatorSpec, before?: string, after?: string) {
  switch (operator.kind) {
    case 'reduce':
      return ['hash', after];
    case 'aggregate':
      return operator.phase === 'partial' ? [before, 'hash'] : ['hash', after];
    case 'sort':
    case 'top':
      return [before, 'merge'];
    case 'limit':
      return [before, 'gather'];
    default:
      return [before, after];
  }
}

test('a plan is plain data, and frozen', () => {
  const graph = planJob(graphOf(['aggregate', 'orderBy', 'limit'], false), { parallelism: 2 });
  expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
  expect(Object.isFrozen(graph.vertices[0]?.chain[0])).toBe(true);
});

function operatorsOf({ vertices }: PhysicalGraph): OperatorSpec[] {
  return vertices.flatMap((vertex) => vertex.chain);
}

function readsOf(operator: OperatorSpec): Iterable<string> {
  const names = new Set<string>();
  switch (operator.kind) {
    case 'filter':
      addColumnNames(operator.predicate, names);
      return names;
    case 'project':
      for (const { expr } of operator.columns) addColumnNames(expr, names);
      return names;
    case 'explodeWords':
      return [operator.column, ...operator.carried];
    case 'aggregate':
      return [operator.key, ...operator.aggregates.flatMap(({ column }) => column ?? [])];
    case 'sort':
    case 'top':
      return operator.order.map((key) => key.column);
    default:
      return names;
  }
}
