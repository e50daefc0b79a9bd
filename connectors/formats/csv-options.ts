/** The options of CSV as a plan carries them, checked by `csv()` in format-builders.ts. */

// Type aliases, not interfaces: only those are assignable to `Json`.

/** What a file looks like. */
export type CsvStyle = {
  readonly header: boolean;
  /** One ASCII character. */
  readonly delimiter: string;
  /** One ASCII character; null when nothing is quoted. */
  readonly quote: string | null;
  /** The field that is null where it stands without quotes. */
  readonly nullText: string;
};

export type CsvOptions = CsvStyle & {
  readonly kind: 'csv';
  /** Names of all columns of the struct in its order; what is read may be some of them. */
  readonly columns: readonly string[];
  /** Whether large files are cut, to be read by several tasks. */
  readonly split: boolean;
};

export const plainCsvStyle: CsvStyle = { header: true, delimiter: ',', quote: '"', nullText: '' };

/** The byte that stands for "no quotes": no text of UTF-8 has it. */
const noQuote = 0xff;

export function quoteByteOf({ quote }: CsvStyle): number {
  return quote === null ? noQuote : quote.charCodeAt(0);
}

export function delimiterByteOf({ delimiter }: CsvStyle): number {
  return delimiter.charCodeAt(0);
}
