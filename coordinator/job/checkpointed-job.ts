/**
 * What a job with checkpoints needs before its first task: that its plan can take part, the attempt in the log, and what
 * it goes on from, as the parts of a job master take it.
 *
 * Before: coordinator/coordinator.ts. After: coordinator/checkpoint/store/checkpoint-store.ts, coordinator/job/job-checkpoints.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { unsupportedIn } from '../../engine/plan/checkpoint-support.ts';
import {
  type Connectors,
  type EndGuarantee,
  endGuarantees,
} from '../../engine/plan/end-guarantees.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { CheckpointOptions } from '../checkpoint/checkpoint-options.ts';
import type { RestartStrategy } from '../checkpoint/restart-strategy.ts';
import { checkRestore, type RestoringPlan } from '../checkpoint/restore-check.ts';
import type { RestoreRequest } from '../checkpoint/store/checkpoint-log.ts';
import type { FoundCheckpoint } from '../checkpoint/store/checkpoint-store.ts';
import type { Finding } from '../compatibility/finding.ts';
import type { RestoredJob } from './job-checkpoints.ts';
import type { KnownSplit, RestoredSource } from './job-sources.ts';

/** What a submission says of checkpoints. */
export interface CheckpointRequest {
  /** Of checkpoints, of this job and others: an absolute path. */
  readonly folder: string;
  readonly options: CheckpointOptions;
  readonly from: RestoreRequest;
  /** Whether state of what the job has no more may be left out. @defaultValue false */
  readonly allowsDropped?: boolean;
  /** Is told what becomes of each state, before the job begins, or is refused. */
  readonly onFindings?: (findings: readonly Finding[]) => void;
  readonly restart: RestartStrategy;
}

/** @throws CHECKPOINT_UNSUPPORTED, for an operator, source or sink of the plan that can't take part. */
export function checkCheckpoints(graph: PhysicalGraph, connectors: Connectors): void {
  const error = unsupportedIn(graph);
  if (error !== null) throw error;
  const end = endGuarantees(graph, connectors).find(({ delivery }) => delivery === null);
  if (end !== undefined) throw unsupportedEnd(end);
  if (graph.edges.some(({ isBlocking }) => isBlocking)) {
    throw typedError(
      'CHECKPOINT_UNSUPPORTED',
      'a job whose stages meet on disk has no checkpoints',
      {
        hint: 'Leave out --shuffle disk: the tasks of a job with checkpoints all run at once.',
      },
    );
  }
}

function unsupportedEnd({ kind, id, name, connector }: EndGuarantee) {
  const what = kind === 'sink' ? 'commit at checkpoints' : 'be read again from a position';
  const message = `${kind} "${name}" takes part in no checkpoint: "${connector}" can not ${what}`;
  return typedError('CHECKPOINT_UNSUPPORTED', message, {
    hint: 'Read from files or Kafka and write to a folder of files or to Kafka; or run the job without --checkpoint-dir.',
    details: { operator: id, connector },
  });
}

/**
 * What an attempt goes on from, as its parts take it.
 *
 * @throws What `checkRestore` does, where the plan can't go on from it.
 */
export function restoredJob(found: FoundCheckpoint, plan: RestoringPlan): RestoredJob {
  const { manifest, root, path } = found;
  checkRestore({ manifest, path }, plan);
  const { tasks, splits, writes } = manifest;
  const sources = Object.entries(splits).map(([id, known]): [string, RestoredSource] => {
    const snapshots = tasks.flatMap(({ source }) => (source?.operatorId === id ? [source] : []));
    return [id, { splits: known as unknown as readonly KnownSplit[], snapshots }];
  });
  const pending = Object.entries(writes).map(([id, all]): [string, readonly Json[]] => {
    return [id, all.map(({ write }) => write)];
  });
  const kept = tasks.filter(({ operators }: TaskSnapshot) => operators.length > 0);
  return { root, tasks: kept, sources: new Map(sources), pending: Object.fromEntries(pending) };
}
