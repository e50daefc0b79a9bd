/**
 * The record kernels as TypeScript sees them: lines of NDJSON and records of CSV to typed columns.
 * Conventions: engine/kernels/kernels.ts.
 *
 *     state ──▶ columns    64 bytes each: kind, where values and bitmap are, name
 *           ──▶ steps      the template of lines, kept by the kernel (NDJSON)
 *           ──▶ fixups     16 bytes each: values that are not finished
 *           ──▶ errors     16 bytes each: records that are bad, and no rows
 *
 * A kernel reads what files mostly have. A value that it does not know is a *fixup*: its bytes are
 * noted, and TypeScript reads or refuses it. Texts with escapes are fixups too; `unescapeTexts`
 * finishes them in place, once nobody needs the record's own bytes any more.
 *
 * Before a batch: bitmaps of nullable columns are all ones, those of bool values all zeros.
 */

/** Byte offsets in a column's entry of 64 bytes, which is 64-byte aligned; all u32. */
export const recordColumnLayout = {
  kind: 0,
  values: 4,
  /** Address of the bitmap; 0 for a column that is not nullable. */
  validity: 8,
  /** Address of the name's bytes, with zeros up to a multiple of 8. */
  name: 12,
  nameLength: 16,
  /** The kernel's own; zero at first. */
  seen: 20,
  /** Above 0 when a value was set to null. */
  nulls: 24,
  /** Of a timestamp: 0 for ms, 1 for µs. Of a decimal: its scale, and its precision times 256. */
  unit: 28,
  size: 64,
} as const;

/** Byte offsets in the state; all u32. What is not named is the kernels' own and zero at first. */
export const recordStateLayout = {
  columns: 0,
  columnCount: 4,
  /** NDJSON: room for `steps` of `recordRoom`. CSV: a u32 for each field, its column's entry or 0. */
  steps: 8,
  /** CSV: count of fields in a record. */
  stepCount: 12,
  fixups: 16,
  fixupCount: 20,
  fixupsMax: 24,
  errors: 28,
  errorCount: 32,
  errorsMax: 36,
  /** -1 at first: a template is made of the first line. */
  credit: 44,
  /** Behind the last record that was used up. */
  consumed: 48,
  /** Room for `scratch` of `recordRoom`. */
  scratch: 52,
  /** CSV: records that begin at this address or later are not read. */
  limit: 64,
  /** CSV: bytes of ASCII. Without quotes: 255, which no text has. */
  delimiter: 68,
  /** CSV: address and length of the field that is null where it stands without quotes. */
  nullText: 72,
  nullLength: 76,
  quote: 100,
  /** Room for an address per row and one more: where each row's record begins. */
  rowStarts: 96,
  size: 192,
} as const;

/** Bytes of the rooms that the state points to. */
export const recordRoom = {
  steps: 512 * 96,
  scratch: 2048,
} as const;

/** A fixup: u32 row; u32 address of the column's entry, with the kind in its low 6 bits; u32 address; u32 length. */
export const fixupSize = 16;
export const fixupKinds = {
  /** The value's text, as it stands there. */
  cell: 1,
  /** Texts that `unescapeTexts` finishes. */
  jsonText: 2,
  csvText: 3,
  /** The value's text, with quotes doubled. */
  csvCell: 4,
} as const;

/** An error: u32 start and end of the record, u32 address of the fault, u32 column's entry (or 0) with the reason in its low 6 bits. */
export const recordErrorSize = 16;
export const recordReasons = {
  syntax: 1,
  notAnObject: 2,
  missing: 3,
  null: 4,
  notUtf8: 5,
  tooDeep: 6,
  afterEnd: 7,
  quote: 8,
  tooManyFields: 9,
  openQuote: 10,
} as const;

/** Kinds of columns, by kind of type; `other` stands for all that kernels leave to fixups. */
export const recordColumnKinds = {
  utf8: 1,
  int64: 2,
  int32: 3,
  float64: 4,
  bool: 5,
  timestamp: 6,
  int8: 7,
  int16: 8,
  uint8: 9,
  uint16: 10,
  uint32: 11,
  float32: 12,
  date: 13,
  decimal: 14,
  other: 15,
} as const;

export interface RecordKernels {
  /**
   * Reads the lines of [from, end), which ends with a line break, from row `firstRow` on. Ends early
   * when all rows, fixups or errors there is room for are used: call again from `consumed` on.
   * @returns The row after the last one.
   */
  parseNdjson(from: number, end: number, state: number, firstRow: number, rowsMax: number): number;
  /**
   * Reads the records of [from, end), the last of which may be incomplete unless `isLast` is 1: then
   * the bytes end with a line break. Ends early as `parseNdjson` does, and before an incomplete record.
   * @returns The row after the last one.
   */
  parseCsv(
    from: number,
    end: number,
    isLast: number,
    state: number,
    firstRow: number,
    rowsMax: number,
  ): number;
  /** Finishes the texts among `count` fixups, each in the place of its bytes. `quote`: CSV's. */
  unescapeTexts(fixups: number, count: number, quote: number): void;
}
