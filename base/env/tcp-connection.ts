/**
 * One framed connection on a socket: writes length and bytes as one piece, puts arriving pieces
 * together into frames. Frames wait in the paused socket until someone listens with `onFrame`.
 *
 * Before: base/env/tcp-net.ts has the wire layout.
 */
import type { Socket } from 'node:net';
import type { Address, Connection } from './net.ts';
import { brokenError, frameTooLargeError, notTrustedError, socketError } from './net-error.ts';

const headerBytes = 4;
/** A closed socket whose peer does not answer is cut after this. */
const closeLingerMs = 1_000;

export class TcpConnection implements Connection {
  readonly remote: Address;
  readonly #socket: Socket;
  readonly #frameBytesMax: number;
  readonly #header = new Uint8Array(headerBytes);
  #headerFilled = 0;
  /** The frame being put together; null while its header is incomplete. */
  #frame: Uint8Array | null = null;
  #frameFilled = 0;
  #isClosing = false;
  #hasEnded = false;
  /** Whether a byte has come. */
  #hasHeard = false;
  #error: Error | null = null;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #onClose: ((error: Error | null) => void) | null = null;

  /** @param hasConnected - Whether this side has opened it. */
  constructor(
    socket: Socket,
    remote: Address,
    {
      frameBytesMax,
      hasConnected,
    }: { readonly frameBytesMax: number; readonly hasConnected: boolean },
  ) {
    this.remote = remote;
    this.#socket = socket;
    this.#frameBytesMax = frameBytesMax;
    socket.setNoDelay(true);
    socket.pause();
    socket.on('data', (piece: Uint8Array) => this.#readFrames(piece));
    socket.on('error', (error) => {
      this.#error ??= socketError(remote, error);
    });
    socket.on('end', () => this.#peerEnded(hasConnected));
    socket.on('close', () => this.#ended());
    socket.pause(); // Adding a data handler made the socket flow.
  }

  send(frame: Uint8Array): boolean {
    if (this.#isClosing || this.#hasEnded) throw brokenError(this.remote, this.#error ?? undefined);
    if (frame.length > this.#frameBytesMax) {
      throw frameTooLargeError(this.remote, frame.length, this.#frameBytesMax);
    }
    // Copied: the socket may keep the bytes longer than the caller leaves them alone.
    const piece = new Uint8Array(headerBytes + frame.length);
    new DataView(piece.buffer).setUint32(0, frame.length, true);
    piece.set(frame, headerBytes);
    return this.#socket.write(piece);
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.#onFrame = handler;
    this.#socket.resume();
  }

  onDrain(handler: () => void): void {
    this.#socket.on('drain', handler);
  }

  onClose(handler: (error: Error | null) => void): void {
    this.#onClose = handler;
    if (this.#hasEnded) queueMicrotask(() => handler(this.#error));
  }

  close(): void {
    if (this.#isClosing || this.#hasEnded) return;
    this.#isClosing = true;
    this.#socket.resume(); // Without reading the peer's end would never be seen.
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), closeLingerMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #peerEnded(hasConnected: boolean): void {
    if (this.#headerFilled > 0) {
      this.#error ??= brokenError(this.remote); // An end inside a frame is no orderly close.
    } else if (hasConnected && 'encrypted' in this.#socket && !this.#hasHeard) {
      // Node looks at the certificate of who connects behind the handshake, and ends without an alert.
      this.#error ??= notTrustedError(
        this.remote,
        'it ended the connection at once, as with a certificate that it does not take',
      );
    }
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#onClose?.(this.#isClosing ? null : this.#error);
  }

  #readFrames(piece: Uint8Array): void {
    this.#hasHeard = true;
    let at = 0;
    // `>=` in the body: a frame of no bytes is complete with its header.
    while (!this.#isClosing && this.#error === null && at < piece.length) {
      at = this.#frame === null ? this.#readHeader(piece, at) : this.#readBody(piece, at);
    }
  }

  #readHeader(piece: Uint8Array, from: number): number {
    const take = Math.min(headerBytes - this.#headerFilled, piece.length - from);
    this.#header.set(piece.subarray(from, from + take), this.#headerFilled);
    this.#headerFilled += take;
    if (this.#headerFilled < headerBytes) return from + take;
    const length = new DataView(this.#header.buffer).getUint32(0, true);
    if (length > this.#frameBytesMax) {
      this.#error = frameTooLargeError(this.remote, length, this.#frameBytesMax);
      this.#socket.destroy();
      return from + take;
    }
    this.#frame = new Uint8Array(length);
    this.#frameFilled = 0;
    return length === 0 ? this.#readBody(piece, from + take) : from + take;
  }

  #readBody(piece: Uint8Array, from: number): number {
    const frame = this.#frame ?? new Uint8Array(0);
    const take = Math.min(frame.length - this.#frameFilled, piece.length - from);
    frame.set(piece.subarray(from, from + take), this.#frameFilled);
    this.#frameFilled += take;
    if (this.#frameFilled === frame.length) {
      this.#frame = null;
      this.#headerFilled = 0;
      this.#onFrame?.(frame);
    }
    return from + take;
  }
}
