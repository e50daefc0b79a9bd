/** Goal: with files between stages, no stage waits for itself. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withBlocking } from '../../../coordinator/planner/blocking-edges.ts';
import { stagesOf } from '../../../engine/plan/stages.ts';
import { graphOf } from '../../support/graph-text.ts';

function blocking(text: string): string {
  const { vertices, edges } = graphOf(text);
  const found = withBlocking(vertices, edges, 'disk');
  return found.map(({ from, to, isBlocking }) => `${from}${isBlocking ? '/' : '>'}${to}`).join(' ');
}

test.each([
  ['rows that stay in their task', 'a>b b*c c>d', 'a>b b/c c>d'],
  ['a diamond of which one way is a file', 'a>b a*c c>b b>d', 'a/b a/c c/b b/d'],
  ['two joins that cross over', 'a>b c>d a*d c*b', 'a/b c/d a/d c/b'],
])('%s: %s', (_, text, expected) => {
  expect(blocking(text)).toBe(expected);
});

test('in memory no edge is blocking', () => {
  const { vertices, edges } = graphOf('a*b b>c');
  expect(withBlocking(vertices, edges, 'memory').some(({ isBlocking }) => isBlocking)).toBe(false);
});

test('any graph has an order of its stages', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const edge = fc
    .tuple(
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('>', '*'),
    )
    .map(([from, step, sign]) => `${names[from]}${sign}${names[Math.min(5, from + step)]}`);
  fc.assert(
    fc.property(fc.array(edge, { minLength: 1, maxLength: 10 }), (edges) => {
      const { vertices, edges: plain } = graphOf(edges.join(' '));
      const found = withBlocking(vertices, plain, 'disk');
      const stages = stagesOf({ vertices, edges: found });
      const stageOf = (id: string) => stages.findIndex(({ vertexIds }) => vertexIds.includes(id));
      for (const { from, to, isBlocking } of found) {
        expect(stageOf(to) - stageOf(from)).toBeGreaterThanOrEqual(isBlocking ? 1 : 0);
        if (!isBlocking) expect(stageOf(to)).toBe(stageOf(from));
      }
    }),
  );
});
