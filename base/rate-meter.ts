/**
 * How fast a counter grows: over the last few seconds, steady enough to read, and quick to follow a change.
 */
const rateWindowMs = 3_000;

export class RateMeter {
  #samples: { readonly atMs: number; readonly count: number }[] = [];

  /** Takes in how far the counter is now; returns its rate per second, 0 while there is none to tell. */
  add(atMs: number, count: number): number {
    // It has begun anew: an attempt of a job that follows another one counts from where that one was kept.
    if (count < (this.#samples.at(-1)?.count ?? 0)) this.#samples = [];
    this.#samples.push({ atMs, count });
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= rateWindowMs);
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs === oldest.atMs) return 0;
    return ((count - oldest.count) / (atMs - oldest.atMs)) * 1000;
  }
}
