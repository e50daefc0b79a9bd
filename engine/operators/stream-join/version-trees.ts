/**
 * The versions of keys by time: a search tree of rows for each key, over lists by row that grow.
 *
 *     add(times, ties, keys) ─▶ row numbers 0, 1, 2, …        find(key, time) ─▶ the last row at that time or before
 *
 * A look takes steps as the logarithm of the key's versions, in whatever order these came. Nothing is taken out:
 * who keeps versions for long copies those that can still be found (`live`) into new trees, and drops the old.
 *
 * Keys are numbers of the caller's; which rows there are is the caller's to keep.
 * Before: engine/operators/stream-join/version-table.ts · After: engine/kernels/version-kernels.ts
 */
import type { Kernels } from '../../kernels/kernels.ts';
import { versionTreesLayout as layout } from '../../kernels/version-kernels.ts';
import { GrowingBlock } from '../../memory/growing-block.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

/** Addresses of rows that are put in. */
export interface VersionRows {
  readonly times: number;
  /** u32: of versions at one time that with the larger one is the later. */
  readonly ties: number;
  /** u32 numbers of keys. */
  readonly groups: number;
  readonly count: number;
}

/** Addresses of rows that ask for their versions. */
export interface VersionQuery {
  readonly rows: number;
  readonly times: number;
  readonly groups: number;
  readonly count: number;
}

export class VersionTrees {
  readonly #scope: MemoryScope;
  readonly #kernels: Kernels;
  readonly #table: BlockHandle;
  readonly #times: GrowingBlock;
  readonly #ties: GrowingBlock;
  readonly #children: GrowingBlock;
  readonly #groups: GrowingBlock;
  readonly #roots: GrowingBlock;
  #rowCount = 0;
  #groupCount = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope, kernels: Kernels) {
    this.#scope = scope;
    this.#kernels = kernels;
    this.#table = scope.allocate(layout.size);
    [this.#times, this.#ties] = [new GrowingBlock(scope), new GrowingBlock(scope)];
    [this.#children, this.#groups] = [new GrowingBlock(scope), new GrowingBlock(scope)];
    this.#roots = new GrowingBlock(scope);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** Address of times by row; it holds until rows are put in. */
  get times(): number {
    return this.#times.address;
  }

  /** What they would take with so many more rows. */
  sizeBytesWith(count: number): number {
    const rowCount = this.#rowCount + count;
    const [times, pairs] = [this.#times, this.#children].map((list) =>
      list.sizeBytesFor(rowCount * 8),
    );
    const [ties, groups] = [this.#ties, this.#groups].map((list) =>
      list.sizeBytesFor(rowCount * 4),
    );
    const roots = this.#roots.sizeBytesFor(this.#groupCount * 4);
    return (times ?? 0) + (pairs ?? 0) + (ties ?? 0) + (groups ?? 0) + roots;
  }

  /** Keys have numbers below `groupCount` from now on. @throws MEMORY_EXHAUSTED */
  allowGroups(groupCount: number): void {
    if (groupCount <= this.#groupCount) return;
    const roots = this.#roots.ensure(groupCount * 4, this.#groupCount * 4) >>> 2;
    this.#scope.memory.uint32.fill(0, roots + this.#groupCount, roots + groupCount);
    this.#groupCount = groupCount;
  }

  /** Puts in rows, which get the next numbers. @throws MEMORY_EXHAUSTED */
  add({ times, ties, groups, count }: VersionRows): void {
    const first = this.#rowCount;
    this.#append(this.#times, times, count * 8, 2);
    this.#append(this.#ties, ties, count * 4, 1);
    this.#append(this.#groups, groups, count * 4, 1);
    this.#children.ensure((first + count) * 8, first * 8);
    this.#kernels.insertVersions(this.#described(), groups, first, count);
    this.#rowCount += count;
  }

  /**
   * Writes the rows that have a version, and its number.
   * @param nullNumber - The number of those that have none; `noNumber` leaves them out.
   * @returns Count of rows written.
   */
  find(
    { rows, times, groups, count }: VersionQuery,
    { tolerance, nullNumber }: { readonly tolerance: number; readonly nullNumber: number },
    out: { readonly rows: number; readonly numbers: number },
  ): number {
    return this.#kernels.findVersions(
      ...([this.#described(), groups, rows, times, count] as const),
      ...([tolerance, nullNumber, out.rows, out.numbers] as const),
    );
  }

  /** Writes which of `count` rows from `first` on a row at `bound` or later can find, counted from `first`. */
  live(
    first: number,
    count: number,
    {
      bound,
      tolerance,
      out,
    }: { readonly bound: number; readonly tolerance: number; readonly out: number },
  ): number {
    const groups = this.#groups.address;
    const table = this.#described();
    return this.#kernels.liveVersions(table, groups, first, count, bound, tolerance, out);
  }

  close(): void {
    for (const list of [this.#times, this.#ties, this.#children, this.#groups, this.#roots]) {
      list.close();
    }
    this.#scope.memory.release(this.#table);
  }

  #append(list: GrowingBlock, from: number, sizeBytes: number, words: number): void {
    const used = this.#rowCount * words * 4;
    const to = list.ensure(used + sizeBytes, used) + used;
    this.#scope.memory.bytes.copyWithin(to, from, from + sizeBytes);
  }

  /** Address of the description, as lists lie now. */
  #described(): number {
    const table = addressOf(this.#table);
    const lists = [this.#times, this.#ties, this.#children, this.#roots];
    this.#scope.memory.uint32.set(
      lists.map(({ address }) => address),
      table >>> 2,
    );
    return table;
  }
}
