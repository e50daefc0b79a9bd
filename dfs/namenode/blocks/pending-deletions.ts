/**
 * Replicas that datanodes are told to delete, a limited number with each heartbeat: to delete 100,000 files must not hold up anything else.
 *
 *     add ─▶ waiting ──heartbeat──▶ told ──"deleted" is reported──▶ gone
 *                          ▲          │
 *                          └──────────┘ nothing was heard for `retryMs`: the answer, or the datanode's memory, was lost
 *
 * - A replica in here does not count as one any more, told or not: else two steps would each take another one away.
 * - Of a datanode that dies or registers all is forgotten: what it still has it reports, and it is decided anew.
 * - A command names the newest generation stamp that may go, so a replica that was written since stays.
 *
 * Times are monotonic. Who asks for commands answers only when what they follow from is in the log, durable: a file whose removal a
 * crash takes back must find its blocks.
 * @see Apache Hadoop HDFS, `InvalidateBlocks`
 */
import type { Block } from '../../protocol/block.ts';

export interface DeletionLimits {
  /** Of one datanode. */
  readonly perHeartbeatMax: number;
  readonly retryMs: number;
}

/** As many as in HDFS. */
const defaultDeletionLimits: DeletionLimits = { perHeartbeatMax: 1_000, retryMs: 30_000 };

interface Deletion {
  readonly block: Block;
  /** Null while it is waiting. */
  readonly toldAtMs: number | null;
}

export class PendingDeletions {
  readonly #limits: DeletionLimits;
  /** By datanode, then by block; those that were told last are at the end. */
  readonly #deletions = new Map<string, Map<number, Deletion>>();

  constructor(limits: DeletionLimits = defaultDeletionLimits) {
    this.#limits = limits;
  }

  /** Again with a newer stamp, it is told again. */
  add(datanodeId: string, block: Block): void {
    const deletions = this.#deletions.get(datanodeId) ?? new Map<number, Deletion>();
    this.#deletions.set(datanodeId, deletions);
    const known = deletions.get(block.blockId);
    if (known !== undefined && known.block.generationStamp >= block.generationStamp) return;
    deletions.delete(block.blockId);
    deletions.set(block.blockId, { block, toldAtMs: null });
  }

  has(datanodeId: string, blockId: number): boolean {
    return this.#deletions.get(datanodeId)?.has(blockId) ?? false;
  }

  /** It is reported as deleted, or is needed again. */
  remove(datanodeId: string, blockId: number): void {
    const deletions = this.#deletions.get(datanodeId);
    deletions?.delete(blockId);
    if (deletions?.size === 0) this.#deletions.delete(datanodeId);
  }

  forgetDatanode(datanodeId: string): void {
    this.#deletions.delete(datanodeId);
  }

  /** For the answer to a heartbeat: who waits longest comes first. */
  next(datanodeId: string, nowMs: number): Block[] {
    const { perHeartbeatMax, retryMs } = this.#limits;
    const deletions = this.#deletions.get(datanodeId) ?? new Map<number, Deletion>();
    const due: Block[] = [];
    for (const { block, toldAtMs } of deletions.values()) {
      if (due.length >= perHeartbeatMax) break;
      if (toldAtMs === null || nowMs - toldAtMs >= retryMs) due.push(block);
    }
    for (const block of due) {
      deletions.delete(block.blockId);
      deletions.set(block.blockId, { block, toldAtMs: nowMs });
    }
    return due;
  }
}
