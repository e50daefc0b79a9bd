/**
 * The receiving side of one remote channel, as steps: takes each frame once and in order, whatever connections bring it, and
 * says what the sender may send.
 *
 *     frame ─▶ its turn? ── had already ─▶ dropped
 *                 │  └──── too early ────▶ the connection is out of step: another one, from `next` on
 *                 ▼
 *              room? fits its message? ─▶ into the ring, once its checksum was right ─▶ next + 1
 *
 * Why what is too early is no damage: on one connection frames come in order, so it can only mean a mistake of the sender, and
 * what was sent is still kept there.
 *
 * Invariants:
 * - A frame is acknowledged when it is in the ring, and not before.
 * - The ring is never asked for room that it has not: who sends beyond it is told so.
 * - After the end nothing is taken but what was had already.
 * Before: worker/exchange/send-channel.ts. After: engine/memory/ring-slots.ts.
 */
import { assert } from '../../base/assert.ts';
import { type FrameHeader, frameKinds } from './frame.ts';
import type { Credit } from './send-channel.ts';

export interface ReceiveState {
  /** Slots of the ring: the window of the sender, and as many for barriers. */
  readonly ringSlots: number;
  readonly slotPayload: number;
  /** Of the frame that is awaited; those before it are in the ring. */
  next: number;
  slots: number;
  /** Slots that the reader has done with. */
  consumed: number;
  /** Bytes that are missing to the message in hand; -1 between two messages. */
  missingBytes: number;
  messageBytes: number;
  isOver: boolean;
  /** What the sender was told on this connection. */
  told: Credit;
}

/** `take`: its turn; `drop`: had already. Else what is wrong with it. */
export type Judgement = 'take' | 'drop' | { readonly problem: string };

export function newReceiveState(ringSlots: number, slotPayload: number): ReceiveState {
  return {
    ...{ ringSlots, slotPayload, next: 0, slots: 0, consumed: 0, missingBytes: -1 },
    ...{ messageBytes: 0, isOver: false, told: { next: 0, consumed: 0 } },
  };
}

/** Looks at a frame before its body is read. */
export function judgeFrame(state: ReceiveState, header: FrameHeader): Judgement {
  const ahead = (header.sequence - state.next) | 0;
  if (ahead < 0) return 'drop';
  if (ahead > 0) return { problem: `frame ${header.sequence} comes before ${state.next >>> 0}` };
  if (state.isOver) return { problem: 'a frame comes after the end' };
  if (header.kind === frameKinds.slot) return judgeSlot(state, header);
  const isEarlyEnd = header.kind === frameKinds.end && state.missingBytes >= 0;
  return isEarlyEnd ? { problem: 'the end comes inside of a message' } : 'take';
}

function judgeSlot(state: ReceiveState, { bodyBytes, messageBytes }: FrameHeader): Judgement {
  if (((state.slots - state.consumed) | 0) >= state.ringSlots) {
    return { problem: 'a slot comes for which there is no credit' };
  }
  const missing = state.missingBytes < 0 ? messageBytes : state.missingBytes;
  const isOfMessage = state.missingBytes < 0 || messageBytes === state.messageBytes;
  if (!isOfMessage || bodyBytes > missing || bodyBytes > state.slotPayload) {
    return { problem: 'a slot does not fit its message' };
  }
  if (bodyBytes === 0 && messageBytes > 0)
    return { problem: 'a slot holds nothing of its message' };
  return 'take';
}

/** The frame, whose turn it was, is whole, and goes into the ring now. */
export function takeFrame(state: ReceiveState, header: FrameHeader): void {
  assert(header.sequence >>> 0 === state.next >>> 0, 'frames are taken in order');
  state.next = (state.next + 1) | 0;
  if (header.kind === frameKinds.end || header.kind === frameKinds.failed) state.isOver = true;
  if (header.kind !== frameKinds.slot) return;
  state.slots = (state.slots + 1) | 0;
  const missing = state.missingBytes < 0 ? header.messageBytes : state.missingBytes;
  const left = missing - header.bodyBytes;
  state.missingBytes = left === 0 ? -1 : left;
  state.messageBytes = header.messageBytes;
}

/** The reader has done with so many slots. */
export function readSlots(state: ReceiveState, consumed: number): void {
  state.consumed = consumed;
}

/** From where a new connection goes on; it counts as told. */
export function openReceive(state: ReceiveState): Credit {
  state.told = creditOf(state);
  return state.told;
}

/** What is to be told; null when nothing has changed. */
export function takeCreditDue(state: ReceiveState): Credit | null {
  if (state.told.next === state.next && state.told.consumed === state.consumed) return null;
  state.told = creditOf(state);
  return state.told;
}

function creditOf({ next, consumed }: ReceiveState): Credit {
  return { next, consumed };
}
