/** Methods of columns of text, and `length`, `contains` and `concat`, which lists have as well. */
import { typedError } from '../../base/typed-error.ts';
import { literalAlone, typedLiteral } from '../expr/literal.ts';
import { parseRegex } from '../expr/regex/regex-parser.ts';
import { int32Type } from '../schema/field-type.ts';
import { callColumn, type Method, textArgument, wholeArgument } from './call-column.ts';
import {
  type AnyColumn,
  type Column,
  type ColumnOf,
  type Condition,
  exprOf,
  type NullableWith,
  type Operand,
  operandExpr,
} from './column.ts';
import type { ColumnKind, IntegerKind, ListKind, Typed } from './column-kind.ts';

/** A text, or a column of texts. */
export type TextOperand = string | ColumnOf<'utf8', unknown, boolean>;
/** A whole number, or a column of them. */
export type WholeOperand = number | bigint | ColumnOf<IntegerKind, unknown, boolean>;

type Text<N extends boolean> = Column<'utf8', string, N, 'key'>;
type Int32<N extends boolean> = Column<'int32', number, N, 'key'>;
type ItemKind<T> = T extends Typed<infer K extends ColumnKind> ? K : never;

/**
 * What columns of text can do. Lengths and places count code points, from 0: "😀" is one. Case and
 * white space are Unicode's.
 */
export interface TextMethods {
  /**
   * Code points of a text, bytes of a binary, items of a list.
   *
   * @example `lit('a😀').length()` is `2`
   */
  length<N extends boolean>(this: ColumnOf<'utf8' | 'binary' | ListKind, unknown, N>): Int32<N>;

