/**
 * The names of functions in expressions, by area. What each one takes, gives and means is in the
 * table of its area, in engine/expr/functions.
 */

export type TextFunction =
  | 'concat'
  | 'contains'
  | 'endsWith'
  | 'extract'
  | 'indexOf'
  | 'length'
  | 'like'
  | 'lower'
  | 'matches'
  | 'padEnd'
  | 'padStart'
  | 'repeat'
  | 'replace'
  | 'reverse'
  | 'split'
  | 'startsWith'
  | 'substring'
  | 'trim'
  | 'trimEnd'
  | 'trimStart'
  | 'upper';

export type MathFunction =
  | 'abs'
  | 'ceil'
  | 'exp'
  | 'floor'
  | 'ln'
  | 'neg'
  | 'pow'
  | 'round'
  | 'sqrt';

export type DateFunction =
  | 'addUnits'
  | 'day'
  | 'dayOfWeek'
  | 'dayOfYear'
  | 'epoch'
  | 'hour'
  | 'minute'
  | 'month'
  | 'quarter'
  | 'second'
  | 'truncate'
  | 'week'
  | 'year';

export type NullFunction = 'coalesce' | 'greatest' | 'least';

export type NestedFunction =
  | 'at'
  | 'field'
  | 'listConcat'
  | 'listContains'
  | 'listJoin'
  | 'listSlice';

export type FunctionName =
  | TextFunction
  | MathFunction
  | DateFunction
  | NullFunction
  | NestedFunction;
