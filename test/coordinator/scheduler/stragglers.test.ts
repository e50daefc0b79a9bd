/** Goal: a region is slow when siblings of it are done that were much faster, in time and in rate. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Region } from '../../../coordinator/scheduler/regions.ts';
import { type RegionPace, stragglersOf } from '../../../coordinator/scheduler/stragglers.ts';

function regionOf(index: number, vertexId = 'v1'): Region {
  return {
    id: `${vertexId}.${index}`,
    stageId: 's1',
    taskIds: [`${vertexId}[${index}]`],
    ...{ inputs: [], readers: [], isIndeterminate: false, isRepeatable: true },
  };
}

/** Of one vertex: `paces[i]` is that of its region i. */
function slowOf(paces: readonly (RegionPace | null)[]): string[] {
  const regions = paces.map((_, index) => regionOf(index));
  return stragglersOf(regions, (id) => paces[Number(id.split('.')[1])] ?? null);
}

const done = (ms: number, rowCount: number): RegionPace => ({ isDone: true, ms, rowCount });
const runs = (ms: number, rowCount: number): RegionPace => ({ isDone: false, ms, rowCount });

test.each`
  what                                         | last                | slow
  ${'a tenth of the rate, four times as long'} | ${runs(4_000, 40)}  | ${['v1.3']}
  ${'it does nothing at all'}                  | ${runs(4_000, 0)}   | ${['v1.3']}
  ${'it has more rows, as fast as others'}     | ${runs(4_000, 400)} | ${[]}
  ${'a third of the rate is not under it'}     | ${runs(3_000, 100)} | ${[]}
  ${'it has not run for long'}                 | ${runs(2_900, 0)}   | ${[]}
  ${'it waits'}                                | ${null}             | ${[]}
  ${'it is done'}                              | ${done(9_000, 1)}   | ${[]}
`('$what', ({ last, slow }) => {
  expect(slowOf([done(900, 90), done(1_000, 100), done(1_100, 110), last])).toEqual(slow);
});

test('three quarters of the siblings have to be done, and one at least', () => {
  const slow = runs(9_000, 1);
  expect(slowOf([done(1_000, 100), slow])).toEqual(['v1.1']);
  expect(slowOf([slow, slow])).toEqual([]);
  expect(slowOf([done(1_000, 100), done(1_000, 100), slow, slow])).toEqual([]);
  expect(slowOf([done(1_000, 100), done(1_000, 100), done(1_000, 100), slow])).toHaveLength(1);
});

test('nothing shorter than a second is slow', () => {
  expect(slowOf([done(10, 100), runs(999, 0)])).toEqual([]);
  expect(slowOf([done(10, 100), runs(1_000, 0)])).toEqual(['v1.1']);
});

test('regions with other operators are no siblings', () => {
  const regions = [regionOf(0), regionOf(1, 'v2')];
  expect(stragglersOf(regions, (id) => (id === 'v1.0' ? done(1, 9) : runs(9_000, 0)))).toEqual([]);
});

const pace = fc.record({
  isDone: fc.boolean(),
  ms: fc.nat({ max: 20_000 }),
  rowCount: fc.nat({ max: 1_000 }),
});

test('what is slow runs, is behind each faster half of the done ones, and stays slow while it stands still', () => {
  fc.assert(
    fc.property(fc.array(fc.option(pace), { maxLength: 9 }), (paces) => {
      const slow = slowOf(paces);
      const finished = paces.filter((one) => one?.isDone === true);
      for (const id of slow) {
        const own = paces[Number(id.split('.')[1])];
        expect(own?.isDone).toBe(false);
        const faster = finished.filter((one) => {
          const isShorter = (one?.ms ?? 0) * 3 <= (own?.ms ?? 0);
          return isShorter;
        });
        expect(faster.length * 2).toBeGreaterThanOrEqual(finished.length);
      }
      const later = paces.map((one) => (one?.isDone === false ? { ...one, ms: one.ms * 2 } : one));
      expect(slowOf(later)).toEqual(expect.arrayContaining(slow));
    }),
  );
});
