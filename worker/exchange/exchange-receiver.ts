/**
 * Exchange receiver: the downstream side of the connections to one sender. It connects, asks for its channels, and puts what comes
 * into the rings of tasks here; when the connection breaks it connects again and goes on where it was.
 *
 *     connecting ──▶ greeting ──welcome──▶ running          broken, or refused for now: again, after a while
 *          ▲             │                    │              refused for good, or too long without: lost
 *          └── waiting ◀─┴────────────────────┘
 *
 * A slot's bytes go from the connection's memory straight into the ring, and are published when their checksum was right.
 * Before: worker/exchange/receive-channel.ts. After: worker/exchange/network-program.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { ByteConnection, ByteNet } from '../../base/env/byte-net.ts';
import type { Clock } from '../../base/env/clock.ts';
import type { Address } from '../../base/env/net.ts';
import type { CancelTimer, Timers } from '../../base/env/timers.ts';
import type { TypedError } from '../../base/typed-error.ts';
import { SlotWriter } from '../../engine/memory/ring-slots.ts';
import { exchangeLostError, exchangeRefusedError } from './exchange-errors.ts';
import { exchangeVersion, type FrameHeader, frameKinds } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { decodeRefusal, type ExchangeJob, encodeGreeting } from './greeting.ts';
import {
  judgeFrame,
  newReceiveState,
  openReceive,
  type ReceiveState,
  readSlots,
  takeCreditDue,
  takeFrame,
} from './receive-channel.ts';
import { creditFrame, decodeNote, frameOf, type RemoteChannel } from './remote-channel.ts';

const connectDeadlineMs = 5_000;
/** A connection that brings nothing for so long is dead: the sender pings more often. */
const silenceMsMax = 6_000;
const retryMsMin = 20;
const retryMsMax = 1_000;

export interface ExchangeReceiverOptions {
  readonly net: ByteNet;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly checksum: Checksum;
  readonly wake: (bell: number) => void;
  readonly job: ExchangeJob;
  /** This process, by a name that no other has. */
  readonly name: string;
  /** Of the sender. */
  readonly address: Address;
  /** So long it tries without being taken in. */
  readonly giveUpMs: number;
  /** The channels bring nothing more. */
  readonly lost: (keys: readonly string[], error: TypedError) => void;
}

interface Channel {
  readonly number: number;
  readonly key: string;
  readonly windowSlots: number;
  readonly slotBytes: number;
  readonly writer: SlotWriter;
  readonly state: ReceiveState;
}

export class ExchangeReceiver {
  readonly #options: ExchangeReceiverOptions;
  readonly #channels = new Map<number, Channel>();
  #numbers = 0;
  #connections = 0;
  #connection: ByteConnection | null = null;
  #isRunning = false;
  #isClosed = false;
  /** Since when nobody has taken it in. */
  #outSinceMs: number;
  /** When the newest connection last brought something. */
  #heardAtMs: number;
  #retryMs = retryMsMin;
  #cancelRetry: CancelTimer | null = null;
  /** Where bytes go that nobody wants. */
  #scratch = new Uint8Array(0);

  constructor(options: ExchangeReceiverOptions) {
    this.#options = options;
    this.#outSinceMs = options.clock.mono();
    this.#heardAtMs = this.#outSinceMs;
  }

  get isEmpty(): boolean {
    return this.#channels.size === 0;
  }

