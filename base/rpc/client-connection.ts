/**
 * One connection of a client: matches answers to open calls. It ends every call exactly once: by
 * its answer, by its deadline, or, when the connection breaks, with RPC_DISCONNECTED.
 *
 * A connection that stays silent for a whole deadline is closed: the peer may be gone without a
 * word, and the next call should find out by connecting anew.
 */
import type { Env } from '../env/env.ts';
import type { Connection } from '../env/net.ts';
import type { CancelTimer } from '../env/timers.ts';
import { codeOf, fromWire } from '../typed-error.ts';
import { type CallMessage, decodeMessage, encodeMessage, type JsonValue } from './message.ts';
import { deadlineError, disconnectedError, frameError } from './rpc-error.ts';

interface OpenCall {
  readonly resolve: (body: JsonValue) => void;
  readonly reject: (error: unknown) => void;
  readonly cancelDeadline: CancelTimer;
}

export class ClientConnection {
  readonly #env: Pick<Env, 'clock' | 'timers'>;
  readonly #connection: Connection;
  readonly #openCalls = new Map<number, OpenCall>();
  #lastFrameAtMs: number;
  #isOpen = true;

  constructor(env: Pick<Env, 'clock' | 'timers'>, connection: Connection) {
    this.#env = env;
    this.#connection = connection;
    this.#lastFrameAtMs = env.clock.mono();
    connection.onFrame((frame) => this.#receive(frame));
    connection.onClose((error) =>
      this.end(disconnectedError(connection.remote, 'unknown', error ?? undefined)),
    );
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  call(message: CallMessage): Promise<JsonValue> {
    return new Promise((resolve, reject) => {
      const frame = encodeMessage(message);
      const sentAtMs = this.#env.clock.mono();
      this.#send(frame);
      const cancelDeadline = this.#env.timers.after(message.deadlineMs, () =>
        this.#expire(message, sentAtMs),
      );
      this.#openCalls.set(message.id, { resolve, reject, cancelDeadline });
    });
  }

  /** Ends the connection and all open calls with `error`. */
  end(error: unknown): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#connection.close();
    for (const id of [...this.#openCalls.keys()]) this.#take(id)?.reject(error);
  }

  #send(frame: Uint8Array): void {
    try {
      this.#connection.send(frame);
    } catch (error) {
      // Nothing was sent. A frame that is too large is the caller's; else the connection is gone.
      if (codeOf(error) === 'NET_FRAME_TOO_LARGE') throw error;
      this.end(disconnectedError(this.#connection.remote, 'unknown', error));
      throw disconnectedError(this.#connection.remote, 'failed', error);
    }
  }

  #receive(frame: Uint8Array): void {
    this.#lastFrameAtMs = this.#env.clock.mono();
    try {
      const message = decodeMessage(frame);
      if (message.kind === 'call') throw frameError('a client takes answers only');
      const open = this.#take(message.id); // Absent: the deadline was first.
      if (message.kind === 'ok') open?.resolve(message.body);
      else open?.reject(fromWire(message.error));
    } catch (error) {
      this.end(disconnectedError(this.#connection.remote, 'unknown', error));
    }
  }

  #expire(message: CallMessage, sentAtMs: number): void {
    const address = this.#connection.remote;
    this.#take(message.id)?.reject(deadlineError(message.method, address, message.deadlineMs));
    if (this.#lastFrameAtMs <= sentAtMs) this.end(disconnectedError(address, 'unknown'));
  }

  #take(id: number): OpenCall | undefined {
    const open = this.#openCalls.get(id);
    this.#openCalls.delete(id);
    open?.cancelDeadline();
    return open;
  }
}
