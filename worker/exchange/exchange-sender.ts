/**
 * Exchange sender: the upstream side of all connections of a process. Receivers connect to it and ask for channels; it sends what
 * tasks here have put into their rings.
 *
 *     task ─▶ ring ─▶ SlotReader ─▶ frames of all channels of a receiver, in turn ─▶ its connection
 *
 * Slots are written to the connection from where they lie in the ring, and stay there until the receiver says that it has them:
 * there is no queue beside the rings. One turn writes at most 1 MiB to a connection, so that none waits long behind another.
 *
 * A receiver that connects again has given up its older connection, whether or not the system knows: that one is ended then.
 *
 * A receiver may ask for a channel before the task here is deployed: it is remembered, and opened then.
 * Before: worker/exchange/send-channel.ts. After: worker/exchange/exchange-receiver.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { ByteConnection, ByteHandlers } from '../../base/env/byte-net.ts';
import type { RingNote } from '../../engine/memory/ring-notes.ts';
import { SlotReader } from '../../engine/memory/ring-slots.ts';
import { encodeHeader, type FrameHeader, frameKinds } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import {
  decodeHello,
  decodeOpen,
  type ExchangeJob,
  encodeGreeting,
  judgeHello,
  type OpenChannel,
} from './greeting.ts';
import { decodeCredit, encodeNote, frameOf, type RemoteChannel } from './remote-channel.ts';
import {
  closeSend,
  type KeptFrame,
  makeFrames,
  makeMark,
  newSendState,
  nextFrame,
  openSend,
  type SendState,
  takeCredit,
} from './send-channel.ts';

const turnBytesMax = 1024 * 1024;
/** Channels that a receiver may ask for on one connection. */
const channelsMax = 65_536;

export interface ExchangeSenderOptions {
  readonly checksum: Checksum;
  readonly wake: (bell: number) => void;
  /** A connection was ended, and why. */
  readonly refused: (remote: string, reason: string) => void;
}

/** A channel that a task here writes. */
interface Offered {
  readonly channel: RemoteChannel;
  readonly reader: SlotReader;
  readonly state: SendState;
  readonly notes: RingNote[];
  isOver: boolean;
}

/** A receiver's connection. */
interface Downstream {
  readonly connection: ByteConnection;
  /** Null before its hello. */
  from: { readonly name: string; readonly connection: number } | null;
  /** By number; null where the task is not deployed yet. */
  readonly channels: Map<number, { readonly request: OpenChannel; offered: Offered | null }>;
  hasRoom: boolean;
  /** Where the next turn begins. */
  turn: number;
}

export class ExchangeSender {
  readonly #options: ExchangeSenderOptions;
  readonly #offered = new Map<string, Offered>();
  readonly #downstreams = new Set<Downstream>();
  /** By receiver: its newest connection. */
  readonly #newest = new Map<string, number>();
  #job: ExchangeJob | null = null;

  constructor(options: ExchangeSenderOptions) {
    this.#options = options;
  }

  /** From now on channels belong to this attempt; those of others are gone, and so are their connections. */
  begin(job: ExchangeJob | null): void {
    this.#job = job;
    this.#offered.clear();
    this.#newest.clear();
    for (const downstream of this.#downstreams) downstream.connection.close();
    this.#downstreams.clear();
  }

  offer(channel: RemoteChannel): void {
    const wake = () => this.#options.wake(channel.bell);
    const offered: Offered = {
      ...{ channel, reader: new SlotReader(channel.ring, wake), notes: [], isOver: false },
      state: newSendState(channel.ring.slotCount),
    };
    this.#offered.set(channel.key, offered);
    for (const downstream of this.#downstreams) this.#openWaiting(downstream, offered);
  }

  withdraw(key: string): void {
    this.#offered.delete(key);
  }

  accept(connection: ByteConnection): ByteHandlers {
    const downstream: Downstream = {
      ...{ connection, from: null, channels: new Map(), hasRoom: true, turn: 0 },
    };
    this.#downstreams.add(downstream);
    const frames = new FrameReader(this.#options.checksum, {
      roomFor: () => 'a receiver sends no slots',
      onFrame: (header, body) => this.#receive(downstream, header, body),
    });
    return {
      onBytes: (bytes) => {
        const problem = frames.read(bytes);
        if (problem === null) this.#sendTo(downstream);
        else this.#end(downstream, problem);
      },
      onDrain: () => {
        downstream.hasRoom = true;
        this.#sendTo(downstream);
      },
      onClose: () => this.#forget(downstream),
    };
  }

  /** Sends what there is; true when a turn was over before all was sent. */
  pump(): boolean {
    let hasMore = false;
    for (const downstream of this.#downstreams) {
      if (this.#sendTo(downstream)) hasMore = true;
    }
    return hasMore;
  }

  /** Lets receivers know that they are still connected, however little there is to send. */
  ping(): void {
    const frame = frameOf(this.#options.checksum, frameKinds.ping, new Uint8Array(0));
    for (const downstream of this.#downstreams) {
      // Where there is no room bytes wait that say the same.
      if (downstream.from === null || !downstream.hasRoom) continue;
      downstream.hasRoom = downstream.connection.write(frame);
    }
  }

  #end(downstream: Downstream, reason: string): void {
    this.#options.refused(downstream.connection.remote, reason);
    downstream.connection.close();
    this.#forget(downstream);
  }

  #forget(downstream: Downstream): void {
    this.#downstreams.delete(downstream);
    const { from } = downstream;
    if (from === null) return;
    for (const { offered } of downstream.channels.values()) {
      if (offered !== null) closeSend(offered.state, from.connection);
    }
  }

  #receive(
    downstream: Downstream,
    header: FrameHeader,
    body: Uint8Array<ArrayBuffer>,
  ): string | null {
    if (!this.#downstreams.has(downstream)) return 'it was ended';
    if (downstream.from === null) {
      if (header.kind !== frameKinds.hello) return 'it does not begin with hello';
      return this.#greet(downstream, body);
    }
    if (header.kind === frameKinds.open) return this.#open(downstream, header.channel, body);
    if (header.kind === frameKinds.credit) return this.#credit(downstream, header.channel, body);
    if (header.kind !== frameKinds.close) return 'a receiver sends no such frame';
    const closed = downstream.channels.get(header.channel)?.offered ?? null;
    if (closed !== null) closeSend(closed.state, downstream.from.connection);
    downstream.channels.delete(header.channel);
    return null;
  }

  #greet(downstream: Downstream, body: Uint8Array): string | null {
    const hello = decodeHello(body);
    if (hello === null) return 'its hello is none';
    const refusal = judgeHello(hello, this.#job, this.#newest.get(hello.from) ?? 0);
    const { checksum } = this.#options;
    if (refusal !== null) {
      const { connection } = downstream;
      connection.write(frameOf(checksum, frameKinds.refuse, encodeGreeting(refusal)));
      this.#options.refused(connection.remote, refusal.reason);
      return null; // The receiver ends it, when it has read why.
    }
    for (const other of this.#downstreams) {
      if (other.from?.name === hello.from) this.#end(other, 'its receiver has another connection');
    }
    downstream.from = { name: hello.from, connection: hello.connection };
    this.#newest.set(hello.from, hello.connection);
    downstream.connection.write(frameOf(checksum, frameKinds.welcome, new Uint8Array(0)));
    return null;
  }

  #open(downstream: Downstream, number: number, body: Uint8Array): string | null {
    const request = decodeOpen(body);
    if (request === null) return 'its open is none';
    if (downstream.channels.size >= channelsMax) return 'it asks for too many channels';
    downstream.channels.set(number, { request, offered: null });
    const offered = this.#offered.get(request.key);
    return offered === undefined ? null : this.#bind(downstream, number, offered);
  }

