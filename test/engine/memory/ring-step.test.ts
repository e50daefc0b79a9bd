/**
 * Goal: in every interleaving of a writer and a reader each message arrives once, whole and in
 * order, and nobody sleeps for ever; and a protocol without one of its precautions is found out.
 */
import { describe, expect, test } from 'vitest';
import {
  type ReaderPort,
  type ReaderState,
  ringWords,
  stepReader,
  stepWriter,
  type WriterPort,
  type WriterState,
} from '../../../engine/memory/ring-step.ts';
import { explore, type Protocol, type Scenario } from '../../support/ring-explorer.ts';

const base: Scenario = { slotCount: 2, slotPayload: 2, messages: [1, 2, 1, 2], mark: 'ended' };

test.each<{ what: string; scenario: Scenario }>([
  { what: 'four messages through two slots', scenario: base },
  { what: 'one slot', scenario: { ...base, slotCount: 1 } },
  { what: 'three slots', scenario: { ...base, slotCount: 3, messages: [1, 1, 1, 1, 1] } },
  { what: 'fragments', scenario: { ...base, messages: [3, 1, 5] } },
  { what: 'a message larger than the ring', scenario: { ...base, messages: [1, 9, 1] } },
  { what: 'empty messages', scenario: { ...base, messages: [0, 1, 0] } },
  { what: 'no message', scenario: { ...base, messages: [] } },
  { what: 'a failure', scenario: { ...base, messages: [3, 1], mark: 'failed' } },
])('every interleaving is right: $what', ({ scenario }) => {
  const { problem, worlds, readerSleeps, writerSleeps } = explore(scenario);
  expect(problem).toBeNull();
  expect(worlds).toBeGreaterThan(20);
  expect(readerSleeps).toBeGreaterThan(0);
  const slotsNeeded = scenario.messages.reduce((sum, size) => sum + Math.max(1, size / 2), 0);
  expect(writerSleeps > 0).toBe(slotsNeeded > scenario.slotCount);
});

const writerWith = (step: Protocol['stepWriter']): Protocol => ({ stepWriter: step, stepReader });
const readerWith = (step: Protocol['stepReader']): Protocol => ({ stepWriter, stepReader: step });

const bugs: Record<string, Protocol> = {
  'the writer sleeps without looking again': writerWith((state, port) => {
    const outcome = stepWriter(state, port);
    if (state.phase !== 'recheck') return outcome;
    state.phase = 'loadConsumed';
    return 'full';
  }),
  'the reader sleeps without looking again': readerWith((state, port) => {
    if (state.phase !== 'recheck') return stepReader(state, port);
    state.phase = 'loadPublished';
    return state.mark === 0 ? 'empty' : state.mark === 1 ? 'ended' : 'failed';
  }),
  'the reader looks before it registers': readerWith((state, port) => {
    if (state.phase === 'register') {
      state.phase = 'loadMark';
      return stepReader(state, port);
    }
    const outcome = stepReader(state, port);
    // The flag is set, but only after the last look.
    if (outcome === 'empty') port.store(ringWords.readerWaits, 1);
    return outcome;
  }),
  'the reader never registers': readerWith((state, port) => {
    if (state.phase === 'register') state.phase = 'loadMark';
    return stepReader(state, port);
  }),
  'the writer never registers': writerWith((state, port) => {
    if (state.phase === 'register') state.phase = 'recheck';
    return stepWriter(state, port);
  }),
  'the reader reads the mark after it has looked': readerWith(readMarkLast),
  'the slot is published before it is written': writerWith(publishFirst),
  'the slot is consumed before it is read': readerWith(consumeFirst),
  'the writer forgets to wake the reader': writerWith((state, port) => {
    return stepWriter(state, { ...port, wakeOther: () => {} });
  }),
  'the reader forgets to wake the writer': readerWith((state, port) => {
    return stepReader(state, { ...port, wakeOther: () => {} });
  }),
  'the writer looks at the flag before it publishes': writerWith(checkFirst),
  'the end does not wake the reader': writerWith((state, port) => {
    const outcome = stepWriter(state, port);
    if (state.mark === 0) return outcome;
    state.phase = 'idle';
    return 'done';
  }),
  'the writer overlooks that the ring is full': writerWith((state, port) => {
    if (state.phase === 'loadConsumed') state.phase = 'writeSlot';
    return stepWriter(state, port);
  }),
  'the flag is cleared after the bell is rung': writerWith((state, port) => {
    if (state.phase === 'clearReader') {
      port.wakeOther();
      state.phase = 'wakeReader';
      return 'again';
    }
    if (state.phase !== 'wakeReader') return stepWriter(state, port);
    return stepWriter(state, { ...port, wakeOther: () => port.store(ringWords.readerWaits, 0) });
  }),
};

describe('a planted bug is found', () => {
  test.each(Object.keys(bugs))('%s', (name) => {
    const scenarios = [base, { ...base, messages: [3, 1, 5] }, { ...base, slotCount: 1 }];
    const problems = scenarios.map((scenario) => explore(scenario, bugs[name]).problem);
    expect(problems.some((problem) => problem !== null)).toBe(true);
  });
});

/** Takes the mark after the last look at `published`, so a message may slip in between. */
function readMarkLast(state: ReaderState, port: ReaderPort) {
  if (state.phase === 'loadMark') {
    state.published = port.load(ringWords.published);
    state.phase = 'recheck';
    return 'again' as const;
  }
  if (state.phase !== 'recheck') return stepReader(state, port);
  const { published } = state;
  state.mark = port.load(ringWords.mark);
  return stepReader(state, { ...port, load: () => published });
}

function publishFirst(state: WriterState, port: WriterPort) {
  if (state.phase === 'writeSlot') {
    port.store(ringWords.published, state.published + 1);
    state.phase = 'publish';
    return 'again' as const;
  }
  if (state.phase !== 'publish') return stepWriter(state, port);
  const bytes = Math.min(state.slotPayload, state.messageBytes - state.writtenBytes);
  port.writeSlot(state, bytes);
  return stepWriter(state, { ...port, store: () => {} });
}

function consumeFirst(state: ReaderState, port: ReaderPort) {
  if (state.phase === 'readSlot') {
    port.store(ringWords.consumed, state.consumed + 1);
    // The read follows as a step of its own; `mark` is free to note that.
    if (state.mark !== 7) {
      state.mark = 7;
      return 'again' as const;
    }
    state.mark = 0;
  }
  return stepReader(state, port);
}

/** Decides whether to wake from what the flag was before the slot was published. */
function checkFirst(state: WriterState, port: WriterPort) {
  if (state.phase !== 'writeSlot') {
    if (state.phase !== 'checkReader' || state.mark !== 0) return stepWriter(state, port);
    const { consumed } = state;
    const outcome = stepWriter(state, { ...port, load: () => (consumed >= 1000 ? 1 : 0) });
    if (consumed >= 1000) state.consumed = consumed - 1000;
    return outcome;
  }
  const waits = port.load(ringWords.readerWaits);
  const outcome = stepWriter(state, port);
  if (waits === 1) state.consumed += 1000;
  return outcome;
}
