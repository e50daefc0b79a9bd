/** Goal: a plan that can't be checkpointed is refused by the name of the operator, with what to do. */
import { expect, test } from 'vitest';
import { unsupportedIn } from '../../../engine/plan/checkpoint-support.ts';
import { graphOf } from '../../support/graph-text.ts';

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

test('a control stream that ends is read before barriers come, and its operator is refused', () => {
  const graph = graphOf('a*b', { a: ['source'], b: ['process', 'sink'] });
  const withControl = (isFirst: boolean) => ({
    ...graph,
    vertices: graph.vertices.map((vertex) => ({
      ...vertex,
      chain: vertex.chain.map((spec) =>
        spec.kind === 'process'
          ? { ...spec, control: { isFirst, states: [], timeColumn: null } }
          : spec,
      ),
    })),
  });
  const refused = unsupportedIn(withControl(true) as never);
  expect(refused?.message).toContain('its control stream, which ends');
  expect(unsupportedIn(withControl(false) as never)).toBeNull();
});
