/** Goal: what has to end before the first barrier is what some build side is behind, however far away. */
import { expect, test } from 'vitest';
import { firstVerticesOf } from '../../../engine/plan/first-vertices.ts';
import { graphOf } from '../../support/graph-text.ts';

/** @param build - Edges into build sides, as `from*to`. */
function firstOf(text: string, joins: readonly string[], build: readonly string[]) {
  const graph = graphOf(text, Object.fromEntries(joins.map((id) => [id, ['join']])));
  const edges = graph.edges.map((edge) => {
    return { ...edge, port: build.includes(`${edge.from}*${edge.to}`) ? 1 : 0 };
  });
  // Inputs come first.
  const order = [...graph.vertices].sort((left, right) => left.id.localeCompare(right.id));
  const { first, alone } = firstVerticesOf({ ...graph, edges, vertices: order });
  return { first: [...first].sort(), alone: [...alone].sort() };
}

test.each`
  text                         | joins         | build             | first              | alone
  ${'a*b b*c'}                 | ${[]}         | ${[]}             | ${[]}              | ${[]}
  ${'a*c b*c'}                 | ${['c']}      | ${['b*c']}        | ${['b']}           | ${['b']}
  ${'a*b b*d c*d'}             | ${['d']}      | ${['b*d']}        | ${['a', 'b']}      | ${['a', 'b']}
  ${'a*b a*c b*c'}             | ${['c']}      | ${['b*c']}        | ${['a', 'b']}      | ${['b']}
  ${'a*c b*c b*d c*d'}         | ${['d']}      | ${['c*d']}        | ${['a', 'b', 'c']} | ${['a', 'c']}
  ${'a*c b*c c*e d*e'}         | ${['c', 'e']} | ${['b*c', 'c*e']} | ${['a', 'b', 'c']} | ${['a', 'b', 'c']}
  ${'a*d b*d c*d d*f e*f f*g'} | ${['d', 'f']} | ${['c*d', 'e*f']} | ${['c', 'e']}      | ${['c', 'e']}
`('$text, $build: $first', ({ text, joins, build, first, alone }) => {
  expect(firstOf(text, joins, build)).toEqual({ first, alone });
});
