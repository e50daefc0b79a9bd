/**
 * Segment records: the cells of the segments of one batch, a record each, in order; the texts of its cells are
 * in an arena. Shared by whoever gives out results and whoever carries the last record on.
 */
import { assert } from '../../../base/assert.ts';
import type { BlockHandle, SlotMemory } from '../../memory/slot-memory.ts';
import type { Rooms } from '../result-column.ts';

export interface SegmentRecordsParts {
  /** What all of it lies in, but for the arena; taken over. */
  readonly rooms: Rooms;
  /** Taken over. */
  readonly arena: BlockHandle | null;
  /** Address of the first record. */
  readonly cells: number;
  /** Bytes of a record. */
  readonly stride: number;
  readonly count: number;
  /** Address of a u32 per row: its segment. */
  readonly numbers: number;
  /** Address of a u32 per segment: the row where it begins; 0 for the first one. */
  readonly starts: number;
}

export class SegmentRecords {
  readonly #memory: SlotMemory;
  readonly #parts: SegmentRecordsParts;
  readonly #arenas: BlockHandle[];
  #referenceCount = 1;

  constructor(memory: SlotMemory, parts: SegmentRecordsParts) {
    this.#memory = memory;
    this.#parts = parts;
    this.#arenas = parts.arena === null ? [] : [parts.arena];
  }

  get count(): number {
    return this.#parts.count;
  }

  get numbers(): number {
    return this.#parts.numbers;
  }

  get starts(): number {
    return this.#parts.starts;
  }

  /** What texts of results lie in. */
  get arenas(): readonly BlockHandle[] {
    return this.#arenas;
  }

  cellsOf(segment: number): number {
    return this.#parts.cells + segment * this.#parts.stride;
  }

  /** The last segment has ended in another batch: its record is the first one there. */
  endLast(other: SegmentRecords): void {
    const { stride, count } = this.#parts;
    const from = other.cellsOf(0);
    this.#memory.bytes.copyWithin(this.cellsOf(count - 1), from, from + stride);
    for (const arena of other.#arenas) {
      this.#memory.retain(arena);
      this.#arenas.push(arena);
    }
  }

  retain(): SegmentRecords {
    this.#referenceCount++;
    return this;
  }

  release(): void {
    assert(this.#referenceCount > 0, 'records are released as often as they are held');
    if (--this.#referenceCount > 0) return;
    this.#parts.rooms.release();
    for (const arena of this.#arenas) this.#memory.release(arena);
  }
}
