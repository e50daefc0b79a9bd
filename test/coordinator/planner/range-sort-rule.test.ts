/**
 * Goal: a sort whose sink takes parts gives the rows in order when its parts are read one after the other:
 * whatever the keys are, however often one repeats, at any parallelism, in rings and in files; and in files
 * equal rows keep their order, as in a sort by one task.
 */
import fc from 'fast-check';
import { defineJob, t } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { Column } from '../../../engine/api/column.ts';
import type { SourceOf } from '../../../engine/api/endpoints.ts';
import { stagesOf } from '../../../engine/plan/stages.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, runPlanInParts, tableSource } from '../../support/plan-runner.ts';

const Line = t.struct({
  text: t.utf8().nullable(),
  n: t.int32(),
  x: t.float64().nullable(),
  at: t.int32(),
});
type Source = SourceOf<{
  text: Column<'utf8', string, true, 'text'>;
  n: Column<'int32', number, false, 'n'>;
  x: Column<'float64', number, true, 'x'>;
  at: Column<'int32', number, false, 'at'>;
}>;

type Order = 'text' | 'n desc' | 'x, text desc';

function jobOf(order: Order, isParallel = true) {
  const job = defineJob({
    name: 'sort',
    build: ({ read }) => {
      const rows = read(tableSource('lines', Line.schema) as never as Source).where((row) =>
        row.n.lt(9),
      );
      const sorted = {
        text: () => rows.orderBy((row) => row.text.asc({ nulls: 'first' })),
        'n desc': () => rows.orderBy((row) => row.n.desc()),
        'x, text desc': () => rows.orderBy((row) => [row.x.asc(), row.text.desc()]),
      }[order]();
      return sorted.writeTo(rowsSink('out', isParallel));
    },
  });
  return buildJob(job, {}).graph;
}

const skewed = fc.oneof({ weight: 3, arbitrary: fc.constant(4) }, fc.integer({ min: 0, max: 10 }));
const tables = fc
  .array(
    fc.record({
      text: fc.option(fc.constantFrom('', 'a', 'b', 'a longer text', 'a longer word')),
      n: skewed,
      x: fc.option(fc.constantFrom(-1.5, 0, 2, Number.NaN)),
    }),
    { maxLength: 120 },
  )
  .map((rows) => rows.map((row, at): Row => ({ ...row, at })));
const orders = fc.constantFrom<Order[]>('text', 'n desc', 'x, text desc');

function sortedBy(order: Order, rows: readonly Row[]): Row[] {
  const compare = (a: unknown, b: unknown) => {
    if (Number.isNaN(a) || Number.isNaN(b))
      return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
  };
  const nullsAt = (sign: number, a: unknown, b: unknown) => {
    if (a !== null && b !== null) return null;
    return a === b ? 0 : a === null ? sign : -sign;
  };
  const ways: Record<Order, (a: Row, b: Row) => number> = {
    text: (a, b) => nullsAt(-1, a.text, b.text) ?? compare(a.text, b.text),
    'n desc': (a, b) => compare(b.n, a.n),
    'x, text desc': (a, b) =>
      (nullsAt(1, a.x, b.x) ?? compare(a.x, b.x)) ||
      (nullsAt(1, a.text, b.text) ?? compare(b.text, a.text)),
  };
  return [...rows].filter((row) => Number(row.n) < 9).sort(ways[order]);
}

const keysOf = (order: Order, rows: readonly Row[] = []) =>
  rows.map(({ text, n, x }) => (order === 'text' ? [text] : order === 'n desc' ? [n] : [x, text]));

test('parts one after the other are the sorted rows', { timeout: 60_000 }, () => {
  const shuffles = fc.constantFrom('memory', 'disk');
  const parallelisms = fc.integer({ min: 2, max: 4 });
  fc.assert(
    fc.property(tables, orders, parallelisms, shuffles, (lines, order, parallelism, shuffle) => {
      const graph = planJob(jobOf(order), { parallelism, shuffle });
      expect(graph.edges.some(({ exchange }) => exchange.kind === 'range')).toBe(true);
      const found = runPlan(graph, { tables: { lines }, functions: new Map() }).get('out') ?? [];
      const expected = sortedBy(order, lines);
      expect(keysOf(order, found)).toEqual(keysOf(order, expected));
      const numbers = (rows: readonly Row[]) =>
        rows.map(({ at }) => Number(at)).sort((a, b) => a - b);
      expect(numbers(found)).toEqual(numbers(expected));
    }),
    { numRuns: 150 },
  );
});

test('a key of half of the rows is divided among tasks, in files in the order of its rows', () => {
  const lines = Array.from({ length: 400 }, (_, at) => ({
    ...{ text: null, x: null, at },
    n: at % 2 === 0 ? 4 : at % 9,
  }));
  const graph = planJob(jobOf('n desc'), { parallelism: 4, shuffle: 'disk' });
  const range = graph.vertices.findIndex(({ chain }) => chain.some(({ kind }) => kind === 'range'));
  expect(stagesOf(graph).length).toBe(4);
  expect(range).toBeGreaterThan(0);
  const parts = runPlanInParts(graph, { tables: { lines }, functions: new Map() }).get('out') ?? [];
  expect(parts.flat()).toEqual(sortedBy('n desc', lines));
  expect(parts.length).toBe(4);
  expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(200);
});

test('a sink that takes one part, and a function in between, leave the sort as it was', () => {
  const isRange = (graph: ReturnType<typeof jobOf>) =>
    planJob(graph, { parallelism: 2 }).edges.some(({ exchange }) => exchange.kind === 'range');
  expect(isRange(jobOf('text'))).toBe(true);
  expect(isRange(jobOf('text', false))).toBe(false);
});
