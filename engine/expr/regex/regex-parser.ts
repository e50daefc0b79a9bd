/**
 * The parser of regular expressions: text to tree, by recursive descent.
 *
 *     choice ─▶ sequence | sequence …     sequence ─▶ atom quantifier? …
 *     atom ─▶ ( choice )   [ class ]   escape   .   ^   $   sign
 *
 * Strict as JavaScript with the flag `u`: a sign with a meaning stands for itself only behind `\`.
 * Positions count from 0 in UTF-16 units, as JavaScript's strings do.
 */
import { withAllCases } from './case-folding.ts';
import { type CharSet, charSetOf, complementOf, lineEndSet, wordSet } from './char-set.ts';
import { type PatternReader, readerOf } from './pattern-reader.ts';
import { parseClass } from './regex-class.ts';
import { escapedAssertion, parseEscape } from './regex-escape.ts';
import { type Regex, type RegexNode, regexError } from './regex-syntax.ts';

/** As often as a repeat may be counted: `a{1000}`. */
const repeatMax = 1000;

/** How deep brackets may be nested. */
const depthMax = 200;

const limitHint = `Repeat up to ${repeatMax} times, or without an upper limit: "{2,}".`;
const linearHint =
  'A pattern is matched in a time that is linear in the text, which leaves out backreferences, lookahead and lookbehind. Do it in a flatMap function.';

/** @throws EXPR_REGEX with the position of what is not understood or not supported. */
export function parseRegex(pattern: string, flags = ''): Regex {
  const isCaseless = flags.includes('i');
  for (const flag of flags) {
    if (!'imsu'.includes(flag)) {
      const hint = 'The flags are i (any case), m (^ and $ at each line), s (. is any sign) and u.';
      throw regexError(pattern, `the flag "${flag}", which is not supported,`, 0, hint);
    }
  }
  const parser = new RegexParser(readerOf(pattern), {
    isCaseless,
    isMultiline: flags.includes('m'),
    isDotAll: flags.includes('s'),
  });
  const { root, groupCount, groupNames } = parser.parse();
  const words = isCaseless ? withAllCases(wordSet) : wordSet;
  return { pattern, root, groupCount, groupNames, wordSet: words };
}

interface Flags {
  readonly isCaseless: boolean;
  readonly isMultiline: boolean;
  readonly isDotAll: boolean;
}

class RegexParser {
  readonly #reader: PatternReader;
  readonly #flags: Flags;
  readonly #groupNames = new Map<string, number>();
  #groupCount = 0;
  #depth = 0;

  constructor(reader: PatternReader, flags: Flags) {
    this.#reader = reader;
    this.#flags = flags;
  }

