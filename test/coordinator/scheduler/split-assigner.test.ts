/** Goal: each split is read by one task, and by each try of it in the same order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SplitAssigner } from '../../../coordinator/scheduler/split-assigner.ts';

function assignerOf(...ids: string[]): SplitAssigner {
  return new SplitAssigner(ids.map((id) => ({ id, sizeBytes: 1, payload: null })));
}

function taken(assigner: SplitAssigner, task: string, attempt: number, count: number) {
  return Array.from({ length: count }, () => assigner.next(task, attempt)?.id ?? null);
}

test('hands out each split once, in order, then null for ever', () => {
  expect(taken(assignerOf('a', 'b'), 't', 1, 4)).toEqual(['a', 'b', null, null]);
});

test('another try gets the same splits first, then goes on', () => {
  const assigner = assignerOf('a', 'b', 'c', 'd');
  expect(taken(assigner, 'one', 1, 2)).toEqual(['a', 'b']);
  expect(taken(assigner, 'two', 1, 1)).toEqual(['c']);
  expect(taken(assigner, 'one', 2, 4)).toEqual(['a', 'b', 'd', null]);
});

test('who was told that there are no more gets no more in another try', () => {
  const assigner = assignerOf('a');
  expect(taken(assigner, 'one', 1, 2)).toEqual(['a', null]);
  expect(taken(assigner, 'two', 1, 1)).toEqual([null]);
  expect(taken(assigner, 'two', 2, 1)).toEqual([null]);
  expect(taken(assigner, 'one', 2, 3)).toEqual(['a', null, null]);
});

test('whoever asks in whatever order, tries of a task agree and tasks share nothing', () => {
  const ask = fc.record({
    task: fc.constantFrom('x', 'y', 'z'),
    attempt: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 60 }), (asks) => {
      const assigner = assignerOf(...'abcdefghij');
      const got = new Map<string, (string | null)[]>();
      for (const { task, attempt } of asks) {
        const key = `${task}${attempt}`;
        got.set(key, [...(got.get(key) ?? []), assigner.next(task, attempt)?.id ?? null]);
      }
      const ofTask = (task: string) =>
        [...got].filter(([key]) => key[0] === task).map(([, ids]) => ids);
      const longest = (lists: (string | null)[][]) =>
        lists.reduce((best, list) => (list.length > best.length ? list : best), []);
      for (const task of 'xyz') {
        const whole = longest(ofTask(task));
        for (const list of ofTask(task)) expect(list).toEqual(whole.slice(0, list.length));
      }
      const all = [...'xyz'].flatMap((task) => longest(ofTask(task)).filter((id) => id !== null));
      expect(new Set(all).size).toBe(all.length);
    }),
  );
});
