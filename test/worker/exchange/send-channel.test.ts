/**
 * Goal: whatever the network does, each frame of a remote channel arrives once and in order, what is in flight never exceeds the
 * room of the reader, a slot is given back only when the receiver has it, and a barrier is not held up by a reader that stands.
 * Planted mistakes are found.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChannelSteps, realSteps, runChannel } from './channel-world.ts';

const moves = fc.array(fc.nat(999), { minLength: 20, maxLength: 400 });

test('frames arrive once and in order over connections that break, delay and repeat', () => {
  fc.assert(
    fc.property(moves, (choices) => {
      expect(runChannel(choices)).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});

/** What a step of the protocol does wrongly. */
const mistakes: Record<string, Partial<ChannelSteps>> = {
  'what was only received in part is acknowledged': {
    takeCreditDue: (state) => {
      const credit = realSteps.takeCreditDue(state);
      return credit && { ...credit, next: credit.next + 1 };
    },
  },
  'credit is given twice': {
    takeCredit: (state, connection, credit) => {
      const problem = realSteps.takeCredit(state, connection, credit);
      if (problem === null) state.slotsConsumed += 1;
      return problem;
    },
  },
  'a frame that was had is taken again': {
    judgeFrame: (state, header) => {
      const judged = realSteps.judgeFrame(state, header);
      return judged === 'drop' ? 'take' : judged;
    },
    takeFrame: (state, header) => realSteps.takeFrame(state, { ...header, sequence: state.next }),
  },
  'a frame that is too early is taken': {
    judgeFrame: (state, header) => {
      return realSteps.judgeFrame(state, { ...header, sequence: state.next });
    },
    takeFrame: (state, header) => realSteps.takeFrame(state, { ...header, sequence: state.next }),
  },
  'an older connection counts': {
    openSend: (state, _, credit) => realSteps.openSend(state, state.connection + 1, credit),
    takeCredit: (state, _, credit) => realSteps.takeCredit(state, state.connection, credit),
  },
  'a new connection goes on where the old one stopped': {
    openSend: (state, connection, credit) => {
      const { sentCount, slotsSent, acked } = state;
      const problem = realSteps.openSend(state, connection, credit);
      state.sentCount = Math.max(0, sentCount - (state.acked - acked));
      state.slotsSent = Math.max(slotsSent, state.slotsAcked);
      return problem;
    },
  },
  'what was sent is given back before the receiver has it': {
    nextFrame: (state) => {
      const sent = realSteps.nextFrame(state);
      if (sent?.frame.kind === 'slot') state.slotsAcked++;
      return sent;
    },
  },
  'room is not asked for': {
    nextFrame: (state) =>
      realSteps.nextFrame(Object.assign(state, { slotsConsumed: state.slotsSent })),
  },
  'a barrier waits for the window': {
    nextFrame: (state) => {
      const isFull = state.slotsSent - state.slotsConsumed >= state.windowSlots;
      const isSlot = state.kept[state.sentCount]?.kind === 'slot';
      return isFull && isSlot ? null : realSteps.nextFrame(state);
    },
  },
  'credit is forgotten': { takeCreditDue: () => null },
};

describe('a planted mistake is found', () => {
  test.each(Object.keys(mistakes))('%s', (name) => {
    const steps = { ...realSteps, ...mistakes[name] };
    const found = fc.check(
      fc.property(moves, (choices) => runChannel(choices, steps) === null),
      { numRuns: 2_000, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
  });
});
