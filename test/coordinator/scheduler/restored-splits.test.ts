/** Goal: what no task has finished is read, once, in the old order, and from where it had been read. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { restoredSplits } from '../../../coordinator/scheduler/restored-splits.ts';
import type { Split } from '../../../engine/contracts/source.ts';

const split = (id: string, position?: number): Split => ({
  id,
  sizeBytes: 1,
  payload: { of: id },
  ...(position !== undefined && { position }),
});

test('finished ones are left out, open ones go on, the others begin', () => {
  const known = ['a', 'b', 'c', 'd'].map((id) => split(id));
  const snapshots = [
    { finished: ['a'], open: [] },
    { finished: [], open: [{ splitId: 'c', position: 700 }] },
  ];
  expect(restoredSplits(known, snapshots)).toEqual({
    unread: [split('b'), split('c', 700), split('d')],
    finished: ['a'],
  });
});

test('without any task that has begun, all is as it was', () => {
  const known = [split('a', 3), split('b')];
  expect(restoredSplits(known, [])).toEqual({ unread: known, finished: [] });
});

test('what was restored and not gone on with keeps its position; what had been finished stays so', () => {
  const known = [split('a'), split('b', 9), split('c', 5)];
  const before = { finished: ['a'], open: [] };
  const task = { finished: [], open: [{ splitId: 'c', position: 6 }] };
  const restored = restoredSplits(known, [before, task]);
  expect(restored).toEqual({ unread: [split('b', 9), split('c', 6)], finished: ['a'] });
});

test.each`
  what                           | snapshots                                                                                                             | message
  ${'a split that is not known'} | ${[{ finished: ['x'], open: [] }]}                                                                                    | ${/was given/}
  ${'a split open twice'}        | ${[{ finished: [], open: [{ splitId: 'a', position: 1 }] }, { finished: [], open: [{ splitId: 'a', position: 1 }] }]} | ${/open in one task/}
  ${'a split open and finished'} | ${[{ finished: ['a'], open: [{ splitId: 'a', position: 1 }] }]}                                                       | ${/not been finished/}
`('$what can not be', ({ snapshots, message }) => {
  expect(() => restoredSplits([split('a')], snapshots)).toThrow(message);
});

test('a split is unread or finished, never both, whatever tasks have done, over many restarts', () => {
  const states = fc.array(fc.constantFrom('new', 'open', 'finished'), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(states, { maxLength: 4 }), (attempts) => {
      const all = Array.from({ length: 20 }, (_, at) => split(`s${at}`));
      let unread: readonly Split[] = all;
      let finished: readonly string[] = [];
      for (const [attempt, taken] of attempts.entries()) {
        const inState = (state: string) =>
          unread.filter((_, at) => taken[at] === state).map(({ id }) => id);
        const known = all.map((one) => unread.find(({ id }) => id === one.id) ?? one);
        const open = inState('open').map((splitId) => ({ splitId, position: attempt }));
        const restored = restoredSplits(known, [
          { finished, open: [] },
          { finished: inState('finished'), open },
        ]);
        expect(restored.finished.length).toBe(finished.length + inState('finished').length);
        ({ unread, finished } = restored);
        const ids = [...finished, ...unread.map(({ id }) => id)];
        expect(new Set(ids).size).toBe(all.length);
        expect(ids.length).toBe(all.length);
      }
    }),
  );
});
