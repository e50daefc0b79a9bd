/**
 * Regular expressions as trees: what the parser makes and the program is made of.
 *
 * The syntax is JavaScript's with the flag `u`, without what can't be matched in linear time
 * (backreferences, lookahead and lookbehind).
 */
import { typedError } from '../../../base/typed-error.ts';
import type { CharSet } from './char-set.ts';

/** A place that a match depends on, between two characters. */
export type Assertion = 'start' | 'end' | 'lineStart' | 'lineEnd' | 'wordBorder' | 'noWordBorder';

export type RegexNode =
  | { readonly kind: 'set'; readonly set: CharSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  /** A group that is remembered; they are counted from 1, by their opening brackets. */
  | { readonly kind: 'group'; readonly index: number; readonly item: RegexNode }
  | {
      readonly kind: 'repeat';
      readonly item: RegexNode;
      readonly min: number;
      /** Infinity without an upper limit. */
      readonly max: number;
      readonly isGreedy: boolean;
      /** The groups inside, half-open: each turn forgets what the one before has matched. */
      readonly groupStart: number;
      readonly groupEnd: number;
    };

export interface Regex {
  readonly pattern: string;
  readonly root: RegexNode;
  readonly groupCount: number;
  readonly groupNames: ReadonlyMap<string, number>;
  /** What `\b` takes for a part of a word; with the flag `i` two letters more. */
  readonly wordSet: CharSet;
}

/** EXPR_REGEX: `what` is wrong at a place of the pattern. */
export function regexError(
  pattern: string,
  what: string,
  position: number,
  hint = 'Write it as in JavaScript with the flag "u", where "\\" makes a sign stand for itself.',
): Error {
  const message = `the regular expression /${pattern}/ has ${what} at position ${position}`;
  return typedError('EXPR_REGEX', message, { hint, details: { position } });
}
