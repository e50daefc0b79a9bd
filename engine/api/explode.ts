/**
 * `explode(words(column))`: one output row per word of a text, inside `select`.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from '../expr/expr.ts';
import { exprText } from '../expr/expr-text.ts';
import { typeText } from '../schema/field-type.ts';
import { Column } from './column.ts';

/** The words of a text, a list that `explode` turns into rows. */
export interface Words {
  readonly kind: 'millrace.words';
  readonly input: Expr;
}

/** A column of `select` that makes one row per element of a list. */
export interface Explosion {
  readonly kind: 'millrace.explosion';
  readonly input: Expr;
}

/**
 * The words of a text: maximal runs of the letters A to Z and a to z, in lower case. A null has none.
 *
 * @example
 * ```ts
 * import { explode, words } from 'millrace';
 * import type { Column } from 'millrace';
 *
 * const perWord = (line: { text: Column<'utf8'> }) => ({ word: explode(words(line.text)) });
 * typeof perWord; // => 'function'
 * ```
 */
export function words(column: Column<'utf8', string, boolean>): Words {
  const input = Column.exprIn(column);
  if (input === null || input.type.kind !== 'utf8') {
    const found =
      input === null ? 'something else' : `"${exprText(input)}" (${typeText(input.type)})`;
    throw typedError('EXPR_TYPE_MISMATCH', `words needs a utf8 column, got ${found}`, {
      hint: 'Give a text field of the row: words(line.text).',
    });
  }
  return Object.freeze({ kind: 'millrace.words', input });
}

/** One row per element of a list; the other columns of the `select` are repeated. See `words`. */
export function explode(list: Words): Explosion {
  if (list?.kind !== 'millrace.words') {
    throw typedError('EXPR_TYPE_MISMATCH', 'explode needs a list of words', {
      hint: 'Write explode(words(line.text)).',
    });
  }
  return Object.freeze({ kind: 'millrace.explosion', input: list.input });
}

/** The explosion in a value of `select`, or null. */
export function explosionIn(value: unknown): Explosion | null {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : null;
  return kind === 'millrace.explosion' ? (value as Explosion) : null;
}
