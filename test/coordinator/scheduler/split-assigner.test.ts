/** Goal: each split is given out exactly once, whoever asks. */
import { expect, test } from 'vitest';
import { SplitAssigner } from '../../../coordinator/scheduler/split-assigner.ts';

test('hands out each split once, in order, then null for ever', () => {
  const splits = ['a', 'b'].map((id) => ({ id, sizeBytes: 1, payload: null }));
  const assigner = new SplitAssigner(splits);
  expect([1, 2, 3, 4].map(() => assigner.next()?.id ?? null)).toEqual(['a', 'b', null, null]);
});
