/** Goal: a plan that can't be checkpointed is refused by the name of the operator, with what to do. */
import { expect, test } from 'vitest';
import { unsupportedIn } from '../../../engine/plan/checkpoint-support.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { graphOf } from '../../support/graph-text.ts';

type Kind = OperatorSpec['kind'];
type Kinds = Readonly<Record<string, Kind[]>>;
type JoinKind = Extract<OperatorSpec, { kind: 'join' }>;

test('a plan whose operators all take part is not refused', () => {
  const kinds = { a: ['source', 'filter', 'eventTime'], b: ['project', 'sink'] } as const;
  expect(unsupportedIn(graphOf('a*b', { a: [...kinds.a], b: [...kinds.b] }))).toBeNull();
});

test('a plan with a sort is refused', () => {
  const error = unsupportedIn(graphOf('a*b', { a: ['source'], b: ['filter', 'sort', 'sink'] }));
  expect(error?.info).toMatchObject({
    code: 'CHECKPOINT_UNSUPPORTED',
    details: { operator: 'b', kind: 'sort' },
    hint: expect.stringContaining('without a checkpoint interval'),
  });
  expect(error?.message).toBe(
    'operator "b" takes part in no checkpoint: a sort holds all rows until the end',
  );
});

/** Two vertices, and a third one that joins them: `b` is its build side. */
const joined = (kinds: { readonly b: readonly Kind[] }, join: Partial<JoinKind> = {}) => {
  const chains = { a: ['source'], b: [...kinds.b], j: ['join', 'sink'] } satisfies Kinds;
  const graph = graphOf('a*j b*j', chains);
  const given = { type: 'inner', buildSide: 'right', ...join };
  return {
    ...graph,
    edges: graph.edges.map((edge) => ({ ...edge, port: edge.from === 'b' ? 1 : 0 })),
    vertices: graph.vertices.map((vertex) => ({
      ...vertex,
      chain: vertex.chain.map((spec) => (spec.kind === 'join' ? { ...spec, ...given } : spec)),
    })),
  } as PhysicalGraph;
};

test('in front of a side that ends all operators may stand', () => {
  expect(unsupportedIn(joined({ b: ['source', 'aggregate', 'sort'] }))).toBeNull();
});

test.each([
  ['inner', 'left', null],
  ['left', 'right', null],
  ['right', 'left', null],
  ['anti', 'right', null],
  ['left', 'left', 'rows of its left side come at the end'],
  ['full', 'right', 'rows of its right side come at the end'],
] as const)('a join of type %s that keeps its %s side: %s', (type, buildSide, says) => {
  const error = unsupportedIn(joined({ b: ['source'] }, { type, buildSide }));
  expect(error?.message ?? null).toEqual(says === null ? null : expect.stringContaining(says));
});
