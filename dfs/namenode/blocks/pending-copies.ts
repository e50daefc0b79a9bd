/**
 * Copies that were ordered and are not reported yet: where they go to and come from, so that a block is not copied twice, and no
 * datanode sends more at once than it may.
 *
 *     add ─▶ under way ──the target reports the replica──▶ done
 *                 └──timeoutMs, or source or target is dead──▶ its block is looked at again
 *
 * The limit is of senders: reading is what copies take from clients. A block that is down to its last replica may go over it, up to
 * a second limit. Times are monotonic. @see Apache Hadoop HDFS, `PendingReconstructionBlocks`
 */
import type { Urgency } from './redundancy.ts';

export interface CopyLimits {
  /** Sent at once by a datanode. */
  readonly sendsMax: number;
  /** For the most urgent. */
  readonly sendsMaxUrgent: number;
  readonly timeoutMs: number;
}

/** As many as in HDFS. */
const defaultCopyLimits: CopyLimits = { sendsMax: 2, sendsMaxUrgent: 4, timeoutMs: 300_000 };

export interface Copy {
  readonly blockRow: number;
  readonly sourceId: string;
  readonly targetId: string;
}

export class PendingCopies {
  readonly #limits: CopyLimits;
  /** By row of the block. */
  readonly #copies = new Map<number, readonly (Copy & { readonly orderedAtMs: number })[]>();
  /** By datanode. */
  readonly #sends = new Map<string, number>();

  constructor(limits: CopyLimits = defaultCopyLimits) {
    this.#limits = limits;
  }

  /** They count as replicas that are about to be there, and their datanodes get no other copy of the block. */
  targetsOf(blockRow: number): string[] {
    return (this.#copies.get(blockRow) ?? []).map(({ targetId }) => targetId);
  }

  maySend(sourceId: string, urgency: Urgency): boolean {
    const { sendsMax, sendsMaxUrgent } = this.#limits;
    const limit = urgency === 'only-one' ? sendsMaxUrgent : sendsMax;
    return (this.#sends.get(sourceId) ?? 0) < limit;
  }

  add(copy: Copy, nowMs: number): void {
    const others = this.#copies.get(copy.blockRow) ?? [];
    this.#copies.set(copy.blockRow, [...others, { ...copy, orderedAtMs: nowMs }]);
    this.#sends.set(copy.sourceId, (this.#sends.get(copy.sourceId) ?? 0) + 1);
  }

  /** The target has it. */
  arrived(blockRow: number, targetId: string): void {
    this.#end(blockRow, (copy) => copy.targetId === targetId);
  }

  /** The block is gone. */
  forgetBlock(blockRow: number): void {
    this.#end(blockRow, () => true);
  }

  /** @returns the rows of blocks that are to be looked at again */
  forgetDatanode(datanodeId: string): number[] {
    return this.#endAll(({ sourceId, targetId }) => [sourceId, targetId].includes(datanodeId));
  }

  /** @returns the rows of blocks that are to be looked at again */
  expire(nowMs: number): number[] {
    return this.#endAll(({ orderedAtMs }) => nowMs - orderedAtMs >= this.#limits.timeoutMs);
  }

  #endAll(isIt: (copy: Copy & { readonly orderedAtMs: number }) => boolean): number[] {
    return [...this.#copies.keys()].filter((row) => this.#end(row, isIt));
  }

  /** Whether there was one. */
  #end(row: number, isIt: (copy: Copy & { readonly orderedAtMs: number }) => boolean): boolean {
    const copies = this.#copies.get(row) ?? [];
    const others = copies.filter((copy) => !isIt(copy));
    for (const { sourceId } of copies.filter(isIt)) {
      const sends = (this.#sends.get(sourceId) ?? 0) - 1;
      if (sends > 0) this.#sends.set(sourceId, sends);
      else this.#sends.delete(sourceId);
    }
    if (others.length > 0) this.#copies.set(row, others);
    else this.#copies.delete(row);
    return others.length < copies.length;
  }
}
