/**
 * Plan steps: what the planner's rules work on. A plan in the making is a list of operators in the
 * order of the stream, each with the exchange that its rows go through before it.
 *
 *     source   explodeWords   aggregate (hash by word)   sort (gather)   sink
 *
 * Lowering makes a list that is right but slow, with every exchange that an operator's meaning asks
 * for; each rule answers a new list that means the same. Steps without an exchange are chained.
 */
import type { Exchange, OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface PlanStep {
  readonly operator: OperatorSpec;
  /** What the rows go through before this operator; null when they stay in their task. */
  readonly exchange: Exchange | null;
}

/** A rule: a list of steps that means the same. */
export type PlanRule = (steps: readonly PlanStep[], options: PlanOptions) => PlanStep[];

export interface PlanOptions {
  /** Tasks of each vertex that can have several, from 1 on. */
  readonly parallelism: number;
}

export function stepOf(operator: OperatorSpec, exchange: Exchange | null = null): PlanStep {
  return { operator, exchange };
}

/** What the step's operator reads: what the step before it gives. */
export function inputSchemaOf(steps: readonly PlanStep[], index: number): Schema {
  return steps[index - 1]?.operator.output ?? { fields: [] };
}
