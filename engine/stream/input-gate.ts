/**
 * Input gate: several channels read as one, in any order.
 *
 *     channel 0  a b        read order   a p b q   whatever is there, turn by turn, so that a busy
 *     channel 1  p q                               channel cannot starve the others
 *
 * Watermarks of channels become one, the least of them; it comes before any row that was behind the
 * last of these. Latency marks pass as they come. A channel that has brought
 * a barrier is not read until all have (engine/checkpoint/barrier-aligner.ts); one that was announced, or has waited too long, passes ahead
 * of what is in the channels (`passesAhead`, engine/stream/unaligned-gate.ts). The gate ends when all channels have ended, and fails as soon as one has failed.
 * Before: engine/shuffle/channel-reader.ts. After: engine/task/task.ts.
 */
import type { Barrier } from '../checkpoint/barrier.ts';
import { BarrierAligner } from '../checkpoint/barrier-aligner.ts';
import { ChannelRecording } from '../checkpoint/channel-recording.ts';
import { type ChannelTime, WatermarkCoalescer } from '../time/watermark-coalescer.ts';
import {
  type ElementReader,
  type EventClock,
  isMark,
  type StreamElement,
  type StreamMark,
} from './stream-element.ts';
import { UnalignedGate } from './unaligned-gate.ts';

/** A channel, and the input of the vertex that it belongs to. */
interface Channel {
  readonly reader: ElementReader;
  readonly port: number;
  /** Among all, for the coalescer. */
  readonly index: number;
}

/** What a gate is told of a channel. */
export interface ChannelPlace {
  /** The input of the vertex that it belongs to. */
  readonly port: number;
  /** Whether it has no say in how far event time has come. */
  readonly isTimeless: boolean;
}

export class InputGate implements ElementReader {
  readonly #channels: readonly Channel[];
  /** Channels that have not ended, in turn. */
  readonly #open: Channel[];
  readonly #times: WatermarkCoalescer;
  readonly #barriers: BarrierAligner;
  readonly #unaligned: UnalignedGate;
  readonly #mono: () => number;
  /** What a channel's end has brought, besides the mark that was given out for it. */
  #next: StreamMark | null = null;
  /** By channel: when event time came to its last watermark. */
  readonly #clocks: (EventClock | undefined)[] = [];
  #turn = 0;
  #port = 0;
  #hasFailed = false;