  #openWaiting(downstream: Downstream, offered: Offered): void {
    for (const [number, { request }] of downstream.channels) {
      if (request.key !== offered.channel.key) continue;
      const problem = this.#bind(downstream, number, offered);
      if (problem !== null) this.#end(downstream, problem);
    }
  }

  #bind(downstream: Downstream, number: number, offered: Offered): string | null {
    const { from } = downstream;
    const asked = downstream.channels.get(number);
    if (from === null || asked === undefined) return 'it asked for no such channel';
    const { windowSlots, slotBytes } = asked.request;
    const { ring } = offered.channel;
    if (windowSlots !== ring.slotCount || slotBytes !== ring.slotBytes) {
      return `${windowSlots} slots of ${slotBytes} bytes are not the ${ring.slotCount} of ${ring.slotBytes} here`;
    }
    const problem = openSend(offered.state, from.connection, asked.request);
    if (problem !== null) return problem;
    asked.offered = offered;
    offered.reader.giveBack(offered.state.slotsAcked);
    return null;
  }

  #credit(downstream: Downstream, number: number, body: Uint8Array<ArrayBuffer>): string | null {
    const credit = decodeCredit(body);
    if (credit === null) return 'its credit is none';
    const offered = downstream.channels.get(number)?.offered ?? null;
    if (offered === null || downstream.from === null)
      return 'credit comes for a channel that is not open';
    const problem = takeCredit(offered.state, downstream.from.connection, credit);
    if (problem === null) offered.reader.giveBack(offered.state.slotsAcked);
    return problem;
  }

  /** One turn: a frame of each channel after the other, until there is none or the turn is over. */
  #sendTo(downstream: Downstream): boolean {
    const open = [...downstream.channels].flatMap(([number, { offered }]) => {
      return offered === null ? [] : [{ number, offered }];
    });
    for (const { offered } of open) look(offered);
    const pieces: Uint8Array[] = [];
    let [bytes, idle] = [0, 0];
    while (downstream.hasRoom && idle < open.length && bytes < turnBytesMax) {
      const one = open[downstream.turn++ % open.length];
      const next = one === undefined ? null : nextFrame(one.offered.state);
      idle = next === null ? idle + 1 : 0;
      if (next === null || one === undefined) continue;
      for (const piece of this.#encode(one.offered, one.number, next)) {
        pieces.push(piece);
        bytes += piece.length;
      }
    }
    if (pieces.length > 0) downstream.hasRoom = downstream.connection.write(pieces);
    return downstream.hasRoom && bytes >= turnBytesMax;
  }

  #encode(
    { reader }: Offered,
    channel: number,
    { sequence, frame }: { readonly sequence: number; readonly frame: KeptFrame },
  ): readonly Uint8Array[] {
    const { checksum } = this.#options;
    const kind = frameKinds[frame.kind];
    const place = { channel, sequence };
    if (frame.kind === 'slot') {
      const { fragment, messageBytes } = reader.slotAt(frame.place);
      return [encodeHeader(checksum, { kind, ...place, messageBytes }, fragment), fragment];
    }
    const body = frame.kind === 'note' ? encodeNote(frame.numbers) : new Uint8Array(0);
    return frameOf(checksum, kind, body, place);
  }
}

/** Makes frames of what has come into the ring. */
function look(offered: Offered): void {
  const { reader, state, notes } = offered;
  if (offered.isOver) return;
  const outcome = reader.look();
  for (let note = reader.takeNote(); note !== null; note = reader.takeNote()) notes.push(note);
  makeFrames(state, reader.seen, notes);
  if (outcome !== 'ended' && outcome !== 'failed') return;
  offered.isOver = true;
  makeMark(state, outcome === 'ended' ? 'end' : 'failed');
}
