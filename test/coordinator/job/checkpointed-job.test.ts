/** Goal: a job whose sources, sinks or stages can't take part in checkpoints is refused before it starts, by name. */
import { expect, test } from 'vitest';
import { connectors } from '../../../connectors/registry.ts';
import { checkCheckpoints } from '../../../coordinator/job/checkpointed-job.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { graphOf } from '../../support/graph-text.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

function jobOf(source: string, sink: string, options: unknown = null): PhysicalGraph {
  const graph = graphOf('a*b');
  const specs = [
    { id: 'read', name: 'rows in', kind: 'source', source: { connector: source, options: null } },
    { id: 'write', name: 'rows out', kind: 'sink', sink: { connector: sink, options } },
  ] as unknown as OperatorSpec[];
  const vertices = graph.vertices.map((vertex, at) => ({
    ...vertex,
    chain: specs.slice(at, at + 1),
  }));
  return { ...graph, vertices };
}

test.each`
  source      | sink         | says
  ${'memory'} | ${'files'}   | ${'source "rows in" takes part in no checkpoint: "memory" can not be read again from a position'}
  ${'files'}  | ${'memory'}  | ${'sink "rows out" takes part in no checkpoint: "memory" can not commit at checkpoints'}
  ${'files'}  | ${'console'} | ${'sink "rows out" takes part in no checkpoint: "console" can not commit at checkpoints'}
`('$source to $sink is refused', ({ source, sink, says }) => {
  const error = typedErrorOf(() => checkCheckpoints(jobOf(source, sink), connectors));
  expect([error?.info.code, error?.message]).toEqual(['CHECKPOINT_UNSUPPORTED', says]);
});

test('files and topics take part', () => {
  checkCheckpoints(jobOf('files', 'files'), connectors);
  checkCheckpoints(jobOf('kafka', 'files'), connectors);
});

test('stages that meet on disk are refused', () => {
  const graph = jobOf('files', 'files');
  const edges = graph.edges.map((edge) => ({ ...edge, isBlocking: true }));
  const error = typedErrorOf(() => checkCheckpoints({ ...graph, edges }, connectors));
  expect(error?.message).toBe('a job whose stages meet on disk has no checkpoints');
});

test('a topic is written exactly once in transactions, and at least once without', () => {
  const deliveryOf = connectors.get('kafka')?.deliveryOf;
  const delivered = ['exactly-once', 'at-least-once'].map((delivery) => deliveryOf?.({ delivery }));
  expect(delivered).toEqual(['exactlyOnce', 'atLeastOnce']);
});
