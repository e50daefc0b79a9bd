/**
 * Guarantee: how often a row of the input counts in what others see of a job that was killed and goes on from a
 * checkpoint, by what its connectors say of themselves. Known before anything runs, and shown by `explain`.
 *
 *     sources     go on where they were             or the job can have no checkpoints
 *     operators   have what they keep in snapshots  or none either (checkpoint-support.ts)
 *     barriers    are counted, and nothing waits    at least once, whatever sinks do
 *     sinks       commit with each checkpoint       exactly once
 *                 write a key's row again           effectively once: in the end each key has its last row
 *                 write at once                     at least once
 *
 * The weakest end decides.
 * Before: engine/plan/end-guarantees.ts, engine/plan/checkpoint-support.ts.
 */
import type { CheckpointMode } from '../contracts/checkpoint-mode.ts';
import type { Delivery } from '../contracts/connector.ts';
import { unsupportedIn } from './checkpoint-support.ts';
import { type Connectors, type EndGuarantee, endGuarantees } from './end-guarantees.ts';
import { labelOf, tableText } from './explain.ts';
import type { PhysicalGraph } from './physical-graph.ts';

export interface JobGuarantee {
  /** Null: the job can have no checkpoints, and starts anew. */
  readonly delivery: Delivery | null;
  readonly ends: readonly EndGuarantee[];
  /** The first operator that takes part in no checkpoint, and why; null where all do. */
  readonly refusal: string | null;
}

/** From the weakest on. */
const deliveries: readonly (Delivery | null)[] = [
  null,
  'atLeastOnce',
  'effectivelyOnce',
  'exactlyOnce',
];

/** @param mode - How barriers go. @defaultValue aligned; unaligned promises the same */
export function guaranteeOf(
  graph: PhysicalGraph,
  connectors: Connectors,
  mode: CheckpointMode = 'aligned',
): JobGuarantee {
  const ends = endGuarantees(graph, connectors, mode);
  const refusal = unsupportedIn(graph)?.message ?? null;
  const ranks = ends.map(({ delivery }) => deliveries.indexOf(delivery));
  const weakest = refusal === null ? Math.min(...ranks) : 0;
  return { delivery: deliveries[weakest] ?? null, ends, refusal };
}

const words: Readonly<Record<Delivery, string>> = {
  exactlyOnce: 'exactly once',
  effectivelyOnce: 'effectively once',
  atLeastOnce: 'at least once',
};

const sinkWords: Readonly<Record<Delivery, string>> = {
  exactlyOnce: 'commits with each checkpoint',
  effectivelyOnce: 'writes the row of a key again, and ends with the same rows',
  atLeastOnce: 'writes at once: rows behind the checkpoint come again',
};

/** Of a sink that commits, where rows behind a barrier may be in front of it, too. */
const countedText = 'commits with each checkpoint, which may have rows that come again';

/** The guarantee as a section of `explain`. */
export function explainGuarantee({ jobName }: PhysicalGraph, guarantee: JobGuarantee): string {
  const { delivery, ends, refusal } = guarantee;
  const what =
    delivery === null
      ? 'none, for it can have no checkpoints'
      : `${words[delivery]}, with checkpoints`;
  const rows = ends.map((end) => [labelOf(end.kind, end.name), end.connector, endText(end)]);
  const reason = refusal === null ? '' : `  ${refusal}\n`;
  return `guarantee of ${jobName}: ${what}\n${reason}${tableText(rows, '  ')}`;
}

function endText({ kind, delivery, isCounted }: EndGuarantee): string {
  if (kind === 'sink') {
    if (isCounted === true) return countedText;
    return delivery === null ? 'can not commit at a checkpoint' : sinkWords[delivery];
  }
  return delivery === null ? 'can be read only once' : 'goes on where it was';
}
