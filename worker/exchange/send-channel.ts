/**
 * The sending side of one remote channel, as steps: no ring, no socket, no clock. Frames are made of what is in the ring, are
 * sent as far as the reader has room, and kept until the receiver has them.
 *
 *     ring    [ given back │ slots of kept frames │ not seen ]
 *     frames               acked ────▶ sent ────▶ made
 *                            sent on this connection │ waits for credit, or for the connection
 *
 * **Resume.** A frame's sequence number is its place in the channel's life, whatever connection carries it. The receiver says on
 * each connection from which number it goes on; from there frames are sent again. So none is lost, and the receiver drops what
 * it has already. Frames hold no bytes: the slots stay in the ring until the receiver has them.
 *
 * **Credit.** The reader's ring has `windowSlots` of room, and so many slots again for a barrier that overtakes: where a note
 * waits behind slots, they go out beyond the window, up to twice of it. As a slot has a fixed size, room in slots is room in
 * bytes. The receiver tells counts that only grow, never differences: told twice, or late, they do no harm.
 *
 * Invariants:
 * - slotsAcked <= slotsSent <= slotsMade; slotsSent - slotsConsumed is at most twice the window.
 * - A slot is given back when the receiver has it, and not before.
 * - What an older connection says changes nothing.
 * Before: engine/memory/ring-slots.ts. After: worker/exchange/receive-channel.ts.
 */
import type { RingNote } from '../../engine/memory/ring-notes.ts';

/** What is sent, in its order, beside slots. */
export type KeptFrame =
  /** @param place - Of the slot in the ring. */
  | { readonly kind: 'slot'; readonly place: number }
  | { readonly kind: 'note'; readonly numbers: RingNote['numbers'] }
  | { readonly kind: 'end' | 'failed' };

export interface SendState {
  /** Room for slots in the ring of the reader, without that for barriers. */
  readonly windowSlots: number;
  /** Made and not acknowledged; the first has the sequence number `acked`. */
  readonly kept: KeptFrame[];
  acked: number;
  /** How many of the kept ones were sent on this connection. */
  sentCount: number;
  slotsMade: number;
  slotsAcked: number;
  slotsSent: number;
  /** Slots that the reader has done with. */
  slotsConsumed: number;
  /** The newest that has carried the channel; 0: none has. */
  connection: number;
  /** Whether it still does. */
  isConnected: boolean;
}

/** What the receiver tells of a channel: how many frames it has, and how many slots its reader has done with. */
export interface Credit {
  readonly next: number;
  readonly consumed: number;
}

export function newSendState(windowSlots: number): SendState {
  return {
    ...{ windowSlots, kept: [], acked: 0, sentCount: 0 },
    ...{
      slotsMade: 0,
      slotsAcked: 0,
      slotsSent: 0,
      slotsConsumed: 0,
      connection: 0,
      isConnected: false,
    },
  };
}

/** Slots up to `seen` are in the ring, and these notes; notes that lie further behind are left. */
export function makeFrames(state: SendState, seen: number, notes: RingNote[]): void {
  for (;;) {
    for (let [note] = notes; note !== undefined && isAt(note, state); [note] = notes) {
      state.kept.push({ kind: 'note', numbers: note.numbers });
      notes.shift();
    }
    if (state.slotsMade === seen) return;
    state.kept.push({ kind: 'slot', place: state.slotsMade });
    state.slotsMade = (state.slotsMade + 1) | 0;
  }
}

/** Nothing follows. */
export function makeMark(state: SendState, kind: 'end' | 'failed'): void {
  state.kept.push({ kind });
}

/** The receiver goes on with the channel on a connection; answers what is wrong with that, or null. */
export function openSend(state: SendState, connection: number, credit: Credit): string | null {
  if (connection <= state.connection) return null; // It was opened, or a newer one carries it.
  const ahead = (credit.next - state.acked) | 0;
  if (ahead < 0 || ahead > state.kept.length) {
    return `it goes on from frame ${credit.next >>> 0}, and ${state.kept.length} from ${state.acked >>> 0} are kept`;
  }
  state.connection = connection;
  state.isConnected = true;
  state.sentCount = state.kept.length;
  state.slotsSent = state.slotsMade;
  const problem = takeCredit(state, connection, credit);
  state.sentCount = 0;
  state.slotsSent = state.slotsAcked;
  return problem;
}

/** Credit came on a connection; answers what is wrong with it, or null. */
export function takeCredit(state: SendState, connection: number, credit: Credit): string | null {
  if (connection !== state.connection || !state.isConnected) return null;
  const frames = (credit.next - state.acked) | 0;
  if (frames < 0) return null; // Told before what is known already.
  if (frames > state.sentCount) return 'it has frames that were not sent';
  for (const { kind } of state.kept.splice(0, frames)) {
    if (kind === 'slot') state.slotsAcked = (state.slotsAcked + 1) | 0;
  }
  state.acked = credit.next | 0;
  state.sentCount -= frames;
  if (((credit.consumed - state.slotsAcked) | 0) > 0) return 'it has read slots that it has not';
  const isNew = ((credit.consumed - state.slotsConsumed) | 0) > 0;
  if (isNew) state.slotsConsumed = credit.consumed | 0;
  return null;
}

/** A connection ended. */
export function closeSend(state: SendState, connection: number): void {
  if (connection === state.connection) state.isConnected = false;
}

/** The next frame to be sent, which is taken as sent; null where there is none, or no room for it. */
export function nextFrame(state: SendState): { sequence: number; frame: KeptFrame } | null {
  const frame = state.kept[state.sentCount];
  if (!state.isConnected || frame === undefined || !hasRoom(state, frame)) return null;
  const sequence = (state.acked + state.sentCount) | 0;
  state.sentCount++;
  if (frame.kind === 'slot') state.slotsSent = (state.slotsSent + 1) | 0;
  return { sequence, frame };
}

function isAt({ place }: RingNote, { slotsMade }: SendState): boolean {
  return ((place - slotsMade) | 0) <= 0;
}

function hasRoom(state: SendState, { kind }: KeptFrame): boolean {
  if (kind !== 'slot') return true;
  const inFlight = (state.slotsSent - state.slotsConsumed) | 0;
  if (inFlight < state.windowSlots) return true;
  return inFlight < state.windowSlots * 2 && hasNoteBehind(state);
}

function hasNoteBehind({ kept, sentCount }: SendState): boolean {
  return kept.some(({ kind }, index) => index >= sentCount && kind === 'note');
}
