/** The errors of records of NDJSON and CSV: where the record is, which column and value, what is wrong. */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { recordReasons } from '../../engine/kernels/record-kernels.ts';

export interface RecordFault {
  readonly kind: 'ndjson' | 'csv';
  readonly path: string;
  /** Where in the file the record begins. */
  readonly byteOffset: number;
  readonly column: string | null;
  /** The value's text, where one value is wrong. */
  readonly value: string | null;
  readonly reason: string;
}

const shownCharactersMax = 60;

export function recordError(fault: RecordFault): TypedError {
  const { kind, path, byteOffset, column, value, reason } = fault;
  const message = `file "${path}" has a record at byte ${byteOffset} that cannot be read: ${reason}`;
  const hint =
    'Correct the record, declare the column as what it holds (t.….nullable() where it may be missing), ' +
    'or give the source a sink for dead letters, which takes such records.';
  const details = {
    path,
    byteOffset,
    reason,
    ...(column !== null && { column }),
    ...(value !== null && { value: shortened(value) }),
  };
  return typedError(kind === 'ndjson' ? 'NDJSON_RECORD' : 'CSV_RECORD', message, { hint, details });
}

/** A value as messages show it. */
export function shortened(text: string): string {
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

/** What a kernel found wrong; `offset`: how far behind the record's first byte. */
export function reasonTextOf(
  reason: number,
  { kind, offset }: { readonly kind: 'ndjson' | 'csv'; readonly offset: number },
): string {
  switch (reason) {
    case recordReasons.notAnObject:
      return 'it is no JSON object';
    case recordReasons.missing:
      return 'is missing';
    case recordReasons.null:
      return kind === 'csv' ? 'is empty, and is not nullable' : 'is null, and is not nullable';
    case recordReasons.notUtf8:
      return `it is not UTF-8 ${offset} bytes from its start`;
    case recordReasons.tooDeep:
      return 'it is nested deeper than 1,024 levels';
    case recordReasons.afterEnd:
      return `it goes on behind its object, ${offset} bytes from its start`;
    case recordReasons.quote:
      return `it has a quote in a wrong place, ${offset} bytes from its start`;
    case recordReasons.tooManyFields:
      return 'it has more fields than the header';
    case recordReasons.openQuote:
      return 'it has a quote that is never closed';
    default:
      return `it is no JSON, ${offset} bytes from its start`;
  }
}
