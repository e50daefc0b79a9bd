/** Goal: the weakest of sources, operators and sinks decides how often rows count, and each says its part. */
import { expect, test } from 'vitest';
import type { Connector, Delivery } from '../../../engine/contracts/connector.ts';
import { explainGuarantee, guaranteeOf } from '../../../engine/plan/guarantee.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { graphOf } from '../../support/graph-text.ts';

const committer = { prepare: async () => null, commit: async () => {}, abort: async () => {} };
const connectors = new Map<string, Connector>([
  ['files', { name: 'files', isReplayable: true, checkpointCommitter: () => committer }],
  ['memory', { name: 'memory' }],
  ['topic', { name: 'topic', isReplayable: true, deliveryOf: (options) => options as Delivery }],
]);

/** Sources, a filter, an operator, and sinks; a topic's sink is said with its delivery. */
function jobOf(sources: readonly string[], sinks: readonly string[], between = 'filter') {
  const names = [...sources.map((_, at) => `s${at}`), 'middle', ...sinks.map((_, at) => `t${at}`)];
  const shape = names.map((name) => (name[0] === 't' ? `middle*${name}` : `${name}*middle`));
  const graph = graphOf(shape.filter((edge) => edge !== 'middle*middle').join(' '));
  const specOf = (id: string): OperatorSpec => {
    const at = Number(id.slice(1));
    const [connector = '', options = null] = (sinks[at] ?? '').split(' ');
    const spec =
      id[0] === 's'
        ? { kind: 'source', source: { connector: sources[at], options: null } }
        : id[0] === 't'
          ? { kind: 'sink', sink: { connector, options } }
          : { kind: between };
    return { id, name: spec.kind, ...spec } as unknown as OperatorSpec;
  };
  const vertices = graph.vertices.map((vertex) => ({ ...vertex, chain: [specOf(vertex.id)] }));
  return { ...graph, vertices } as PhysicalGraph;
}

test.each`
  sources                | sinks                                 | between     | delivery
  ${['files']}           | ${['files']}                          | ${'filter'} | ${'exactlyOnce'}
  ${['files', 'topic']}  | ${['files', 'topic exactlyOnce']}     | ${'filter'} | ${'exactlyOnce'}
  ${['files']}           | ${['files', 'topic atLeastOnce']}     | ${'filter'} | ${'atLeastOnce'}
  ${['topic']}           | ${['topic effectivelyOnce', 'files']} | ${'filter'} | ${'effectivelyOnce'}
  ${['memory']}          | ${['files']}                          | ${'filter'} | ${null}
  ${['files', 'memory']} | ${['files']}                          | ${'filter'} | ${null}
  ${['files']}           | ${['memory']}                         | ${'filter'} | ${null}
  ${['files']}           | ${['files']}                          | ${'sort'}   | ${null}
`('$sources to $sinks by $between: $delivery', ({ sources, sinks, between, delivery }) => {
  const found = guaranteeOf(jobOf(sources, sinks, between), connectors);
  expect(found.delivery).toBe(delivery);
  expect(found.ends).toHaveLength(sources.length + sinks.length);
  expect(found.refusal === null).toBe(between === 'filter');
});

test('barriers that are counted promise at least once, whatever the sink can do', () => {
  const graph = jobOf(['files'], ['files', 'topic atLeastOnce']);
  const found = guaranteeOf(graph, connectors, 'at-least-once');
  expect(found.delivery).toBe('atLeastOnce');
  expect(explainGuarantee(graph, found)).toContain(
    'sink    files  commits with each checkpoint, which may have rows that come again',
  );
  expect(guaranteeOf(jobOf(['files'], ['files']), connectors, 'unaligned').delivery).toBe(
    'exactlyOnce',
  );
});

test('each end says what it does', () => {
  const graph = jobOf(['files', 'memory'], ['files', 'topic atLeastOnce', 'memory'], 'sort');
  expect(explainGuarantee(graph, guaranteeOf(graph, connectors))).toBe(
    [
      'guarantee of shape: none, for it can have no checkpoints',
      '  operator "sort" takes part in no checkpoint: a sort holds all rows until the end',
      '  source  files   goes on where it was',
      '  source  memory  can be read only once',
      '  sink    files   commits with each checkpoint',
      '  sink    topic   writes at once: rows behind the checkpoint come again',
      '  sink    memory  can not commit at a checkpoint',
      '',
    ].join('\n'),
  );
  const once = jobOf(['files'], ['files']);
  expect(explainGuarantee(once, guaranteeOf(once, connectors))).toContain(
    'guarantee of shape: exactly once, with checkpoints\n',
  );
});