  /**
   * Whether a text is part of the text, or a value one of the items of the list (which equal nothing
   * where they are null).
   *
   * @example `lit('banana').contains('nan')` is `true`
   */
  contains<N extends boolean, const O extends TextOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    part: O,
  ): Condition<NullableWith<N, O>>;
  /** Whether a value is one of the items of the list. */
  contains<N extends boolean, T, const O extends Operand<ItemKind<T>>>(
    this: ColumnOf<ListKind<T>, unknown, N>,
    item: O,
  ): Condition<NullableWith<N, O>>;

  /**
   * Whether the text begins with another.
   *
   * @example `lit('/a/b').startsWith('/a')` is `true`
   */
  startsWith<N extends boolean, const O extends TextOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    part: O,
  ): Condition<NullableWith<N, O>>;

  /**
   * Whether the text ends with another.
   *
   * @example `lit('a.csv').endsWith('.csv')` is `true`
   */
  endsWith<N extends boolean, const O extends TextOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    part: O,
  ): Condition<NullableWith<N, O>>;

  /**
   * Where a text begins in the text for the first time, from 0; -1 where it does not.
   *
   * @example `lit('a😀b').indexOf('b')` is `2`
   */
  indexOf<N extends boolean, const O extends TextOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    part: O,
  ): Int32<NullableWith<N, O>>;

  /**
   * Whether the whole text is like a pattern, as in SQL: `%` stands for any text, `_` for one code
   * point, and both for themselves behind `\`.
   *
   * @example `lit('/items/17').like('/items/%')` is `true`
   */
  like<N extends boolean>(this: ColumnOf<'utf8', unknown, N>, pattern: string): Condition<N>;

  /**
   * Whether a regular expression matches somewhere, in a time linear in the text. The syntax is
   * JavaScript's with the flag `u`, without backreferences, lookahead and lookbehind.
   *
   * @param pattern - With the flags `i`, `m`, `s` and `u`; a text has none.
   * @throws EXPR_REGEX with the place of what is not understood
   * @example `lit('GET /a').matches(/^get /i)` is `true`
   */
  matches<N extends boolean>(
    this: ColumnOf<'utf8', unknown, N>,
    pattern: RegExp | string,
  ): Condition<N>;

  /**
   * What the first match of a regular expression has in a group; null where there is none.
   *
   * @param group - A number from 1, or a name; 0, the default, is the whole match.
   * @throws EXPR_REGEX, JOB_ARGUMENT_INVALID when there is no such group
   * @example `lit('id=17').extract(/id=(\d+)/, 1)` is `'17'`
   */
  extract<N extends boolean>(
    this: ColumnOf<'utf8', unknown, N>,
    pattern: RegExp | string,
    group?: number | string,
  ): Text<true>;

  /**
   * In lower case, as JavaScript has it.
   *
   * @example `lit('ÀB').lower()` is `'àb'`
   */
  lower<N extends boolean>(this: ColumnOf<'utf8', unknown, N>): Text<N>;

  /**
   * In upper case, as JavaScript has it.
   *
   * @example `lit('straße').upper()` is `'STRASSE'`
   */
  upper<N extends boolean>(this: ColumnOf<'utf8', unknown, N>): Text<N>;

  /**
   * Without white space and line ends at both ends.
   *
   * @example `lit('  a b ').trim()` is `'a b'`
   */
  trim<N extends boolean>(this: ColumnOf<'utf8', unknown, N>): Text<N>;

  /**
   * Without white space and line ends at its beginning.
   *
   * @example `lit('  a ').trimStart()` is `'a '`
   */
  trimStart<N extends boolean>(this: ColumnOf<'utf8', unknown, N>): Text<N>;

  /**
   * Without white space and line ends at its end.
   *
   * @example `lit('  a ').trimEnd()` is `'  a'`
   */
  trimEnd<N extends boolean>(this: ColumnOf<'utf8', unknown, N>): Text<N>;

  /**
   * The code points from `start` to before `end`, both cut to the text.
   *
   * @param end - Without it, to the end of the text.
   * @example `lit('banana').substring(1, 4)` is `'ana'`
   */
  substring<N extends boolean, const S extends WholeOperand, const E extends WholeOperand = 0>(
    this: ColumnOf<'utf8', unknown, N>,
    start: S,
    end?: E,
  ): Text<NullableWith<NullableWith<N, S>, E>>;

  /**
   * The text with others behind it, or the list with others of its type.
   *
   * @example `lit('a').concat('-', lit('b'))` is `'a-b'`
   */
  concat<N extends boolean, const O extends readonly TextOperand[]>(
    this: ColumnOf<'utf8', unknown, N>,
    ...others: O
  ): Text<NullableWith<N, O[number]>>;
  /** The list with the items of others behind its own. */
  concat<N extends boolean, T, V, const O extends readonly ColumnOf<ListKind<T>>[]>(
    this: ColumnOf<ListKind<T>, V, N>,
    ...others: O
  ): Column<ListKind<T>, V, NullableWith<N, O[number]>, 'key'>;

  /**
   * With every place of one text replaced by another; neither is a pattern.
   *
   * @example `lit('a.b.c').replace('.', '/')` is `'a/b/c'`
   */
  replace<N extends boolean, const P extends TextOperand, const R extends TextOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    part: P,
    replacement: R,
  ): Text<NullableWith<NullableWith<N, P>, R>>;

  /**
   * The parts between a text, which is no pattern; by the empty text the code points.
   *
   * @example `lit('a,b').split(',')` is `['a', 'b']`
   */
  split<N extends boolean, const O extends TextOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    separator: O,
  ): Column<ListKind<Typed<'utf8', string, false>>, readonly string[], NullableWith<N, O>, 'key'>;

  /**
   * With its code points in reverse order.
   *
   * @example `lit('abc').reverse()` is `'cba'`
   */
  reverse<N extends boolean>(this: ColumnOf<'utf8', unknown, N>): Text<N>;

  /**
   * Several times, one after the other; nothing for counts below 1.
   *
   * @throws EXPR_OVERFLOW, when the job runs, for results above 16 Mi characters
   * @example `lit('ab').repeat(2)` is `'abab'`
   */
  repeat<N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<'utf8', unknown, N>,
    count: O,
  ): Text<NullableWith<N, O>>;

  /**
   * Filled up to a length at its beginning.
   *
   * @param fill - Repeated as often as needed; a space by default.
   * @example `lit('7').padStart(3, '0')` is `'007'`
   */
  padStart<N extends boolean, const O extends WholeOperand, const F extends TextOperand = ' '>(
    this: ColumnOf<'utf8', unknown, N>,
    length: O,
    fill?: F,
  ): Text<NullableWith<NullableWith<N, O>, F>>;

  /**
   * Filled up to a length at its end.
   *
   * @param fill - Repeated as often as needed; a space by default.
   * @example `lit('7').padEnd(3, '.')` is `'7..'`
   */
  padEnd<N extends boolean, const O extends WholeOperand, const F extends TextOperand = ' '>(
    this: ColumnOf<'utf8', unknown, N>,
    length: O,
    fill?: F,
  ): Text<NullableWith<NullableWith<N, O>, F>>;
}

