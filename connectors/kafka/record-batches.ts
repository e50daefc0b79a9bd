/**
 * Record batches into tables of records: checks each batch, unpacks it, leaves out markers and what was aborted,
 * and fills a table with the records of as many batches as it has room for.
 *
 *     fetched bytes   [header records][header records]…[cut off]
 *                          │ checksum, codec, aborted?
 *                          ▼
 *     table           rows of several batches, up to 8,192
 *
 * Invariants:
 * - `nextOffset` is behind all records that tables have got, and behind the markers among them.
 * - A batch that is cut off is left for the next fetch; one that is damaged throws, and nothing of it was given.
 *
 * Before: connectors/kafka/kafka-fetcher.ts. After: connectors/kafka/record-values.ts.
 */
import { crcTableBytes, writeCrcTables } from '../../engine/kernels/checksum-kernels.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../engine/memory/slot-memory.ts';
import { AbortedProducers } from './aborted-producers.ts';
import { batchAttributes, batchHeader, batchPrefixBytes, readInt64 } from './batch-header.ts';
import type { FetchedPartition, Isolation } from './kafka-client.ts';
import { unpackRecords } from './record-codecs.ts';
import { recordsCorruptError, unsupportedRecordsError } from './record-faults.ts';
import { type BatchRecords, type OffsetRange, RecordScan } from './record-scan.ts';
import type { RecordTable } from './record-table.ts';

const format = 2;
/** In the key of a marker, behind its version: 0 is an abort, 1 a commit. */
const abortMarker = 0;

export interface RecordBatchesOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly topic: string;
  readonly partition: number;
  readonly isolation: Isolation;
  readonly range: OffsetRange;
}

interface Batch {
  /** Address of its header. */
  readonly at: number;
  readonly end: number;
  readonly view: DataView;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly attributes: number;
}

export class RecordBatches {
  readonly #options: RecordBatchesOptions;
  readonly #scan: RecordScan;
  #crcTables: BlockHandle = 0;
  /** The fetched bytes in the slot's memory; 0 while there are none. */
  #block: BlockHandle = 0;
  #at = 0;
  #end = 0;
  #aborted = new AbortedProducers([]);
  /** The batch that the last table had no room for the rest of, and the block of its records. */
  #open: { readonly records: BatchRecords; readonly block: BlockHandle; next: number } | null =
    null;
  #nextOffset: number;

  constructor(options: RecordBatchesOptions) {
    this.#options = options;
    this.#scan = new RecordScan(options.scope.memory.bytes);
    this.#nextOffset = options.range.start;
  }

  /** Behind all that was given, and left out. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Whether all that was fetched has been given. */
  get isEmpty(): boolean {
    return this.#open === null && this.#at >= this.#end;
  }

