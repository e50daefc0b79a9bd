/**
 * When a child of `millrace up` that has ended is started again, as a pure step: at once waits 0.5 s, then twice as long each time,
 * up to 30 s; one that has run for a minute begins anew.
 */

export interface RestartState {
  /** Ends in a row. */
  readonly ends: number;
}

export const noRestarts: RestartState = { ends: 0 };

const delayMsMin = 500;
const delayMsMax = 30_000;
/** Whoever has run so long was not ended by its start. */
const steadyMs = 60_000;

/** @param ranMs - How long the child that has ended was there. */
export function nextRestart(
  { ends }: RestartState,
  ranMs: number,
): { readonly state: RestartState; readonly delayMs: number } {
  const before = ranMs >= steadyMs ? 0 : ends;
  const delayMs = Math.min(delayMsMax, delayMsMin * 2 ** Math.min(before, 10));
  return { state: { ends: before + 1 }, delayMs };
}
