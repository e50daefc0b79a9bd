/** Goal: work that is moved before a union changes no row. Plans: test/plans/late-union.txt. */
import { expect, test } from 'vitest';
import { lateUnionRule } from '../../../coordinator/planner/late-union-rule.ts';
import { checkRule } from '../../support/rule-check.ts';

test('the rows are the same with the rule and without it', () => {
  expect(checkRule(lateUnionRule)).toBeGreaterThan(5);
});
