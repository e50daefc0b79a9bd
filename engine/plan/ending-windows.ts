/**
 * Windows that a moment may be in several of, by where they end, counted from the start of the period that the moment is in.
 *
 *     10 s every 2 s            periods of 2 s,  ends 10 8 6 4 2       a moment at 7: 16 14 12 10 8
 *     growing by 2 s up to 10   periods of 10 s, ends 2 4 6 8 10       a moment at 7: 8 10, as others are past
 *
 * A window is known by its end alone: no two of one kind end at the same time.
 */
import type { WindowSpec } from './window-spec.ts';

export interface EndingWindows {
  readonly periodMs: number;
  readonly offsetMs: number;
  /** In milliseconds from 1 on. */
  readonly endsMs: readonly number[];
}

type Overlapping = WindowSpec & { readonly kind: 'sliding' | 'cumulating' };

/** How many windows a moment may be in. */
export function windowCountOf(spec: Overlapping): number {
  return spec.kind === 'sliding'
    ? Math.ceil(spec.sizeMs / spec.slideMs)
    : spec.sizeMs / spec.stepMs;
}

export function endingWindowsOf(spec: Overlapping): EndingWindows {
  const { sizeMs, offsetMs } = spec;
  const places = Array.from({ length: windowCountOf(spec) }, (_, place) => place);
  if (spec.kind === 'sliding') {
    const { slideMs } = spec;
    const endsMs = places.map((place) => sizeMs - place * slideMs);
    return { periodMs: slideMs, offsetMs, endsMs };
  }
  const endsMs = places.map((place) => (place + 1) * spec.stepMs);
  return { periodMs: sizeMs, offsetMs, endsMs };
}
