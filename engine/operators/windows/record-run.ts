/**
 * Record run: records of keys in one file, in segments by the order in which they are due, and in memory the hashes of
 * their keys with the segments that they are in.
 *
 *     file    │ segment 0 │ segment 1 │ …        1,024 records each, due no later than those of the next one
 *     index   hash · segment   hash · segment …  sorted, 8 bytes each; a filter in front
 *
 * A record that was read back is taken out of the index: what is not there is not in the run any more.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';
import type { SpillRun, SpillWriter } from '../../spill/spill-writer.ts';
import { HashFilter } from '../../state/hash-filter.ts';

export interface RecordSegment {
  readonly run: SpillRun;
  /** When the first of its records is due; of records that have come out when the last one is over. */
  readonly dueMs: number;
  /** Whether its records have come out, and are kept for rows that come late. */
  readonly isKept: boolean;
  /** Records that were not read back. */
  liveCount: number;
}

/** What an entry of the index is: the hash in front of the segment's number. */
const segmentUnit = 2 ** 20;
const noSegment = segmentUnit - 1;

export class RecordRun {
  readonly segments: RecordSegment[] = [];
  readonly #scope: MemoryScope;
  readonly #index: BlockHandle;
  readonly #filter: HashFilter;
  #count = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope, recordCount: number) {
    this.#scope = scope;
    this.#index = scope.allocate(recordCount * 8);
    try {
      this.#filter = new HashFilter(scope, recordCount);
    } catch (error) {
      scope.memory.release(this.#index);
      throw error;
    }
  }

  /** Bytes of index and filter. */
  get sizeBytes(): number {
    return this.#scope.memory.sizeOf(this.#index) + this.#filter.sizeBytes;
  }

  get isEmpty(): boolean {
    return this.segments.every(({ liveCount }) => liveCount === 0);
  }

  /** When the next of its records is due. */
  get dueMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const segment of this.segments) {
      if (segment.liveCount > 0 && segment.dueMs < dueMs) dueMs = segment.dueMs;
    }
    return dueMs;
  }

  /** Writes a segment; `hashes` are those of its rows, u32 at an address. The batch is still the caller's. */
  append(
    writer: SpillWriter,
    batch: Batch,
    hashes: number,
    segment: Pick<RecordSegment, 'dueMs' | 'isKept'>,
  ): void {
    writer.append(batch);
    const number = this.segments.length;
    assert(number < noSegment, 'a run has few segments');
    this.segments.push({ ...segment, run: writer.cut(), liveCount: batch.rowCount });
    const { uint32, float64 } = this.#scope.memory;
    const entries = addressOf(this.#index) >>> 3;
    for (let row = 0; row < batch.rowCount; row++) {
      const hash = uint32[(hashes >>> 2) + row] ?? 0;
      float64[entries + this.#count++] = hash * segmentUnit + number;
      this.#filter.add(hash);
    }
  }

  /** All segments are written. */
  finish(): void {
    const entries = addressOf(this.#index) >>> 3;
    this.#scope.memory.float64.subarray(entries, entries + this.#count).sort();
  }

  /** Whether a record of that hash is in the segment. */
  holds(hash: number, number: number): boolean {
    const { float64 } = this.#scope.memory;
    const entries = addressOf(this.#index) >>> 3;
    for (let at = this.#placeOf(hash); at < this.#count; at++) {
      const segment = (float64[entries + at] ?? 0) - hash * segmentUnit;
      if (segment >= segmentUnit) return false;
      if (segment === number) return true;
    }
    return false;
  }

  /** Takes the entries of that hash out of the index; `visit` is told of their segments. */
  take(hash: number, visit: (number: number) => void): void {
    if (!this.#filter.mayHave(hash)) return;
    const { float64 } = this.#scope.memory;
    const entries = addressOf(this.#index) >>> 3;
    for (let at = this.#placeOf(hash); at < this.#count; at++) {
      const segment = (float64[entries + at] ?? 0) - hash * segmentUnit;
      if (segment >= segmentUnit) return;
      // Entries of other hashes stay in order; among those of one there is none.
      float64[entries + at] = hash * segmentUnit + noSegment;
      if (segment !== noSegment && (this.segments[segment]?.liveCount ?? 0) > 0) visit(segment);
    }
  }

  close(): void {
    this.#filter.close();
    this.#scope.memory.release(this.#index);
  }

  /** The first entry whose hash is not below. */
  #placeOf(hash: number): number {
    const { float64 } = this.#scope.memory;
    const entries = addressOf(this.#index) >>> 3;
    const wanted = hash * segmentUnit;
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((float64[entries + middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
