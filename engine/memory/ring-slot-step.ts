/**
 * The reading side of a ring whose slots are carried elsewhere, as steps: slots are looked at when they are published, and
 * given back when whoever they were carried to has them, which is later.
 *
 *     given back ──── kept ────┬──── not seen ────
 *               ▲ consumed     ▲ seen            ▲ published
 *
 * The other side is a plain writer (engine/memory/ring-step.ts): the order of accesses is that of `stepReader`, and so is the
 * reason why no wake-up is lost. A test drives these steps, too, through every interleaving with a writer.
 * Before: engine/memory/ring-step.ts. After: engine/memory/ring-slots.ts.
 */
import { assert, assertNever } from '../../base/assert.ts';
import { type RingPort, ringMarks, ringWords } from './ring-step.ts';

export interface SlotReaderState {
  lookPhase: 'loadPublished' | 'register' | 'loadMark' | 'recheck';
  returnPhase: 'idle' | 'consume' | 'checkWriter' | 'clearWriter' | 'wakeWriter';
  /** Slots that were given back. */
  consumed: number;
  /** Slots that are known to be written. */
  seen: number;
  mark: number;
}

/** `slots`: more are known than before. `ended`, `failed`: all are known, and what follows them. */
export type LookOutcome = 'again' | 'slots' | 'none' | 'ended' | 'failed';

export function newSlotReaderState(): SlotReaderState {
  return {
    ...{ lookPhase: 'loadPublished', returnPhase: 'idle' },
    ...{ consumed: 0, seen: 0, mark: ringMarks.open },
  };
}

/** One access while looking for slots. After `none`, look again when woken. */
export function stepLook(
  state: SlotReaderState,
  port: Pick<RingPort, 'load' | 'store'>,
): LookOutcome {
  switch (state.lookPhase) {
    case 'loadPublished':
      if (see(state, port.load(ringWords.published))) return 'slots';
      state.lookPhase = 'register';
      return 'again';
    case 'register':
      port.store(ringWords.readerWaits, 1);
      state.lookPhase = 'loadMark';
      return 'again';
    case 'loadMark':
      state.mark = port.load(ringWords.mark);
      state.lookPhase = 'recheck';
      return 'again';
    case 'recheck':
      state.lookPhase = 'loadPublished';
      if (see(state, port.load(ringWords.published))) return 'slots';
      if (state.mark === ringMarks.ended) return 'ended';
      return state.mark === ringMarks.failed ? 'failed' : 'none';
    default:
      return assertNever(state.lookPhase);
  }
}

/** Starts giving back the slots in front of a place; step until `done`. */
export function beginReturn(state: SlotReaderState, place: number): void {
  assert(state.returnPhase === 'idle', 'slots are given back one time after the other');
  assert(((place - state.consumed) | 0) >= 0, 'what was given back stays so');
  assert(((state.seen - place) | 0) >= 0, 'only slots that were seen are given back');
  if (place === state.consumed) return;
  state.consumed = place;
  state.returnPhase = 'consume';
}

/** One access while giving slots back. */
export function stepReturn(state: SlotReaderState, port: RingPort): 'again' | 'done' {
  switch (state.returnPhase) {
    case 'idle':
      return 'done';
    case 'consume':
      port.store(ringWords.consumed, state.consumed);
      state.returnPhase = 'checkWriter';
      return 'again';
    case 'checkWriter':
      state.returnPhase = port.load(ringWords.writerWaits) === 0 ? 'idle' : 'clearWriter';
      return state.returnPhase === 'idle' ? 'done' : 'again';
    case 'clearWriter':
      port.store(ringWords.writerWaits, 0);
      state.returnPhase = 'wakeWriter';
      return 'again';
    case 'wakeWriter':
      port.wakeOther();
      state.returnPhase = 'idle';
      return 'done';
    default:
      return assertNever(state.returnPhase);
  }
}

function see(state: SlotReaderState, published: number): boolean {
  if (published === state.seen) return false;
  state.seen = published;
  return true;
}
