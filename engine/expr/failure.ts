/**
 * Failures: why there is no value for a row. A failure is a value like others until it reaches a
 * result (docs/design/004), and only then becomes an error that names expression and row.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from './expr.ts';
import { exprText } from './expr-text.ts';
import type { Value } from './value.ts';

export type FailureCode = 'EXPR_OVERFLOW' | 'EXPR_DIVIDE_BY_ZERO' | 'EXPR_CAST';

/** Why there is no value for a row: what an error about it says. */
export class Failure {
  readonly code: FailureCode;
  readonly expr: Expr;
  /** The parts of the message before and after `in row 7 of the batch`. */
  readonly what: string;
  readonly values: string;
  readonly hint: string;

  constructor(parts: {
    code: FailureCode;
    expr: Expr;
    what: string;
    values?: string;
    hint: string;
  }) {
    this.code = parts.code;
    this.expr = parts.expr;
    this.what = parts.what;
    this.values = parts.values ?? '';
    this.hint = parts.hint;
  }

  /** The error of a row (counted as stored in its batch). */
  errorIn(row: number): Error {
    const expression = exprText(this.expr);
    const message = `${this.what} in row ${row} of the batch${this.values}`;
    return typedError(this.code, message, { hint: this.hint, details: { expression, row } });
  }
}

/** Values as a message shows them, shortened. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(shortened(value));
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'a struct';
  return Object.is(value, -0) ? '-0' : String(value);
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
