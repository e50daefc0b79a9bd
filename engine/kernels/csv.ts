/**
 * Reference of csv.as.ts: one record at a time, from text in which each character is a byte (latin1).
 * Headers are read with it too.
 */

export interface CsvRules {
  readonly delimiter: string;
  /** Null when nothing is quoted. */
  readonly quote: string | null;
}

export interface CsvField {
  /** Without its quotes. */
  readonly text: string;
  readonly isQuoted: boolean;
}

/** A record and where the next one begins. */
export interface CsvRecord {
  readonly fields: readonly CsvField[];
  readonly end: number;
}

/** The record that begins at `start`; `bad` where a quote is wrong, `incomplete` where it has no end. */
export function csvRecordAt(
  text: string,
  start: number,
  rules: CsvRules,
): CsvRecord | 'bad' | 'incomplete' {
  const fields: CsvField[] = [];
  let at = start;
  for (;;) {
    const found =
      text[at] === rules.quote ? quotedAt(text, at, rules.quote) : plainAt(text, at, rules);
    if (typeof found === 'string') return found;
    fields.push(found.field);
    at = found.end + 1;
    const delimiter = text[found.end];
    if (delimiter === '\n') return { fields, end: at };
    if (delimiter !== rules.delimiter) return delimiter === undefined ? 'incomplete' : 'bad';
  }
}

interface Found {
  readonly field: CsvField;
  /** Where the delimiter or the line break is. */
  readonly end: number;
}

function quotedAt(text: string, start: number, quote: string): Found | 'incomplete' {
  let close = text.indexOf(quote, start + 1);
  while (close >= 0 && text[close + 1] === quote) close = text.indexOf(quote, close + 2);
  if (close < 0) return 'incomplete';
  const inside = text.slice(start + 1, close).replaceAll(quote + quote, quote);
  const hasReturn = text[close + 1] === '\r' && (text[close + 2] ?? '\n') === '\n';
  return { field: { text: inside, isQuoted: true }, end: close + (hasReturn ? 2 : 1) };
}

function plainAt(text: string, start: number, { delimiter, quote }: CsvRules): Found {
  let end = start;
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== quote)
    end++;
  const isLast = text[end] === '\n';
  const inside = text.slice(start, end);
  return { field: { text: isLast ? inside.replace(/\r$/, '') : inside, isQuoted: false }, end };
}
