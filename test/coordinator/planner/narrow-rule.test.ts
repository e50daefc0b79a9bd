/** Goal: what is not read or computed any more changes no row. Plans: test/plans/narrow-*.txt. */
import { expect, test } from 'vitest';
import { narrowRule } from '../../../coordinator/planner/narrow-rule.ts';
import { checkRule } from '../../support/rule-check.ts';

test('the rows are the same with the rule and without it', () => {
  expect(checkRule(narrowRule)).toBeGreaterThan(10);
});
