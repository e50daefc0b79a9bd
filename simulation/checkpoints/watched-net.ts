/**
 * The network as a role has it, with an eye on each message: what is lost, comes twice or late, and who dies before it is
 * sent, or before it is taken in.
 *
 *     role ──send──▶ sent? ──▶ the real connection ──▶ received? ──▶ role
 *
 * Whatever comes late holds up what is sent behind it: a connection keeps its order.
 */
import type { Connection, Net } from '../../base/env/net.ts';
import type { Life } from '../life.ts';
import { NodeExit } from '../world.ts';

export type MessageFate = 'passes' | 'lost' | 'doubled' | 'late';

export interface MessageWatch {
  /** Called before and after a message goes out; may end the life of who sends it. */
  around(step: string, pass: (fate: MessageFate) => void): void;
}

/** How much later a message comes that is late: longer than a checkpoint may take. */
const lateMs = 700;

export function watchedNet(net: Net, life: Life, watch: MessageWatch): Net {
  const wrap = (connection: Connection) => new WatchedConnection(connection, life, watch);
  return {
    listen: (address, accept) => net.listen(address, (connection) => accept(wrap(connection))),
    connect: async (address, deadlineMs) => wrap(await net.connect(address, deadlineMs)),
  };
}

class WatchedConnection implements Connection {
  readonly #connection: Connection;
  readonly #life: Life;
  readonly #watch: MessageWatch;
  /** By id of a call: its method, for the answer has none. */
  readonly #methods = new Map<string, string>();
  /** What waits behind a message that is late; null when none is. */
  #held: Uint8Array[] | null = null;

  constructor(connection: Connection, life: Life, watch: MessageWatch) {
    this.#connection = connection;
    this.#life = life;
    this.#watch = watch;
  }

  get remote(): string {
    return this.#connection.remote;
  }

  send(frame: Uint8Array): boolean {
    let hasRoom = true;
    this.#watch.around(`${this.#nameOf(frame)} sent`, (fate) => {
      if (fate === 'lost') return;
      if (fate === 'late') this.#holdBack();
      hasRoom = this.#pass(frame);
      if (fate === 'doubled') this.#pass(frame);
    });
    return hasRoom;
  }

  onFrame(handler: (frame: Uint8Array) => void): void {
    this.#connection.onFrame((frame) => {
      try {
        this.#watch.around(`${this.#nameOf(frame)} received`, () => {
          const pauseMs = this.#life.pausedUntilMs - this.#life.world.nowMs;
          if (pauseMs <= 0) handler(frame);
          else this.#life.after(0, () => handler(frame));
        });
      } catch (error) {
        if (!(error instanceof NodeExit)) throw error;
      }
    });
  }

  onDrain(handler: () => void): void {
    this.#connection.onDrain(handler);
  }

  onClose(handler: (error: Error | null) => void): void {
    this.#connection.onClose(handler);
  }

  close(): void {
    this.#connection.close();
  }

  #pass(frame: Uint8Array): boolean {
    if (this.#held === null) return this.#connection.send(frame);
    this.#held.push(frame.slice());
    return true;
  }

  #holdBack(): void {
    const held: Uint8Array[] = [];
    this.#held = held;
    this.#life.after(lateMs, () => {
      this.#held = null;
      try {
        for (const frame of held) this.#connection.send(frame);
      } catch {
        // The connection has broken meanwhile: what waited is lost with it.
      }
    });
  }

  /** The method of a call, or that of the call which is answered. */
  #nameOf(frame: Uint8Array): string {
    const start = new TextDecoder().decode(frame.subarray(0, 120));
    const [, kind = '', id = '', method] =
      /"kind":"(\w+)","id":(\d+)(?:,"method":"([\w.-]+)")?/.exec(start) ?? [];
    if (kind !== 'call') return `answer to ${this.#methods.get(id) ?? 'unknown'}`;
    this.#methods.set(id, method ?? 'unknown');
    return method ?? 'unknown';
  }
}
