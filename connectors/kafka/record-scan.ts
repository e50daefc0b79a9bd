/**
 * Records of a batch into a table: varints in one loop over the bytes, which stay where they are. What the parts
 * of a record are is in connectors/kafka/plain-records.ts, which is the reference.
 *
 * Invariant: nothing outside of [from, end) is taken for a part of a record, whatever the bytes are.
 */
import { recordsCorruptError } from './record-faults.ts';
import type { RecordTable } from './record-table.ts';

/** The records of a batch that are still to be read. */
export interface BatchRecords {
  /** Addresses of the next record and behind the last one. */
  at: number;
  readonly end: number;
  /** Records that are left. */
  left: number;
  readonly baseOffset: number;
  readonly baseTimestampMs: number;
  /** The broker's time, which is that of all records; null where each has its own. */
  readonly appendTimeMs: number | null;
}

/** Offsets of the records that are wanted, `start` inclusive, `end` exclusive. */
export interface OffsetRange {
  readonly start: number;
  readonly end: number;
}

export class RecordScan {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads records until the table is full or the batch has ended. @throws KAFKA_RECORDS_CORRUPT */
  fill(table: RecordTable, records: BatchRecords, wanted: OffsetRange): void {
    this.#at = records.at;
    const { end: batchEnd, baseOffset, baseTimestampMs, appendTimeMs } = records;
    let { left } = records;
    while (left > 0 && !table.isFull) {
      this.#end = batchEnd;
      const size = this.#varint();
      const recordEnd = this.#at + size;
      if (size < 0 || recordEnd > batchEnd) throw recordsCorruptError('a record is longer than it');
      this.#end = recordEnd;
      this.#at++; // Attributes, of which there are none.
      const timestampMs = appendTimeMs ?? baseTimestampMs + this.#varint();
      if (appendTimeMs !== null) this.#varint();
      const offset = baseOffset + this.#varint();
      const isWanted = offset >= wanted.start && offset < wanted.end;
      if (isWanted) this.#add(table, offset, timestampMs);
      this.#at = recordEnd;
      left--;
    }
    if (left === 0 && this.#at !== batchEnd) throw recordsCorruptError('bytes follow its records');
    records.at = this.#at;
    records.left = left;
  }

  #add(table: RecordTable, offset: number, timestampMs: number): void {
    const row = table.rowCount++;
    table.offsets[row] = offset;
    table.timestampsMs[row] = timestampMs;
    const keySize = this.#varint();
    table.keyAt[row] = this.#at;
    table.keySize[row] = keySize;
    this.#pass(keySize);
    const valueSize = this.#varint();
    table.valueAt[row] = this.#at;
    table.valueSize[row] = valueSize;
    this.#pass(valueSize);
    table.headerCounts[row] = this.#varint();
    table.headersAt[row] = this.#at;
  }

  #pass(size: number): void {
    if (size > 0) this.#at += size;
    if (this.#at > this.#end) throw recordsCorruptError('a key or value is longer than its record');
  }

  /** A zigzag varint; small ones, which nearly all are, in whole numbers of 31 bits. */
  #varint(): number {
    const bytes = this.#bytes;
    const first = bytes[this.#at++]!;
    if (first < 0x80) return (first >>> 1) ^ -(first & 1);
    const second = bytes[this.#at++]!;
    if (second < 0x80) {
      const value = (first & 0x7f) | (second << 7);
      return (value >>> 1) ^ -(value & 1);
    }
    return this.#longVarint((first & 0x7f) | ((second & 0x7f) << 7));
  }

  #longVarint(low: number): number {
    let value = low;
    for (let factor = 2 ** 14; factor < 2 ** 70; factor *= 0x80) {
      if (this.#at >= this.#end) break;
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw recordsCorruptError('a number in a record has no end');
  }
}

/** Where a header is: addresses and sizes, -1 for null. */
export type TakeHeader = (
  nameAt: number,
  nameSize: number,
  valueAt: number,
  valueSize: number,
) => void;

/** The headers of a record, which `fill` has found at an address. @throws KAFKA_RECORDS_CORRUPT */
export function forEachHeader(
  bytes: Uint8Array,
  at: number,
  count: number,
  take: TakeHeader,
): void {
  const cursor = { at };
  for (let header = 0; header < count; header++) {
    const nameSize = varintAt(bytes, cursor);
    const nameAt = cursor.at;
    cursor.at += Math.max(nameSize, 0);
    const valueSize = varintAt(bytes, cursor);
    if (nameSize < 0) throw recordsCorruptError('a header has no name');
    take(nameAt, nameSize, cursor.at, valueSize);
    cursor.at += Math.max(valueSize, 0);
  }
}

function varintAt(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes[cursor.at++] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return (value >>> 1) ^ -(value & 1);
}
