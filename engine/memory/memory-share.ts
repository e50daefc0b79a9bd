/**
 * Memory shares: how much of a slot's memory one operator may hold when several gather rows in it.
 *
 *     budget ── headroom: a quarter, 8 MiB at least     batches on their way, exchanges, readers, writers
 *           └── the rest, in shares                     one for each operator of the slot that gathers rows
 *                                                       (less for some: engine/plan/memory-weight.ts)
 *
 * An operator counts what it holds and spills before it passes its share; nothing is lent, so what one of
 * them does never depends on the others (docs/design/011-beyond-memory.md).
 */
const headroomBytesMin = 8 << 20;
const headroomPart = 4;

export interface MemoryShareOptions {
  readonly budgetBytes: number;
  /** Of the operators of the slot that gather rows: how many shares they have together. */
  readonly weight: number;
  /** Slots of the job, which `--memory` is for together. */
  readonly slotCount: number;
}

export class MemoryShare {
  /** What an operator of weight 1 may hold. */
  readonly bytes: number;
  readonly #options: MemoryShareOptions;

  constructor(options: MemoryShareOptions) {
    const { budgetBytes, weight } = options;
    const headroom = Math.max(headroomBytesMin, budgetBytes / headroomPart);
    this.#options = options;
    this.bytes = Math.max(0, Math.floor((budgetBytes - headroom) / Math.max(1, weight)));
  }

  /** What a part of the operator may hold, from 0 to 1 of it. */
  part(part: number): MemoryShare {
    return new MemoryShare({ ...this.#options, weight: Math.max(1, this.#options.weight) / part });
  }

  /** The least `--memory` with which a share has these bytes. */
  totalFor(shareBytes: number): number {
    const { weight, slotCount } = this.#options;
    const shares = shareBytes * Math.max(1, weight);
    const budget = Math.max(
      shares + headroomBytesMin,
      (shares * headroomPart) / (headroomPart - 1),
    );
    return Math.ceil(budget) * slotCount;
  }
}