  /** The next answer of a fetch from `nextOffset` on; that before has been given. */
  add({ records, aborted }: FetchedPartition): void {
    const { scope } = this.#options;
    this.#releaseBlock();
    if (records.length === 0) return;
    this.#block = scope.allocate(records.length);
    this.#at = addressOf(this.#block);
    this.#end = this.#at + records.length;
    scope.memory.bytes.set(records, this.#at);
    this.#aborted = new AbortedProducers(aborted);
  }

  /** Fills the table; it stays empty where nothing is left but a batch that is cut off. */
  fill(table: RecordTable): void {
    const { range } = this.#options;
    while (!table.isFull && !this.isEmpty && this.#nextOffset < range.end) {
      if (this.#open === null && !this.#openNext()) return;
      const open = this.#open;
      if (open === null) continue;
      table.hold(open.block);
      this.#scanInto(table, open.records);
      this.#nextOffset = Math.max(this.#nextOffset, (table.offsets[table.rowCount - 1] ?? -1) + 1);
      if (open.records.left > 0) continue;
      this.#nextOffset = Math.max(this.#nextOffset, Math.min(open.next, range.end));
      this.#closeBatch();
    }
  }

  close(): void {
    this.#closeBatch();
    this.#releaseBlock();
    if (this.#crcTables !== 0) this.#options.scope.memory.release(this.#crcTables);
    this.#crcTables = 0;
  }

  #scanInto(table: RecordTable, records: BatchRecords): void {
    const { range } = this.#options;
    try {
      this.#scan.fill(table, records, { start: this.#nextOffset, end: range.end });
    } catch (error) {
      throw this.#named(error, records.baseOffset);
    }
  }

  /** Opens the next batch whose records are wanted; false when it is cut off. */
  #openNext(): boolean {
    const batch = this.#wholeBatch();
    if (batch === null) {
      this.#at = this.#end;
      return false;
    }
    this.#at = batch.end;
    const next = batch.lastOffset + 1;
    if (next <= this.#nextOffset || this.#isLeftOut(batch)) {
      this.#nextOffset = Math.max(this.#nextOffset, next);
      return true;
    }
    this.#open = { ...this.#unpacked(batch), next };
    return true;
  }

  /** The batch at hand, checked; null where the bytes end before it does. */
  #wholeBatch(): Batch | null {
    const { scope } = this.#options;
    const at = this.#at;
    if (this.#end - at < batchHeader.size) return null;
    const view = new DataView(scope.memory.bytes.buffer, at, this.#end - at);
    const baseOffset = readInt64(view, batchHeader.baseOffset);
    const sizeBytes = view.getInt32(batchHeader.length) + batchPrefixBytes;
    const magic = view.getInt8(batchHeader.magic);
    if (magic !== format && magic >= 0 && magic < format) {
      throw unsupportedRecordsError(`message format ${magic}`, this.#placeOf(baseOffset));
    }
    if (sizeBytes < batchHeader.size) throw this.#corrupt('its size is too small', baseOffset);
    if (sizeBytes > this.#end - at) return null;
    if (magic !== format) throw this.#corrupt(`its format is ${magic}`, baseOffset);
    this.#checkSum(at, at + sizeBytes, view.getUint32(batchHeader.crc), baseOffset);
    const lastOffset = baseOffset + view.getInt32(batchHeader.lastOffsetDelta);
    const attributes = view.getInt16(batchHeader.attributes);
    return { at, end: at + sizeBytes, view, baseOffset, lastOffset, attributes };
  }

  #checkSum(at: number, end: number, expected: number, baseOffset: number): void {
    const { kernels, scope } = this.#options;
    if (this.#crcTables === 0) {
      this.#crcTables = scope.allocate(crcTableBytes);
      writeCrcTables(scope.memory.uint32, addressOf(this.#crcTables));
    }
    const from = at + batchHeader.attributes;
    const found = kernels.crc32c(addressOf(this.#crcTables), from, end - from, 0) >>> 0;
    if (found !== expected) throw this.#corrupt('its checksum is another one', baseOffset);
  }

  /** Whether the batch is a marker, or was aborted. */
  #isLeftOut({ attributes, view, lastOffset }: Batch): boolean {
    const { isolation } = this.#options;
    const producerId = readInt64(view, batchHeader.producerId);
    if ((attributes & batchAttributes.control) !== 0) {
      if (markerOf(view) === abortMarker) this.#aborted.end(producerId, lastOffset);
      return true;
    }
    if (isolation === 'uncommitted' || (attributes & batchAttributes.transactional) === 0) {
      return false;
    }
    return this.#aborted.leavesOut(producerId, lastOffset);
  }

  #unpacked(batch: Batch): { readonly records: BatchRecords; readonly block: BlockHandle } {
    const { scope } = this.#options;
    const { view, baseOffset, attributes } = batch;
    const codec = attributes & batchAttributes.codecMask;
    const from = batch.at + batchHeader.size;
    const isAppendTime = (attributes & batchAttributes.appendTime) !== 0;
    const parts = {
      left: view.getInt32(batchHeader.recordCount),
      baseOffset,
      baseTimestampMs: readInt64(view, batchHeader.baseTimestamp),
      appendTimeMs: isAppendTime ? readInt64(view, batchHeader.maxTimestamp) : null,
    };
    if (codec === 0) {
      scope.memory.retain(this.#block);
      return { records: { at: from, end: batch.end, ...parts }, block: this.#block };
    }
    const unpacked = unpackRecords(codec, from, batch.end, this.#options);
    if (unpacked === 'unknown') {
      throw unsupportedRecordsError(`codec ${codec}`, this.#placeOf(baseOffset));
    }
    if (unpacked === null) throw this.#corrupt('its records do not unpack', baseOffset);
    const at = addressOf(unpacked.block);
    return { records: { at, end: at + unpacked.sizeBytes, ...parts }, block: unpacked.block };
  }

  #named(error: unknown, baseOffset: number): unknown {
    if (!(error instanceof Error) || error.name !== 'KAFKA_RECORDS_CORRUPT') return error;
    return this.#corrupt(error.message.replace(/^.*damaged: /, ''), baseOffset);
  }

  #corrupt(fault: string, offset: number): Error {
    return recordsCorruptError(fault, this.#placeOf(offset));
  }

  #placeOf(offset: number) {
    const { topic, partition } = this.#options;
    return { topic, partition, offset };
  }

  #closeBatch(): void {
    if (this.#open !== null) this.#options.scope.memory.release(this.#open.block);
    this.#open = null;
  }

  #releaseBlock(): void {
    if (this.#block !== 0) this.#options.scope.memory.release(this.#block);
    this.#block = 0;
    this.#at = this.#end = 0;
  }
}

/** What the only record of a control batch says: its key is a version and a type. */
function markerOf(view: DataView): number {
  // Length, attributes, two deltas of one byte each, length of the key.
  let at = batchHeader.size;
  while (view.getUint8(at) >= 0x80) at++;
  return view.getInt16(at + 5 + 2);
}
