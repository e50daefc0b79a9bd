/**
 * Checkpoint manifest: all that a later attempt, or another job, needs to go on from a checkpoint, but for the rows of
 * state, which are in the files that it names. Plain data, written once; what it says is never changed.
 *
 * On disk: docs/formats/checkpoint.md.
 * Before: engine/checkpoint/task-snapshot.ts. After: coordinator/checkpoint/store/folder-store.ts.
 */
import { decodeChecked, encodeChecked, versionOf } from '../../base/checked-text.ts';
import type { SnapshotPart, TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { CheckpointStatistics } from './checkpoint-history.ts';
import type { CheckpointKind, PreparedWrite } from './pending-checkpoint.ts';

// On disk: never renumber.
const formatName = 'millrace-checkpoint';
export const manifestVersion = 1;

/** An operator of the plan, as it was. */
export interface OperatorDescription {
  readonly operatorId: string;
  readonly name: string;
  readonly kind: string;
  /** Of what it does and of its columns: where it differs, what it kept may have another meaning. */
  readonly fingerprint: string;
  /** What it keeps its state by, under the names that users know; empty where it keeps none by key. */
  readonly keys: readonly Field[];
  /** Of operators that keep rows as they came: their columns, by part. @defaultValue it keeps none, or an older version did not say */
  readonly columns?: Readonly<Record<string, readonly Field[]>>;
}

export interface CheckpointManifest {
  /** The version of Millrace that wrote it. */
  readonly writtenBy: string;
  readonly jobName: string;
  readonly jobFingerprint: string;
  readonly operators: readonly OperatorDescription[];
  /** What the job declared of what it keeps. @defaultValue an older version did not say */
  readonly declared?: readonly DeclaredOperator[];
  readonly epoch: number;
  readonly checkpointId: number;
  readonly kind: CheckpointKind;
  /** Milliseconds since 1970, when it was complete by the coordinator's clock. */
  readonly createdMs: number;
  readonly keyGroupCount: number;
  /** Tasks by vertex. */
  readonly parallelism: Readonly<Record<string, number>>;
  readonly tasks: readonly TaskSnapshot[];
  /** All splits that were known, by the operator id of their source. */
  readonly splits: Readonly<Record<string, readonly Json[]>>;
  /** What is to be committed when the job goes on from here, by the operator id of the sink and in this order. */
  readonly writes: Readonly<Record<string, readonly PreparedWrite[]>>;
  readonly statistics: CheckpointStatistics;
  /** Where the paths of parts begin: at the folder of the job, or, of a savepoint, at that of this file. */
  readonly pathsFrom: 'job' | 'manifest';
}

export function encodeManifest(manifest: CheckpointManifest): Uint8Array<ArrayBuffer> {
  const version = manifestVersion;
  return encodeChecked(
    `${formatName}-${manifestVersion}`,
    JSON.stringify({ version, ...manifest }),
  );
}

export type DecodedManifest =
  | { readonly kind: 'manifest'; readonly manifest: CheckpointManifest }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'damaged' };

export function decodeManifest(bytes: Uint8Array): DecodedManifest {
  const body = decodeChecked(`${formatName}-${manifestVersion}`, bytes);
  if (body !== null) {
    const { version, ...manifest } = JSON.parse(body);
    return version === manifestVersion ? { kind: 'manifest', manifest } : { kind: 'damaged' };
  }
  const version = versionOf(formatName, bytes) ?? 0;
  return version > manifestVersion ? { kind: 'newer', version } : { kind: 'damaged' };
}

/** All parts that a checkpoint names. */
export function partsOf({ tasks }: Pick<CheckpointManifest, 'tasks'>): SnapshotPart[] {
  return tasks.flatMap(({ operators }) => operators.flatMap(({ parts }) => parts));
}
