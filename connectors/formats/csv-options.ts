/** The options of CSV as a plan carries them, checked by `csv()` in format-builders.ts. */

// A type alias, not an interface: only those are assignable to `Json`.
export type CsvOptions = {
  readonly kind: 'csv';
  /** Names of all columns of the struct in its order; what is read may be some of them. Of a source. */
  readonly columns: readonly string[];
  readonly header: boolean;
  /** One ASCII character. */
  readonly delimiter: string;
  /** One ASCII character; null when nothing is quoted. */
  readonly quote: string | null;
  /** The field that is null where it stands without quotes. */
  readonly nullText: string;
  /** Whether large files are cut, to be read by several tasks. */
  readonly split: boolean;
};

/** The byte that stands for "no quotes": no text of UTF-8 has it. */
const noQuote = 0xff;

export function quoteByteOf({ quote }: CsvOptions): number {
  return quote === null ? noQuote : quote.charCodeAt(0);
}

export function delimiterByteOf({ delimiter }: CsvOptions): number {
  return delimiter.charCodeAt(0);
}
