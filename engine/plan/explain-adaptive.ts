/**
 * What `explain` says of choices that are left to the run: by stage, what may be changed once the sizes of its
 * inputs are known, and how the plan copes with frequent keys where nothing needs to be.
 *
 *     choices at run time of sales, when sizes are known
 *       s3  2 partitions may be read by fewer tasks; a skewed one by several, split on the probe side
 */
import { type AdaptableJoin, type AdaptableStage, adaptableStages } from './adaptable.ts';
import { vertexOf } from './channels.ts';
import { tableText } from './explain.ts';
import type { PhysicalGraph } from './physical-graph.ts';

/** Empty where all is settled by the plan. */
export function explainAdaptive(graph: PhysicalGraph): string {
  const rows = adaptableStages(graph).map((stage) => [stage.id, stageText(graph, stage)]);
  if (rows.length === 0) return '';
  return `choices at run time of ${graph.jobName}, when sizes are known\n${tableText(rows, '  ')}`;
}

function stageText(graph: PhysicalGraph, stage: AdaptableStage): string {
  const { taskCount, join, edges } = stage;
  const parts = [`${taskCount} partitions may be read by fewer tasks`];
  if (join !== null) parts.push(...joinTexts(join));
  if (edges.every(({ from }) => combines(graph, from))) {
    parts.push('frequent keys are combined by their senders');
  }
  if (edges.every(({ exchange }) => exchange.kind === 'range')) {
    parts.push('frequent keys go to several ranges');
  }
  return parts.join('; ');
}

function joinTexts({ maySplitProbe, maySplitBuild, mayStay }: AdaptableJoin): string[] {
  const side = maySplitProbe ? (maySplitBuild ? 'either' : 'the probe') : 'the build';
  return [
    ...(maySplitProbe || maySplitBuild ? [`a skewed one by several, split on ${side} side`] : []),
    ...(mayStay === null ? [] : [`a small build side by all, ${mayStay.id} is forward then`]),
  ];
}

/** Whether rows of one key are put together before they are sent. */
function combines(graph: PhysicalGraph, vertexId: string): boolean {
  const last = vertexOf(graph, vertexId).chain.at(-1);
  if (last?.kind === 'aggregate' || last?.kind === 'fold') return last.phase === 'partial';
  return last?.kind === 'combine';
}
