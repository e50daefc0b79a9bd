/**
 * Input gate: several channels read as one, in any order.
 *
 *     channel 0  a b        read order   a p b q   whatever is there, turn by turn, so that a busy
 *     channel 1  p q                               channel cannot starve the others
 *
 * Watermarks of channels become one, the least of them; it comes before any row that was behind the
 * last of these. Latency marks pass as they come. A channel that has brought
 * a barrier is not read until all have (engine/checkpoint/barrier-aligner.ts). The gate ends when all channels have ended, and fails as soon as one has failed.
 * Before: engine/shuffle/channel-reader.ts. After: engine/task/task.ts.
 */
import type { Barrier } from '../checkpoint/barrier.ts';
import { BarrierAligner } from '../checkpoint/barrier-aligner.ts';
import { type ChannelTime, WatermarkCoalescer } from '../time/watermark-coalescer.ts';
import {
  type ElementReader,
  type EventClock,
  isMark,
  type StreamElement,
  type StreamMark,
} from './stream-element.ts';

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
  readonly #mono: () => number;
  #alignedSinceMs = 0;
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
    // For time it is as if such a channel had ended.
    for (const { index } of this.#channels) if (places[index]?.isTimeless) this.#times.end(index);
  }

  get port(): number {
    return this.#port;
  }

  times(): readonly ChannelTime[] {
    return this.#times.channels();
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
    return this.#barriers.isBlocked(index) ? 'waiting' : reader.read();
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
    const barrier = this.#aligned(this.#barriers.end(channel.index));
    if (time === null) return barrier;
    this.#next = barrier;
    return time;
  }

  #marked({ index }: Channel, mark: StreamMark): StreamMark | null {
    if (mark.kind === 'barrier') {
      if (!this.#barriers.isAligning) this.#alignedSinceMs = this.#mono();
      return this.#aligned(this.#barriers.arrive(index, mark));
    }
    if (mark.kind === 'latency') return mark;
    if (mark.kind === 'idle') return this.#markOf(this.#times.setIdle(index));
    this.#clocks[index] = mark.clock;
    return this.#markOf(this.#times.advance(index, mark.timeMs));
  }

  #aligned(barrier: Barrier | null): Barrier | null {
    return barrier && { ...barrier, alignmentMs: this.#mono() - this.#alignedSinceMs };
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
