/** Goal: a sample is taken from all over the input, from few splits. */
import { expect, test } from 'vitest';
import { sampleSplits } from '../../../coordinator/scheduler/sample-splits.ts';

const splitsOf = (length: number) =>
  Array.from({ length }, (_, at) => ({ id: String(at), sizeBytes: 1, payload: null }));
const idsOf = (length: number) => sampleSplits(splitsOf(length)).map(({ id }) => Number(id));

test('few splits are all of the sample', () => {
  expect(idsOf(0)).toEqual([]);
  expect(idsOf(1)).toEqual([0]);
  expect(idsOf(5)).toEqual([0, 1, 2, 3, 4]);
});

test('of many there are 32 at even distances', () => {
  const ids = idsOf(320);
  expect(ids).toEqual(Array.from({ length: 32 }, (_, at) => 5 + at * 10));
});
