/** Goal: every split is read once, in its sequence's order, and no task is left without work where there is some. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lanesOf } from '../../../coordinator/scheduler/lanes.ts';
import { FixedSplits } from '../../../coordinator/scheduler/split-assigner.ts';

function splitsOf(counts: Readonly<Record<string, number>>) {
  return Object.entries(counts).flatMap(([sequence, count]) =>
    Array.from({ length: count }, (_, at) => {
      return { id: `${sequence}${at}`, sizeBytes: 1, payload: null, sequence };
    }),
  );
}

function shown(counts: Readonly<Record<string, number>>, parallelism: number) {
  return lanesOf(splitsOf(counts), parallelism).map((splits) =>
    splits.map(({ id, lane }) => `${id}@${lane?.number}/${lane?.count}`).join(' '),
  );
}

test('as many sequences as tasks: one for each', () => {
  expect(shown({ a: 2, b: 2 }, 2)).toEqual(['a0@0/1 a1@0/1', 'b0@0/1 b1@0/1']);
});

test('more sequences than tasks: lanes of a task are begun before one goes on', () => {
  expect(shown({ a: 2, b: 1, c: 2 }, 2)).toEqual(['a0@0/2 c0@1/2 a1@0/2 c1@1/2', 'b0@0/1']);
});

test('fewer sequences than tasks: they are dealt out', () => {
  expect(shown({ a: 5 }, 2)).toEqual(['a0@0/1 a2@0/1 a4@0/1', 'a1@0/1 a3@0/1']);
  expect(shown({ a: 1 }, 2)).toEqual(['a0@0/1', '']);
  expect(shown({}, 2)).toEqual(['', '']);
});

test('whatever there is, each split comes once, and those of a lane and sequence in their order', () => {
  const counts = fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 5 }), (given, parallelism) => {
      const splits = splitsOf(given);
      const tasks = lanesOf(splits, parallelism);
      expect(tasks).toHaveLength(parallelism);
      const ids = tasks.flatMap((task) => task.map(({ id }) => id));
      expect([...ids].sort()).toEqual(splits.map(({ id }) => id).sort());
      const places = new Map(splits.map(({ id }, place) => [id, place]));
      for (const task of tasks) {
        for (const number of new Set(task.map(({ lane }) => lane?.number))) {
          const own = task.filter(({ lane }) => lane?.number === number);
          const places2 = own.map(({ id }) => places.get(id) ?? -1);
          expect(places2).toEqual([...places2].sort((a, b) => a - b));
        }
      }
      if (splits.length >= parallelism && Object.keys(given).length === 1) {
        expect(tasks.every((task) => task.length > 0)).toBe(true);
      }
    }),
  );
});

test('hundreds of sequences share the lanes that a task may have', () => {
  const counts = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`s${at}`, 1]));
  const [first = [], second = []] = lanesOf(splitsOf(counts), 2);
  expect(first.length + second.length).toBe(300);
  expect(new Set(first.map(({ lane }) => lane?.number)).size).toBe(64);
});

test('each attempt of a task is given the same splits', () => {
  const supply = new FixedSplits(lanesOf(splitsOf({ a: 2, b: 1 }), 2));
  const ids = (task: string, attempt: number) =>
    [0, 1, 2].map(() => supply.next(task, attempt)?.id ?? null);
  expect(ids('v1[0]', 1)).toEqual(['a0', 'a1', null]);
  expect(ids('v1[1]', 1)).toEqual(['b0', null, null]);
  expect(ids('v1[0]', 2)).toEqual(['a0', 'a1', null]);
});