  parse(): { root: RegexNode; groupCount: number; groupNames: ReadonlyMap<string, number> } {
    const root = this.#choice();
    if (!this.#reader.isAtEnd) throw this.#reader.error('a ")" without a "("');
    return { root, groupCount: this.#groupCount, groupNames: this.#groupNames };
  }

  #choice(): RegexNode {
    const options = [this.#sequence()];
    while (this.#reader.take('|')) options.push(this.#sequence());
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
  }

  #sequence(): RegexNode {
    const items: RegexNode[] = [];
    while (!this.#reader.isAtEnd && !this.#reader.isAt('|') && !this.#reader.isAt(')')) {
      const groupStart = this.#groupCount + 1;
      const atom = this.#atom();
      items.push(this.#quantified(atom, groupStart));
    }
    return { kind: 'sequence', items };
  }

  #atom(): RegexNode {
    const reader = this.#reader;
    const { isMultiline, isDotAll } = this.#flags;
    if (reader.isAt('(')) return this.#group();
    if (reader.take('[')) return this.#set(parseClass(reader, this.#flags.isCaseless));
    if (reader.take('^')) {
      return { kind: 'assertion', assertion: isMultiline ? 'lineStart' : 'start' };
    }
    if (reader.take('$')) return { kind: 'assertion', assertion: isMultiline ? 'lineEnd' : 'end' };
    if (reader.take('.')) {
      return this.#set(isDotAll ? complementOf([]) : complementOf(lineEndSet));
    }
    if (reader.isAt('\\')) return this.#escape();
    for (const sign of '*+?{') {
      if (reader.isAt(sign)) throw reader.error(`a "${sign}" with nothing to repeat`);
    }
    for (const sign of ']}') {
      if (reader.isAt(sign)) throw reader.error(`a "${sign}" that stands alone`);
    }
    const codePoint = reader.next();
    return this.#folded(charSetOf([codePoint, codePoint]));
  }

  #escape(): RegexNode {
    const reader = this.#reader;
    const assertion = escapedAssertion(reader);
    if (assertion !== null) return { kind: 'assertion', assertion };
    if (reader.isAtMatch(/\\(?:[1-9]|k)/y)) {
      throw reader.error('a backreference, which is not supported,', linearHint);
    }
    return this.#folded(
      parseEscape(reader, { isInClass: false, isCaseless: this.#flags.isCaseless }).set,
    );
  }

  #group(): RegexNode {
    const reader = this.#reader;
    const { position } = reader;
    reader.take('(');
    if (++this.#depth > depthMax) throw reader.error('too many nested brackets');
    if (reader.isAtMatch(/\?<?[=!]/y)) {
      const what = reader.isAt('?<') ? 'lookbehind' : 'lookahead';
      throw regexError(reader.pattern, `${what}, which is not supported,`, position, linearHint);
    }
    const isPlain = reader.take('?:');
    const index = isPlain ? 0 : ++this.#groupCount;
    if (reader.take('?<')) this.#nameGroup(index);
    else if (reader.isAt('?')) throw reader.error('a "(?" that opens no group');
    const item = this.#choice();
    if (!reader.take(')')) {
      throw regexError(reader.pattern, 'a "(" without a ")"', position);
    }
    this.#depth--;
    return isPlain ? item : { kind: 'group', index, item };
  }

  #nameGroup(index: number): void {
    const reader = this.#reader;
    const name = reader.takeMatch(/[\p{ID_Start}$_][\p{ID_Continue}$_\u200c\u200d]*/uy);
    if (name === null || !reader.take('>')) throw reader.error('a group name that is none');
    if (this.#groupNames.has(name)) throw reader.error(`a second group named "${name}"`);
    this.#groupNames.set(name, index);
  }

  #quantified(atom: RegexNode, groupStart: number): RegexNode {
    const reader = this.#reader;
    const { position } = reader;
    const limits = this.#limits();
    if (limits === null) return atom;
    if (atom.kind === 'assertion') {
      throw regexError(reader.pattern, 'a repeat with nothing to repeat', position);
    }
    const isGreedy = !reader.take('?');
    const groupEnd = this.#groupCount + 1;
    return { kind: 'repeat', item: atom, ...limits, isGreedy, groupStart, groupEnd };
  }

  #limits(): { min: number; max: number } | null {
    const reader = this.#reader;
    if (reader.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (reader.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (reader.take('?')) return { min: 0, max: 1 };
    if (!reader.isAt('{')) return null;
    const { position, pattern } = reader;
    const text = reader.takeMatch(/\{\d+(?:,\d*)?\}/y);
    if (text === null) throw regexError(pattern, 'a "{" that stands alone', position);
    const [from = '', to] = text.slice(1, -1).split(',');
    const min = Number(from);
    const max = to === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to);
    if (min > max) throw regexError(pattern, `a repeat from ${min} down to ${max}`, position);
    if (min > repeatMax || (Number.isFinite(max) && max > repeatMax)) {
      throw regexError(pattern, 'too high a count', position, limitHint);
    }
    return { min, max };
  }

  #set(set: CharSet): RegexNode {
    return { kind: 'set', set };
  }

  #folded(set: CharSet): RegexNode {
    return this.#set(this.#flags.isCaseless ? withAllCases(set) : set);
  }
}
