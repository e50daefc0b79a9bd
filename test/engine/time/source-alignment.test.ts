/** Goal: sources of a group stay together within their drift, the last one always reads, and nobody waits for ever. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sharedMomentBytes } from '../../../engine/time/shared-moment.ts';
import { holderOf, SourceAlignment } from '../../../engine/time/source-alignment.ts';

const none = Number.NEGATIVE_INFINITY;
const never = Number.POSITIVE_INFINITY;

/** A group of sources, with how far each may be ahead. */
function group(driftsMs: readonly number[]) {
  const buffer = new SharedArrayBuffer(driftsMs.length * sharedMomentBytes);
  const members = driftsMs.map((_, at) => `v${at}[0]`);
  const join = (own: number) =>
    new SourceAlignment({ buffer, members, own, driftMs: driftsMs[own] ?? 0 });
  return { join, sources: driftsMs.map((_, at) => join(at)) as [SourceAlignment, SourceAlignment] };
}

/** A source of one lane is about to read: whether it has to wait. */
function mustWait(source: SourceAlignment, watermarkMs: number, nowMs: number, isIdle = false) {
  source.tell({ watermarkMs, isIdle });
  return source.mustWait(watermarkMs, nowMs);
}

const time = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constantFrom(none, never));

test('the last of a group is held by nobody; who is not held is within the drift of it', () => {
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), fc.nat({ max: 60 }), (times, driftMs) => {
      const holders = times.map((own, place) => {
        const others = times.filter((_, other) => other !== place);
        const holder = holderOf(own, others, driftMs);
        return holder === null ? null : others[holder];
      });
      const least = Math.min(...times);
      for (const [place, own] of times.entries()) {
        const others = Math.min(never, ...times.filter((_, other) => other !== place));
        // The reference.
        expect(holders[place]).toBe(own - driftMs > others ? others : null);
        if (own === least) expect(holders[place]).toBeNull();
      }
    }),
  );
});

test('sources that read in any order come to their ends, together within the drift and a batch', () => {
  const source = fc.record({
    steps: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 20 }),
    driftMs: fc.nat({ max: 40 }),
  });
  const turns = fc.array(fc.nat({ max: 3 }), { maxLength: 100 });
  fc.assert(
    fc.property(fc.array(source, { minLength: 2, maxLength: 4 }), turns, (drawn, order) => {
      const { sources } = group(drawn.map(({ driftMs }) => driftMs));
      const reached = drawn.map(() => none);
      const left = drawn.map(({ steps }) => [...steps]);
      /** Whether it did something. */
      const turn = (place: number): boolean => {
        const alignment = sources[place];
        const step = left[place]?.shift();
        const own = reached[place] ?? none;
        if (step === undefined || alignment === undefined) {
          alignment?.end();
          return false;
        }
        if (mustWait(alignment, own, 0)) {
          left[place]?.unshift(step);
          return false;
        }
        const open = reached.filter(
          (_, other) => other !== place && (left[other]?.length ?? 0) > 0,
        );
        const driftMs = drawn[place]?.driftMs ?? 0;
        if (own !== none) expect(own - Math.min(never, ...open)).toBeLessThanOrEqual(driftMs);
        reached[place] = (own === none ? 0 : own) + step;
        return true;
      };
      for (const place of order) turn(place % drawn.length);
      // As long as anybody has rows, somebody can read: two rounds, for what a turn tells is seen in the next one.
      for (let quiet = 0; quiet < 2; ) {
        quiet = drawn.map((_, place) => turn(place)).includes(true) ? 0 : quiet + 1;
      }
      expect(left.every((steps) => steps.length === 0)).toBe(true);
    }),
  );
});

test('who waits says for whom, and looks again in a moment', () => {
  const { sources } = group([10, 1_000]);
  const [fast, slow] = sources;
  expect(mustWait(fast, none, 0)).toBe(false);
  expect(mustWait(fast, 50, 0)).toBe(true);
  expect(fast.report).toEqual({ taskId: 'v1[0]', watermarkMs: null, reachedMs: 50, driftMs: 10 });
  expect(fast.dueAtMs).toBe(5);
  expect(mustWait(slow, 39, 3)).toBe(false);
  expect([mustWait(fast, 50, 5), fast.report?.watermarkMs, fast.dueAtMs]).toEqual([true, 39, 10]);
  expect(mustWait(slow, 40, 6)).toBe(false);
  expect([mustWait(fast, 50, 10), fast.report, fast.dueAtMs]).toEqual([false, null, never]);
});

test('one that is idle or has ended holds nobody; one that comes back does', () => {
  const { sources } = group([10, 10]);
  const [fast, slow] = sources;
  mustWait(slow, 0, 0);
  expect(mustWait(fast, 50, 0)).toBe(true);
  mustWait(slow, 0, 1, true);
  expect(mustWait(fast, 50, 1)).toBe(false);
  mustWait(slow, 0, 2);
  expect(mustWait(fast, 50, 2)).toBe(true);
  slow.end();
  expect(mustWait(fast, 50, 3)).toBe(false);
});

test('one whose rows have no room for a second holds nobody until it goes on', () => {
  const { sources } = group([10, 10]);
  const [fast, slow] = sources;
  mustWait(slow, 0, 0);
  slow.getStuck(100);
  expect(slow.dueAtMs).toBe(1_100);
  slow.getStuck(1_099);
  expect(mustWait(fast, 50, 1_099)).toBe(true);
  slow.getStuck(1_100);
  expect([mustWait(fast, 50, 1_101), slow.dueAtMs]).toEqual([false, never]);
  expect(mustWait(slow, 0, 1_200)).toBe(false);
  expect(mustWait(fast, 50, 1_200)).toBe(true);
  // What it went on from does not count when it is stuck again.
  slow.getStuck(1_300);
  expect(mustWait(fast, 50, 1_300)).toBe(true);
});

test('one that waits for other rows before its first holds nobody from the start', () => {
  const { sources } = group([10, 10]);
  const [fast, slow] = sources;
  slow.getStuck(0);
  expect(mustWait(fast, 50, 0)).toBe(false);
  // Nobody knows how far its first rows are while they have no room: it holds as others do.
  mustWait(slow, none, 1);
  slow.getStuck(1);
  expect(mustWait(fast, 50, 1)).toBe(true);
});

test('a task that runs again begins anew: the others wait for it', () => {
  const { join, sources } = group([10, 10]);
  const [fast, slow] = sources;
  slow.end();
  expect(mustWait(fast, 50, 0)).toBe(false);
  const again = join(1);
  expect(mustWait(fast, 50, 0)).toBe(true);
  mustWait(again, 45, 0);
  expect(mustWait(fast, 50, 0)).toBe(false);
});
