/** Goal: what may be changed of a plan is told from its shape, and nothing that would change its rows. */
import { expect, test } from 'vitest';
import { adaptableStages } from '../../../engine/plan/adaptable.ts';
import { type JoinSide, type JoinType, joinTypes } from '../../../engine/plan/join-type.ts';
import type { Edge, OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { graphOf } from '../../support/graph-text.ts';

/** The graph with each edge into the second port of `vertex`, but the first, as its build side. */
function withJoin(
  graph: PhysicalGraph,
  {
    type = 'inner',
    buildSide = 'right',
    hasHint = false,
    behind = [] as OperatorSpec['kind'][],
  } = {},
): PhysicalGraph {
  const [first, ...builds] = graph.edges.filter(({ to }) => to === 'j');
  const join = { kind: 'join', id: 'j', name: 'j', type, buildSide, hasHint };
  const others = behind.map((kind) => ({ kind, id: kind, name: kind }));
  const chain = [join, ...others] as unknown as OperatorSpec[];
  return {
    ...graph,
    vertices: graph.vertices.map((one) => (one.id === 'j' ? { ...one, chain } : one)),
    edges: graph.edges.map((edge): Edge => {
      return edge !== first && builds.includes(edge) ? { ...edge, port: 1 } : edge;
    }),
  };
}

function adaptable(graph: PhysicalGraph): string[] {
  return adaptableStages(graph).map(({ vertexIds, edges, join }) => {
    const reads = `${vertexIds.join(' ')} reads ${edges.map(({ id }) => id).join(' ')}`;
    if (join === null) return reads;
    const { maySplitProbe, maySplitBuild, mayStay } = join;
    const splits = [maySplitProbe ? 'probe' : '', maySplitBuild ? 'build' : ''].filter(Boolean);
    return `${reads}, splits ${splits.join(' ')}, ${mayStay?.id ?? 'nothing'} stays`;
  });
}

test.each`
  text         | kinds                | found                           | why
  ${'a/b'}     | ${{}}                | ${['b reads e1']}               | ${'a stage that reads files'}
  ${'a*b'}     | ${{}}                | ${[]}                           | ${'rings are not read in parts'}
  ${'a/b.'}    | ${{}}                | ${[]}                           | ${'there is one task'}
  ${'a/b b>c'} | ${{}}                | ${['b c reads e1']}             | ${'a ring joins tasks of the same index'}
  ${'a/b c>b'} | ${{ c: ['source'] }} | ${[]}                           | ${'splits are given to planned tasks'}
  ${'a/b c/b'} | ${{}}                | ${['b reads e1 e2']}            | ${'a union is read alike'}
  ${'a/b b/c'} | ${{}}                | ${['b reads e1', 'c reads e2']} | ${'stages behind each other'}
`('$text: $why', ({ text, kinds, found }) => {
  expect(adaptable(graphOf(text, kinds))).toEqual(found);
});

test.each(['partition', 'forward'] as const)('an exchange stays as planned: %s', (kind) => {
  const graph = graphOf('a/b');
  const edges = graph.edges.map((edge) => ({ ...edge, exchange: { kind } }) as unknown as Edge);
  expect(adaptable({ ...graph, edges })).toEqual([]);
});

test('what has been adapted is not adapted again', () => {
  const graph = graphOf('a/b');
  const adapted = { partitionCount: 2, ofReaders: [] };
  const edges = graph.edges.map((edge) => ({ ...edge, adapted }));
  expect(adaptable({ ...graph, edges })).toEqual([]);
});

test.each`
  type       | buildSide  | found
  ${'inner'} | ${'right'} | ${'splits probe build, e1 stays'}
  ${'inner'} | ${'left'}  | ${'splits probe build, e1 stays'}
  ${'left'}  | ${'right'} | ${'splits probe, e1 stays'}
  ${'left'}  | ${'left'}  | ${'splits build, nothing stays'}
  ${'right'} | ${'right'} | ${'splits build, nothing stays'}
  ${'right'} | ${'left'}  | ${'splits probe, e1 stays'}
  ${'full'}  | ${'right'} | ${'splits , nothing stays'}
  ${'semi'}  | ${'right'} | ${'splits probe, e1 stays'}
  ${'semi'}  | ${'left'}  | ${'splits build, nothing stays'}
  ${'anti'}  | ${'right'} | ${'splits probe, e1 stays'}
  ${'anti'}  | ${'left'}  | ${'splits build, nothing stays'}
`('a $type join, $buildSide side built: $found', ({ type, buildSide, found }) => {
  const graph = withJoin(graphOf('a/j b/j'), {
    type: type as JoinType,
    buildSide: buildSide as JoinSide,
  });
  expect(joinTypes).toContain(type);
  expect(adaptable(graph)).toEqual([`j reads e1 e2, ${found}`]);
});

test('rows of one key have to stay together where what follows needs them together', () => {
  const graphs = (['filter', 'sort', 'aggregate'] as const).map((kind) =>
    withJoin(graphOf('a/j b/j'), { behind: [kind] }),
  );
  const splits = graphs.flatMap(adaptable).map((text) => text.includes('splits'));
  expect(splits).toEqual([true, true, false]);
});

test('a hint of the job holds, and rows of a probe side that makes the build side do not stay', () => {
  expect(adaptable(withJoin(graphOf('a/j b/j'), { hasHint: true }))).toEqual([
    'j reads e1 e2, splits probe build, nothing stays',
  ]);
  expect(adaptable(withJoin(graphOf('a/j b/j a>b')))).toEqual([
    'j reads e1 e2, splits probe build, nothing stays',
  ]);
});
