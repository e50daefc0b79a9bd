/**
 * The options of the `generator` connector as a plan carries them, and the ranges of events that its
 * splits are.
 */
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';

export type NexmarkKind = 'bids' | 'auctions' | 'persons';

// A type alias, not an interface: only those are assignable to `Json`.
export type NexmarkOptions = {
  readonly kind: NexmarkKind;
  /** Of all three kinds together. */
  readonly events: number;
  readonly seed: number;
  readonly baseTimeMs: number;
  readonly eventsPerSecond: number;
  /** So many events in a row are mixed up; 1: none. */
  readonly outOfOrderGroup: number;
};

/** Event numbers, half-open. */
export interface EventRange {
  readonly from: number;
  readonly to: number;
}

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

/** The range of a split that `splitOfEvents` made. */
export function eventRangeOf(payload: Json): EventRange {
  return payload as unknown as EventRange;
}