declare module './column.ts' {
  interface Column<out K extends ColumnKind, out V, out N extends boolean, out Name extends string>
    extends TextMethods {}
}

/** The functions of `TextMethods`. */
export const textMethods = {
  length: plain('length'),
  contains(part: unknown) {
    const input = exprOf(this);
    if (input.type.kind !== 'list') return callColumn('contains', this, textArgument(part));
    const item = Object.freeze({ ...input, type: input.type.item.type });
    return callColumn('listContains', this, operandExpr(item, part));
  },
  startsWith: withText('startsWith'),
  endsWith: withText('endsWith'),
  indexOf: withText('indexOf'),
  like: withText('like'),
  matches(pattern: RegExp | string) {
    return callColumn('matches', this, ...patternArguments('matches', pattern));
  },
  extract(pattern: RegExp | string, group: number | string = 0) {
    const args = patternArguments('extract', pattern);
    const index = typedLiteral(groupIndex(pattern, group), int32Type);
    return callColumn('extract', this, ...args, index);
  },
  lower: plain('lower'),
  upper: plain('upper'),
  trim: plain('trim'),
  trimStart: plain('trimStart'),
  trimEnd: plain('trimEnd'),
  substring(start: unknown, end?: unknown) {
    const args = [start, end].filter((place) => place !== undefined).map(wholeArgument);
    return callColumn('substring', this, ...args);
  },
  concat(...others: readonly unknown[]) {
    const input = exprOf(this);
    if (input.type.kind === 'list') {
      const lists = others.map((other) => operandExpr(input, other));
      return callColumn('listConcat', this, ...lists);
    }
    return callColumn('concat', this, ...others.map(textArgument));
  },
  replace(part: unknown, replacement: unknown) {
    return callColumn('replace', this, textArgument(part), textArgument(replacement));
  },
  split: withText('split'),
  reverse: plain('reverse'),
  repeat(count: unknown) {
    return callColumn('repeat', this, wholeArgument(count));
  },
  padStart: pad('padStart'),
  padEnd: pad('padEnd'),
} satisfies Record<keyof TextMethods, Method>;

function plain(name: 'length' | 'lower' | 'upper' | 'trim' | 'trimStart' | 'trimEnd' | 'reverse') {
  return function (this: AnyColumn) {
    return callColumn(name, this);
  };
}

function withText(name: 'startsWith' | 'endsWith' | 'indexOf' | 'like' | 'split') {
  return function (this: AnyColumn, other: unknown) {
    return callColumn(name, this, textArgument(other));
  };
}

function pad(name: 'padStart' | 'padEnd') {
  return function (this: AnyColumn, length: unknown, fill: unknown = ' ') {
    return callColumn(name, this, wholeArgument(length), textArgument(fill));
  };
}

/** Pattern and flags as literals. */
function patternArguments(method: string, pattern: unknown) {
  const { source, flags } = partsOf(method, pattern);
  return [literalAlone(source), literalAlone(flags)];
}

function partsOf(method: string, pattern: unknown): { source: string; flags: string } {
  if (pattern instanceof RegExp) return { source: pattern.source, flags: pattern.flags };
  if (typeof pattern === 'string') return { source: pattern, flags: '' };
  throw typedError('EXPR_TYPE_MISMATCH', `${method} needs a regular expression`, {
    hint: `Write ${method}(/^a+$/), or give the pattern as a text.`,
  });
}

function groupIndex(pattern: unknown, group: number | string): number {
  const { source, flags } = partsOf('extract', pattern);
  const { groupCount, groupNames } = parseRegex(source, flags);
  const index = typeof group === 'string' ? groupNames.get(group) : group;
  if (index !== undefined && Number.isInteger(index) && index >= 0 && index <= groupCount) {
    return index;
  }
  const names = [...groupNames.keys()].map((name) => `"${name}"`).join(', ');
  throw typedError('JOB_ARGUMENT_INVALID', `extract: /${source}/ has no group ${group}`, {
    hint: `It has ${groupCount}${names === '' ? '' : `, among them ${names}`}; 0 is the whole match.`,
  });
}
