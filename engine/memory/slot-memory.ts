/**
 * A slot's private memory: one WebAssembly memory per slot thread for its batches, state and
 * buffers, with a budget, reference counts, and an account of who holds what.
 *
 *     up to 32 KiB   a block of a slab: one page cut into equal blocks (engine/memory/slab.ts)
 *     above          a run of whole 64 KiB pages (engine/memory/page-runs.ts)
 *
 * Why private: nothing in it is seen by another thread, so nothing needs a lock, and a thread that
 * dies damages nobody else's data. Why a handle in units of 64 bytes: an address above 2 GB reads as
 * a negative number from WebAssembly, a handle never does.
 *
 * Contract:
 * - A block starts with a count of 1 and is free when the count is 0 (too many releases: asserted).
 * - Blocks are 64-byte aligned and not zeroed. Their contents are the holder's (not checked; with
 *   `poison` fresh and freed blocks are filled with 0xDB, which tests use).
 * - Page 0 and the last page are never handed out: address 0 means "none", and a kernel may read up
 *   to 64 bytes past a block.
 * - The memory never grows, so views of it stay valid for ever.
 * Not here: what is in the blocks (engine/batch, engine/state).
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';
import { PageRuns } from './page-runs.ts';
import {
  classCount,
  pageBytes,
  Slab,
  sizeClassOf,
  slabBlockBytesMax,
  unitBytes,
  unitsPerPage,
} from './slab.ts';

/** A block's address in units of 64 bytes; 0 is never a block. */
export type BlockHandle = number;

/** What a 32-bit memory can have: 4 GiB. */
const pageCountMax = 65_536;
/** The first and the last page, never handed out. */
const guardPages = 2;
const poisonByte = 0xdb;

export interface SlotMemoryOptions {
  /** What all blocks together may take, in bytes; at most 4 GiB less two pages. */
  readonly budgetBytes: number;
  /** Fills fresh and freed blocks with 0xDB, so that a use of stale data shows. For tests. */
  readonly poison?: boolean;
}

/** The byte address of a block, always positive. */
export function addressOf(block: BlockHandle): number {
  return block * unitBytes;
}

export class SlotMemory {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly int16: Int16Array<ArrayBuffer>;
  readonly uint16: Uint16Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
  readonly uint32: Uint32Array<ArrayBuffer>;
  readonly float32: Float32Array<ArrayBuffer>;
  readonly float64: Float64Array<ArrayBuffer>;
  /** For values that a user gives as bigint; no loop of the engine reads it. */
  readonly bigInt64: BigInt64Array<ArrayBuffer>;
  /** For values that lie at any address, as those inside lists and structs. */
  readonly view: DataView<ArrayBuffer>;
  readonly budgetBytes: number;
  readonly #isPoisoned: boolean;
  readonly #runs: PageRuns;
  /** By page: of a slab, else null. */
  readonly #slabs: (Slab | null)[];
  /** By first page of a run in use: its length, reference count and owner; else 0. */
  readonly #runLengths: Uint32Array;
  readonly #runCounts: Uint32Array;
  readonly #runOwners: Uint16Array;
  /** By size class: slabs with a free block, and the bookkeeping of slabs given back. */
  readonly #openSlabs: (Slab | null)[] = new Array(classCount).fill(null);
  readonly #spareSlabs: Slab[][] = Array.from({ length: classCount }, () => []);
  readonly #ownerNames: string[] = [];
  readonly #ownerBytes: number[] = [];
  #usedBytes = 0;
  #peakBytes = 0;

  constructor(options: SlotMemoryOptions) {
    const { budgetBytes, poison = false } = options;
    assert(budgetBytes > 0 && budgetBytes <= pageCountMax * pageBytes, 'a budget of up to 4 GiB');
    const wanted = Math.ceil(budgetBytes / pageBytes) + guardPages;
    const pageCount = Math.min(wanted, pageCountMax);
    this.budgetBytes = budgetBytes;
    this.#isPoisoned = poison;
    this.memory = new WebAssembly.Memory({ initial: pageCount, maximum: pageCount });
    const buffer = this.memory.buffer;
    this.bytes = new Uint8Array(buffer);
    this.int16 = new Int16Array(buffer);
    this.uint16 = new Uint16Array(buffer);
    this.int32 = new Int32Array(buffer);
    this.uint32 = new Uint32Array(buffer);
    this.float32 = new Float32Array(buffer);
    this.float64 = new Float64Array(buffer);
    this.bigInt64 = new BigInt64Array(buffer);
    this.view = new DataView(buffer);
    this.#runs = new PageRuns(pageCount);
    this.#slabs = new Array(pageCount).fill(null);
    this.#runLengths = new Uint32Array(pageCount);
    this.#runCounts = new Uint32Array(pageCount);
    this.#runOwners = new Uint16Array(pageCount);
  }

