/** Goal: the rules that place and spare exchanges change no row. */
import { expect, test } from 'vitest';
import { combinerRule } from '../../../coordinator/planner/combiner-rule.ts';
import { limitRule } from '../../../coordinator/planner/limit-rule.ts';
import { parallelSortRule } from '../../../coordinator/planner/parallel-sort-rule.ts';
import { pruneRule } from '../../../coordinator/planner/prune-rule.ts';
import { singleTaskRule } from '../../../coordinator/planner/single-task-rule.ts';
import { topRule } from '../../../coordinator/planner/top-rule.ts';
import { checkRule } from '../../support/rule-check.ts';

test.each([
  ['combiners', combinerRule],
  ['local limits', limitRule],
  ['parallel sorts', parallelSortRule],
  ['pruned edges', pruneRule],
  ['single tasks', singleTaskRule],
  ['top-n', topRule],
] as const)('%s: the rows are the same with the rule and without it', (_name, rule) => {
  expect(checkRule(rule)).toBeGreaterThan(1);
});
