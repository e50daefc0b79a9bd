/**
 * Phi-accrual suspicion: how unlikely a silence is, by the rhythm of the heartbeats before it. Phi 1 is a
 * silence that one heartbeat in ten is followed by, phi 8 one in a hundred million.
 *
 *     heartbeats   |    |    |     |    |
 *     intervals      ──── ──── ───── ────      mean and deviation, newer ones count more
 *     silence                           ──────────▶ now: how far out in that distribution?
 *
 * Why not a fixed timeout: a calm network would be given too much time, a busy one too little. The
 * deviation has a floor, for after a thousand equal intervals the first late one would be a death.
 *
 * @see Hayashibara et al. 2004, "The phi accrual failure detector"; the logistic approximation of the
 * normal distribution is Akka's.
 * After: coordinator/membership/member-state.ts.
 */

export interface Rhythm {
  readonly meanMs: number;
  readonly varianceMs2: number;
}

export interface RhythmConfig {
  /** How often a worker sends a heartbeat. */
  readonly heartbeatMs: number;
  /** The least deviation that is believed. */
  readonly deviationMsMin: number;
}

/** Share of a new interval in mean and variance: about the last forty count. */
const newShare = 0.05;

/** Before anything was heard: the rhythm that was agreed on, with a generous deviation. */
export function firstRhythm({ heartbeatMs }: RhythmConfig): Rhythm {
  return { meanMs: heartbeatMs, varianceMs2: (heartbeatMs / 2) ** 2 };
}

/** The rhythm with one interval more. */
export function withInterval(rhythm: Rhythm, intervalMs: number): Rhythm {
  const difference = intervalMs - rhythm.meanMs;
  return {
    meanMs: rhythm.meanMs + newShare * difference,
    varianceMs2: (1 - newShare) * (rhythm.varianceMs2 + newShare * difference ** 2),
  };
}

/** Minus the logarithm, base ten, of the chance that the next heartbeat comes only after `silenceMs`. */
export function phiOf(rhythm: Rhythm, silenceMs: number, config: RhythmConfig): number {
  const deviationMs = Math.max(config.deviationMsMin, Math.sqrt(rhythm.varianceMs2));
  const far = (silenceMs - rhythm.meanMs) / deviationMs;
  const exponent = far * (1.5976 + 0.070566 * far * far);
  // log10(1 + e^x), written so that neither a large nor a small x overflows.
  const base = Math.max(0, exponent) + Math.log1p(Math.exp(-Math.abs(exponent)));
  return base / Math.LN10;
}
