/**
 * Rows that wait for event time to pass them: copies in chunks of up to a batch, each with the list of those
 * that are still waiting.
 *
 *     chunk 0   at 3 5 4 9 6     event time is at 6:  3 5 4 are due, 9 6 wait
 *     chunk 1   at 7 8 11
 *
 * A chunk goes as a whole when none of its rows waits any more. Rows come about in the order of time, so what
 * lingers for one late row is a chunk or two.
 *
 * Before: engine/operators/stream-join/as-of-join-operator.ts
 */
import { closeAll } from '../../../base/close-all.ts';
import { Batch, batchRowsMax } from '../../batch/batch.ts';
import { GrowingBlock } from '../../memory/growing-block.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { OwnedRows } from '../../stream/owned-rows.ts';
import type { OperatorContext } from '../operator.ts';
import type { BandScratch } from './band-scratch.ts';

/** Rows of a chunk that are due. */
export interface DueRows {
  /** All rows of their chunk; the caller releases it. */
  readonly batch: Batch;
  /** Addresses of `count` stored rows, and their times. */
  readonly rows: number;
  readonly times: number;
  readonly count: number;
}

interface Chunk {
  readonly rows: OwnedRows;
  readonly numbers: GrowingBlock;
  readonly times: GrowingBlock;
  /** Rows that wait, and their least time. */
  count: number;
  least: number;
}

export class PendingRows {
  readonly #context: OperatorContext;
  readonly #schema: Schema;
  readonly #bands: BandScratch;
  #chunks: Chunk[] = [];

  constructor(context: OperatorContext, schema: Schema, bands: BandScratch) {
    this.#context = context;
    this.#schema = schema;
    this.#bands = bands;
  }

  get rowCount(): number {
    return this.#chunks.reduce((sum, { count }) => sum + count, 0);
  }

  /** Least time of all rows; infinity where there are none. */
  get least(): number {
    return this.#chunks.reduce((least, chunk) => Math.min(least, chunk.least), Infinity);
  }

  get sizeBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + sizeOf(chunk), 0);
  }

  /**
   * Copies rows.
   * @param times - By place.
   * @param least - Of these times.
   * @throws MEMORY_EXHAUSTED
   */
  append(batch: Batch, times: number, least: number): void {
    const { scope } = this.#context;
    const { rowCount } = batch;
    if (rowCount === 0) return;
    const chunk = this.#chunkFor(rowCount);
    const { count } = chunk;
    const first = chunk.rows.rowCount;
    chunk.rows.append(batch);
    const numbers = chunk.numbers.ensure((count + rowCount) * 4, count * 4) + count * 4;
    const list = scope.memory.uint32;
    for (let row = 0; row < rowCount; row++) list[(numbers >>> 2) + row] = first + row;
    const to = chunk.times.ensure((count + rowCount) * 8, count * 8) + count * 8;
    scope.memory.bytes.copyWithin(to, times, times + rowCount * 8);
    chunk.count += rowCount;
    chunk.least = Math.min(chunk.least, least);
  }

  /** The rows that wait, as batches that stay as they are; the caller's. */
  frozen(): Batch[] {
    const { scope } = this.#context;
    const { bytes } = scope.memory;
    return this.#chunks.flatMap(({ rows, numbers, count }) => {
      return rows.frozen().map((batch) => {
        const block = scope.allocate(count * 4);
        const selection = addressOf(block);
        bytes.copyWithin(selection, numbers.address, numbers.address + count * 4);
        const waiting = batch.derive({ rowCount: count, selection, blocks: [block] });
        batch.release();
        return waiting;
      });
    });
  }

  /** Takes the next rows whose time is below `bound`, of one chunk; null when there are none. */
  take(bound: number): DueRows | null {
    const { kernels, scope } = this.#context;
    const { partRows, partTimes, counts } = this.#bands;
    for (const chunk of this.#chunks) {
      if (chunk.least >= bound) continue;
      const args = [chunk.numbers.address, chunk.times.address, chunk.count] as const;
      if (bound === Infinity) {
        scope.memory.bytes.copyWithin(partRows, args[0], args[0] + chunk.count * 4);
        scope.memory.bytes.copyWithin(partTimes, args[1], args[1] + chunk.count * 8);
        return this.#taken(chunk, chunk.count, Infinity);
      }
      const count = kernels.rowsBefore(...args, bound, partRows, partTimes, counts);
      const least = scope.memory.float64[counts >>> 3] ?? Infinity;
      // A number that float64 can't hold may have seemed to be below.
      const next = count === chunk.count ? Infinity : Math.max(least, bound);
      if (count > 0) return this.#taken(chunk, count, next);
      chunk.least = next;
    }
    return null;
  }

  close(): void {
    for (const chunk of this.#chunks.splice(0)) closeChunk(chunk);
  }

  #taken(chunk: Chunk, count: number, least: number): DueRows {
    const { partRows, partTimes } = this.#bands;
    const { memory } = this.#context.scope;
    const all = chunk.rows.chunk(0);
    const { rowCount, columns, schema } = all;
    const holds = [chunk.rows.anchor.retain()];
    const batch = new Batch(memory, { schema, rowCount, columns, blocks: [], holds });
    all.release();
    chunk.count -= count;
    chunk.least = least;
    if (chunk.count === 0) {
      this.#chunks = this.#chunks.filter((other) => other !== chunk);
      closeChunk(chunk);
    }
    return { batch, rows: partRows, times: partTimes, count };
  }

  /** The last chunk, where it has room for so many rows. */
  #chunkFor(rowCount: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.rows.rowCount + rowCount <= batchRowsMax) return last;
    const { scope, kernels } = this.#context;
    const rows = new OwnedRows({ scope, kernels, schema: this.#schema, isSmallAtFirst: true });
    const lists = { numbers: new GrowingBlock(scope), times: new GrowingBlock(scope) };
    const chunk = { rows, ...lists, count: 0, least: Infinity };
    this.#chunks.push(chunk);
    return chunk;
  }
}

function sizeOf({ rows, numbers, times }: Chunk): number {
  return rows.sizeBytes + numbers.sizeBytes + times.sizeBytes;
}

function closeChunk({ rows, numbers, times }: Chunk): void {
  closeAll([rows, numbers, times]);
}
