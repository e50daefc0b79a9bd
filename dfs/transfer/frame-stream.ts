/**
 * A connection as a stream of frames that are asked for one by one, for who reads and copies blocks: each wait has a limit, and
 * what comes is queued only as far as it was asked for.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import type { Address, Connection } from '../../base/env/net.ts';
import { brokenError } from '../../base/env/net-error.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  decodeFrame,
  encodeMessage,
  encodePacket,
  type Packet,
  type TransferMessage,
} from './transfer-frame.ts';

type StreamEnv = Pick<Env, 'timers' | 'net'>;
type Received = TransferMessage | Packet;

const connectDeadlineMs = 3_000;

export class FrameStream {
  readonly #env: Pick<Env, 'timers'>;
  readonly #connection: Connection;
  readonly #checksum: Checksum;
  readonly #queue: Uint8Array[] = [];
  #isClosed = false;
  #wake: () => void = () => undefined;
  #onDrained: () => void = () => undefined;

  constructor(env: Pick<Env, 'timers'>, connection: Connection, checksum: Checksum) {
    this.#env = env;
    this.#connection = connection;
    this.#checksum = checksum;
    connection.onClose(() => {
      this.#isClosed = true;
      this.#wake();
      this.#onDrained();
    });
    connection.onDrain(() => this.#onDrained());
    connection.onFrame((frame) => {
      this.#queue.push(frame);
      this.#wake();
    });
  }

  static async connect(env: StreamEnv, checksum: Checksum, address: Address): Promise<FrameStream> {
    const connection = await env.net.connect(address, connectDeadlineMs);
    return new FrameStream(env, connection, checksum);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next frame. @throws NET_BROKEN, DFS_PEER_SILENT, DFS_PEER_FRAME */
  async next(limitMs: number): Promise<Received> {
    if (this.#queue.length === 0 && !this.#isClosed) await this.#waitFor(limitMs);
    const frame = this.#queue.shift();
    if (frame === undefined) {
      if (this.#isClosed) throw brokenError(this.#connection.remote);
      throw silentError(this.#connection.remote, limitMs);
    }
    const message = decodeFrame(this.#checksum, frame);
    if (message === null) throw frameError(this.#connection.remote);
    return message;
  }

  /** Answers when there is room for more. @throws NET_BROKEN */
  async send(message: Received): Promise<void> {
    if (this.#isClosed) throw brokenError(this.#connection.remote);
    const frame =
      message.kind === 'packet'
        ? encodePacket(this.#checksum, message)
        : encodeMessage(this.#checksum, message);
    if (this.#connection.send(frame)) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    if (this.#isClosed) throw brokenError(this.#connection.remote);
  }

  close(): void {
    this.#connection.close();
  }

  async #waitFor(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#env.timers.after(limitMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = () => undefined;
  }
}

function silentError(address: Address, limitMs: number) {
  return typedError('DFS_PEER_SILENT', `"${address}" was silent for ${limitMs} ms`, {
    hint: 'Another replica is used. Look whether that datanode hangs, or its disk does.',
    retryable: true,
    details: { address, limitMs },
  });
}

function frameError(address: Address) {
  return typedError('DFS_PEER_FRAME', `"${address}" has sent a frame that is damaged or none`, {
    hint: 'Another replica is used. If it happens again, look whether both sides have the same version.',
    retryable: true,
    details: { address },
  });
}
