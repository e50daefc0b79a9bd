/**
 * Frames of the exchange: what goes over a connection between two executors.
 *
 *     0   u32 kind, with a mark in its upper half      u32 channel      u32 sequence      u32 bytes of the body
 *     16  u32 bytes of the message, of a slot           u32 CRC32C of the body    u32 0    u32 CRC32C of these 28 bytes
 *     32  the body
 *
 *     receiver ──▶ sender     hello, open, credit, close
 *     sender   ──▶ receiver   welcome, refuse, slot, note, end, failed, ping
 *
 * The header has a checksum of its own: who believed a damaged length would wait for bytes that nobody sends. All numbers
 * are little-endian. What the frames of a channel mean: worker/exchange/send-channel.ts and receive-channel.ts.
 *
 * On the wire: never renumber; a change of meaning is another `exchangeVersion`.
 */
import type { Checksum } from '../../base/checksum.ts';

/** Both sides have the same one, or refuse each other. */
export const exchangeVersion = 1;

export const frameKinds = {
  hello: 1,
  welcome: 2,
  refuse: 3,
  open: 4,
  slot: 5,
  note: 6,
  end: 7,
  failed: 8,
  credit: 9,
  close: 10,
  ping: 11,
} as const;

export type FrameKind = (typeof frameKinds)[keyof typeof frameKinds];

export const frameHeaderBytes = 32;
/** Of all frames but slots, whose body goes straight into a ring. */
export const smallBodyBytesMax = 16 * 1024;

const kindMark = 0x4d58_0000;
const checkedBytes = 28;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly channel: number;
  readonly sequence: number;
  readonly bodyBytes: number;
  readonly messageBytes: number;
  readonly bodyChecksum: number;
}

const kindValues: ReadonlySet<number> = new Set(Object.values(frameKinds));

export function encodeHeader(
  checksum: Checksum,
  header: Omit<FrameHeader, 'bodyBytes' | 'bodyChecksum'>,
  body: Uint8Array,
): Uint8Array {
  const { kind, channel, sequence, messageBytes } = header;
  const words = new Uint32Array(frameHeaderBytes / 4);
  const bytes = new Uint8Array(words.buffer);
  words.set([kindMark | kind, channel, sequence, body.length, messageBytes]);
  words[5] = body.length === 0 ? 0 : checksum(body);
  words[7] = checksum(bytes.subarray(0, checkedBytes));
  return bytes;
}

/** Null: these bytes are no header. @param bytes - As many as a header has, at a multiple of 4. */
export function decodeHeader(
  checksum: Checksum,
  bytes: Uint8Array<ArrayBuffer>,
): FrameHeader | null {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, frameHeaderBytes / 4);
  const [marked = 0, channel = 0, sequence = 0, bodyBytes = 0, messageBytes = 0] = words;
  const kind = marked ^ kindMark;
  if (!isKind(kind) || words[7] !== checksum(bytes.subarray(0, checkedBytes))) return null;
  return { kind, channel, sequence, bodyBytes, messageBytes, bodyChecksum: words[5] ?? 0 };
}

function isKind(kind: number): kind is FrameKind {
  return kindValues.has(kind);
}
