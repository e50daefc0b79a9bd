/** Goal: what a second run would give is never told better than it is. */
import { expect, test } from 'vitest';
import { edgeDeterminism } from '../../../engine/plan/determinism.ts';
import type { Edge, OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { graphOf } from '../../support/graph-text.ts';

type Kinds = Readonly<Record<string, OperatorSpec['kind'][]>>;

/** The level of the last edge. */
function lastLevel(graph: PhysicalGraph) {
  return edgeDeterminism(graph).get(graph.edges.at(-1)?.id ?? '');
}

test.each<[string, string, Kinds, string]>([
  ['a source', 'a/b', { a: ['source'] }, 'deterministic'],
  ['files keep the order', 'a/b b/c', { b: ['sort'] }, 'deterministic'],
  ['what may spill loses it', 'a/b b/c', { b: ['aggregate'] }, 'unordered'],
  ['rings of several tasks mix rows', 'a*b b/c', {}, 'unordered'],
  ['a ring of one task does not', 'a.*b b/c', {}, 'deterministic'],
  ['forward rings do not', 'a>b b/c', {}, 'deterministic'],
  ['a limit takes what comes first', 'a*b b/c', { b: ['limit'] }, 'indeterminate'],
  ['of files that is always the same', 'a/b b/c', { b: ['limit'] }, 'deterministic'],
  ['equal rows at the end of a top', 'a*b b/c', { b: ['top'] }, 'indeterminate'],
  ['a sort of the same rows', 'a*b b/c', { b: ['sort'] }, 'unordered'],
  [
    'a digest of what fitted in memory',
    'a/b b/c c/d',
    { b: ['digest'], c: ['sort'] },
    'indeterminate',
  ],
  ['it stays so', 'a*b b/c c/d', { b: ['limit'], c: ['aggregate'] }, 'indeterminate'],
  ['a union of rings', 'a b a>c b>c c/d', {}, 'unordered'],
  ['a union of files', 'a b a/c b/c c/d', {}, 'deterministic'],
])('%s: %s', (_, text, kinds, expected) => {
  expect(lastLevel(graphOf(text, kinds))).toBe(expected);
});

test.each([
  ['deterministic', 'a/b', 'deterministic'],
  ['unordered', 'a*b b/c', 'indeterminate'],
])('rows in turn, where these are %s', (_, text, expected) => {
  const graph = graphOf(text);
  const edges = graph.edges.map((edge, index): Edge => {
    return index < graph.edges.length - 1 ? edge : { ...edge, exchange: { kind: 'rebalance' } };
  });
  expect(lastLevel({ ...graph, edges })).toBe(expected);
});
