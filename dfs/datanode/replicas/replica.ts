/**
 * A replica as the datanode knows it, and the lives it has:
 *
 *     create ──▶ being-written ──finalize──▶ finalized ──reopen (append)──▶ being-written
 *                     │ restart                  │
 *                     ▼                          │
 *           waiting-to-be-recovered              │        a new pipeline reopens it, or a block recovery
 *                     └────────┬─────────────────┘        agrees on its length
 *                              ▼
 *                       under-recovery ──update──▶ finalized, with another generation stamp
 *
 *     create, for a copy ──▶ temporary ──finalize──▶ finalized        (a restart removes it)
 *
 * A row of the store's map: mutable, changed by the store and by the one writer that has it.
 */
import type { Block, ReplicaState } from '../../protocol/block.ts';
import type { ReplicaPaths, Volume } from './volume.ts';

/** Who writes a replica, as others need to know it. */
export interface WriterHandle {
  /** Ends it where it is, once what it does now is done. */
  stop(): Promise<void>;
}

export interface Replica {
  readonly blockId: number;
  readonly chunkBytes: number;
  readonly volume: Volume;
  readonly paths: ReplicaPaths;
  state: ReplicaState;
  generationStamp: number;
  /** Bytes on the disk that have their checksum. */
  lengthBytes: number;
  /** Of the last chunk up to there; 0 when it is full. */
  tailChecksum: number;
  /** What readers may see: acknowledged by all of the pipeline. */
  visibleBytes: number;
  /** Who writes it now. */
  writer: WriterHandle | null;
  /** Of the recovery that has it, and what it was before. */
  recovery: { readonly id: number; readonly stateBefore: ReplicaState } | null;
  /** What was found to be wrong with it; null while nothing is known. */
  damage: string | null;
}

export function blockOf({ blockId, generationStamp, lengthBytes }: Replica): Block {
  return { blockId, generationStamp, lengthBytes };
}
