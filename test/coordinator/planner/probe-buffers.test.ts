/** Goal: a join takes in its probe side early where its sides hang together elsewhere, and only there. */
import { expect, test } from 'vitest';
import { withBuffers } from '../../../coordinator/planner/probe-buffers.ts';
import type { Edge, OperatorSpec, Vertex } from '../../../engine/plan/physical-graph.ts';

const joinSpecs = (['join', 'asOfProbe'] as const).map(
  (kind) => ({ kind, isProbeBuffered: false }) as OperatorSpec,
);
const other = { kind: 'limit' } as OperatorSpec;

/** `a>j` is an edge to the rows of j, `a>j!` one to its build side; vertices named j… are joins. */
function buffered(text: string, joinSpec: OperatorSpec): string[] {
  const edges = text.split(' ').map((one) => {
    const [from = '', to = ''] = one.replace('!', '').split('>');
    return { from, to, port: one.endsWith('!') ? 1 : 0 } as Edge;
  });
  const names = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const vertices = [...names].map((id): Vertex => {
    return { id, name: id, parallelism: 1, chain: [id.startsWith('j') ? joinSpec : other] };
  });
  return withBuffers(vertices, edges)
    .filter(
      ({ chain: [first] }) =>
        first !== undefined && 'isProbeBuffered' in first && first.isProbeBuffered,
    )
    .map(({ id }) => id)
    .sort();
}

test.each([
  ['two sources', 'a>j b>j!', []],
  ['a stream with itself', 'a>j a>j!', ['j']],
  ['a diamond', 'a>b a>c b>j c>j!', ['j']],
  ['what comes behind joins nothing', 'a>j b>j! j>c j>d c>e d>e', []],
  ['a sender that two joins share', 'a>j1 b>j1! c>j2 b>j2!', []],
  ['sides that cross over', 'a>j1 b>j1! a>j2! b>j2', ['j1', 'j2']],
  ['a join within a side', 'a>j1 b>j1! j1>j2 c>j2!', []],
  ['a join within a side, of the other side', 'a>j1 b>j1! j1>j2 a>j2!', ['j2']],
  ['sides that meet at a reader of both', 'a>j b>j! a>c b>c', ['j']],
])('%s: %s', (_, text, expected) => {
  for (const joinSpec of joinSpecs) expect(buffered(text, joinSpec)).toEqual(expected);
});
