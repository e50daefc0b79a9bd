/** Reference of window.as.ts: starts of windows and panes, in whole numbers of any size. */

/** In milliseconds; null when there is no such moment. */
export function windowStartOf(
  moment: bigint,
  window: { readonly unitsPerMs: bigint; readonly sizeMs: bigint; readonly offsetMs: bigint },
): bigint | null {
  const { unitsPerMs, sizeMs, offsetMs } = window;
  const momentMs = floorDivide(moment, unitsPerMs);
  const start = floorDivide(momentMs - offsetMs, sizeMs) * sizeMs + offsetMs;
  return BigInt.asIntN(64, start) === start ? start : null;
}

/** The end of the window of a moment that ends `behindMs` after the start of the moment's period; null when it is past. */
export function windowEndOf(
  moment: bigint,
  window: {
    readonly unitsPerMs: bigint;
    readonly periodMs: bigint;
    readonly offsetMs: bigint;
    readonly behindMs: bigint;
  },
): bigint | null {
  const { unitsPerMs, periodMs, offsetMs, behindMs } = window;
  const momentMs = BigInt(momentMsOf(moment, unitsPerMs));
  const end = floorDivide(momentMs - offsetMs, periodMs) * periodMs + offsetMs + behindMs;
  return end > momentMs ? end : null;
}

const momentMsMax = 2n ** 52n;

/** A moment in milliseconds, kept near 1970. */
export function momentMsOf(moment: bigint, unitsPerMs: bigint): number {
  const momentMs = floorDivide(moment, unitsPerMs);
  const kept = momentMs > momentMsMax ? momentMsMax : momentMs;
  return Number(kept < -momentMsMax ? -momentMsMax : kept);
}

/** The start of the pane of a moment, by a clock that is ahead of UTC as the last pair says that is not after it. */
export function paneStartOf(
  moment: bigint,
  pane: { readonly unitsPerMs: bigint; readonly sizeMs: bigint; readonly offsetMs: bigint },
  shifts: readonly (readonly [sinceMs: number, shiftMs: number])[],
): number {
  const momentMs = momentMsOf(moment, pane.unitsPerMs);
  const shift = shifts.findLast(([since]) => since <= momentMs) ?? shifts[0] ?? [0, 0];
  const local = BigInt(momentMs + shift[1]);
  const { sizeMs, offsetMs } = pane;
  return Number(floorDivide(local - offsetMs, sizeMs) * sizeMs + offsetMs);
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
