/**
 * Goal: slots that are carried from one ring to another make the same messages there, no slot is written before it was given
 * back, and nobody sleeps for ever, in every interleaving with a writer; mistakes in the order of accesses are found.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RingReader, RingWriter, ringBytes } from '../../../engine/memory/ring.ts';
import {
  beginReturn,
  newSlotReaderState,
  type SlotReaderState,
  stepLook,
  stepReturn,
} from '../../../engine/memory/ring-slot-step.ts';
import { SlotReader, SlotWriter } from '../../../engine/memory/ring-slots.ts';
import {
  type ReaderOutcome,
  type ReaderPort,
  type ReaderState,
  ringWords,
  stepWriter,
} from '../../../engine/memory/ring-step.ts';
import { explore, type Protocol, type Scenario } from '../../support/ring-explorer.ts';

interface Steps {
  readonly look: typeof stepLook;
  readonly giveBack: typeof stepReturn;
}

/** A reader made of the steps: it keeps a slot until it has the next, or finds none. */
function protocolOf({ look, giveBack }: Steps): Protocol {
  const read = (
    state: ReaderState & { own?: SlotReaderState },
    port: ReaderPort,
  ): ReaderOutcome => {
    state.own = { ...(state.own ?? newSlotReaderState()) };
    const { own } = state;
    if (own.returnPhase !== 'idle') {
      giveBack(own, port);
      return 'again';
    }
    if (state.consumed !== own.seen) return readNext(state, port);
    const outcome = look(own, port);
    // What is kept is given back before it sleeps, or the writer would wait for it.
    if (outcome !== 'slots') beginReturn(own, state.consumed);
    if (outcome === 'none') return own.returnPhase === 'idle' ? 'empty' : 'again';
    if (outcome !== 'ended' && outcome !== 'failed') return 'again';
    return own.returnPhase === 'idle' ? outcome : 'again';
  };
  const readNext = (state: ReaderState & { own?: SlotReaderState }, port: ReaderPort) => {
    const { fragmentBytes, messageBytes } = port.readSlot(state);
    if (state.own !== undefined) beginReturn(state.own, state.consumed);
    state.consumed++;
    state.slot = (state.slot + 1) % state.slotCount;
    state.receivedBytes += fragmentBytes;
    if (state.receivedBytes < messageBytes) return 'again';
    state.receivedBytes = 0;
    return 'message';
  };
  return { stepWriter, stepReader: read };
}

const base: Scenario = { slotCount: 2, slotPayload: 2, messages: [1, 2, 1, 2], mark: 'ended' };
const real: Steps = { look: stepLook, giveBack: stepReturn };

test.each<{ what: string; scenario: Scenario }>([
  { what: 'two slots', scenario: base },
  { what: 'one slot', scenario: { ...base, slotCount: 1 } },
  { what: 'fragments', scenario: { ...base, messages: [3, 1, 5] } },
  { what: 'a failure', scenario: { ...base, messages: [3, 1], mark: 'failed' } },
])('every interleaving is right: $what', ({ scenario }) => {
  const { problem, readerSleeps } = explore(scenario, protocolOf(real));
  expect(problem).toBeNull();
  expect(readerSleeps).toBeGreaterThan(0);
});

const mistakes: Record<string, Steps> = {
  'never registers': {
    ...real,
    look: (state, port) => {
      if (state.lookPhase === 'register') state.lookPhase = 'loadMark';
      return stepLook(state, port);
    },
  },
  'does not look again': {
    ...real,
    look: (state, port) => {
      if (state.lookPhase !== 'recheck') return stepLook(state, port);
      state.lookPhase = 'loadPublished';
      return state.mark === 0 ? 'none' : 'ended';
    },
  },
  'takes the mark last': {
    ...real,
    look: (state, port) => {
      if (state.lookPhase === 'loadMark') {
        state.lookPhase = 'recheck';
        const published = port.load(ringWords.published);
        if (published === state.seen) return 'again';
        state.seen = published;
        state.lookPhase = 'loadPublished';
        return 'slots';
      }
      if (state.lookPhase !== 'recheck') return stepLook(state, port);
      state.mark = port.load(ringWords.mark);
      return stepLook(state, { ...port, load: () => state.seen });
    },
  },
  'does not wake the writer': {
    ...real,
    giveBack: (state, port) => stepReturn(state, { ...port, wakeOther: () => undefined }),
  },
};

