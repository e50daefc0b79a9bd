/** Escapes of regular expressions: `\d`, `\n`, `\u{1F600}`, `\p{Letter}`, `\.`, as the flag `u` has them. */
import { withAllCases } from './case-folding.ts';
import {
  type CharSet,
  charSetOf,
  complementOf,
  digitSet,
  lastCodePoint,
  spaceSet,
  wordSet,
} from './char-set.ts';
import type { PatternReader } from './pattern-reader.ts';
import { type Assertion, regexError } from './regex-syntax.ts';

/** What an escape stands for; `codePoint` is null when it is a whole class. */
export interface Escaped {
  readonly set: CharSet;
  readonly codePoint: number | null;
}

const classes: Readonly<Record<string, CharSet>> = {
  d: digitSet,
  D: complementOf(digitSet),
  s: spaceSet,
  S: complementOf(spaceSet),
  w: wordSet,
  W: complementOf(wordSet),
};

const controls: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };

/** Signs with a meaning, which stand for themselves behind a `\`. */
const syntaxSigns = '^$\\.*+?()[]{}|/';

/** `\b` or `\B`, read; null when something else comes. */
export function escapedAssertion(reader: PatternReader): Assertion | null {
  if (reader.take('\\b')) return 'wordBorder';
  return reader.take('\\B') ? 'noWordBorder' : null;
}

export interface EscapeOptions {
  readonly isInClass: boolean;
  readonly isCaseless: boolean;
}

/** Reads an escape, at whose `\` the reader stands. */
export function parseEscape(reader: PatternReader, options: EscapeOptions): Escaped {
  const { position, pattern } = reader;
  reader.take('\\');
  const numeric = numericEscape(reader);
  if (numeric !== null) return single(numeric);
  const property = reader.takeMatch(/[pP]\{[^}]*\}/y);
  if (property !== null) return { set: propertySet(pattern, property, position), codePoint: null };
  if (reader.isAtEnd) throw regexError(pattern, 'a "\\" at its end', position);
  const sign = String.fromCodePoint(reader.next());
  // Two letters more are part of a word in any case, and must not be outside of one as well.
  const isNoWord = sign === 'W' && options.isCaseless;
  const set = isNoWord ? complementOf(withAllCases(wordSet)) : classes[sign];
  if (set !== undefined) return { set, codePoint: null };
  const control = controls[sign];
  if (control !== undefined) return single(control);
  if (options.isInClass && sign === 'b') return single(8);
  if (syntaxSigns.includes(sign) || (options.isInClass && sign === '-')) {
    return single(sign.codePointAt(0) ?? 0);
  }
  throw regexError(pattern, `"\\${sign}", which has no meaning,`, position);
}

function single(codePoint: number): Escaped {
  return { set: charSetOf([codePoint, codePoint]), codePoint };
}

/** `x41`, `u0041`, `u{41}`, `cA` and `0`; a pair of surrogates is one code point. */
function numericEscape(reader: PatternReader): number | null {
  const pair = reader.takeMatch(/u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}/y);
  if (pair !== null) {
    const high = Number.parseInt(pair.slice(1, 5), 16);
    const low = Number.parseInt(pair.slice(7), 16);
    return (high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000;
  }
  const hex = reader.takeMatch(/(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|u\{[\da-fA-F]+\})/y);
  if (hex !== null) {
    const codePoint = Number.parseInt(hex.replace(/[xu{}]/g, ''), 16);
    if (codePoint <= lastCodePoint) return codePoint;
    throw reader.error('a code point above 10FFFF before it');
  }
  const control = reader.takeMatch(/c[a-zA-Z]/y);
  if (control !== null) return control.charCodeAt(1) % 32;
  return reader.takeMatch(/0(?!\d)/y) === null ? null : 0;
}

const properties = new Map<string, CharSet>();

/** The code points with a property of Unicode, which JavaScript is asked for one by one (some 30 ms). */
function propertySet(pattern: string, property: string, position: number): CharSet {
  const known = properties.get(property);
  if (known !== undefined) return known;
  let test: RegExp;
  try {
    test = new RegExp(`\\${property}`, 'u');
  } catch {
    throw regexError(pattern, `"\\${property}", which is no property of Unicode,`, position);
  }
  const ranges: [number, number][] = [];
  let first = -1;
  for (let codePoint = 0; codePoint <= lastCodePoint + 1; codePoint++) {
    const isInside = codePoint <= lastCodePoint && test.test(String.fromCodePoint(codePoint));
    if (isInside && first < 0) first = codePoint;
    if (isInside || first < 0) continue;
    ranges.push([first, codePoint - 1]);
    first = -1;
  }
  const set = charSetOf(...ranges);
  properties.set(property, set);
  return set;
}
