/** The condition of a join over pairs of rows, compiled once, whichever side is kept, and the pairs that it leaves. */
import type { Batch } from '../batch/batch.ts';
import { type RowFilter, rowFilter } from '../compile/row-filter.ts';
import { addColumnNames } from '../expr/column-names.ts';
import { addressOf } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import type { HashJoinOptions } from './join-options.ts';
import type { OperatorContext } from './operator.ts';

export interface JoinCondition {
  readonly filter: RowFilter;
  /** The columns that it reads, of pairs. */
  readonly columns: Schema;
}

/** Null where the join has none. The caller closes the filter. */
export function joinConditionOf(
  context: OperatorContext,
  { condition, probe, build }: Pick<HashJoinOptions, 'condition' | 'probe' | 'build'>,
): JoinCondition | null {
  if (condition === null) return null;
  const names = new Set<string>();
  addColumnNames(condition, names);
  const fields = [...probe.fields, ...build.fields].filter(({ name }) => names.has(name));
  // Batches without columns are not made.
  const columns = { fields: fields.length > 0 ? fields : probe.fields.slice(0, 1) };
  return { filter: rowFilter(context, condition), columns };
}

/** Pairs of rows, and the lists (u32) that name them, each as long as there are pairs. */
export interface ListedPairs {
  readonly condition: JoinCondition;
  readonly pairs: Batch;
  readonly lists: readonly number[];
}

/** Leaves in the lists the pairs for which the condition is true; answers how many. */
export function keepPairs(
  { scope, kernels }: Pick<OperatorContext, 'scope' | 'kernels'>,
  { condition, pairs, lists }: ListedPairs,
): number {
  const { selection, rowCount } = condition.filter.select(pairs);
  if (selection === 0) return rowCount;
  for (const list of lists) kernels.take4(list, addressOf(selection), rowCount, list);
  scope.memory.release(selection);
  return rowCount;
}