  /** Bytes of all blocks in use, each with its rounded size. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Bytes of the pages that were ever handed out: what the operating system may have given. */
  get touchedBytes(): number {
    return (this.#runs.frontier - 1) * pageBytes;
  }

  /** What an operator gets: its allocations are charged to `owner`. */
  scope(owner: string): MemoryScope {
    let ownerIndex = this.#ownerNames.indexOf(owner);
    if (ownerIndex < 0) {
      ownerIndex = this.#ownerNames.push(owner) - 1;
      this.#ownerBytes.push(0);
      assert(ownerIndex <= 0xffff, 'a memory has at most 65,536 owners');
    }
    return new MemoryScope(this, owner, (sizeBytes) => this.#allocate(sizeBytes, ownerIndex));
  }

  retain(block: BlockHandle): void {
    const slab = this.#slabs[Math.floor(block / unitsPerPage)];
    if (slab) slab.retain(block);
    else this.#runCounts[this.#pageOfRun(block)]!++;
  }

  release(block: BlockHandle): void {
    const page = Math.floor(block / unitsPerPage);
    const slab = this.#slabs[page];
    if (slab) this.#releaseFromSlab(slab, block);
    else this.#releaseRun(this.#pageOfRun(block));
  }

  /** Bytes that the block holds: what was asked for, rounded up to its size class. */
  sizeOf(block: BlockHandle): number {
    const slab = this.#slabs[Math.floor(block / unitsPerPage)];
    if (!slab) return this.#runLengths[this.#pageOfRun(block)]! * pageBytes;
    assert(slab.isUsed(block), 'the block is in use');
    return slab.blockBytes;
  }

  /** Whether a block of whole pages with so many bytes could be had now. */
  fits(sizeBytes: number): boolean {
    const length = Math.ceil(sizeBytes / pageBytes);
    return this.#usedBytes + length * pageBytes <= this.budgetBytes && this.#runs.fits(length);
  }

  /** Who holds how much, largest first. */
  holders(): { owner: string; bytes: number }[] {
    return this.#ownerNames
      .map((owner, index) => ({ owner, bytes: this.#ownerBytes[index]! }))
      .filter((holder) => holder.bytes > 0)
      .sort((a, b) => b.bytes - a.bytes || (a.owner < b.owner ? -1 : 1));
  }

  /** The leak check: throws and names the owners when a block is still in use. */
  assertEmpty(): void {
    assert(this.#usedBytes === 0, `all memory is released (held: ${this.#holdersText()})`);
    const free = this.#runs.freeRuns().reduce((sum, run) => sum + run.length, 0);
    assert(free === this.#runs.frontier - 1, 'all pages are back in free runs');
  }

  /** The error of an allocation that does not fit; says who holds the memory. */
  exhaustedError(owner: string, sizeBytes: number): Error {
    const held = this.#holdersText();
    const isScattered = this.#usedBytes + sizeBytes <= this.budgetBytes;
    const why = isScattered
      ? `the longest free stretch is ${formatBytes(this.#runs.longestRun() * pageBytes)}`
      : `${formatBytes(this.#usedBytes)} of ${formatBytes(this.budgetBytes)} are in use`;
    return typedError(
      'MEMORY_EXHAUSTED',
      `"${owner}" asked for ${formatBytes(sizeBytes)} of the slot's memory, but ${why}; ` +
        `held by: ${held}`,
      {
        hint:
          'Give the job more memory with --memory (for example --memory 2GB), or run it with a ' +
          'lower --parallelism, so that each slot gets a larger share.',
        details: { owner, sizeBytes, usedBytes: this.#usedBytes, budgetBytes: this.budgetBytes },
      },
    );
  }

  #allocate(sizeBytes: number, owner: number): BlockHandle {
    assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, 'a size is a whole number of bytes');
    const isSmall = sizeBytes <= slabBlockBytesMax;
    const sizeClass = isSmall ? sizeClassOf(sizeBytes) : 0;
    const rounded = isSmall ? unitBytes << sizeClass : Math.ceil(sizeBytes / pageBytes) * pageBytes;
    if (this.#usedBytes + rounded > this.budgetBytes) return 0;
    const block = isSmall ? this.#takeFromSlab(sizeClass, owner) : this.#takeRun(rounded, owner);
    if (block === 0) return 0;
    this.#ownerBytes[owner]! += rounded;
    this.#usedBytes += rounded;
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes;
    if (this.#isPoisoned) this.#poison(block, rounded);
    return block;
  }

  #takeRun(sizeBytes: number, owner: number): BlockHandle {
    const length = sizeBytes / pageBytes;
    const page = this.#runs.take(length);
    if (page === 0) return 0;
    this.#runLengths[page] = length;
    this.#runCounts[page] = 1;
    this.#runOwners[page] = owner;
    return page * unitsPerPage;
  }

  #releaseRun(page: number): void {
    if (--this.#runCounts[page]! > 0) return;
    const length = this.#runLengths[page]!;
    this.#runLengths[page] = 0;
    this.#account(this.#runOwners[page]!, page * unitsPerPage, length * pageBytes);
    this.#runs.give(page, length);
  }

  #takeFromSlab(sizeClass: number, owner: number): BlockHandle {
    const slab = this.#openSlabs[sizeClass] ?? this.#newSlab(sizeClass);
    if (slab === null) return 0;
    const block = slab.take(owner);
    if (slab.isFull) this.#unlinkSlab(slab);
    return block;
  }

  #newSlab(sizeClass: number): Slab | null {
    const page = this.#runs.take(1);
    if (page === 0) return null;
    const slab = this.#spareSlabs[sizeClass]!.pop() ?? new Slab(sizeClass);
    slab.page = page;
    this.#slabs[page] = slab;
    this.#linkSlab(slab);
    return slab;
  }

  #releaseFromSlab(slab: Slab, block: BlockHandle): void {
    const wasFull = slab.isFull;
    const owner = slab.ownerOf(block);
    if (!slab.release(block)) return;
    this.#account(owner, block, slab.blockBytes);
    if (slab.usedCount === 0) {
      if (!wasFull) this.#unlinkSlab(slab);
      this.#slabs[slab.page] = null;
      this.#runs.give(slab.page, 1);
      this.#spareSlabs[slab.sizeClass]!.push(slab);
    } else if (wasFull) {
      this.#linkSlab(slab);
    }
  }

  #linkSlab(slab: Slab): void {
    const head = this.#openSlabs[slab.sizeClass] ?? null;
    slab.next = head;
    slab.previous = null;
    if (head !== null) head.previous = slab;
    this.#openSlabs[slab.sizeClass] = slab;
  }

  #unlinkSlab(slab: Slab): void {
    if (slab.next !== null) slab.next.previous = slab.previous;
    if (slab.previous !== null) slab.previous.next = slab.next;
    else this.#openSlabs[slab.sizeClass] = slab.next;
    slab.next = null;
    slab.previous = null;
  }

  /** Books a block as free. */
  #account(owner: number, block: BlockHandle, sizeBytes: number): void {
    this.#ownerBytes[owner]! -= sizeBytes;
    this.#usedBytes -= sizeBytes;
    if (this.#isPoisoned) this.#poison(block, sizeBytes);
  }

  #poison(block: BlockHandle, sizeBytes: number): void {
    const start = addressOf(block);
    this.bytes.fill(poisonByte, start, start + sizeBytes);
  }

  #pageOfRun(block: BlockHandle): number {
    const page = block / unitsPerPage;
    assert(this.#runLengths[page]! > 0, 'the handle is that of a block in use');
    return page;
  }

  #holdersText(): string {
    const holders = this.holders();
    const largest = holders
      .slice(0, 5)
      .map(({ owner, bytes }) => `"${owner}" ${formatBytes(bytes)}`);
    if (holders.length > largest.length) largest.push(`${holders.length - largest.length} others`);
    return largest.length === 0 ? 'nobody' : largest.join(', ');
  }
}

/** A slot's memory as one owner sees it. */
export class MemoryScope {
  readonly memory: SlotMemory;
  readonly owner: string;
  /** 0 when the budget refuses: the operator spills, shrinks or waits. */
  readonly tryAllocate: (sizeBytes: number) => BlockHandle;

  constructor(memory: SlotMemory, owner: string, tryAllocate: (sizeBytes: number) => BlockHandle) {
    this.memory = memory;
    this.owner = owner;
    this.tryAllocate = tryAllocate;
  }

  /** @throws MEMORY_EXHAUSTED naming who holds the memory. */
  allocate(sizeBytes: number): BlockHandle {
    const block = this.tryAllocate(sizeBytes);
    if (block === 0) throw this.memory.exhaustedError(this.owner, sizeBytes);
    return block;
  }
}
