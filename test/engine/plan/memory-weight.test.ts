/** Goal: operators that put rows on disk have more of the memory than those that need little. */
import { expect, test } from 'vitest';
import { memoryWeightOf } from '../../../engine/plan/memory-weight.ts';
import type { OperatorSpec } from '../../../engine/plan/physical-graph.ts';

const rows = { fields: [] };
const named = { id: 'a', name: 'a', output: rows };
const aggregate = {
  ...named,
  kind: 'aggregate',
  phase: 'final',
  keys: ['key'],
  aggregates: [],
} as const;
const distinct = { name: 'n', function: 'countDistinct', columns: ['x'] } as const;

test.each<[string, number, OperatorSpec]>([
  ['a filter', 0, { ...named, kind: 'filterRows' }],
  ['a sort', 1, { ...named, kind: 'sort', order: [] }],
  ['groups', 1, aggregate],
  ['groups of a partial phase', 0.25, { ...aggregate, phase: 'partial' }],
  [
    'a digest, which is a partial phase',
    0.25,
    { ...named, kind: 'digest', keys: ['key'], column: 'x' },
  ],
  ['one group', 0, { ...aggregate, keys: [] }],
  ['distinct values of one group', 1, { ...aggregate, keys: [], aggregates: [distinct] }],
])('%s: %d', (_what, weight, operator) => {
  expect(memoryWeightOf(operator)).toBe(weight);
});
