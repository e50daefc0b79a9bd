/**
 * The slots that a job has of workers that live: asked for under a key of their own each time some are missing, and given
 * back together.
 *
 *     need(4) ─▶ key 1: w1 × 2, w2 × 2      w2 is gone ─▶ need(4) ─▶ key 2: w3 × 2
 *
 * Before: coordinator/cluster/job-host.ts. After: coordinator/cluster/slot-queue.ts.
 */

import type { Placement } from '../metadata/metadata-event.ts';
import type { OfLife } from '../protocol/members.ts';
import type { QueuedJob } from '../scheduler/queue-state.ts';
import type { Holding, SlotQueue } from './slot-queue.ts';

export type SlotsWanted = Omit<QueuedJob, 'slots'>;

export interface HeldSlotsOptions {
  readonly queue: Pick<SlotQueue, 'acquire' | 'release'>;
  /** What is asked for, but for the number; its `jobId` is what keys begin with. */
  readonly wanted: SlotsWanted;
  readonly isAlive: (life: OfLife) => boolean;
}

export class HeldSlots {
  readonly #options: HeldSlotsOptions;
  readonly #holdings: Holding[] = [];
  readonly #avoided = new Set<string>();
  #asked = 0;
  /** The key under which slots are being waited for. */
  #waitingKey: string | null = null;
  #isClosed = false;

  constructor(options: HeldSlotsOptions) {
    this.#options = options;
  }

  /** The key under which slots are being waited for; null where they are there. */
  get waitingKey(): string | null {
    return this.#waitingKey;
  }

  /**
   * Resolves when so many are there; one caller at a time.
   * @throws SLOTS_NOT_THERE, SLOTS_RELEASED
   */
  async need(count: number): Promise<void> {
    const { queue, wanted } = this.#options;
    for (;;) {
      const missing = count - this.byLife().reduce((sum, life) => sum + life.count, 0);
      if (missing <= 0) return;
      const key = `${wanted.jobId}#${++this.#asked}`;
      this.#waitingKey = key;
      try {
        const holding = await queue.acquire({
          ...{ ...wanted, jobId: key, slots: missing, avoid: [...this.#avoided] },
        });
        if (this.#isClosed) queue.release(key);
        else this.#holdings.push(holding);
      } finally {
        this.#waitingKey = null;
      }
    }
  }

  /** Those of workers that live, by life. */
  byLife(): (OfLife & { readonly count: number })[] {
    const counts = new Map<string, OfLife & { count: number }>();
    for (const { placement } of this.#holdings) {
      for (const [workerId, { incarnation, slots }] of Object.entries(placement)) {
        if (!this.#options.isAlive({ workerId, incarnation })) continue;
        const key = `${workerId} ${incarnation}`;
        const known = counts.get(key) ?? { workerId, incarnation, count: 0 };
        known.count += slots;
        counts.set(key, known);
      }
    }
    return [...counts.values()];
  }

  /** As the metadata log has it. */
  get placement(): Placement {
    return Object.fromEntries(
      this.byLife().map(({ workerId, incarnation, count }) => [
        workerId,
        { incarnation, slots: count },
      ]),
    );
  }

  /** Gives all of them back; what is asked for next is elsewhere, where there is room. */
  leave(workerId: string): void {
    this.#avoided.add(workerId);
    for (const { key } of this.#holdings.splice(0)) this.#options.queue.release(key);
  }

  /** Gives all of them back, and what is being waited for. */
  close(): void {
    const { queue } = this.#options;
    this.#isClosed = true;
    for (const { key } of this.#holdings.splice(0)) queue.release(key);
    if (this.#waitingKey !== null) queue.release(this.#waitingKey);
  }
}
