/**
 * The seam of data connections: bytes in order between named addresses, without frames and without copies in between. What is
 * framed and small goes over the net seam (base/env/net.ts); this one is for the exchange, which moves gigabytes.
 *
 * Who connects is who reads most: its bytes come in memory that is allocated once (Node offers that only to sockets that one
 * opens), and are valid during the call only. Who writes leaves the pieces alone until it knows from the other side that
 * they have come: they are not copied before they go to the system.
 */
import type { Address, Listener } from './net.ts';

export interface ByteHandlers {
  /** The bytes are overwritten when the call returns. */
  onBytes(bytes: Uint8Array): void;
  /** There is room again after `write` answered false. */
  onDrain(): void;
  /** Once, with null for an orderly close by either side. */
  onClose(error: Error | null): void;
}

export interface ByteConnection {
  readonly remote: Address;
  /**
   * Queues the pieces, together. False asks the caller to wait for `onDrain` before it writes more. What is written to a
   * connection that has ended is dropped: `onClose` says so.
   */
  write(pieces: readonly Uint8Array[]): boolean;
  /** Ends it at once; what is queued may be lost. */
  close(): void;
}

export interface ByteNet {
  listen(address: Address, accept: (connection: ByteConnection) => ByteHandlers): Promise<Listener>;
  /** Rejects with NET_UNREACHABLE when nobody answers within `deadlineMs`. */
  connect(address: Address, deadlineMs: number, handlers: ByteHandlers): Promise<ByteConnection>;
}
