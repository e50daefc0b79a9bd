/**
 * Time-ordered rows: rows of a stream that wait until event time has passed them, and come back in the order of their
 * times; those of one time in the order in which they came.
 *
 *     add ─▶ batches kept, a heap of (time, place of arrival, row) ─▶ take(until) ─▶ batches of rows in order
 *
 * A batch is kept until its last row has been taken.
 *
 * @see Williams 1964, Algorithm 232: Heapsort
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import { GrowingBlock } from '../../memory/growing-block.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { gatherRows } from '../../stream/gather-rows.ts';
import type { OperatorContext } from '../operator.ts';

/** An entry: f64 time, f64 place of arrival, u32 number of the row, 4 bytes unused. */
const entryBytes = 24;

export class TimeOrderedRows {
  readonly #context: OperatorContext;
  readonly #schema: Schema;
  readonly #heap: GrowingBlock;
  readonly #numbers: BlockHandle;
  /** By place; those without rows that wait are null, and their places free. */
  readonly #batches: (Batch | null)[] = [];
  readonly #waiting: number[] = [];
  /** By place: the number of the batch's first row among all that came. */
  readonly #firstArrived: number[] = [];
  #count = 0;
  #arrived = 0;

  constructor(context: OperatorContext, schema: Schema) {
    this.#context = context;
    this.#schema = schema;
    this.#heap = new GrowingBlock(context.scope);
    this.#numbers = context.scope.allocate(batchRowsMax * 4);
  }

  get rowCount(): number {
    return this.#count;
  }

