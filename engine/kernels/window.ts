/** Reference of window.as.ts: the start of a window, in whole numbers of any size. */

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

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor < 0n ? quotient - 1n : quotient;
}
