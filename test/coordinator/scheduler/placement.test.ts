/** Goal: every task has a slot, the tasks of a vertex are spread over all, and a retry goes elsewhere. */
import { expect, test } from 'vitest';
import { homesOf, placeRegion } from '../../../coordinator/scheduler/placement.ts';
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
  expect(homesOf(graphOf(3), 3)).toEqual({ 'v0[0]': 0, 'v0[1]': 1, 'v0[2]': 2 });
});

test('single tasks take turns', () => {
  expect(homesOf(graphOf(2, 1, 1), 2)).toMatchObject({ 'v1[0]': 0, 'v2[0]': 1 });
});

test('more tasks than slots share them', () => {
  expect(homesOf(graphOf(4), 2)).toEqual({ 'v0[0]': 0, 'v0[1]': 1, 'v0[2]': 0, 'v0[3]': 1 });
});

const homes = { a: 0, b: 1, c: 2 };

test.each`
  taskIds       | number | avoidSlot | busy         | expected          | why
  ${['b']}      | ${1}   | ${null}   | ${[]}        | ${{ b: 1 }}       | ${'its home'}
  ${['b']}      | ${1}   | ${null}   | ${[0, 1]}    | ${{ b: 2 }}       | ${'where nothing runs'}
  ${['b']}      | ${1}   | ${null}   | ${[0, 1, 2]} | ${null}           | ${'nowhere'}
  ${['b']}      | ${2}   | ${2}      | ${[]}        | ${{ b: 0 }}       | ${'not where it failed'}
  ${['b']}      | ${2}   | ${0}      | ${[1, 2]}    | ${null}           | ${'even if that is idle'}
  ${['a', 'c']} | ${1}   | ${null}   | ${[1]}       | ${{ a: 0, c: 2 }} | ${'all at home'}
  ${['a', 'c']} | ${1}   | ${null}   | ${[2]}       | ${null}           | ${'all, or none'}
  ${['a', 'c']} | ${2}   | ${0}      | ${[]}        | ${{ a: 1, c: 0 }} | ${'all one slot further'}
`('tasks $taskIds, try $number: $why', ({ expected, busy, ...given }) => {
  const { taskIds, ...options } = given;
  const slots = placeRegion(taskIds, { homes, slotCount: 3, busy: new Set(busy), ...options });
  expect(slots).toEqual(expected);
});

test('a single slot is used again', () => {
  const options = { homes, slotCount: 1, number: 2, avoidSlot: 0, busy: new Set<number>() };
  expect(placeRegion(['a'], options)).toEqual({ a: 0 });
});
