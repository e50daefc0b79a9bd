/**
 * Scrubber: reads all finalized replicas again and again, at a rate that nobody notices, so that damage is found while another replica is
 * still good, and not when the last one is read.
 *
 * One round takes `roundMs` at least, whatever there is to read; within it `bytesPerSecondMax` is kept. A replica that is deleted, reopened or
 * recovered meanwhile is passed over.
 */
import type { Env } from '../../base/env/env.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { ReplicaStore } from './replicas/replica-store.ts';

export interface ScrubberOptions {
  readonly store: ReplicaStore;
  readonly bytesPerSecondMax: number;
  readonly roundMs: number;
}

export interface Scrubber {
  readonly verifiedBytes: number;
  readonly roundCount: number;
  stop(): void;
}

/** Read at once, and so the unit of its waits. */
const pieceBytes = 1024 * 1024;

export function startScrubber(
  env: Pick<Env, 'clock' | 'timers' | 'observe'>,
  options: ScrubberOptions,
): Scrubber {
  const run = new ScrubberRun(env, options);
  void run.go();
  return run;
}

class ScrubberRun implements Scrubber {
  verifiedBytes = 0;
  roundCount = 0;
  readonly #env: Pick<Env, 'clock' | 'timers' | 'observe'>;
  readonly #options: ScrubberOptions;
  readonly #stopped = new AbortController();

  constructor(env: Pick<Env, 'clock' | 'timers' | 'observe'>, options: ScrubberOptions) {
    this.#env = env;
    this.#options = options;
  }

  stop(): void {
    this.#stopped.abort(new Error('the scrubber was stopped'));
  }

  async go(): Promise<void> {
    const { clock, observe } = this.#env;
    while (!this.#stopped.signal.aborted) {
      const startedMs = clock.mono();
      for (const { blockId, state } of this.#options.store.replicas()) {
        if (this.#stopped.signal.aborted) return;
        if (state !== 'finalized') continue;
        try {
          await this.#verify(blockId);
        } catch (error) {
          if (this.#stopped.signal.aborted) return;
          // Damage is told by the store; what has changed under the reader is looked at in the next round.
          observe.event('datanode.scrub', { blockId, error: codeOf(error) ?? String(error) });
        }
      }
      this.roundCount++;
      await this.#sleep(startedMs + this.#options.roundMs - clock.mono());
    }
  }

  async #verify(blockId: number): Promise<void> {
    const { store, bytesPerSecondMax } = this.#options;
    const known = store.find(blockId);
    if (known === null || known.damage !== null) return;
    const reader = await store.openReader({ blockId, generationStamp: 0 });
    try {
      for (let at = 0; at < reader.lengthBytes && !this.#stopped.signal.aborted; ) {
        const count = Math.min(pieceBytes, reader.lengthBytes - at);
        await store.noticingDamage(reader.replica, () => reader.read(at, count));
        at += count;
        this.verifiedBytes += count;
        await this.#sleep((1_000 * count) / bytesPerSecondMax);
      }
    } finally {
      await reader.close();
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    try {
      await this.#env.timers.sleep(Math.max(0, ms), this.#stopped.signal);
    } catch {
      return; // It was stopped, as the loops see by themselves.
    }
  }
}
