/**
 * Whether a job can go on from a checkpoint: a pure function of the checkpoint's manifest and the job's plan, asked when
 * the manifest has been read and before another attempt is stopped, or a task started.
 *
 * Before: coordinator/checkpoint/checkpoint-manifest.ts. After: coordinator/job/checkpointed-job.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { keyGroupCount } from '../../engine/keys/key-group.ts';
import { channelRefsOf, isChannelKind } from '../../engine/plan/channel-ref.ts';
import type { DeclaredOperator } from '../../engine/plan/declared-state.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { compatibilityOf, refusalsIn } from '../compatibility/compatibility.ts';
import type { Finding } from '../compatibility/finding.ts';
import type { CheckpointManifest } from './checkpoint-manifest.ts';
import { describeOperators } from './manifest-of.ts';

/** What a job is to go on from. */
export interface OfferedCheckpoint {
  readonly manifest: CheckpointManifest;
  /** The folder with the manifest. */
  readonly path: string;
}

/** The job that is to go on. */
export interface RestoringPlan {
  readonly graph: PhysicalGraph;
  readonly declared: readonly DeclaredOperator[];
  /** Whether state of what the job has no more may be left out. */
  readonly allowsDropped: boolean;
  /** Is told what becomes of each state, whether or not the job may go on. */
  readonly onFindings?: (findings: readonly Finding[]) => void;
}

/** @throws CHECKPOINT_KEY_GROUPS, CHECKPOINT_CHANNELS, STATE_CHANGED, STATE_NOT_RESTORED */
export function checkRestore(
  { manifest, path }: OfferedCheckpoint,
  { graph, declared, allowsDropped, onFindings }: RestoringPlan,
): void {
  checkKeyGroups(manifest, path);
  const findings = compatibilityOf(manifest, { declared, operators: describeOperators(graph) });
  onFindings?.(findings);
  const { refused, dropped } = refusalsIn(findings);
  const from = `the checkpoint in "${path}"`;
  const [first] = refused;
  if (first !== undefined) throw refusal('STATE_CHANGED', from, refused);
  if (dropped.length > 0 && !allowsDropped) throw refusal('STATE_NOT_RESTORED', from, dropped);
  checkChannels({ manifest, path }, graph);
}

function checkKeyGroups(manifest: CheckpointManifest, path: string): void {
  const found = manifest.keyGroupCount;
  if (found === keyGroupCount) return;
  const message = `the checkpoint in "${path}" has its state in ${found} key groups, and this job has ${keyGroupCount}`;
  throw typedError('CHECKPOINT_KEY_GROUPS', message, {
    hint: 'Use the version of Millrace that wrote it: which key is in which group is fixed with the number of groups.',
    details: { path, keyGroupCount: found },
  });
}

/** Names the first state and how many more there are; the hint is that of the first. */
function refusal(
  code: 'STATE_CHANGED' | 'STATE_NOT_RESTORED',
  from: string,
  findings: readonly Finding[],
) {
  const [{ operatorId, state, text, hint } = nothingFound, ...others] = findings;
  const more = others.length === 0 ? '' : `; ${others.length} more`;
  const message = `the job can't go on from ${from}: state "${state}" of operator "${operatorId}": ${text}${more}`;
  return typedError(code, message, {
    hint: `${hint} millrace checkpoints check FILE DIR shows all states.`,
    details: { operator: operatorId, state },
  });
}

const nothingFound: Finding = { operatorId: '', state: '', verdict: 'same', text: '', hint: '' };

/** Rows that were on their way need somebody who takes them. */
function checkChannels({ manifest, path }: OfferedCheckpoint, graph: PhysicalGraph): void {
  const refs = [...channelRefsOf(graph).values()].flat();
  const isThere = (operatorId: string, kind: string) =>
    refs.some((ref) => ref.id === operatorId && ref.kind === kind);
  for (const { operatorId, kind, parts } of manifest.tasks.flatMap(({ operators }) => operators)) {
    if (!isChannelKind(kind) || parts.length === 0 || isThere(operatorId, kind)) continue;
    const message = `the checkpoint in "${path}" has rows on their way to operator "${operatorId}", and the plan has none that takes them`;
    throw typedError('CHECKPOINT_CHANNELS', message, {
      hint:
        'Go on with the job as it was and with --checkpoint-mode unaligned, at the parallelism that it had; or from a savepoint, which has ' +
        'no rows on their way.',
      details: { path, operator: operatorId },
    });
  }
}
