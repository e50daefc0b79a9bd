/**
 * Which groups of a full group table stay: those with many rows so far. The others are rare.
 *
 *     full ──▶ choose: the rare groups are read out ──▶ keep: the frequent ones are left, in place
 *
 * A word count of 1 GB with two threads gave out 8.7 million partial groups instead of 13.5. Its time
 * was not seen to change: in five turns 3.32 to 3.53 s (median 3.40) without and 3.12 to 3.54 s (median
 * 3.44) with, for choosing and moving cost about what the fewer groups save. With three quarters kept
 * instead of half it gave out 7.8 million and took longer (median 3.71 s), as rounds came more often.
 * Counts are since a group's arrival. So that groups that were frequent long ago go as well, every
 * 64th round keeps none.
 *
 * Invariant: a round reads out half of the groups or more, so the table always goes on.
 * Before: engine/kernels/group-table.ts
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Kernels } from './kernels.ts';

/** Of the groups of a full table at most this part stays; below the other more would be worth it. */
const keptMax = 0.5;
const keptMin = 0.35;
/** A group that came once is rare. */
const countMinFirst = 2;
/** When even this many rows are nothing special, no group is frequent. */
const countMinLast = 1 << 20;
const roundsPerFreshStart = 64;

export interface FrequentGroupsOptions {
  /** Of the accumulator that counts rows, in a slot. */
  readonly offset: number;
  readonly isUtf8: boolean;
}

export class FrequentGroups {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #options: FrequentGroupsOptions;
  /** Rows that make a group frequent; 0 while none is. */
  #countMin = 0;
  /** Where the next search begins. */
  #countMinNext = countMinFirst;
  #rounds = 0;
  /** Room for the long keys of the groups that stay. */
  #arena: BlockHandle = 0;

  constructor(scope: MemoryScope, kernels: Kernels, options: FrequentGroupsOptions) {
    this.#scope = scope;
    this.#kernels = kernels;
    this.#options = options;
  }

  /** Where groups count their rows. */
  get offset(): number {
    return this.#options.offset;
  }

  /** Groups with fewer rows are rare; 0 means that all are. */
  get countMin(): number {
    return this.#countMin;
  }

  /**
   * Decides about a full table of `groupCount` groups; `result` is room for a u32.
   * @param table - Address of the description.
   */
  choose(table: number, groupCount: number, result: number): void {
    this.#rounds++;
    const isFreshStart = this.#rounds % roundsPerFreshStart === 0;
    const countMin = isFreshStart ? 0 : this.#search(table, groupCount, result);
    if (countMin === 0) {
      this.#countMinNext = countMinFirst;
      return;
    }
    const bytes = this.#scope.memory.uint32[result >>> 2]!;
    if (bytes > 0) this.#arena = this.#scope.tryAllocate(bytes);
    // Without room for their keys no group can stay.
    if (bytes === 0 || this.#arena !== 0) this.#countMin = countMin;
  }

  /** Removes the rare groups; returns the block with the long keys of the others, or 0. */
  keep(table: number): BlockHandle {
    const { offset, isUtf8 } = this.#options;
    const arena = this.#arena;
    const start = arena === 0 ? 0 : addressOf(arena);
    this.#kernels.keepFrequent(table, offset, this.#countMin, Number(isUtf8), start);
    this.#arena = 0;
    this.#countMin = 0;
    return arena;
  }

  /** The count from which on groups are few enough to stay; 0 when there is none. */
  #search(table: number, groupCount: number, result: number): number {
    const { offset, isUtf8 } = this.#options;
    let countMin = this.#countMinNext;
    for (; countMin < countMinLast; countMin += Math.ceil(countMin / 4)) {
      const kept = this.#kernels.countFrequent(table, offset, countMin, Number(isUtf8), result);
      if (kept > groupCount * keptMax) continue;
      const isLow = kept < groupCount * keptMin;
      const lower = Math.floor((countMin * 4) / 5);
      this.#countMinNext = isLow ? Math.max(countMinFirst, lower) : countMin;
      return kept === 0 ? 0 : countMin;
    }
    return 0;
  }

  close(): void {
    if (this.#arena !== 0) this.#scope.memory.release(this.#arena);
    this.#arena = 0;
  }
}
