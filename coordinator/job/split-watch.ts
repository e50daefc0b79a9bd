/**
 * Split watch: looks for more splits of a job's sources without an end, as long as the job runs.
 *
 *     wait ─▶ discoverMore ─▶ GrowingSplits ─▶ wait …
 *
 * Before: coordinator/job/job-sources.ts. After: coordinator/scheduler/growing-splits.ts.
 */
import type { Timers } from '../../base/env/timers.ts';
import type { Split, SplitEnumerator } from '../../engine/contracts/source.ts';
import type { GrowingSplits } from '../scheduler/growing-splits.ts';

export interface WatchedSource {
  readonly enumerator: Pick<SplitEnumerator, 'discoverMore' | 'discoveryIntervalMs'>;
  readonly supply: GrowingSplits;
  /** Is told what was found, and how many inputs that is. */
  readonly onFound: (splits: readonly Split[], inputCount: number) => void;
}

const discoveryIntervalMsDefault = 1_000;

export class SplitWatch {
  readonly #timers: Pick<Timers, 'sleep'>;
  readonly #onFailure: (error: unknown) => void;
  readonly #end = new AbortController();

  constructor(timers: Pick<Timers, 'sleep'>, onFailure: (error: unknown) => void) {
    this.#timers = timers;
    this.#onFailure = onFailure;
  }

  add(source: WatchedSource): void {
    this.#watch(source).catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#onFailure(error);
    });
  }

  /** Nothing is looked for any more. */
  stop(): void {
    this.#end.abort();
  }

  async #watch({ enumerator, supply, onFound }: WatchedSource): Promise<void> {
    const { discoveryIntervalMs = discoveryIntervalMsDefault } = enumerator;
    while (enumerator.discoverMore !== undefined) {
      await this.#timers.sleep(discoveryIntervalMs, this.#end.signal);
      const { splits, inputCount } = await enumerator.discoverMore();
      supply.add(splits);
      onFound(splits, inputCount);
    }
  }
}
