/** The rules of functions, by name. A function that is not here is left to the reference. */
import type { FunctionName } from '../../expr/function-name.ts';
import { bestRule } from './best-rule.ts';
import type { CallRule } from './call-rule.ts';
import { dateRules } from './date-rules.ts';
import { mathRules } from './math-rules.ts';
import { textMakingRules } from './text-making-rules.ts';
import { textRules } from './text-rules.ts';
import { coalesceRule } from './when-rule.ts';

export const callRules: Readonly<Partial<Record<FunctionName, CallRule>>> = {
  ...mathRules,
  ...dateRules,
  ...textRules,
  ...textMakingRules,
  coalesce: coalesceRule,
  greatest: bestRule,
  least: bestRule,
};