  /**
   * @param places - By channel. @defaultValue all are of input 0, and have a say in time
   * @param mono - The clock that barriers are waited for by. @defaultValue nobody measures that
   */
  constructor(
    channels: readonly ElementReader[],
    places: readonly ChannelPlace[] = [],
    mono: () => number = () => 0,
  ) {
    this.#channels = channels.map((reader, index) => {
      return { reader, index, port: places[index]?.port ?? 0 };
    });
    this.#open = [...this.#channels];
    this.#mono = mono;
    this.#times = new WatermarkCoalescer(channels.length);
    this.#barriers = new BarrierAligner(channels.length);
    this.#unaligned = new UnalignedGate({
      aligner: this.#barriers,
      open: () => this.#open,
      watermarkOf: (channel) => this.#times.watermarkOf(channel),
    });
    // For time it is as if such a channel had ended.
    for (const { index } of this.#channels) if (places[index]?.isTimeless) this.#times.end(index);
  }

  get port(): number {
    return this.#port;
  }

  times(): readonly ChannelTime[] {
    return this.#times.channels();
  }

  /** The next barrier that passes ahead of what is in the channels, and now; null where none does. */
  passesAhead(): Barrier | null {
    const barrier = this.#unaligned.passesAhead(this.#mono());
    // One that all channels had brought before is an earlier one, and overtaken.
    if (barrier !== null && this.#next?.kind === 'barrier') this.#next = null;
    return barrier;
  }

  /** What was in the channels when the last barrier passed ahead of it; null where it waited for all of that. */
  takeRecording(): ChannelRecording | null {
    return this.#unaligned.takeRecording();
  }

  /** Where nothing is on its way, for a barrier that has come in its turn: how far the event time of each channel is. */
  emptyRecording(checkpointId: number): ChannelRecording {
    const channels = this.#open.map(({ index: channel }) => {
      return { channel, watermarkMs: this.#times.watermarkOf(channel) };
    });
    const recording = new ChannelRecording(checkpointId, channels);
    for (const { channel } of channels) recording.close(channel, []);
    return recording;
  }

  /** When a barrier that waits for others is to pass ahead, by the clock; infinity for never. */
  get dueAtMs(): number {
    return this.#barriers.dueAtMs;
  }

  /** Checkpoints that will not come through the gate, since later ones were first. */
  takeDropped(): readonly number[] {
    return this.#barriers.takeDropped();
  }

  /** The checkpoint is given up: no channel waits for its barrier. */
  cancel(checkpointId: number): void {
    this.#barriers.cancel(checkpointId);
    this.#unaligned.cancel(checkpointId);
  }

  /**
   * Behind a restart, before the first read: how far the event time of a channel was.
   * @returns The watermark of all, where that goes on.
   */
  goOnFrom(watermarkOf: (channel: number) => number): StreamMark | null {
    let timeMs: number | null = null;
    for (const { index } of this.#open) {
      const watermarkMs = watermarkOf(index);
      if (watermarkMs === Number.NEGATIVE_INFINITY) continue;
      timeMs = this.#times.advance(index, watermarkMs) ?? timeMs;
    }
    return timeMs === null ? null : { kind: 'watermark', timeMs };
  }

  read(): StreamElement | 'waiting' {
    if (this.#hasFailed) return 'failed';
    const next = this.#takeNext();
    if (next !== null) return next;
    let asked = 0;
    while (asked < this.#open.length) {
      this.#turn = this.#turn % this.#open.length;
      const channel = this.#open[this.#turn];
      if (channel === undefined) break;
      const element = this.#readChannel(channel);
      if (element === 'failed') {
        this.#hasFailed = true;
        return 'failed';
      }
      if (element === 'end') {
        const mark = this.#ended(channel);
        if (mark !== null) return mark;
        continue;
      }
      this.#turn++;
      if (element === 'waiting') {
        asked++;
        continue;
      }
      if (!isMark(element)) {
        this.#times.setActive(channel.index);
        this.#port = channel.port;
        return element;
      }
      const mark = this.#marked(channel, element);
      if (mark !== null) return mark;
      asked = 0; // More may be behind it, and nobody rings for what was there before.
    }
    return this.#open.length === 0 ? 'end' : 'waiting';
  }

  close(): void {
    for (const { reader } of this.#channels) reader.close();
  }

  #readChannel({ reader, index }: Channel): StreamElement | 'waiting' {
    const isBlocked = this.#barriers.isBlocked(index) || this.#unaligned.isBlocked(index);
    return isBlocked ? 'waiting' : reader.read();
  }

  #takeNext(): StreamMark | null {
    const mark = this.#next;
    this.#next = null;
    return mark;
  }

  /** Time that goes on because a channel has ended does so in front of the barrier that its end completes. */
  #ended(channel: Channel): StreamMark | null {
    this.#open.splice(this.#turn, 1);
    const time = this.#markOf(this.#times.end(channel.index));
    this.#unaligned.ended(channel.index);
    const barrier = this.#barriers.end(channel.index, this.#mono);
    if (time === null) return barrier;
    this.#next = barrier;
    return time;
  }

  #marked({ index }: Channel, mark: StreamMark): StreamMark | null {
    if (mark.kind === 'barrier') {
      this.#unaligned.arrived(mark, index);
      return this.#barriers.arrive(index, mark, this.#mono());
    }
    if (mark.kind === 'latency') return mark;
    if (mark.kind === 'idle') return this.#markOf(this.#times.setIdle(index));
    this.#clocks[index] = mark.clock;
    return this.#markOf(this.#times.advance(index, mark.timeMs));
  }

  #markOf(timeMs: number | null): StreamMark | null {
    if (timeMs !== null) {
      const clock = this.#clockOf(timeMs);
      return { kind: 'watermark', timeMs, ...(clock !== undefined && { clock }) };
    }
    return this.#times.becameIdle() ? { kind: 'idle' } : null;
  }

  /** Of the channel that the watermark of all is from. */
  #clockOf(timeMs: number): EventClock | undefined {
    const from = this.#times.channels().find(({ watermarkMs }) => watermarkMs === timeMs);
    return from && this.#clocks[from.channel];
  }
}
