/**
 * Input gate: several channels read as one, in any order.
 *
 *     channel 0  a b        read order   a p b q   whatever is there, turn by turn, so that a busy
 *     channel 1  p q                               channel cannot starve the others
 *
 * Watermarks of channels become one, the least of them; it comes before any row that was behind the
 * last of these. Latency marks pass as they come. The gate ends when all channels have ended, and fails as soon as one has failed.
 * Before: engine/shuffle/channel-reader.ts. After: engine/task/task.ts.
 */
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
  /** By channel: when event time came to its last watermark. */
  readonly #clocks: (EventClock | undefined)[] = [];
  #turn = 0;
  #port = 0;
  #hasFailed = false;

  /** @param places - By channel. @defaultValue all are of input 0, and have a say in time */
  constructor(channels: readonly ElementReader[], places: readonly ChannelPlace[] = []) {
    this.#channels = channels.map((reader, index) => {
      return { reader, index, port: places[index]?.port ?? 0 };
    });
    this.#open = [...this.#channels];
    this.#times = new WatermarkCoalescer(channels.length);
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
    let asked = 0;
    while (asked < this.#open.length) {
      this.#turn = this.#turn % this.#open.length;
      const channel = this.#open[this.#turn];
      const element = channel?.reader.read();
      if (channel === undefined || element === undefined) break;
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

  #ended(channel: Channel): StreamMark | null {
    this.#open.splice(this.#turn, 1);
    return this.#markOf(this.#times.end(channel.index));
  }

  #marked({ index }: Channel, mark: StreamMark): StreamMark | null {
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
