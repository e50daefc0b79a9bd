/**
 * Records into a record batch, as bytes: the reverse of connectors/kafka/record-scan.ts. Who sends it, and the sum,
 * are set where it is sent (`stampProducer`).
 *
 * After: connectors/kafka/record-sender.ts.
 */
import { assert } from '../../base/assert.ts';
import { batchHeader, batchPrefixBytes, writeInt64 } from './batch-header.ts';
import type { EncodedBatch } from './kafka-client.ts';

/** Attributes, three varints of up to 10 bytes and three of up to 5, and the one in front. */
const recordOverheadMax = 1 + 10 + 10 + 5 * 4 + 5;
const firstBytes = 4 << 10;

export class RecordBatchBuilder {
  readonly #partition: number;
  #bytes = new Uint8Array(firstBytes);
  #length: number = batchHeader.size;
  #recordCount = 0;
  #firstTimestampMs = 0;
  #maxTimestampMs = 0;

  constructor(partition: number) {
    this.#partition = partition;
  }

  get sizeBytes(): number {
    return this.#length;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** @param key - Null for none, as is `value`. */
  add(key: Uint8Array | null, value: Uint8Array | null, timestampMs: number): void {
    if (this.#recordCount === 0) this.#firstTimestampMs = this.#maxTimestampMs = timestampMs;
    this.#maxTimestampMs = Math.max(this.#maxTimestampMs, timestampMs);
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    this.#reserve(bytes + recordOverheadMax);
    const delta = timestampMs - this.#firstTimestampMs;
    const size =
      2 + // Attributes, and a count of headers.
      varintSize(delta) +
      varintSize(this.#recordCount) +
      varintSize(key?.length ?? -1) +
      varintSize(value?.length ?? -1) +
      bytes;
    this.#varint(size);
    this.#bytes[this.#length++] = 0;
    this.#varint(delta);
    this.#varint(this.#recordCount);
    this.#withLength(key);
    this.#withLength(value);
    this.#bytes[this.#length++] = 0;
    this.#recordCount++;
  }

  /** The batch; the builder is used no more. */
  build(): EncodedBatch {
    assert(this.#recordCount > 0, 'a batch has a record');
    const bytes = this.#bytes.subarray(0, this.#length);
    const view = new DataView(bytes.buffer);
    view.setInt32(batchHeader.length, bytes.length - batchPrefixBytes);
    view.setInt32(12, -1); // No epoch of a leader: the broker sets it.
    view.setInt8(batchHeader.magic, 2);
    view.setInt32(batchHeader.lastOffsetDelta, this.#recordCount - 1);
    writeInt64(view, batchHeader.baseTimestamp, this.#firstTimestampMs);
    writeInt64(view, batchHeader.maxTimestamp, this.#maxTimestampMs);
    view.setInt32(batchHeader.recordCount, this.#recordCount);
    return { partition: this.#partition, recordCount: this.#recordCount, bytes };
  }

  #withLength(bytes: Uint8Array | null): void {
    this.#varint(bytes?.length ?? -1);
    if (bytes === null) return;
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Zigzag; a time may be more than 2^31 ms from the first. */
  #varint(value: number): void {
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    }
    this.#bytes[this.#length++] = rest;
  }

  #reserve(sizeBytes: number): void {
    const wanted = this.#length + sizeBytes;
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value < 0 ? -value * 2 - 1 : value * 2; rest >= 0x80; size++) {
    rest = Math.floor(rest / 0x80);
  }
  return size;
}
