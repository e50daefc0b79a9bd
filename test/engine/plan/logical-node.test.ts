/** Goal: operator ids are stable, unique and well formed, and graphs list inputs first. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  appendNode,
  finishGraph,
  type NodeDraft,
  type VerbOptions,
} from '../../../engine/plan/logical-node.ts';

const schema = { fields: [] };

const limit = (inputs: readonly NodeDraft[], options?: VerbOptions) =>
  appendNode(inputs, { kind: 'limit', count: 1, schema }, options);

function chainOf(...options: (VerbOptions | undefined)[]): NodeDraft {
  const [first, ...rest] = options;
  return rest.reduce((before: NodeDraft, one) => limit([before], one), limit([], first));
}

const nodesOf = (...ends: NodeDraft[]) => finishGraph('job', ends).graph.nodes;
const idsOf = (...ends: NodeDraft[]) => nodesOf(...ends).map((node) => node.id);

test.each`
  options                                                   | ids
  ${[undefined, undefined]}                                 | ${['limit-1', 'limit-2']}
  ${[{ name: 'Top 20, words!' }, { name: 'top 20 words' }]} | ${['top-20-words', 'top-20-words-2']}
  ${[{ id: 'limit-1' }, undefined]}                         | ${['limit-1', 'limit-2']}
  ${[undefined, { id: 'limit-1' }]}                         | ${['limit-2', 'limit-1']}
  ${[{ name: '…' }, undefined]}                             | ${['limit-1', 'limit-2']}
  ${[{ name: 'a', id: 'B' }, { name: 'a' }]}                | ${['B', 'a']}
`('$options: $ids', ({ options, ids }) => {
  expect(idsOf(chainOf(...options))).toEqual(ids);
});

test('each node reads the one before', () => {
  const nodes = nodesOf(chainOf(undefined, undefined, undefined));
  expect(nodes.map((node) => node.inputs)).toEqual([[], ['limit-1'], ['limit-2']]);
});

test('a node that several read is there once, and before them', () => {
  const start = limit([], { id: 'start' });
  const branches = [limit([start], { id: 'a' }), limit([start], { id: 'b' })];
  const nodes = nodesOf(limit(branches, { id: 'end' }));
  expect(nodes.map(({ id, inputs }) => [id, ...inputs])).toEqual([
    ['start'],
    ['a', 'start'],
    ['b', 'start'],
    ['end', 'a', 'b'],
  ]);
});

test('an output that is added behind the others moves no id', () => {
  const start = limit([]);
  const [first, second] = [limit([start]), limit([limit([start])])];
  const before = idsOf(first);
  expect(idsOf(first, second).slice(0, before.length)).toEqual(before);
});

test.each([[{ id: 'a b' }], [{ id: '' }], [{ id: 'x'.repeat(65) }]])('%o is refused', (options) => {
  expect(() => chainOf(options)).toThrow("can't be the id of an operator");
});

test('an id is used once, along a stream and beside it', () => {
  expect(() => chainOf({ id: 'a' }, { id: 'a' })).toThrow('two operators have the id "a"');
  const start = limit([]);
  const ends = [limit([start], { id: 'a' }), limit([start], { id: 'a' })];
  expect(() => finishGraph('job', ends)).toThrow('two operators have the id "a"');
});

test('whatever the graph, ids differ, inputs come first, and functions are found', () => {
  const draws = fc.array(
    fc.record({
      reads: fc.array(fc.nat(), { maxLength: 3 }),
      name: fc.option(fc.constantFrom('a', 'A!', 'b'), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(draws, (nodes) => {
      const drafts: NodeDraft[] = [];
      for (const { reads, name } of nodes) {
        const inputs = drafts.length === 0 ? [] : reads.map((at) => drafts[at % drafts.length]);
        const functions = { kind: 'flatMap', flatMap: () => [] } as const;
        const content = { kind: 'flatMap', schema } as const;
        const options = name === undefined ? {} : { name };
        drafts.push(appendNode(inputs as NodeDraft[], content, options, functions));
      }
      const { graph, functions } = finishGraph('job', drafts);
      const ids = graph.nodes.map(({ id }) => id);
      expect(new Set(ids).size).toBe(drafts.length);
      for (const [index, { inputs }] of graph.nodes.entries()) {
        for (const input of inputs) expect(ids.slice(0, index)).toContain(input);
      }
      expect([...functions.keys()].sort()).toEqual([...ids].sort());
    }),
  );
});
