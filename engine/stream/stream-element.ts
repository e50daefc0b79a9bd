/**
 * Stream elements: what flows through a channel. Rows come in batches; marks lie between them; `end` says
 * that no more will come; `failed` says that the sender gave up, so what has come so far must not become a
 * result.
 *
 * `waiting` is no element: nothing is there now, ask again.
 */
import { Batch } from '../batch/batch.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { ChannelTime } from '../time/watermark-coalescer.ts';

/** No row older than `timeMs` follows, but late ones: whole milliseconds of event time. */
export interface Watermark {
  readonly kind: 'watermark';
  readonly timeMs: number;
  /** When event time came there. @defaultValue nobody measures that */
  readonly clock?: EventClock;
}

/** How the clock went while event time went on to a watermark. */
export interface EventClock {
  /** The clock, when rows of the watermark's time were due at the source. */
  readonly atMs: number;
  /** Milliseconds of the clock per millisecond of event time, shortly before. */
  readonly perMs: number;
}

/** No rows come for now: who waits for this channel's watermark needs not. Rows or a watermark end it. */
export interface Idle {
  readonly kind: 'idle';
}

/**
 * Rows that were due at the source from `fromMs` to `toMs` by the clock, evenly, have come here, but for those that an
 * operator holds. For people who measure: nothing waits for it, and nothing that it is behind is sent sooner.
 */
export interface LatencyMark {
  readonly kind: 'latency';
  readonly fromMs: number;
  readonly toMs: number;
  /** How many rows, or marks, it stands for. */
  readonly count: number;
}

/** What lies between batches. The end stands for the watermark of infinity. */
export type StreamMark = Watermark | Idle | LatencyMark | Barrier;

/** One mark in place of two, the first of which is still on its way. */
export function joinedLatency(before: LatencyMark | null, next: LatencyMark): LatencyMark {
  if (before === null) return next;
  const { count, fromMs } = before;
  return { kind: 'latency', fromMs, toMs: next.toMs, count: count + next.count };
}

export type StreamElement = Batch | StreamMark | 'end' | 'failed';

export function isMark(element: StreamElement | 'waiting'): element is StreamMark {
  return typeof element === 'object' && !(element instanceof Batch);
}

/** Rows and the end, where nothing lies between batches. */
export type RowElement = Exclude<StreamElement, StreamMark>;

/** Where a task reads from: a channel, or a gate over several. */
export interface ElementReader {
  /** The caller owns the batch. After `end` or `failed` it answers the same for ever. */
  read(): StreamElement | 'waiting';
  /** Of a gate: the input of the vertex that the last element came in at. @defaultValue always 0 */
  readonly port?: number;
  /** Of a gate: how far event time is in its channels, by their place. @defaultValue it has one channel, or no time */
  times?(): readonly ChannelTime[];
  /** Of a channel whose sender may have barriers overtake what is in it. @defaultValue none does */
  readonly ahead?: ChannelAhead;
  /** Releases all memory; called once, also after a failure. */
  close(): void;
}

/** A barrier that the sender has told of, and how far it had got with messages by then. */
export interface Announcement {
  readonly barrier: Barrier;
  readonly place: number;
}

/** What a channel tells ahead of its elements, and what of these it can give copies of: messages as they were sent. */
export interface ChannelAhead {
  /** The next announcement, or null. Nothing that was sent behind one is read before it has been taken. */
  takeAnnouncement(): Announcement | null;
  /** Where the channel ends; null as long as more may come. */
  readonly endPlace: number | null;
  /** Messages in front of a place that were not read. */
  messagesUpTo(place: number): readonly Uint8Array<ArrayBuffer>[];
  /** Is told each message that is read from here on; null: nobody is. */
  onMessage: ((message: Uint8Array<ArrayBuffer>) => void) | null;
}
