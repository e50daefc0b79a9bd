/** Goal: splits that are found later go behind the lanes in turn, and each attempt of a task gets all of them again. */
import { expect, test } from 'vitest';
import { GrowingSplits } from '../../../coordinator/scheduler/growing-splits.ts';
import { lanesOf } from '../../../coordinator/scheduler/lanes.ts';
import type { Split } from '../../../engine/contracts/source.ts';

const split = (id: string): Split => ({ id, sizeBytes: 1, payload: null, sequence: id });

function takeAll(splits: GrowingSplits, taskId: string, attempt = 1): string[] {
  const taken: string[] = [];
  for (let next = splits.next(taskId, attempt); next; next = splits.next(taskId, attempt)) {
    taken.push(`${next.id} ${next.lane?.number}/${next.lane?.count}`);
  }
  return taken;
}

test('a task goes on with its lanes, one that has none begins one', () => {
  const splits = new GrowingSplits(lanesOf(['a', 'b', 'c'].map(split), 2));
  expect(takeAll(splits, 'v1[0]')).toEqual(['a 0/2', 'c 1/2']);
  expect(takeAll(splits, 'v1[1]')).toEqual(['b 0/1']);
  splits.add(['d', 'e', 'f'].map(split));
  splits.add([split('g')]);
  expect(takeAll(splits, 'v1[0]')).toEqual(['d 0/2', 'f 1/2']);
  expect(takeAll(splits, 'v1[1]')).toEqual(['e 0/1', 'g 0/1']);
  expect(takeAll(splits, 'v1[0]', 2)).toEqual(['a 0/2', 'c 1/2', 'd 0/2', 'f 1/2']);
});

test('nothing was there at first', () => {
  const splits = new GrowingSplits(lanesOf([], 2));
  expect([splits.next('v1[0]', 1), splits.next('v1[1]', 1)]).toEqual([null, null]);
  splits.add(['a', 'b'].map(split));
  expect(takeAll(splits, 'v1[0]')).toEqual(['a 0/1']);
  expect(takeAll(splits, 'v1[1]')).toEqual(['b 0/1']);
});

test('a split without an end gets a lane of its own, for nothing behind it is read', () => {
  const endless = (id: string): Split => ({ ...split(id), isEndless: true });
  const splits = new GrowingSplits(lanesOf(['a', 'b', 'c'].map(endless), 2));
  expect(takeAll(splits, 'v1[0]')).toEqual(['a 0/2', 'c 1/2']);
  splits.add(['d', 'e', 'f'].map(endless));
  expect(takeAll(splits, 'v1[0]')).toEqual(['d 2/3', 'f 3/4']);
  expect(takeAll(splits, 'v1[1]')).toEqual(['b 0/1', 'e 1/2']);
  const none = new GrowingSplits(lanesOf([], 1));
  none.add([endless('g'), endless('h')]);
  expect(takeAll(none, 'v1[0]')).toEqual(['g 0/1', 'h 1/2']);
});
