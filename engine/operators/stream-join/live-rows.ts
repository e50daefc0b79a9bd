/**
 * Live rows: of the rows of segments, which are still there, and how many partners each has had that have not gone. A u32
 * by row: a row that has gone has the largest one.
 *
 * Rows stay in their segment when they go, until half of it has gone: then it is made anew by its owner.
 */
import { GrowingBlock } from '../../memory/growing-block.ts';
import type { MemoryScope } from '../../memory/slot-memory.ts';
import type { JoinSegment } from './join-segment.ts';

interface Counted {
  readonly counts: GrowingBlock;
  rowCount: number;
  goneCount: number;
}

const gone = 0xffff_ffff;
/** A segment with fewer rows is not worth making anew. */
const rowsMin = 1024;

export class LiveRows {
  readonly #scope: MemoryScope;
  readonly #segments = new Map<JoinSegment, Counted>();

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  /** Takes in the rows that have been put into segments, in their order, with the partners of each. @throws MEMORY_EXHAUSTED */
  note(segments: readonly JoinSegment[], partnersOf: (place: number) => number): void {
    let place = 0;
    for (const segment of segments) {
      let known = this.#segments.get(segment);
      if (known === undefined) {
        known = { counts: new GrowingBlock(this.#scope), rowCount: 0, goneCount: 0 };
        this.#segments.set(segment, known);
      }
      if (known.rowCount === segment.rowCount) continue;
      const address = known.counts.ensure(segment.rowCount * 4, known.rowCount * 4);
      const { uint32 } = this.#scope.memory;
      for (let row = known.rowCount; row < segment.rowCount; row++) {
        uint32[(address >>> 2) + row] = partnersOf(place++);
      }
      known.rowCount = segment.rowCount;
    }
  }

  isLive(segment: JoinSegment, row: number): boolean {
    return this.#word(segment, row) !== gone;
  }

  /** Of a row that is there. */
  partnersOf(segment: JoinSegment, row: number): number {
    return this.#word(segment, row);
  }

  /** Changes how many partners a row has; answers how many it had. */
  add(segment: JoinSegment, row: number, change: 1 | -1): number {
    const before = this.#word(segment, row);
    this.#set(segment, row, Math.max(0, before + change));
    return before;
  }

  /** The row goes. */
  remove(segment: JoinSegment, row: number): void {
    this.#set(segment, row, gone);
    const known = this.#segments.get(segment);
    if (known !== undefined) known.goneCount++;
  }

  /** Whether most rows of a segment have gone. */
  isMostlyGone(segment: JoinSegment): boolean {
    const { rowCount = 0, goneCount = 0 } = this.#segments.get(segment) ?? {};
    return goneCount > 0 && goneCount >= Math.max(rowsMin, rowCount / 2);
  }

  /** The segment is no more. */
  forget(segment: JoinSegment): void {
    this.#segments.get(segment)?.counts.close();
    this.#segments.delete(segment);
  }

  close(): void {
    for (const { counts } of this.#segments.values()) counts.close();
    this.#segments.clear();
  }

  #word(segment: JoinSegment, row: number): number {
    const address = this.#segments.get(segment)?.counts.address ?? 0;
    return this.#scope.memory.uint32[(address >>> 2) + row] ?? gone;
  }

  #set(segment: JoinSegment, row: number, value: number): void {
    const address = this.#segments.get(segment)?.counts.address ?? 0;
    this.#scope.memory.uint32[(address >>> 2) + row] = value;
  }
}