  add({ key, ring, bell }: RemoteChannel): void {
    const { slotBytes, slotCount } = ring;
    const channel: Channel = {
      ...{ number: this.#numbers++, key, slotBytes, windowSlots: slotCount / 2 },
      writer: new SlotWriter(ring, () => this.#options.wake(bell)),
      state: newReceiveState(slotCount, slotBytes - 16),
    };
    this.#channels.set(channel.number, channel);
    if (this.#isRunning) this.#connection?.write(this.#openFrame(channel));
    else if (this.#connection === null && this.#cancelRetry === null) this.#connect();
  }

  remove(key: string): void {
    for (const [number, channel] of this.#channels) {
      if (channel.key !== key) continue;
      this.#channels.delete(number);
      const { checksum } = this.#options;
      if (!this.#isRunning) continue;
      this.#connection?.write(
        frameOf(checksum, frameKinds.close, new Uint8Array(0), { channel: number }),
      );
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#connection?.close();
    this.#connection = null;
    this.#isRunning = false;
    this.#channels.clear();
  }

  /**
   * Connects again where nothing has come for long. TCP would go on by itself, after a cut network is whole again, but only
   * when it tries next, which may take as long again as the cut.
   */
  checkSilence(): void {
    const silentMs = this.#options.clock.mono() - this.#heardAtMs;
    if (this.#connection === null || silentMs < silenceMsMax) return;
    this.#connections++; // What the silent one still brings is nothing to anybody.
    this.#again(`nothing has come for ${silenceMsMax} ms`);
  }

  /** Tells the sender what has been read. */
  pump(): void {
    if (!this.#isRunning) return;
    const pieces: Uint8Array[] = [];
    for (const { number, state, writer } of this.#channels.values()) {
      readSlots(state, writer.consumed());
      const credit = takeCreditDue(state);
      if (credit !== null) pieces.push(...creditFrame(this.#options.checksum, number, credit));
    }
    if (pieces.length > 0) this.#connection?.write(pieces);
  }

  #connect(): void {
    const { net, address, checksum } = this.#options;
    const number = ++this.#connections;
    this.#cancelRetry = () => undefined; // Until it is known whether it is there.
    let isOver = false;
    const frames = new FrameReader(checksum, {
      roomFor: (header) => this.#roomFor(header),
      onFrame: (header, body) => this.#receive(header, body),
    });
    const isCurrent = () => !isOver && !this.#isClosed && number === this.#connections;
    const end = (reason: string): void => {
      if (!isCurrent()) return;
      isOver = true;
      this.#again(reason);
    };
    const handlers = {
      onBytes: (bytes: Uint8Array) => {
        if (!isCurrent()) return;
        this.#heardAtMs = this.#options.clock.mono();
        const problem = frames.read(bytes);
        if (problem === null) this.pump();
        else end(problem);
      },
      onDrain: () => undefined, // Credit is small, and told again with the next.
      onClose: (error: Error | null) => end(error?.message ?? 'the sender has ended it'),
    };
    net.connect(address, connectDeadlineMs, handlers).then(
      (connection) => {
        if (!isCurrent()) connection.close();
        else this.#greet(connection, number);
      },
      (error: Error) => end(error.message),
    );
  }

  #greet(connection: ByteConnection, number: number): void {
    const { job, name, checksum } = this.#options;
    this.#connection = connection;
    this.#heardAtMs = this.#options.clock.mono();
    this.#cancelRetry = null;
    const { jobId, epoch } = job;
    const hello = { version: exchangeVersion, jobId, epoch, from: name, connection: number };
    connection.write(frameOf(checksum, frameKinds.hello, encodeGreeting(hello)));
  }

  /** The connection is over; another one after a while, or never. */
  #again(reason: string): void {
    const { clock, timers, giveUpMs, address } = this.#options;
    if (this.#isRunning) this.#outSinceMs = clock.mono();
    this.#isRunning = false;
    this.#connection?.close();
    this.#connection = null;
    this.#cancelRetry = null;
    if (this.#channels.size === 0) return;
    if (clock.mono() - this.#outSinceMs >= giveUpMs) {
      this.#lose(exchangeLostError(address, giveUpMs, reason));
      return;
    }
    this.#cancelRetry = timers.after(this.#retryMs, () => this.#connect());
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  #lose(error: TypedError): void {
    const channels = [...this.#channels.values()].filter(({ state }) => !state.isOver);
    for (const { writer, state } of channels) {
      state.isOver = true;
      writer.fail();
    }
    this.close();
    this.#options.lost(
      channels.map(({ key }) => key),
      error,
    );
  }

  #openFrame({ number, key, windowSlots, slotBytes, state }: Channel): readonly Uint8Array[] {
    const { next, consumed } = openReceive(state);
    const place = { next: next >>> 0, consumed: consumed >>> 0 };
    const body = encodeGreeting({ key, windowSlots, slotBytes, ...place });
    return frameOf(this.#options.checksum, frameKinds.open, body, { channel: number });
  }

  #roomFor(header: FrameHeader): Uint8Array | string {
    if (!this.#isRunning) return 'a slot comes before the welcome';
    const channel = this.#channels.get(header.channel);
    if (channel === undefined) return this.#nowhere(header); // It was closed a moment ago.
    const judged = judgeFrame(channel.state, header);
    if (typeof judged === 'object') return judged.problem;
    return judged === 'drop' ? this.#nowhere(header) : channel.writer.room(header.bodyBytes);
  }

  #nowhere({ bodyBytes }: FrameHeader): Uint8Array | string {
    if (bodyBytes > 64 * 1024 * 1024) return 'a slot is larger than any ring has';
    if (this.#scratch.length < bodyBytes) this.#scratch = new Uint8Array(bodyBytes);
    return this.#scratch;
  }

  #receive(header: FrameHeader, body: Uint8Array<ArrayBuffer>): string | null {
    if (header.kind === frameKinds.refuse) return this.#refused(body);
    if (!this.#isRunning) return this.#welcomed(header);
    if (header.kind === frameKinds.ping) return null;
    const channel = this.#channels.get(header.channel);
    if (channel === undefined) return null;
    const judged = judgeFrame(channel.state, header);
    if (typeof judged === 'object') return judged.problem;
    if (judged === 'drop') return null;
    const { state, writer } = channel;
    const numbers = header.kind === frameKinds.note ? decodeNote(body) : null;
    switch (header.kind) {
      case frameKinds.slot:
        writer.publish(header.bodyBytes, header.messageBytes);
        break;
      case frameKinds.note:
        if (numbers === null) return 'a note is none';
        writer.note(numbers);
        break;
      case frameKinds.end:
        writer.end();
        break;
      case frameKinds.failed:
        writer.fail();
        break;
      default:
        return 'a sender sends no such frame';
    }
    takeFrame(state, header);
    return null;
  }

  #welcomed({ kind }: FrameHeader): string | null {
    if (kind !== frameKinds.welcome) return 'it does not begin with a welcome';
    this.#isRunning = true;
    this.#retryMs = retryMsMin;
    const all = [...this.#channels.values()];
    if (all.length > 0) this.#connection?.write(all.flatMap((one) => this.#openFrame(one)));
    return null;
  }

  #refused(body: Uint8Array): string | null {
    const refusal = decodeRefusal(body);
    if (refusal === null) return 'its refusal is none';
    if (refusal.mayComeBack) return refusal.reason;
    this.#lose(exchangeRefusedError(this.#options.address, refusal.reason));
    return null;
  }
}
