/** Goal: a task that is started again alone is given what it had not read at its checkpoint, from there on, and no split of others. */
import { expect, test } from 'vitest';
import { GrowingSplits } from '../../../coordinator/scheduler/growing-splits.ts';
import { lanesOf } from '../../../coordinator/scheduler/lanes.ts';
import {
  FixedSplits,
  SplitAssigner,
  type SplitSupply,
} from '../../../coordinator/scheduler/split-assigner.ts';
import type { Split } from '../../../engine/contracts/source.ts';

const split = (id: string): Split => ({ id, sizeBytes: 1, payload: null });
const ofSequence = (id: string): Split => ({ ...split(id), sequence: id });

/** What a try of a task is given, until there is no more: `b@700` is a split at a position, `b lane 0 of 2` one of a lane. */
function given(supply: SplitSupply, taskId: string, attempt: number): string[] {
  const found: string[] = [];
  for (let next = supply.next(taskId, attempt); next !== null; ) {
    const at = next.position === undefined ? '' : `@${next.position}`;
    const lane = next.lane === undefined ? '' : ` lane ${next.lane.number} of ${next.lane.count}`;
    found.push(`${next.id}${at}${lane}`);
    next = supply.next(taskId, attempt);
  }
  return found;
}

const at = (finished: string[], open: Record<string, number> = {}) => ({
  finished,
  open: Object.entries(open).map(([splitId, position]) => ({ splitId, position })),
});

test('what was read is left out, what was open goes on, what was given since comes again, and then what is left', () => {
  const supply = new SplitAssigner(['a', 'b', 'c', 'd', 'e'].map(split));
  for (const task of ['v[0]', 'v[0]', 'v[1]', 'v[0]']) supply.next(task, 1);
  supply.restart('v[0]', at(['a'], { b: 700 }));
  expect(supply.next('v[1]', 1)?.id).toBe('e'); // Beside it, and undisturbed.
  expect(given(supply, 'v[0]', 2)).toEqual(['b@700', 'd']);
  // And from a later checkpoint, of which the second try has said what it did since.
  supply.restart('v[0]', at(['b'], { d: 5 }));
  expect(given(supply, 'v[0]', 3)).toEqual(['d@5']);
});

test('without a checkpoint it begins with what it was given first', () => {
  const supply = new SplitAssigner(['a', 'b', 'c'].map(split));
  supply.next('v[0]', 1);
  supply.restart('v[0]', null);
  expect(given(supply, 'v[0]', 2)).toEqual(['a', 'b', 'c']);
});

test('a lane that was read to its end is none any more', () => {
  const supply = new FixedSplits(lanesOf(['a', 'b', 'c', 'd', 'e', 'f'].map(ofSequence), 2));
  expect(given(supply, 'v[0]', 1)).toEqual(['a lane 0 of 3', 'c lane 1 of 3', 'e lane 2 of 3']);
  supply.restart('v[0]', at(['a'], { e: 9 }));
  expect(given(supply, 'v[0]', 2)).toEqual(['c lane 0 of 2', 'e@9 lane 1 of 2']);
  expect(given(supply, 'v[1]', 1)).toHaveLength(3);
});

test('what is found afterwards goes behind the lanes that are left', () => {
  const supply = new GrowingSplits(lanesOf(['a', 'b', 'c', 'd'].map(ofSequence), 2));
  expect(given(supply, 'v[0]', 1)).toEqual(['a lane 0 of 2', 'c lane 1 of 2']);
  supply.restart('v[0]', at(['a', 'c']));
  expect(given(supply, 'v[0]', 2)).toEqual([]);
  supply.add([split('e'), split('f'), split('g')]);
  expect(given(supply, 'v[0]', 2)).toEqual(['e lane 0 of 1', 'g lane 0 of 1']);
  expect(given(supply, 'v[1]', 1)).toEqual(['b lane 0 of 2', 'd lane 1 of 2', 'f lane 0 of 2']);
});
