/**
 * The header of a record batch, message format 2: what comes before its records.
 *
 *      0  i64 offset of the first record      27  i64 timestamp of the first record
 *      8  i32 bytes behind this field         35  i64 largest timestamp
 *     12  i32 epoch of the leader             43  i64 producer, -1: none
 *     16  i8  format, 2                       51  i16 epoch of the producer
 *     17  u32 CRC32C of all that follows      53  i32 sequence of the first record
 *     21  i16 attributes                      57  i32 count of records
 *     23  i32 offset of the last, less first  61  the records, compressed as a whole or not
 *
 * Big-endian. On the wire: never renumber. Offset and leader's epoch are the broker's, hence outside the sum.
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
import { crc32c } from '../../base/checksum.ts';
import type { ProducerIdentity } from './kafka-client.ts';

export const batchHeader = {
  baseOffset: 0,
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  size: 61,
} as const;

/** Bytes before those that `length` counts. */
export const batchPrefixBytes = 12;

export const batchAttributes = {
  codecMask: 7,
  /** The broker's time of appending is that of all records. */
  appendTime: 8,
  transactional: 16,
  control: 32,
} as const;

const twoTo32 = 2 ** 32;

/** A signed number of 8 bytes; exact below 2^53. */
export function readInt64(view: DataView, at: number): number {
  return view.getInt32(at) * twoTo32 + view.getUint32(at + 4);
}

export function writeInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / twoTo32));
  view.setUint32(at + 4, value >>> 0);
}

export interface BatchProducer extends ProducerIdentity {
  readonly sequence: number;
  readonly isTransactional: boolean;
}

/** Writes who sends the batch, and the sum that covers it. */
export function stampProducer(batch: Uint8Array, producer: BatchProducer): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const { attributes, producerId, producerEpoch, baseSequence } = batchHeader;
  const before = view.getInt16(attributes) & ~batchAttributes.transactional;
  view.setInt16(
    attributes,
    before | (producer.isTransactional ? batchAttributes.transactional : 0),
  );
  writeInt64(view, producerId, producer.producerId);
  view.setInt16(producerEpoch, producer.epoch);
  view.setInt32(baseSequence, producer.sequence);
  view.setUint32(batchHeader.crc, crc32c(batch.subarray(attributes)));
}
