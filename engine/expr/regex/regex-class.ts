/** Classes of regular expressions: `[a-z\d_]` and `[^"]`. */
import { withAllCases } from './case-folding.ts';
import { type CharSet, charSetOf, complementOf, unionOf } from './char-set.ts';
import type { PatternReader } from './pattern-reader.ts';
import { type Escaped, parseEscape } from './regex-escape.ts';
import { regexError } from './regex-syntax.ts';

/** The set of a class, whose `[` is read. */
export function parseClass(reader: PatternReader, isCaseless: boolean): CharSet {
  const { position, pattern } = reader;
  const isNegated = reader.take('^');
  const parts: CharSet[] = [];
  while (!reader.take(']')) {
    if (reader.isAtEnd) throw regexError(pattern, 'a "[" without a "]"', position - 1);
    parts.push(parsePart(reader, isCaseless));
  }
  const plain = unionOf(...parts);
  const set = isCaseless ? withAllCases(plain) : plain;
  return isNegated ? complementOf(set) : set;
}

/** A sign, an escape, or a range of two. */
function parsePart(reader: PatternReader, isCaseless: boolean): CharSet {
  const { position, pattern } = reader;
  const first = parseMember(reader, isCaseless);
  if (!reader.isAtMatch(/-[^\]]/y)) return first.set;
  reader.take('-');
  const last = parseMember(reader, isCaseless);
  if (first.codePoint === null || last.codePoint === null) {
    throw regexError(pattern, 'a range with a class at its end', position);
  }
  if (first.codePoint > last.codePoint) {
    throw regexError(pattern, 'a range that runs backwards', position);
  }
  return charSetOf([first.codePoint, last.codePoint]);
}

function parseMember(reader: PatternReader, isCaseless: boolean): Escaped {
  if (reader.isAt('\\')) return parseEscape(reader, { isInClass: true, isCaseless });
  const codePoint = reader.next();
  return { set: charSetOf([codePoint, codePoint]), codePoint };
}