describe('a planted mistake is found', () => {
  test.each(Object.keys(mistakes))('%s', (name) => {
    const steps = mistakes[name] ?? real;
    const problems = [base, { ...base, slotCount: 1 }].map((scenario) => {
      return explore(scenario, protocolOf(steps)).problem;
    });
    expect(problems.some((problem) => problem !== null)).toBe(true);
  });
});

test('what is carried makes the same messages, notes at the same places and the same end', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 });
  fc.assert(
    fc.property(messages, fc.infiniteStream(fc.nat(3)), (list, turns) => {
      const scene = carryScene(list);
      const moves = [scene.write, scene.carry, scene.giveBack, scene.read];
      for (let turn = 0; turn < 10_000 && !scene.hasEnded(); turn++) {
        moves[turns.next().value]?.();
      }
      expect(scene.received).toEqual(list.map((message) => [...message]));
      expect(scene.notesAt).toEqual(scene.notedAt);
    }),
    { numRuns: 200 },
  );
});

/** Two rings, a writer, a carrier and a reader; after each message the writer leaves a note. */
function carryScene(list: readonly Uint8Array[]) {
  const [near, far] = [ringOf(4), ringOf(8)];
  const writer = new RingWriter(near, () => undefined);
  const from = new SlotReader(near, () => undefined);
  const to = new SlotWriter(far, () => undefined);
  const reader = new RingReader(far, () => undefined);
  const received: number[][] = [];
  const notedAt: number[] = [];
  const notesAt: number[] = [];
  let [sent, carried, written, hasToldEnd, hasEnded] = [0, 0, 0, false, false];
  const write = (): void => {
    const message = list[sent];
    if (message === undefined) {
      if (sent++ === list.length) writer.end();
      return;
    }
    if (!writer.tryWrite(message)) return;
    sent++;
    written += Math.max(1, Math.ceil(message.length / 16));
    writer.note([sent, 0, 0]);
    notedAt.push(written);
  };
  const carrySlots = (until: number): void => {
    for (; carried !== until && carried - to.consumed() < 8; carried++) {
      const { fragment, messageBytes } = from.slotAt(carried);
      to.room(fragment.length).set(fragment);
      to.publish(fragment.length, messageBytes);
    }
  };
  const carry = (): void => {
    const outcome = from.look();
    const note = carried === from.seen ? from.takeNote() : null;
    if (note !== null) {
      // As no slot follows that was seen, the place is where the other ring is.
      expect(note.place).toBeLessThanOrEqual(carried);
      notesAt.push(note.place);
    }
    carrySlots(from.seen);
    if (outcome !== 'ended' || carried !== from.seen || note !== null || hasToldEnd) return;
    hasToldEnd = true;
    to.end();
  };
  const read = (): void => {
    let target = new Uint8Array(0);
    const outcome = reader.tryRead((sizeBytes) => {
      target = new Uint8Array(sizeBytes);
      return target;
    });
    if (outcome === 'message') received.push([...target]);
    if (outcome === 'ended') hasEnded = true;
  };
  const giveBack = () => from.giveBack(carried);
  return { write, carry, giveBack, read, received, notedAt, notesAt, hasEnded: () => hasEnded };
}

function ringOf(slotCount: number) {
  return { buffer: new SharedArrayBuffer(ringBytes(slotCount, 32)), slotCount, slotBytes: 32 };
}
