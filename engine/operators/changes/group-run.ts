/**
 * Group run: groups in one file, by bucket of their places (group-order.ts), never changed again.
 *
 *     file    │ bucket 0 │ bucket 1 │ …         each a block, or some
 *     memory  where each ends: 8 bytes · a filter of places: 12 bits for each group
 *
 * Of a group that is in several runs, the one in the newest counts.
 * Before: engine/operators/changes/group-order.ts · After: engine/operators/changes/group-disk.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { MemoryScope } from '../../memory/slot-memory.ts';
import type { SpillFiles } from '../../spill/spill-files.ts';
import type { SpillRun, SpillWriter } from '../../spill/spill-writer.ts';
import { HashFilter } from '../../state/hash-filter.ts';

interface GroupRunParts {
  readonly path: string;
  readonly bits: number;
  /** Where buckets begin in the file, and the last one ends. */
  readonly starts: Float64Array;
  readonly filter: HashFilter;
  readonly rowCount: number;
  readonly blockBytesMax: number;
}

export class GroupRun {
  readonly bits: number;
  readonly rowCount: number;
  readonly #files: SpillFiles;
  readonly #parts: GroupRunParts;
  #holders = 1;

  constructor(files: SpillFiles, parts: GroupRunParts) {
    this.#files = files;
    this.#parts = parts;
    this.bits = parts.bits;
    this.rowCount = parts.rowCount;
  }

  /** Bytes in memory. */
  get heldBytes(): number {
    return this.#parts.filter.sizeBytes + this.#parts.starts.byteLength;
  }

  get bucketCount(): number {
    return 2 ** this.bits;
  }

  mayHold(place: number): boolean {
    return this.#parts.filter.mayHave(place);
  }

  /** The rows of buckets, the last one included; null for none. */
  stretch(from: number, to: number): SpillRun | null {
    const { path, starts, rowCount, blockBytesMax } = this.#parts;
    const [startByte = 0, endByte = 0] = [starts[from], starts[to + 1]];
    return startByte === endByte ? null : { path, startByte, endByte, rowCount, blockBytesMax };
  }

  /** One more who will close it. */
  hold(): this {
    this.#holders++;
    return this;
  }

  /** Removes the file when nobody holds the run any more. */
  close(): void {
    if (--this.#holders > 0) return;
    this.#parts.filter.close();
    this.#files.remove({ ...this.#parts, startByte: 0, endByte: 0 });
  }

  /** Gives the memory up, where the files are removed by their owner. */
  abandon(): void {
    if (this.#holders > 0) this.#parts.filter.close();
    this.#holders = 0;
  }
}

export class GroupRunWriter {
  readonly bits: number;
  readonly #files: SpillFiles;
  readonly #filter: HashFilter;
  readonly #writer: SpillWriter;
  readonly #starts: Float64Array;
  #bucket = 0;
  #rowCount = 0;
  #blockBytesMax = 0;
  #path = '';
  #isDone = false;

  /**
   * @param countMax - Groups that may come.
   * @throws MEMORY_EXHAUSTED, SPILL_DISK_FULL
   */
  constructor(scope: MemoryScope, files: SpillFiles, of: { bits: number; countMax: number }) {
    this.bits = of.bits;
    this.#files = files;
    this.#starts = new Float64Array(2 ** of.bits + 1);
    this.#filter = new HashFilter(scope, of.countMax);
    try {
      this.#writer = files.create();
    } catch (error) {
      this.#filter.close();
      throw error;
    }
  }

  /** Writes rows of a bucket, no lower than that of the call before, listed as u32; the batch is still the caller's. */
  append(batch: Batch, rows: { readonly list: number; readonly count: number }, bucket: number) {
    assert(bucket >= this.#bucket, 'buckets come in order');
    this.#endBuckets(bucket);
    this.#writer.append(batch, rows.list, rows.count);
    this.#rowCount += rows.count;
  }

  /** Of each group that is appended. */
  addPlace(place: number): void {
    this.#filter.add(place);
  }

  /** The run, which has taken over the file. */
  finish(): GroupRun {
    this.#endBuckets(2 ** this.bits);
    const { path } = this.#writer.finish();
    this.#isDone = true;
    const of = { bits: this.bits, rowCount: this.#rowCount, blockBytesMax: this.#blockBytesMax };
    this.#path = path;
    return new GroupRun(this.#files, {
      ...of,
      path: this.#path,
      starts: this.#starts,
      filter: this.#filter,
    });
  }

  /** Gives up, unless it is finished; the file is left to its owner. */
  close(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#writer.close();
    this.#filter.close();
  }

  #endBuckets(until: number): void {
    for (; this.#bucket < until; this.#bucket++) {
      const { endByte, blockBytesMax } = this.#writer.cut();
      this.#starts[this.#bucket + 1] = endByte;
      this.#blockBytesMax = Math.max(this.#blockBytesMax, blockBytesMax);
    }
  }
}