  /** The least time; infinity when no row waits. */
  get leastMs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#timeAt(0);
  }

  /** Keeps the rows of a batch, which is taken over. @param timeOf - By stored row. @throws MEMORY_EXHAUSTED */
  add(batch: Batch, timeOf: (storedRow: number) => number): void {
    const { rowCount } = batch;
    if (rowCount === 0) {
      batch.release();
      return;
    }
    this.#heap.ensure((this.#count + rowCount) * entryBytes, this.#count * entryBytes);
    const place = this.#placeFor(batch);
    for (let row = 0; row < rowCount; row++) {
      const stored = batch.storedRowOf(row);
      this.#siftUp(timeOf(stored), this.#arrived++, place * batchRowsMax + stored);
    }
  }

  /** The next rows whose times are before `untilMs`, up to 8,192, as a batch that the caller owns; null: none is. */
  take(untilMs: number, rowsMax = batchRowsMax): Batch | null {
    if (!(this.leastMs < untilMs)) return null;
    const { scope, kernels } = this.#context;
    const { uint32 } = scope.memory;
    const numbers = addressOf(this.#numbers);
    let count = 0;
    const taken: number[] = [];
    while (count < rowsMax && this.leastMs < untilMs) {
      const number = this.#numberAt(0);
      uint32[(numbers >>> 2) + count++] = number;
      taken.push(number);
      this.#removeFirst();
    }
    const batches = this.#batches.map((batch) => batch ?? this.#anyBatch());
    const gathered = gatherRows({ scope, kernels, schema: this.#schema, batches }, numbers, count);
    // Where texts are large fewer rows fit: the others go back, before all that came later.
    const rest = taken.splice(gathered.rowCount);
    if (rest.length > 0) this.#putBack(rest, untilMs);
    for (const number of taken) this.#release(Math.floor(number / batchRowsMax));
    return gathered;
  }

  /**
   * The rows that wait, in the order in which they came, as batches that the caller owns: they show into those that are
   * kept. @throws MEMORY_EXHAUSTED
   */
  waiting(): Batch[] {
    const isWaiting = this.#batches.map(() => new Uint8Array(batchRowsMax));
    for (let at = 0; at < this.#count; at++) {
      const number = this.#numberAt(at);
      const rows = isWaiting[Math.floor(number / batchRowsMax)];
      if (rows !== undefined) rows[number % batchRowsMax] = 1;
    }
    const places = [...this.#batches.keys()].filter((place) => this.#batches[place] !== null);
    places.sort((a, b) => (this.#firstArrived[a] ?? 0) - (this.#firstArrived[b] ?? 0));
    const found: Batch[] = [];
    try {
      for (const place of places) found.push(this.#selected(place, isWaiting[place]));
    } catch (error) {
      for (const batch of found) batch.release();
      throw error;
    }
    return found;
  }

  close(): void {
    for (const batch of this.#batches.splice(0)) batch?.release();
    this.#heap.close();
    this.#context.scope.memory.release(this.#numbers);
    this.#count = 0;
  }

  #selected(place: number, isWaiting: Uint8Array | undefined): Batch {
    const batch = this.#batches[place];
    const rowCount = this.#waiting[place] ?? 0;
    assert(batch !== null && batch !== undefined, 'rows that wait have a batch');
    const { scope } = this.#context;
    const block = scope.allocate(rowCount * 4);
    const selection = addressOf(block);
    let next = selection >>> 2;
    for (let row = 0; row < batch.storedRows; row++) {
      if (isWaiting?.[row] === 1) scope.memory.uint32[next++] = row;
    }
    return batch.derive({ rowCount, selection, blocks: [block] });
  }

  #placeFor(batch: Batch): number {
    const free = this.#batches.indexOf(null);
    const place = free < 0 ? this.#batches.length : free;
    this.#batches[place] = batch;
    this.#waiting[place] = batch.rowCount;
    this.#firstArrived[place] = this.#arrived;
    return place;
  }

  /** Stands at free places, of which no row is asked for. */
  #anyBatch(): Batch {
    const found = this.#batches.find((batch) => batch !== null);
    assert(found !== undefined && found !== null, 'rows that are taken have a batch');
    return found;
  }

  #release(place: number): void {
    const left = (this.#waiting[place] ?? 0) - 1;
    this.#waiting[place] = left;
    if (left > 0) return;
    this.#batches[place]?.release();
    this.#batches[place] = null;
    while (this.#batches.at(-1) === null) this.#batches.pop();
  }

  /** Rows that were taken last: they come first again, for their places of arrival are before all others. */
  #putBack(numbers: readonly number[], untilMs: number): void {
    const timeMs = Math.min(untilMs, this.leastMs);
    const first = -numbers.length;
    for (const [at, number] of numbers.entries()) this.#siftUp(timeMs - 1, first + at, number);
  }

  #timeAt(at: number): number {
    return this.#context.scope.memory.float64[(this.#heap.address + at * entryBytes) >>> 3] ?? 0;
  }

  #numberAt(at: number): number {
    const address = this.#heap.address + at * entryBytes + 16;
    return this.#context.scope.memory.uint32[address >>> 2] ?? 0;
  }

  #removeFirst(): void {
    const { float64 } = this.#context.scope.memory;
    this.#count--;
    if (this.#count === 0) return;
    const last = (this.#heap.address + this.#count * entryBytes) >>> 3;
    const [timeMs = 0, arrived = 0] = [float64[last], float64[last + 1]];
    this.#siftDown(timeMs, arrived, this.#numberAt(this.#count));
  }

  #siftUp(timeMs: number, arrived: number, number: number): void {
    let at = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(timeMs, arrived, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, timeMs, arrived, number);
  }

  #siftDown(timeMs: number, arrived: number, number: number): void {
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isEntryBefore(child + 1, child)) child++;
      if (this.#isBefore(timeMs, arrived, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, timeMs, arrived, number);
  }

  #isEntryBefore(one: number, other: number): boolean {
    const { float64 } = this.#context.scope.memory;
    const at = (this.#heap.address + one * entryBytes) >>> 3;
    return this.#isBefore(float64[at] ?? 0, float64[at + 1] ?? 0, other);
  }

  #isBefore(timeMs: number, arrived: number, other: number): boolean {
    const { float64 } = this.#context.scope.memory;
    const at = (this.#heap.address + other * entryBytes) >>> 3;
    const otherMs = float64[at] ?? 0;
    return timeMs < otherMs || (timeMs === otherMs && arrived < (float64[at + 1] ?? 0));
  }

  #move(from: number, to: number): void {
    const { bytes } = this.#context.scope.memory;
    const source = this.#heap.address + from * entryBytes;
    bytes.copyWithin(this.#heap.address + to * entryBytes, source, source + entryBytes);
  }

  #put(at: number, timeMs: number, arrived: number, number: number): void {
    const { float64, uint32 } = this.#context.scope.memory;
    const address = this.#heap.address + at * entryBytes;
    float64[address >>> 3] = timeMs;
    float64[(address >>> 3) + 1] = arrived;
    uint32[(address + 16) >>> 2] = number;
  }
}

/** The time of a row in whole milliseconds, by stored row; NaN where it has none. */
export function timeReaderOf(batch: Batch, column: Column): (storedRow: number) => number {
  const { bigInt64, bytes, int32, uint32 } = batch.memory;
  const { type, values, validity } = column;
  const isMs = type.kind !== 'timestamp' || type.unit === 'ms';
  return (row) => {
    if (validity !== 0 && (((bytes[validity + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 0) {
      return Number.NaN;
    }
    const word = (values >>> 2) + row * 2;
    // Milliseconds are safe numbers: two words are read without a bigint.
    if (isMs) return (int32[word + 1] ?? 0) * 2 ** 32 + (uint32[word] ?? 0);
    return Math.floor(Number(bigInt64[values / 8 + row] ?? 0n) / 1000);
  };
}
