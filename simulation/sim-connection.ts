/**
 * One end of a simulated connection. Frames queue for the peer in order; each has a delivery of its
 * own, which hands over the head of the queue, or comes back when a cut or a pause is over.
 */
import type { Address, Connection } from '../base/env/net.ts';
import { brokenError } from '../base/env/net-error.ts';
import type { Rng } from '../base/env/rng.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** Above this many bytes under way `send` asks its caller to wait. */
const queuedBytesMax = 1024 * 1024;

/** What a connection asks of its network. */
export interface ConnectionNet {
  readonly world: World;
  readonly chance: Rng;
  readonly breakChance: number;
  latencyMs(): number;
  cutUntilMs(from: string, to: string): number;
  forget(connection: SimConnection): void;
}

export class SimConnection implements Connection {
  readonly remote: Address;
  readonly #net: ConnectionNet;
  readonly #owner: Life;
  #peer: SimConnection = this;
  /** Frames on the way to the peer; null is the close. */
  readonly #outgoing: (Uint8Array | null)[] = [];
  #outgoingBytes = 0;
  /** Frames that arrived before anybody listened. */
  readonly #early: Uint8Array[] = [];
  #isDead = false;
  #isClosed = false;
  /** How the connection ended. */
  #ending: { readonly error: Error | null; isOver: boolean } | null = null;
  #wantsDrain = false;
  #onFrame: ((frame: Uint8Array) => void) | null = null;
  #onDrain: (() => void) | null = null;
  #onClose: ((error: Error | null) => void) | null = null;

  constructor(net: ConnectionNet, owner: Life, remote: Address) {
    this.#net = net;
    this.#owner = owner;
    this.remote = remote;
  }

  get nodeName(): string {
    return this.#owner.nodeName;
  }

  join(peer: SimConnection): void {
    this.#peer = peer;
  }

  send(frame: Uint8Array): boolean {
    if (this.#isClosed) throw brokenError(this.remote);
    if (this.#isDead || !this.#owner.isAlive) return true; // Lost, and nobody knows it yet.
    const { chance, breakChance } = this.#net;
    if (breakChance > 0 && chance.float() < breakChance) {
      this.breakPair();
      return true;
    }
    this.#outgoingBytes += frame.length;
    this.#queue(frame.slice());
    this.#wantsDrain = this.#outgoingBytes > queuedBytesMax;
    return !this.#wantsDrain;
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.#onFrame = handler;
    for (const frame of this.#early.splice(0)) handler(frame);
  }

  onDrain(handler: () => void): void {
    this.#onDrain = handler;
  }

  onClose(handler: (error: Error | null) => void): void {
    this.#onClose = handler;
    // It ended before anybody listened.
    if (this.#ending?.isOver) this.#owner.after(0, () => this.#tellClose());
  }

  close(): void {
    if (this.#isClosed) return;
    if (!this.#isDead) this.#queue(null);
    this.#end(null);
  }

  /** Loses what is under way in both directions; each side notices after a time of its own. */
  breakPair(): void {
    this.#breakSoon(100);
    this.#peer.#breakSoon(100);
  }

  /** The node died: the peer notices at once, or only when its system gives up. */
  ownerDied(): void {
    this.#isClosed = true;
    this.#net.forget(this);
    this.#peer.#breakLater(this.#net.chance.float() < 0.5 ? 5 : 3_000);
  }

  #breakSoon(withinMs: number): void {
    this.#isDead = true;
    this.#outgoing.length = 0;
    this.#breakLater(withinMs);
  }

  #breakLater(withinMs: number): void {
    const waitMs = this.#net.chance.float() * withinMs;
    this.#owner.after(waitMs, () => {
      this.#isDead = true;
      this.#end(brokenError(this.remote));
    });
  }

  #end(error: Error | null): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#net.forget(this);
    this.#ending = { error, isOver: false };
    this.#owner.after(0, () => this.#tellClose());
  }

  /** Says once that the connection ended, as soon as somebody listens. */
  #tellClose(): void {
    if (this.#ending === null) return;
    this.#ending.isOver = true;
    const tell = this.#onClose;
    this.#onClose = null;
    tell?.(this.#ending.error);
  }

  #queue(frame: Uint8Array | null): void {
    this.#outgoing.push(frame);
    this.#net.world.after(this.#net.latencyMs(), () => this.#deliver());
  }

  #deliver(): void {
    const { world } = this.#net;
    const peer = this.#peer.#owner;
    const cutUntilMs = this.#net.cutUntilMs(this.nodeName, peer.nodeName);
    const waitMs = Math.max(cutUntilMs, peer.pausedUntilMs) - world.nowMs;
    if (waitMs > 0) {
      world.after(waitMs + this.#net.latencyMs(), () => this.#deliver());
      return;
    }
    const frame = this.#outgoing.shift();
    if (frame === undefined) return; // The connection broke meanwhile.
    if (frame === null) {
      this.#peer.#isDead = true;
      this.#peer.#end(null);
      return;
    }
    this.#outgoingBytes -= frame.length;
    this.#peer.#receive(frame);
    if (this.#wantsDrain && this.#outgoingBytes <= queuedBytesMax) {
      this.#wantsDrain = false;
      if (this.#owner.isAlive) this.#onDrain?.();
    }
  }

  #receive(frame: Uint8Array): void {
    if (this.#isClosed || this.#isDead || !this.#owner.isAlive) return;
    this.#net.world.trace.addNumber(frame.length);
    if (this.#onFrame === null) this.#early.push(frame);
    else this.#onFrame(frame);
  }
}
