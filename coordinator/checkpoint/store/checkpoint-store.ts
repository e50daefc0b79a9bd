/**
 * Checkpoint store: where the checkpoints of a job are kept, and what decides which attempt of it goes on. A folder is
 * one (folder-store.ts); a store of objects with exclusive creation can be another.
 *
 *     beginAttempt ─▶ latest ─▶ (tasks write their files) ─▶ writeManifest ─▶ complete ─▶ removeUnneeded … end
 *
 * Contract:
 * - When `complete` answers, the checkpoint survives a power cut, and no other attempt had taken over.
 * - What `latest` has answered is never taken back by a power cut.
 * - Of attempts that begin at the same time, those that go on are one.
 *
 * Before: coordinator/checkpoint/checkpoint-state.ts. After: coordinator/checkpoint/store/folder-store.ts.
 */
import type { CheckpointStatistics } from '../checkpoint-history.ts';
import type { CheckpointManifest } from '../checkpoint-manifest.ts';
import type { CheckpointKind } from '../pending-checkpoint.ts';
import type { Damage } from './checkpoint-errors.ts';
import type { RestoreRequest } from './checkpoint-log.ts';
import type { CheckDepth } from './read-checkpoint.ts';

export interface CheckpointStore {
  /**
   * Takes the job over: no attempt before this one can complete a checkpoint any more.
   * @throws CHECKPOINT_FENCED where another one begins at the same time.
   */
  beginAttempt(from: RestoreRequest): Promise<AttemptStore>;
  /**
   * What an attempt that begins so would go on from; null: it would begin anew. Takes nothing over.
   * @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED, CHECKPOINT_VERSION
   */
  find(from: RestoreRequest): Promise<FoundCheckpoint | null>;
  /** All that are complete, oldest first, and those that an attempt has begun and not completed. */
  list(depth?: CheckDepth): Promise<readonly ListedCheckpoint[]>;
  /** The newest one that is whole; for who only reads. */
  latest(depth?: CheckDepth): Promise<LatestCheckpoint>;
}

/** The store in the hands of one attempt. */
export interface AttemptStore {
  readonly epoch: number;
  /** Of the attempt's first checkpoint. */
  readonly nextId: number;
  /** Where paths in snapshots begin: an absolute path, or one from the working folder. */
  readonly root: string;
  /** Where tasks put their files for a checkpoint, below `root`. */
  folderOf(checkpointId: number): string;
  /** What the attempt goes on from: with `depth` `sizes` damage within files is left to who reads them. */
  latest(depth?: CheckDepth): Promise<LatestCheckpoint>;
  /** @throws CHECKPOINT_FENCED where another attempt has taken over. */
  checkCurrent(): Promise<void>;
  /** Makes the manifest durable. Where this fails, the checkpoint has failed and nothing else. */
  writeManifest(manifest: CheckpointManifest): Promise<WrittenManifest>;
  /**
   * The checkpoint is complete when this answers. Where it fails, nobody knows, and the attempt has to end.
   * @throws CHECKPOINT_FENCED, and errors of the disk.
   */
  complete(written: WrittenManifest): Promise<void>;
  /** Removes what no checkpoint that is kept needs, and nobody writes. */
  removeUnneeded(): Promise<void>;
  /**
   * Whether a savepoint can be copied into a folder, which is made.
   * @throws SAVEPOINT_TARGET_TAKEN, and errors of the disk.
   */
  checkTarget(folder: string): Promise<void>;
  /**
   * Copies a checkpoint that is complete, kept and committed, with all that it needs, into a folder that is empty or not there.
   * @throws SAVEPOINT_TARGET_TAKEN, CHECKPOINT_DAMAGED, CHECKPOINT_NOT_FOUND, and errors of the disk.
   */
  copyTo(checkpointId: number, folder: string): Promise<void>;
  /** Notes how the job has ended. */
  end(status: string): Promise<void>;
}

/** A manifest that is durable, and not in the log. */
export interface WrittenManifest {
  readonly manifest: CheckpointManifest;
  /** Below the root. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly checksum: number;
}

export interface FoundCheckpoint {
  readonly manifest: CheckpointManifest;
  /** Where the paths of its parts begin. */
  readonly root: string;
  /** The folder with its manifest. */
  readonly path: string;
}

export interface LatestCheckpoint {
  /** Null: there is none, the job begins anew. */
  readonly found: FoundCheckpoint | null;
  /** Newer ones that are not whole, newest first. */
  readonly damaged: readonly DamagedCheckpoint[];
}

export interface DamagedCheckpoint extends Damage {
  readonly checkpointId: number;
}

export interface ListedCheckpoint {
  readonly checkpointId: number;
  readonly epoch: number;
  /** The folder with its manifest. */
  readonly path: string;
  /** `unfinished`: under way, or left behind by an attempt that has ended. */
  readonly state: 'complete' | 'damaged' | 'unfinished';
  /** What is damaged; empty where nothing is. */
  readonly problem: string;
  /** Those below are null of one that is unfinished. */
  readonly kind: CheckpointKind | null;
  readonly createdMs: number | null;
  readonly durationMs: number | null;
  readonly sizeBytes: number | null;
  /** By task; null of one that is damaged, too. */
  readonly statistics: CheckpointStatistics | null;
}
