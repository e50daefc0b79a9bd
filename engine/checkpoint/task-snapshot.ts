/**
 * Task snapshot: what a task says when its part of a checkpoint is on disk. Plain data: it travels to the coordinator,
 * and into the manifest of the checkpoint, where a later attempt finds the files by it.
 *
 * Before: engine/contracts/snapshot.ts. After: coordinator/checkpoint/checkpoint-manifest.ts.
 */
import type { Json } from '../contracts/json.ts';
import type { SourceSnapshot } from '../contracts/snapshot.ts';

/** Rows of one part of an operator's state: an Arrow IPC stream within a file. */
export type SnapshotPart = {
  /** As the operator names it. */
  readonly part: string;
  /** The file, below the folder of the job's checkpoints. */
  readonly path: string;
  readonly byteOffset: number;
  readonly sizeBytes: number;
  /** CRC32C of these bytes. */
  readonly checksum: number;
  readonly rowCount: number;
};

export type OperatorSnapshot = {
  /** Of the plan's operator: its id and its kind, for several kinds may come of one logical operator. */
  readonly operatorId: string;
  readonly kind: string;
  readonly note: Json;
  readonly parts: readonly SnapshotPart[];
};

/** With the id of the plan's operator, for the task's vertex may be another one next time. */
export type TaskSourceSnapshot = SourceSnapshot & { readonly operatorId: string };

export type TaskSnapshot = {
  readonly taskId: string;
  readonly vertexId: string;
  readonly taskIndex: number;
  /** Tasks of the vertex: with the index they say which key groups the task had. */
  readonly parallelism: number;
  /** Those that keep something. */
  readonly operators: readonly OperatorSnapshot[];
  /** Of a task that begins with a source. */
  readonly source: TaskSourceSnapshot | null;
  /** What the task's sink has prepared for commit; null where nothing, and without a sink. */
  readonly prepared: Json;
  readonly statistics: SnapshotStatistics;
};

/** Milliseconds of the task's clock, and bytes. */
export type SnapshotStatistics = {
  /** From the trigger until the barrier began to go through the task, by the clocks of both; absent in old manifests. */
  readonly startDelayMs?: number;
  /** From the first barrier that came to the last one; 0 with one channel. */
  readonly alignmentMs: number;
  /** While no row was worked on. */
  readonly syncMs: number;
  /** From then until all was on disk. */
  readonly asyncMs: number;
  /** Written for this checkpoint. */
  readonly sizeBytes: number;
  /** Of these, rows on their way to operators; absent in old manifests. */
  readonly inFlightBytes?: number;
};
