/**
 * Whether a job can go on from a checkpoint: a pure function of the checkpoint's manifest and the job's plan, asked when
 * the manifest has been read and before another attempt is stopped, or a task started.
 *
 * Before: coordinator/checkpoint/checkpoint-manifest.ts. After: coordinator/job/checkpointed-job.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { keyGroupCount } from '../../engine/keys/key-group.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { CheckpointManifest } from './checkpoint-manifest.ts';

/** What a job is to go on from. */
export interface RestoreCheck {
  readonly manifest: CheckpointManifest;
  /** The folder with the manifest. */
  readonly path: string;
  /** The plan that goes on. */
  readonly graph: PhysicalGraph;
}

/** @throws CHECKPOINT_KEY_GROUPS */
export function checkRestore({ manifest, path }: RestoreCheck): void {
  const found = manifest.keyGroupCount;
  if (found === keyGroupCount) return;
  const message = `the checkpoint in "${path}" has its state in ${found} key groups, and this job has ${keyGroupCount}`;
  throw typedError('CHECKPOINT_KEY_GROUPS', message, {
    hint: 'Use the version of Millrace that wrote it: which key is in which group is fixed with the number of groups.',
    details: { path, keyGroupCount: found },
  });
}
