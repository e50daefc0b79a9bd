/** The functions of all areas, by name. */
import type { FunctionName } from '../function-name.ts';
import { dateFunctions } from './date.ts';
import type { FunctionRule } from './function-rule.ts';
import { mathFunctions } from './math.ts';
import { nestedFunctions } from './nested.ts';
import { nullFunctions } from './null.ts';
import { textFunctions } from './text.ts';

export const functionTable: Readonly<Record<FunctionName, FunctionRule>> = Object.freeze({
  ...dateFunctions,
  ...mathFunctions,
  ...nestedFunctions,
  ...nullFunctions,
  ...textFunctions,
});
