/**
 * The net seam: framed connections between named addresses. A frame arrives whole or not at all, in
 * order, at most once; a connection that breaks says so once through `onClose`. Who needs an answer
 * uses `base/rpc` on top, for retries live only there.
 */

/** `host:port`, `unix:/path`, or `memory:name` for roles that share a process. */
export type Address = string;

export interface Connection {
  readonly remote: Address;
  /** Queues one frame. False asks the caller to wait for `onDrain` before it sends more. */
  send(frame: Uint8Array): boolean;
  onFrame(handler: (frame: Uint8Array) => void): void;
  onDrain(handler: () => void): void;
  /**
   * Called once, with null for an orderly close by either side; also when the connection ended
   * before anybody asked to hear of it.
   */
  onClose(handler: (error: Error | null) => void): void;
  close(): void;
}

export interface Listener {
  readonly address: Address;
  close(): Promise<void>;
}

export interface Net {
  /** Loopback, `unix:` and `memory:` only: nothing listens beyond this host without TLS. */
  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener>;
  /** Rejects with NET_UNREACHABLE when nobody answers within `deadlineMs`. */
  connect(address: Address, deadlineMs: number): Promise<Connection>;
}
