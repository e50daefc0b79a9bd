/**
 * Frame reader: makes frames of the bytes of a connection, in whatever pieces they come.
 *
 *     piece ─▶ header, gathered ─▶ body ─┬─▶ where `roomFor` says: a slot of a ring, without a copy in between
 *                                        └─▶ gathered here, of small frames
 *
 * The checksum of a body is computed piece by piece, while the piece is in the processor's cache. A frame is handed on when it
 * is whole and its checksum is right; what is damaged is told of once, and nothing is read behind it.
 * Before: worker/exchange/frame.ts. After: worker/exchange/exchange-receiver.ts, worker/exchange/exchange-sender.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import {
  decodeHeader,
  type FrameHeader,
  frameHeaderBytes,
  frameKinds,
  smallBodyBytesMax,
} from './frame.ts';

export interface FrameHandler {
  /** Where the body of a slot goes; a reason where it must not come. Called before the checksum is known. */
  roomFor(header: FrameHeader): Uint8Array | string;
  /** A whole frame; the body of a slot is where `roomFor` said. A reason where it must not come. */
  onFrame(header: FrameHeader, body: Uint8Array<ArrayBuffer>): string | null;
}

export class FrameReader {
  readonly #checksum: Checksum;
  readonly #handler: FrameHandler;
  readonly #headerBytes = new Uint8Array(new ArrayBuffer(frameHeaderBytes));
  readonly #small = new Uint8Array(new ArrayBuffer(smallBodyBytesMax));
  #headerFilled = 0;
  #header: FrameHeader | null = null;
  #target: Uint8Array = this.#small;
  #bodyFilled = 0;
  #bodyChecksum = 0;

  constructor(checksum: Checksum, handler: FrameHandler) {
    this.#checksum = checksum;
    this.#handler = handler;
  }

  /** Takes the next bytes; answers what is wrong with them, and then nothing may follow. */
  read(piece: Uint8Array): string | null {
    let problem: string | null = null;
    for (let at = 0; at < piece.length && problem === null; ) {
      const left = piece.subarray(at);
      const header = this.#header;
      at += header === null ? this.#fillHeader(left) : this.#fillBody(header, left);
      problem = this.#advance();
    }
    return problem;
  }

  #fillHeader(piece: Uint8Array): number {
    const take = Math.min(frameHeaderBytes - this.#headerFilled, piece.length);
    this.#headerBytes.set(piece.subarray(0, take), this.#headerFilled);
    this.#headerFilled += take;
    return take;
  }

  #fillBody(header: FrameHeader, piece: Uint8Array): number {
    const take = Math.min(header.bodyBytes - this.#bodyFilled, piece.length);
    const part = piece.subarray(0, take);
    this.#bodyChecksum = this.#checksum(part, this.#bodyChecksum);
    this.#target.set(part, this.#bodyFilled);
    this.#bodyFilled += take;
    return take;
  }

  /** Goes from header to body to the next frame, as far as it can. */
  #advance(): string | null {
    if (this.#header === null) {
      if (this.#headerFilled < frameHeaderBytes) return null;
      const problem = this.#begin();
      if (problem !== null) return problem;
    }
    const header = this.#header;
    if (header === null || this.#bodyFilled < header.bodyBytes) return null;
    this.#header = null;
    this.#headerFilled = 0;
    if (this.#bodyChecksum !== header.bodyChecksum) return 'a body has another checksum';
    return this.#handler.onFrame(header, this.#small.subarray(0, this.#smallBytesOf(header)));
  }

  #begin(): string | null {
    const header = decodeHeader(this.#checksum, this.#headerBytes);
    if (header === null) return 'what should be a header is none';
    if (header.kind === frameKinds.slot) {
      const room = this.#handler.roomFor(header);
      if (typeof room === 'string') return room;
      this.#target = room;
    } else {
      if (header.bodyBytes > smallBodyBytesMax) return 'a body is larger than its kind may be';
      this.#target = this.#small;
    }
    this.#header = header;
    this.#bodyFilled = 0;
    this.#bodyChecksum = 0;
    return null;
  }

  #smallBytesOf({ kind, bodyBytes }: FrameHeader): number {
    return kind === frameKinds.slot ? 0 : bodyBytes;
  }
}
