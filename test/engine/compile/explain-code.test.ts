/** Goal: what an operator is said to run as is what it runs as, with the reason where it is slow. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeOf, explainCode } from '../../../engine/compile/explain-code.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { arithmeticExpr, columnExpr, compareExpr } from '../../../engine/expr/expr-factory.ts';
import { literalBeside } from '../../../engine/expr/literal.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { boolType, float64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';

const output = schemaOf(fieldOf('price', float64Type), fieldOf('url', utf8Type));
const [price, url] = output.fields.map(columnExpr) as [Expr, Expr];
const double = arithmeticExpr('multiply', price, literalBeside(2, float64Type));
const matches: Expr = {
  kind: 'call',
  function: 'matches',
  args: [url, literalBeside('^/a', utf8Type)],
  type: boolType,
  nullable: false,
};

function graphOf(...chain: (Partial<OperatorSpec> & Pick<OperatorSpec, 'kind'>)[]): PhysicalGraph {
  const specs = chain.map((spec) => ({ id: `${spec.kind}-1`, name: spec.kind, output, ...spec }));
  const vertex = { id: 'v1', name: 'v1', parallelism: 1, chain: specs as OperatorSpec[] };
  return { jobName: 'shop', parallelism: 1, vertices: [vertex], edges: [] };
}

const partsOf = (graph: PhysicalGraph) =>
  codeOf(graph)[0]?.operators.map(({ parts }) => parts) ?? [];

test('a compiled condition has the size of its program', () => {
  const predicate = compareExpr('gt', double, literalBeside(10, float64Type));
  const [[condition] = []] = partsOf(graphOf({ kind: 'filter', predicate }));
  expect(condition).toEqual({
    runs: 'compiled',
    what: 'price * 2 > 10',
    sizeBytes: expect.any(Number),
  });
  expect(condition?.sizeBytes).toBeGreaterThan(100);
});

test('of several columns one program computes what it can, the reference the rest', () => {
  const graph = graphOf({
    kind: 'project',
    columns: [
      { name: 'url', expr: url },
      { name: 'double', expr: double },
      { name: 'isA', expr: matches },
      { name: 'quadruple', expr: arithmeticExpr('add', double, double) },
    ],
  });
  expect(partsOf(graph)).toEqual([
    [
      { runs: 'compiled', what: 'double = price * 2', sizeBytes: expect.any(Number) },
      { runs: 'reference', what: expect.stringContaining('isA = '), reason: 'no rule for matches' },
      { runs: 'compiled', what: 'quadruple = price * 2 + price * 2' },
    ],
  ]);
  expect(explainCode(graph)).toMatch(
    /^code of shop\n {2}v1\n {4}project {2}compiled, \d+ bytes {2}double = price \* 2\n {13}reference /,
  );
});

test('columns that only pass need no code', () => {
  const columns = [{ name: 'url', expr: url }];
  expect(partsOf(graphOf({ kind: 'project', columns }))).toEqual([
    [{ runs: 'none', what: 'columns as they are' }],
  ]);
});

test('kernels are named by files that exist, functions by their operator', () => {
  const kinds = [
    ...(['explodeWords', 'aggregate', 'sort', 'top', 'limit', 'fold', 'filterRows'] as const),
    ...(['mapRows', 'flatMap', 'map', 'combine', 'reduce'] as const),
  ];
  const operators = codeOf(graphOf(...kinds.map((kind) => ({ kind }))))[0]?.operators ?? [];
  for (const { id, parts } of operators) {
    for (const { runs, what } of parts) {
      if (runs === 'driver') expect(what).toBe(`function of ${id}`);
      if (runs !== 'kernels') continue;
      for (const name of what.split(', ')) {
        expect(existsSync(`engine/kernels/${name}.as.ts`), name).toBe(true);
      }
    }
  }
  expect(operators.map(({ parts }) => parts[0]?.runs)).toEqual([
    ...['kernels', 'kernels', 'kernels', 'kernels', 'none', 'driver', 'driver'],
    ...['driver', 'driver', 'driver', 'driver', 'driver'],
  ]);
});
