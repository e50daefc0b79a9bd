/** Barriers of several channels become one, with all rows in front of them before it and none behind. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BarrierAligner } from '../../../engine/checkpoint/barrier-aligner.ts';

const barrier = (checkpointId: number) => ({ kind: 'barrier', checkpointId }) as const;
const passed = (checkpointId: number) => ({ ...barrier(checkpointId), alignmentMs: 0 });
const counted = (checkpointId: number) =>
  ({ ...barrier(checkpointId), mode: 'at-least-once' }) as const;

test('the barrier of all comes with the last channel, and those before it are blocked till then', () => {
  const aligner = new BarrierAligner(3);
  expect(aligner.arrive(1, barrier(4))).toBeNull();
  expect([0, 1, 2].map((channel) => aligner.isBlocked(channel))).toEqual([false, true, false]);
  expect(aligner.arrive(0, barrier(4))).toBeNull();
  expect(aligner.arrive(2, barrier(4))).toEqual(passed(4));
  expect(aligner.isAligning).toBe(false);
  expect([0, 1, 2].map((channel) => aligner.isBlocked(channel))).toEqual([false, false, false]);
});

test('a channel that ends counts as one that has brought the barrier', () => {
  const aligner = new BarrierAligner(2);
  expect(aligner.arrive(0, barrier(1))).toBeNull();
  expect(aligner.end(1)).toEqual(passed(1));
  expect(aligner.arrive(0, barrier(2))).toEqual(passed(2));
  expect(aligner.end(0)).toBeNull();
});

test('a later barrier takes the place of one that was given up', () => {
  const aligner = new BarrierAligner(2);
  expect(aligner.arrive(0, barrier(1))).toBeNull();
  expect(aligner.arrive(1, barrier(2))).toBeNull();
  expect(aligner.isBlocked(0)).toBe(false);
  expect(aligner.arrive(0, barrier(2))).toEqual(passed(2));
});

test('barriers that are counted block nothing, and several are waited for at once', () => {
  const aligner = new BarrierAligner(2);
  expect(aligner.arrive(0, counted(1))).toBeNull();
  expect(aligner.arrive(0, counted(2))).toBeNull();
  expect(aligner.isBlocked(0)).toBe(false);
  expect(aligner.arrive(1, counted(1))?.checkpointId).toBe(1);
  expect(aligner.isAligning).toBe(true);
  expect(aligner.arrive(1, counted(2))?.checkpointId).toBe(2);
  expect(aligner.takeDropped()).toEqual([]);
});

test('what comes behind a later one is said to come no more', () => {
  const aligner = new BarrierAligner(2);
  aligner.arrive(0, barrier(1));
  aligner.arrive(1, barrier(3));
  expect(aligner.takeDropped()).toEqual([1]);
  expect(aligner.arrive(0, barrier(2))).toBeNull();
  expect([aligner.takeDropped(), aligner.isBlocked(0)]).toEqual([[2], false]);
  expect(aligner.pass(3, 0)).toBe(0);
  expect(aligner.arrive(0, barrier(3))).toBeNull();
});

test('one that is given up is waited for no more, and does not come again', () => {
  const aligner = new BarrierAligner(2);
  aligner.arrive(0, barrier(5));
  aligner.cancel(5);
  expect(aligner.isBlocked(0)).toBe(false);
  expect(aligner.arrive(1, barrier(5))).toBeNull();
  expect([aligner.isOver(5), aligner.isAligning, aligner.takeDropped()]).toEqual([true, false, []]);
});

test('the oldest one whose time is up turns, from when it was first heard of', () => {
  const aligner = new BarrierAligner(2);
  const turning = (checkpointId: number) => ({ ...barrier(checkpointId), timeoutMs: 10 });
  aligner.announce(turning(1), 100);
  aligner.announce(turning(2), 105);
  expect([aligner.dueAtMs, aligner.due(109)]).toEqual([110, null]);
  expect(aligner.due(120)?.checkpointId).toBe(1);
  expect(aligner.pass(1, 120)).toBe(20);
  expect(aligner.due(120)?.checkpointId).toBe(2);
});

/** What each channel brings: rows, barriers with growing numbers (all of them, or some left out), and its end. */
const channels = fc.array(
  fc.array(fc.record({ rows: fc.nat(3), isGivenUp: fc.boolean() }), { maxLength: 6 }),
  { minLength: 1, maxLength: 4 },
);

test('in any order of arrival a barrier parts the rows of every channel at its place', () => {
  fc.assert(
    fc.property(channels, fc.infiniteStream(fc.nat(3)), (plans, turns) => {
      const queues = plans.map((plan, channel) => {
        // A checkpoint that was given up has not reached every channel.
        const sent = plan.map(({ isGivenUp }) => !isGivenUp || channel === 0);
        return plan.flatMap(({ rows }, index) => {
          const behind = sent.lastIndexOf(true, index - 1) + 1;
          const next = sent.indexOf(true, index);
          const row = {
            behind: index === 0 ? 0 : behind,
            front: next < 0 ? Number.POSITIVE_INFINITY : next + 1,
          };
          const all = Array.from({ length: rows }, () => row);
          return sent[index] ? [...all, barrier(index + 1)] : all;
        });
      });
      const aligner = new BarrierAligner(queues.length);
      const read: number[] = [0]; // The barriers that rows were behind.
      const passed: number[] = [];
      let open = queues.map((_, channel) => channel);
      while (open.length > 0) {
        const ready = open.filter((channel) => !aligner.isBlocked(channel));
        expect(ready.length).toBeGreaterThan(0); // Nobody waits for ever.
        const channel = ready[(turns.next().value ?? 0) % ready.length] ?? 0;
        const element = queues[channel]?.shift();
        if (element !== undefined && 'front' in element) {
          // A row in front of barrier n is never read behind it.
          expect(element.front).toBeGreaterThan(passed.at(-1) ?? 0);
          read.push(element.behind);
          continue;
        }
        const out = element === undefined ? aligner.end(channel) : aligner.arrive(channel, element);
        if (element === undefined) open = open.filter((one) => one !== channel);
        if (out === null) continue;
        // A row behind it has not been read yet.
        expect(Math.max(...read)).toBeLessThan(out.checkpointId);
        passed.push(out.checkpointId);
      }
      expect(passed).toEqual([...passed].sort((a, b) => a - b));
      // What reached every channel, or came before its end, went through.
      const everywhere = (plans[0] ?? []).flatMap((_, index) =>
        plans.every((plan, at) => at === 0 || plan[index]?.isGivenUp !== true) ? [index + 1] : [],
      );
      expect(passed).toEqual(expect.arrayContaining(everywhere));
    }),
  );
});
