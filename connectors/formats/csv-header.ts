/** The header of a CSV file: which field is which column. Read once per file, in plain JavaScript. */
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import { csvRecordAt } from '../../engine/kernels/csv.ts';
import { recordRoom } from '../../engine/kernels/record-kernels.ts';
import type { FileBytes } from './file-bytes.ts';

const firstBytes = 16 << 10;
/** No header is longer. */
const headerBytesMax = 1 << 20;
/** As many as the kernel has room for. */
const fieldsMax = recordRoom.steps / 4;
const byteOrderMark = [0xef, 0xbb, 0xbf];

export interface CsvHeader {
  readonly names: readonly string[];
  /** Bytes up to the first record, a byte order mark included. */
  readonly sizeBytes: number;
}

export interface HeaderRules {
  readonly path: string;
  readonly delimiter: string;
  readonly quote: string | null;
}

/**
 * Reads the first record of a file, whose bytes are read from their start on.
 * @throws CSV_HEADER when it does not end, or is not UTF-8.
 */
export function readHeader(file: FileBytes, rules: HeaderRules): CsvHeader {
  let bytes = new Uint8Array(0);
  for (let size = firstBytes; ; size *= 4) {
    const wanted = Math.min(size, file.size) - bytes.length;
    const more = new Uint8Array(Math.max(wanted, 0));
    const count = file.read(more, bytes.length);
    const grown = new Uint8Array(bytes.length + count);
    grown.set(bytes);
    grown.set(more.subarray(0, count), bytes.length);
    bytes = grown;
    const isFileEnd = bytes.length >= file.size;
    const header = headerIn(bytes, isFileEnd, rules);
    if (header !== null) return header;
    if (isFileEnd || size >= headerBytesMax) {
      throw headerError(rules.path, 'has a header that never ends', 'Check its quotes.');
    }
  }
}

function headerIn(
  bytes: Uint8Array,
  isFileEnd: boolean,
  { path, ...rules }: HeaderRules,
): CsvHeader | null {
  // One byte per character, so that places in the text are places in the bytes.
  const text = new TextDecoder('latin1').decode(bytes);
  const start = byteOrderMark.every((byte, index) => bytes[index] === byte) ? 3 : 0;
  const record = csvRecordAt(isFileEnd ? `${text}\n` : text, start, rules);
  if (record === 'incomplete') return null;
  if (record === 'bad') {
    throw headerError(path, 'has a quote in a wrong place in its header', 'Check its quotes.');
  }
  if (record.fields.length > fieldsMax) {
    throw headerError(path, `has more than ${fieldsMax} columns`, 'Check its delimiter.');
  }
  const names = record.fields.map((field) => utf8Of(field.text, path));
  return { names, sizeBytes: Math.min(record.end, bytes.length) };
}

function utf8Of(latin1: string, path: string): string {
  const bytes = Uint8Array.from(latin1, (character) => character.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw headerError(path, 'has a header that is not UTF-8', 'Convert the file to UTF-8.');
  }
}

/**
 * The places of the wanted columns among the names of the header.
 * @throws CSV_HEADER when one is missing, or there twice.
 */
export function placesOf(
  wanted: readonly string[],
  names: readonly string[],
  path: string,
): number[] {
  return wanted.map((name) => {
    const place = names.indexOf(name);
    if (place >= 0 && names.lastIndexOf(name) === place) return place;
    if (place >= 0) {
      throw headerError(path, `has two columns "${name}"`, 'Give them different names.');
    }
    const nearest = nearestName(name, names);
    const meant = nearest === null ? '' : ` Did you mean "${nearest}"?`;
    const list = names.map((one) => JSON.stringify(one)).join(', ');
    throw headerError(
      path,
      `has no column "${name}" in its header`,
      `Its columns are ${list}.${meant} For a file without a header give { header: false }.`,
    );
  });
}

function headerError(path: string, what: string, hint: string): Error {
  return typedError('CSV_HEADER', `file "${path}" ${what}`, { hint, details: { path } });
}
