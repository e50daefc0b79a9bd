/**
 * Group order: the groups of a table by where they lie on disk, a slice at a time.
 *
 *     place of a group   its hash, mixed: 32 bits of which the high ones are as good as the low ones
 *     bucket             the highest bits of the place; those of a run with fewer buckets are those of one with more, joined
 *
 * Counted, then listed: groups of a bucket lie side by side, in no order among themselves.
 * After: engine/operators/changes/group-run.ts
 */
import { groupSlotsOf } from '../../kernels/group-kernels.ts';
import type { GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

/** Groups of a bucket, about: few, for all of them are read for one; many, for each is a block of a file. */
const bucketGroups = 512;
const bitsMax = 20;
const sliceSlots = 65_536;

/** Where a group lies: the hash of its key so that each bit of the result depends on all. No two hashes have one place. */
export function placeOf(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b) >>> 0;
}

/** Bits of a bucket, for so many groups. */
export function bucketBitsOf(groupCount: number): number {
  return Math.min(bitsMax, Math.max(0, Math.ceil(Math.log2(groupCount / bucketGroups))));
}

export function bucketOf(place: number, bits: number): number {
  // A shift by 32 is one by 0.
  return bits === 0 ? 0 : place >>> (32 - bits);
}

export interface GroupOrderOptions {
  readonly bits: number;
  /** The buckets that there are groups of, the last one included. */
  readonly first: number;
  readonly last: number;
  /** Whether the group of a slot is wanted. */
  readonly isWanted: (slot: number) => boolean;
}

export class GroupOrder {
  readonly #scope: MemoryScope;
  readonly #table: GroupTable;
  readonly #options: GroupOrderOptions;
  /** Where buckets begin in the list, from the first one on, and where the last one ends. */
  readonly starts: Uint32Array;
  readonly #next: Uint32Array;
  #list: BlockHandle = 0;
  #slot = 0;

  /** @param table - Must not change before `close`. */
  constructor(scope: MemoryScope, table: GroupTable, options: GroupOrderOptions) {
    this.#scope = scope;
    this.#table = table;
    this.#options = options;
    const bucketCount = options.last - options.first + 1;
    this.starts = new Uint32Array(bucketCount + 1);
    this.#next = new Uint32Array(bucketCount);
  }

  /** Addresses of slots, u32, once `step` has answered true. */
  get list(): number {
    return addressOf(this.#list);
  }

  get count(): number {
    return this.starts.at(-1) ?? 0;
  }

  /** Does a slice; true when all groups are listed. @throws MEMORY_EXHAUSTED */
  step(): boolean {
    const { slotCount } = this.#table;
    const isCounted = this.#list !== 0;
    const end = Math.min(this.#slot + sliceSlots, slotCount);
    if (isCounted) this.#place(end);
    else this.#count(end);
    this.#slot = end;
    if (end < slotCount) return false;
    if (isCounted) return true;
    this.#slot = 0;
    for (let bucket = 1; bucket < this.starts.length; bucket++) {
      this.starts[bucket] = (this.starts[bucket] ?? 0) + (this.starts[bucket - 1] ?? 0);
    }
    this.#next.set(this.starts.subarray(0, -1));
    this.#list = this.#scope.allocate(Math.max(1, this.count) * 4);
    return false;
  }

  close(): void {
    if (this.#list !== 0) this.#scope.memory.release(this.#list);
    this.#list = 0;
  }

  #count(end: number): void {
    const { bits, first, isWanted } = this.#options;
    const { uint32 } = this.#scope.memory;
    const { address, stride } = groupSlotsOf(this.#table, uint32);
    for (let at = this.#slot; at < end; at++) {
      const slot = address + at * stride;
      const hash = uint32[slot >>> 2] ?? 0;
      if (hash === 0 || !isWanted(slot)) continue;
      const next = bucketOf(placeOf(hash), bits) - first + 1;
      this.starts[next] = (this.starts[next] ?? 0) + 1;
    }
  }

  #place(end: number): void {
    const { bits, first, isWanted } = this.#options;
    const { uint32 } = this.#scope.memory;
    const { address, stride } = groupSlotsOf(this.#table, uint32);
    const list = this.list >>> 2;
    for (let at = this.#slot; at < end; at++) {
      const slot = address + at * stride;
      const hash = uint32[slot >>> 2] ?? 0;
      if (hash === 0 || !isWanted(slot)) continue;
      const bucket = bucketOf(placeOf(hash), bits) - first;
      const next = this.#next[bucket] ?? 0;
      uint32[list + next] = slot;
      this.#next[bucket] = next + 1;
    }
  }
}
