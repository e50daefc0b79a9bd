/**
 * The net for roles that share a process: addresses `memory:name`, frames passed through a queue.
 * Behaves as a socket does: frames are copied, arrive later than `send` returns, in order, and a
 * close overtakes nothing. So what runs embedded runs over a real socket as well.
 */
import type { Address, Connection, Listener, Net } from './net.ts';
import {
  addressInUseError,
  brokenError,
  frameTooLargeError,
  unreachableError,
} from './net-error.ts';

/** Above this many queued bytes `send` asks its caller to wait. */
const queuedBytesMax = 1024 * 1024;

export interface MemoryNetOptions {
  /** Largest frame. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
}

export function createMemoryNet(options: MemoryNetOptions = {}): Net {
  const { frameBytesMax = 16 * 1024 * 1024 } = options;
  const accepts = new Map<Address, (connection: Connection) => void>();
  return {
    async listen(address, accept): Promise<Listener> {
      if (accepts.has(address)) throw addressInUseError(address);
      accepts.set(address, accept);
      const close = async (): Promise<void> => {
        accepts.delete(address);
      };
      return { address, close };
    },
    async connect(address): Promise<Connection> {
      const accept = accepts.get(address);
      if (accept === undefined) throw unreachableError(address, 'nobody listens there');
      const near = new MemoryConnection(address, frameBytesMax);
      const far = new MemoryConnection(`${address}#caller`, frameBytesMax);
      near.join(far);
      far.join(near);
      accept(far);
      return near;
    },
  };
}

class MemoryConnection implements Connection {
  readonly remote: Address;
  readonly #frameBytesMax: number;
  #peer: MemoryConnection = this;
  /** Frames from the peer that were not handed on yet; null is its close. */
  readonly #inbox: (Uint8Array | null)[] = [];
  #inboxBytes = 0;
  #isPeerWaiting = false;
  #isScheduled = false;
  #isClosed = false;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #onDrain: (() => void) | null = null;
  #onClose: ((error: Error | null) => void) | null = null;

  constructor(remote: Address, frameBytesMax: number) {
    this.remote = remote;
    this.#frameBytesMax = frameBytesMax;
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  send(frame: Uint8Array): boolean {
    if (this.#isClosed) throw brokenError(this.remote);
    if (frame.length > this.#frameBytesMax) {
      throw frameTooLargeError(this.remote, frame.length, this.#frameBytesMax);
    }
    return this.#peer.#receive(frame.slice());
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.#onFrame = handler;
    this.#schedule();
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  onClose(handler: (error: Error | null) => void): void {
    this.#onClose = handler;
    if (this.#isClosed) setImmediate(() => handler(null));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#peer.#receive(null);
    this.#isClosed = true;
    this.#inbox.length = 0;
    this.#inboxBytes = 0;
    setImmediate(() => this.#onClose?.(null));
  }

  #receive(frame: Uint8Array | null): boolean {
    if (this.#isClosed) return true; // As with a socket: what a closed peer is sent gets lost.
    this.#inbox.push(frame);
    this.#inboxBytes += frame?.length ?? 0;
    this.#schedule();
    this.#isPeerWaiting = this.#inboxBytes > queuedBytesMax;
    return !this.#isPeerWaiting;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#inbox.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#deliver();
    });
  }

  /** Hands on what had arrived when it was called; frames sent meanwhile wait for the next turn. */
  #deliver(): void {
    for (let left = this.#inbox.length; left > 0 && this.#inbox.length > 0; left--) {
      const frame = this.#inbox[0] ?? null;
      if (frame === null) {
        this.#endByPeer();
        return;
      }
      if (this.#onFrame === null) return;
      this.#inbox.shift();
      this.#inboxBytes -= frame.length;
      this.#onFrame(frame);
    }
    if (this.#isPeerWaiting && this.#inboxBytes <= queuedBytesMax) {
      this.#isPeerWaiting = false;
      this.#peer.#onDrain?.();
    }
    this.#schedule();
  }

  #endByPeer(): void {
    this.#isClosed = true;
    this.#inbox.length = 0;
    this.#onClose?.(null);
  }
}
