/**
 * The options of the `generator` connector as a plan carries them, and the ranges of events that its
 * splits are.
 */
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';
import type { EventRange, PacedLane } from './paced-range.ts';

export type NexmarkKind = 'bids' | 'auctions' | 'persons';

// A type alias, not an interface: only those are assignable to `Json`.
export type NexmarkOptions = {
  readonly kind: NexmarkKind;
  /** Of all three kinds together. */
  readonly events: number;
  /** Nobody waits for the last of them. */
  readonly isEndless?: true;
  readonly seed: number;
  readonly baseTimeMs: number;
  readonly eventsPerSecond: number;
  /** So many events in a row are mixed up; 1: none. */
  readonly outOfOrderGroup: number;
  /** Events per second of the clock, by all tasks together; absent: as fast as they are taken. */
  readonly rate?: number;
};

/** What an event of all makes on average, in bytes of the kind: 46 bids of 100 bytes in 50 events. */
const bytesPerEvent: Readonly<Record<NexmarkKind, number>> = {
  bids: (46 * 100) / 50,
  auctions: (3 * 500) / 50,
  persons: 200 / 50,
};

/** `connectors/generator.ts` has checked the options where the job was built. */
export function nexmarkOptionsOf(options: Json): NexmarkOptions {
  return options as unknown as NexmarkOptions;
}

/** The idealized size of events, for progress. */
export function eventBytesOf(kind: NexmarkKind, events: number): number {
  return Math.round(events * bytesPerEvent[kind]);
}

export function splitOfEvents(kind: NexmarkKind, { from, to }: EventRange): Split {
  return {
    id: `${kind}:${from}-${to}`,
    sizeBytes: eventBytesOf(kind, to) - eventBytesOf(kind, from),
    payload: { from, to },
  };
}

/** Every `laneCount`th chunk of all events, by the clock. */
export function splitOfLane(kind: NexmarkKind, lane: PacedLane): Split {
  const { from, to } = lane;
  const name = `${kind}:${from}-${to}:${lane.lane}/${lane.laneCount}`;
  const sizeBytes = Math.round(eventBytesOf(kind, to - from) / lane.laneCount);
  return { id: name, sizeBytes, sequence: name, payload: { ...lane } };
}

/** The lane of a split that `splitOfLane` made; null of others. */
export function pacedLaneOf(payload: Json): PacedLane | null {
  const isLane = typeof payload === 'object' && payload !== null && 'laneCount' in payload;
  return isLane ? (payload as unknown as PacedLane) : null;
}

/** The range of a split that `splitOfEvents` made. */
export function eventRangeOf(payload: Json): EventRange {
  return payload as unknown as EventRange;
}
