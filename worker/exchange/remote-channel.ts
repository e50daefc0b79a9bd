/** A channel whose other end is in another process, and how it is written into frames. */
import type { Checksum } from '../../base/checksum.ts';
import type { RingOptions } from '../../engine/memory/ring.ts';
import { encodeHeader, type FrameKind, frameKinds } from './frame.ts';
import type { Credit } from './send-channel.ts';

export interface RemoteChannel {
  /** Names it on both sides: edge, sender, receiver, and the attempt of their region. */
  readonly key: string;
  readonly ring: RingOptions;
  /** Of the slot thread at the other end of the ring. */
  readonly bell: number;
}

/** How many slots the ring of a receiver has: the sender's window, and as many for barriers that overtake. */
export function receivingSlots(windowSlots: number): number {
  return windowSlots * 2;
}

/** A frame without a channel, or one whose body is small. */
export function frameOf(
  checksum: Checksum,
  kind: FrameKind,
  body: Uint8Array,
  { channel = 0, sequence = 0 } = {},
): readonly Uint8Array[] {
  const header = encodeHeader(checksum, { kind, channel, sequence, messageBytes: 0 }, body);
  return [header, body];
}

export function creditFrame(checksum: Checksum, channel: number, credit: Credit) {
  const body = Uint32Array.of(credit.next, credit.consumed);
  return frameOf(checksum, frameKinds.credit, new Uint8Array(body.buffer), { channel });
}

/** Null where the body is none. */
export function decodeCredit(body: Uint8Array<ArrayBuffer>): Credit | null {
  if (body.length !== 8) return null;
  const [next = 0, consumed = 0] = new Int32Array(body.slice().buffer);
  return { next, consumed };
}

export function encodeNote(numbers: readonly [number, number, number]): Uint8Array {
  return new Uint8Array(Float64Array.from(numbers).buffer);
}

export function decodeNote(body: Uint8Array<ArrayBuffer>): [number, number, number] | null {
  if (body.length !== 24) return null;
  const [first = 0, second = 0, third = 0] = new Float64Array(body.slice().buffer);
  return [first, second, third];
}
