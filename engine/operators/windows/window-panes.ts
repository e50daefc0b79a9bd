/**
 * Window panes: the pieces that windows of time are made of, as arithmetic. A row is put into one pane,
 * whatever the number of windows that it is in, and a window is merged of its panes.
 *
 *     sliding 10 s by 4 s      panes of 2 s, the greatest that both are multiples of
 *     ├──┼──┼──┼──┼──┤         the window that ends at 10 has five of them
 *           ├──┼──┼──┼──┼──┤   the next one ends at 14
 *
 * A pane is known by its start. Starts and ends are milliseconds by the clock of the windows' place: what
 * compares them with a watermark converts them (`instantOf`). The one pane of a global window is 0.
 */
import { greatestDivisor, type TimeWindowSpec } from '../../plan/window-spec.ts';

export interface WindowPanes {
  /** Of the panes, in milliseconds; 0 where there is one pane. */
  readonly paneMs: number;
  readonly offsetMs: number;
  /** The first end after `afterMs` among windows that the pane is in; null when there is none. */
  nextEndOf(paneStart: number, afterMs: number): number | null;
  /** The end of the last window that the pane is in. */
  lastEndOf(paneStart: number): number;
  /** The start of the window with this end. */
  startOf(windowEnd: number): number;
  /** The panes of that window start from the first time on, and before the second. */
  rangeOf(windowEnd: number): readonly [from: number, to: number];
}

export function windowPanesOf(spec: TimeWindowSpec): WindowPanes {
  switch (spec.kind) {
    case 'global':
      return globalPanes;
    case 'until':
      return untilPanes;
    case 'tumbling':
      return slidingPanes(spec.sizeMs, spec.sizeMs, spec.offsetMs);
    case 'sliding':
      return slidingPanes(spec.sizeMs, spec.slideMs, spec.offsetMs);
    default:
      return cumulatingPanes(spec.sizeMs, spec.stepMs, spec.offsetMs);
  }
}

const globalPanes: WindowPanes = {
  paneMs: 0,
  offsetMs: 0,
  nextEndOf: (_, afterMs) => {
    return afterMs === Number.POSITIVE_INFINITY ? null : Number.POSITIVE_INFINITY;
  },
  lastEndOf: () => Number.POSITIVE_INFINITY,
  startOf: () => Number.NEGATIVE_INFINITY,
  rangeOf: () => [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
};

/** A pane is all rows of one end, and is known by it. */
const untilPanes: WindowPanes = {
  paneMs: 1,
  offsetMs: 0,
  nextEndOf: (pane, afterMs) => (pane > afterMs ? pane : null),
  lastEndOf: (pane) => pane,
  startOf: (end) => end,
  rangeOf: (end) => [end, end + 1],
};

function slidingPanes(sizeMs: number, slideMs: number, offsetMs: number): WindowPanes {
  const paneMs = greatestDivisor(sizeMs, slideMs);
  const lastEndOf = (pane: number) => floorTo(pane, slideMs, offsetMs) + sizeMs;
  return {
    paneMs,
    offsetMs,
    lastEndOf,
    nextEndOf: (pane, afterMs) => {
      // Ends are a size behind starts, which are multiples of the slide.
      const end = floorTo(Math.max(pane, afterMs) - sizeMs, slideMs, offsetMs) + slideMs + sizeMs;
      return end <= lastEndOf(pane) ? end : null;
    },
    startOf: (end) => end - sizeMs,
    rangeOf: (end) => [end - sizeMs, end],
  };
}

function cumulatingPanes(sizeMs: number, stepMs: number, offsetMs: number): WindowPanes {
  const lastEndOf = (pane: number) => floorTo(pane, sizeMs, offsetMs) + sizeMs;
  const startOf = (end: number) => floorTo(end - 1, sizeMs, offsetMs);
  return {
    paneMs: stepMs,
    offsetMs,
    lastEndOf,
    nextEndOf: (pane, afterMs) => {
      const end = floorTo(Math.max(pane, afterMs), stepMs, offsetMs) + stepMs;
      return end <= lastEndOf(pane) ? end : null;
    },
    startOf,
    rangeOf: (end) => [startOf(end), end],
  };
}

/** The greatest number not above `value` that is `offset` after a multiple of `size`. */
export function floorTo(value: number, size: number, offset: number): number {
  return Math.floor((value - offset) / size) * size + offset;
}
