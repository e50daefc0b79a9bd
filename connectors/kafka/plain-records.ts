/**
 * Records of a batch one by one, as objects: for small numbers of them, for a client that takes no batches, and
 * as the reference of what goes straight to columns (connectors/kafka/record-scan.ts).
 *
 *     record   length, attributes, timestamp delta, offset delta, key, value, count of headers, headers
 *
 * Numbers are zigzag varints; bytes have their length before them, -1 for null. Not compressed ones only.
 */
import {
  batchAttributes,
  batchHeader,
  batchPrefixBytes,
  readInt64,
  writeInt64,
} from './batch-header.ts';
import { recordsCorruptError } from './record-faults.ts';

export interface PlainRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [name: string, value: Uint8Array | null])[];
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The records of one batch, uncompressed. @throws KAFKA_RECORDS_CORRUPT */
export function plainRecordsOf(batch: Uint8Array): PlainRecord[] {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const baseOffset = readInt64(view, batchHeader.baseOffset);
  const baseTimestamp = readInt64(view, batchHeader.baseTimestamp);
  const maxTimestamp = readInt64(view, batchHeader.maxTimestamp);
  const isAppendTime = (view.getInt16(batchHeader.attributes) & batchAttributes.appendTime) !== 0;
  const reader = new VarintReader(batch, batchHeader.size);
  return Array.from({ length: view.getInt32(batchHeader.recordCount) }, () => {
    reader.number(); // Length of the record.
    reader.skip(1);
    const timestampMs = baseTimestamp + reader.number();
    const offset = baseOffset + reader.number();
    const [key, value] = [reader.bytes(), reader.bytes()];
    const headers = Array.from({ length: reader.number() }, () => {
      const name = decoder.decode(reader.bytes() ?? new Uint8Array(0));
      return [name, reader.bytes()] as const;
    });
    return { offset, timestampMs: isAppendTime ? maxTimestamp : timestampMs, key, value, headers };
  });
}

/** A batch of records without a producer; their offsets count from that of the first. */
export function plainBatchOf(records: readonly PlainRecord[]): Uint8Array {
  const [first] = records;
  const baseOffset = first?.offset ?? 0;
  const baseTimestamp = first?.timestampMs ?? 0;
  const body = records.flatMap(({ offset, timestampMs, key, value, headers }) => {
    const parts = [
      0,
      ...varint(timestampMs - baseTimestamp),
      ...varint(offset - baseOffset),
      ...withLength(key),
      ...withLength(value),
      ...varint(headers.length),
      ...headers.flatMap(([name, one]) => [
        ...withLength(encoder.encode(name)),
        ...withLength(one),
      ]),
    ];
    return [...varint(parts.length), ...parts];
  });
  const batch = new Uint8Array(batchHeader.size + body.length);
  batch.set(body, batchHeader.size);
  const view = new DataView(batch.buffer);
  writeInt64(view, batchHeader.baseOffset, baseOffset);
  view.setInt32(batchHeader.length, batch.length - batchPrefixBytes);
  view.setInt8(batchHeader.magic, 2);
  view.setInt32(batchHeader.lastOffsetDelta, (records.at(-1)?.offset ?? baseOffset) - baseOffset);
  writeInt64(view, batchHeader.baseTimestamp, baseTimestamp);
  const times = records.map(({ timestampMs }) => timestampMs);
  writeInt64(view, batchHeader.maxTimestamp, Math.max(baseTimestamp, ...times));
  writeInt64(view, batchHeader.producerId, -1);
  view.setInt16(batchHeader.producerEpoch, -1);
  view.setInt32(batchHeader.baseSequence, -1);
  view.setInt32(batchHeader.recordCount, records.length);
  return batch;
}

function withLength(bytes: Uint8Array | null): number[] {
  return bytes === null ? varint(-1) : [...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value < 0 ? -value * 2 - 1 : value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return bytes;
}

class VarintReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw recordsCorruptError('a record ends too early');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }

  bytes(): Uint8Array | null {
    const size = this.number();
    if (size < 0) return null;
    this.skip(size);
    return Uint8Array.from(this.#bytes.subarray(this.#at - size, this.#at));
  }

  skip(size: number): void {
    this.#at += size;
    if (this.#at > this.#bytes.length) throw recordsCorruptError('a record ends too early');
  }
}
