/** Goal: every task has a slot, and the tasks of a vertex are spread over all of them. */
import { expect, test } from 'vitest';
import { placeTasks } from '../../../coordinator/scheduler/placement.ts';
import type { PhysicalGraph } from '../../../engine/plan/physical-graph.ts';

const graphOf = (...parallelisms: number[]): PhysicalGraph => ({
  jobName: 'placed',
  parallelism: Math.max(...parallelisms),
  vertices: parallelisms.map((parallelism, index) => ({
    id: `v${index}`,
    name: `v${index}`,
    parallelism,
    chain: [],
  })),
  edges: [],
});

test('a full vertex uses every slot once', () => {
  expect(placeTasks(graphOf(3), 3)).toEqual({ 'v0[0]': 0, 'v0[1]': 1, 'v0[2]': 2 });
});

test('single tasks take turns', () => {
  expect(placeTasks(graphOf(2, 1, 1), 2)).toMatchObject({ 'v1[0]': 0, 'v2[0]': 1 });
});

test('more tasks than slots share them', () => {
  expect(placeTasks(graphOf(4), 2)).toEqual({ 'v0[0]': 0, 'v0[1]': 1, 'v0[2]': 0, 'v0[3]': 1 });
});
