/**
 * A command line as what a cluster is asked to run: the graph, the hash of the bundle, and what the flags say.
 *
 * Before: cli/cluster/read-submission.ts. After: coordinator/protocol/clients.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { parseSize } from '../../base/units.ts';
import type { ClusterSubmission } from '../../coordinator/protocol/clients.ts';
import { fingerprintOf } from '../../engine/api/build-job.ts';
import { encodeParams } from '../../engine/api/param-wire.ts';
import { slotBytesMax, slotBytesMin } from '../engine-flags.ts';
import type { JobRequest } from '../job-command.ts';

/** Of `--memory`, for each slot: a cluster's workers are not known here. */
const slotBytesDefault = 512 * 1024 ** 2;

export interface SubmissionFacts {
  /** Its hash. */
  readonly bundle: string;
  /** Slots where `--parallelism` does not say how many. */
  readonly slotsDefault: number;
}

/** @throws FLAG_VALUE, SIZE_FORM */
export function submissionOf(
  request: JobRequest,
  { bundle, slotsDefault }: SubmissionFacts,
): ClusterSubmission {
  const { graph, params, flags, partitions, shuffle, mode, latencyIntervalMs, engine } = request;
  const { speculates, isAdaptive, checkpoints } = request;
  const parallelism = engine.parallelism === undefined ? slotsDefault : request.parallelism;
  return {
    ...{ graph, bundle, params: encodeParams(params), flags, fingerprint: fingerprintOf(graph) },
    ...{ parallelism, slotMemoryBytes: slotMemoryOf(engine.memory, parallelism), shuffle },
    ...(partitions !== undefined && { partitions }),
    ...(mode !== undefined && { mode }),
    ...(latencyIntervalMs !== undefined && { latencyIntervalMs }),
    ...(speculates !== undefined && { speculates }),
    isAdaptive,
    ...(checkpoints !== undefined && { checkpoints }),
    priority: priorityOf(engine.priority),
    namespace: namespaceOf(engine.namespace),
    isFailFast: engine.failFast === true,
  };
}

function slotMemoryOf(text: unknown, parallelism: number): number {
  if (text === undefined) return slotBytesDefault;
  const slotBytes = Math.floor(parseSize(String(text)) / parallelism);
  if (slotBytes >= slotBytesMin) return Math.min(slotBytes, slotBytesMax);
  const leastText = `${(parallelism * slotBytesMin) / 1024 ** 2}MB`;
  throw typedError('FLAG_VALUE', `--memory: ${text} is too little for ${parallelism} slots`, {
    hint: `The size is for all slots together, at least 32MB each. Write --memory ${leastText} or more, or lower --parallelism.`,
  });
}

function priorityOf(text: unknown): number {
  if (text === undefined) return 0;
  if (/^-?\d{1,6}$/.test(String(text))) return Number(text);
  throw typedError('FLAG_VALUE', `--priority: "${text}" is no whole number`, {
    hint: 'Write --priority 10 for a job that goes before those of priority 0.',
  });
}

function namespaceOf(text: unknown): string {
  if (text === undefined) return 'default';
  const namespace = String(text);
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(namespace)) return namespace;
  throw typedError('FLAG_VALUE', `--namespace: "${text}" can't be a name`, {
    hint: 'A name has up to 64 letters, digits, ".", "_" and "-".',
  });
}
