/**
 * What sources know of their rows before a job is planned: asked of all of them at the same time, and handed
 * to the planner, which itself asks nobody.
 *
 * A source that can't answer has no statistics: why, the job's own look for splits will say.
 *
 * Before: coordinator/coordinator.ts. After: coordinator/planner/planner.ts.
 */
import { toWire } from '../base/typed-error.ts';
import type { Connector, RoleContext } from '../engine/contracts/connector.ts';
import type { SourceStatistics } from '../engine/contracts/source.ts';
import type { LogicalGraph, LogicalNode } from '../engine/plan/logical-graph.ts';

export interface StatisticsOptions {
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly context: RoleContext;
  /** Is told of a source that could not answer, and why. */
  readonly onFailure?: (sourceId: string, reason: string) => void;
}

/** By the id of the source's node. */
export async function sourceStatisticsOf(
  { nodes }: LogicalGraph,
  options: StatisticsOptions,
): Promise<ReadonlyMap<string, SourceStatistics>> {
  const sources = nodes.filter((node) => node.kind === 'source');
  const answers = await Promise.all(sources.map((node) => statisticsOf(node, options)));
  return new Map(answers.flatMap((answer) => (answer === null ? [] : [answer])));
}

async function statisticsOf(
  { id, source }: LogicalNode & { readonly kind: 'source' },
  { connectors, context, onFailure }: StatisticsOptions,
): Promise<readonly [string, SourceStatistics] | null> {
  try {
    const enumerator = connectors.get(source.connector)?.enumerator?.(source.options, context);
    const statistics = await enumerator?.statistics?.();
    return statistics === undefined ? null : [id, statistics];
  } catch (error) {
    onFailure?.(id, toWire(error).message);
    return null;
  }
}
