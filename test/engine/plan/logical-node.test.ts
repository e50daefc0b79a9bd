/** Goal: operator ids are stable, unique and well formed, and graphs list inputs first. */
import { expect, test } from 'vitest';
import {
  appendNode,
  graphOf,
  type NodeChain,
  type VerbOptions,
} from '../../../engine/plan/logical-node.ts';

const schema = { fields: [] };

function chainOf(...options: (VerbOptions | undefined)[]): NodeChain {
  const append = (before: NodeChain | null, one?: VerbOptions) =>
    appendNode(before, { kind: 'limit', count: 1, schema }, one);
  const [first, ...rest] = options;
  return rest.reduce(append, append(null, first));
}

const idsOf = (chain: NodeChain) => graphOf('job', chain).nodes.map((node) => node.id);

test.each`
  options                                                   | ids
  ${[undefined, undefined]}                                 | ${['limit-1', 'limit-2']}
  ${[{ name: 'Top 20, words!' }, { name: 'top 20 words' }]} | ${['top-20-words', 'top-20-words-2']}
  ${[{ id: 'limit-1' }, undefined]}                         | ${['limit-1', 'limit-2']}
  ${[{ name: '…' }, undefined]}                             | ${['limit-1', 'limit-2']}
  ${[{ name: 'a', id: 'B' }, { name: 'a' }]}                | ${['B', 'a']}
`('$options: $ids', ({ options, ids }) => {
  expect(idsOf(chainOf(...options))).toEqual(ids);
});

test('each node reads the one before', () => {
  const { nodes } = graphOf('job', chainOf(undefined, undefined, undefined));
  expect(nodes.map((node) => node.inputs)).toEqual([[], ['limit-1'], ['limit-2']]);
});

test.each([[{ id: 'a b' }], [{ id: '' }], [{ id: 'x'.repeat(65) }]])('%o is refused', (options) => {
  expect(() => chainOf(options)).toThrow("can't be the id of an operator");
});

test('an id is used once', () => {
  expect(() => chainOf({ id: 'a' }, { id: 'a' })).toThrow('two operators have the id "a"');
});
