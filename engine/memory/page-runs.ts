/**
 * Runs of 64 KiB pages: the lower half of the slot's allocator. Hands out runs of whole pages, best
 * fit, and joins what comes back with its free neighbours.
 *
 *     page   0     1 … frontier-1            frontier … last-1          last
 *            never  used and free runs        never touched yet         never
 *                   └─ free ones in bins      └─ taken only when no bin has a run that fits
 *
 * Why a frontier: the operating system gives a page its memory when it is first written to, which
 * costs as much as reading it several times over. So pages that were used before go first, and
 * what a job never needs is never paid for.
 *
 * A free run is known by its first and last page (kind and length are noted at both), so that a
 * neighbour finds it without a search. Bins hold runs of similar length: one bin for each length
 * up to 32 pages, then 8 bins for each doubling.
 *
 * Invariants: two free runs never touch each other; all metadata is outside the managed memory.
 * @see Masmano and others 2004, TLSF: bins in two levels, found through a bitmap.
 */
import { assert } from '../../base/assert.ts';

const exactBins = 32;
const binsPerDoubling = 8;
/** Lengths up to 2^16 pages: 11 doublings from 32 pages on. */
const binCount = exactBins + 12 * binsPerDoubling;
/** How many runs of one bin are looked at for the best fit. */
const searchMax = 16;

const kindNone = 0;
const kindFreeEdge = 1;

export class PageRuns {
  readonly pageCount: number;
  #frontier = 1;
  readonly #kinds: Uint8Array;
  /** Of a free run, at its first and last page. */
  readonly #lengths: Uint32Array;
  /** Neighbours in the list of a bin, by first page; 0 ends the list. */
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;
  readonly #heads = new Uint32Array(binCount);
  readonly #occupied = new Uint32Array((binCount + 31) >>> 5);

  constructor(pageCount: number) {
    assert(pageCount >= 3, 'there is a page between the first and the last');
    this.pageCount = pageCount;
    this.#kinds = new Uint8Array(pageCount);
    this.#lengths = new Uint32Array(pageCount);
    this.#next = new Uint32Array(pageCount);
    this.#previous = new Uint32Array(pageCount);
  }

  /** The first page that was never handed out. */
  get frontier(): number {
    return this.#frontier;
  }

  /** The first page of a run of `length` pages, or 0 when there is none. */
  take(length: number): number {
    assert(length >= 1, 'a run has at least one page');
    const start = this.#bestFit(length);
    if (start === 0) return this.#takeFromFrontier(length);
    const found = this.#lengths[start]!;
    this.#unlink(start);
    if (found > length) this.#link(start + length, found - length);
    return start;
  }

  /** Takes a run back; the caller has checked that it is one that `take` gave out. */
  give(start: number, length: number): void {
    let first = start;
    let count = length;
    if (this.#kinds[start - 1] === kindFreeEdge) {
      const before = this.#lengths[start - 1]!;
      first -= before;
      count += before;
      this.#unlink(first);
    }
    const after = start + length;
    if (after < this.#frontier && this.#kinds[after] === kindFreeEdge) {
      count += this.#lengths[after]!;
      this.#unlink(after);
    }
    this.#link(first, count);
  }

  /** The free runs, each as first page and length; for tests and error messages. */
  freeRuns(): { start: number; length: number }[] {
    const runs: { start: number; length: number }[] = [];
    for (const head of this.#heads) {
      for (let start = head; start !== 0; start = this.#next[start]!) {
        runs.push({ start, length: this.#lengths[start]! });
      }
    }
    return runs.sort((a, b) => a.start - b.start);
  }

  /** Whether `take` could give so many pages now. */
  fits(length: number): boolean {
    if (this.#bestFit(length) !== 0) return true;
    return this.#frontier - this.#freeBeforeFrontier() + length <= this.pageCount - 1;
  }

  /** Pages in the longest run that `take` could give now; it looks at all of them. */
  longestRun(): number {
    const untouched = this.pageCount - 1 - this.#frontier;
    const atFrontier = untouched + this.#freeBeforeFrontier();
    return this.freeRuns().reduce((longest, run) => Math.max(longest, run.length), atFrontier);
  }

  #freeBeforeFrontier(): number {
    const last = this.#frontier - 1;
    return this.#kinds[last] === kindFreeEdge ? this.#lengths[last]! : 0;
  }

  #takeFromFrontier(length: number): number {
    const before = this.#freeBeforeFrontier();
    const start = this.#frontier - before;
    if (start + length > this.pageCount - 1) return 0;
    if (before > 0) this.#unlink(start);
    this.#frontier = start + length;
    return start;
  }

  #bestFit(length: number): number {
    const bin = binOf(length);
    const inBin = this.#bestOfBin(bin, length);
    if (inBin !== 0) return inBin;
    // Every run of a later bin is long enough.
    const later = this.#occupiedBinFrom(bin + 1);
    return later < 0 ? 0 : this.#bestOfBin(later, length);
  }

  #bestOfBin(bin: number, length: number): number {
    let best = 0;
    let bestLength = Number.POSITIVE_INFINITY;
    let start = this.#heads[bin]!;
    for (let looked = 0; start !== 0 && looked < searchMax; looked++) {
      const found = this.#lengths[start]!;
      if (found === length) return start;
      if (found > length && found < bestLength) {
        best = start;
        bestLength = found;
      }
      start = this.#next[start]!;
    }
    return best;
  }

  #occupiedBinFrom(bin: number): number {
    let word = bin >>> 5;
    if (word >= this.#occupied.length) return -1;
    let bits = this.#occupied[word]! & (-1 << (bin & 31));
    while (bits === 0) {
      if (++word >= this.#occupied.length) return -1;
      bits = this.#occupied[word]!;
    }
    return word * 32 + (31 - Math.clz32(bits & -bits));
  }

  #link(start: number, length: number): void {
    const bin = binOf(length);
    const last = start + length - 1;
    this.#kinds[start] = kindFreeEdge;
    this.#kinds[last] = kindFreeEdge;
    this.#lengths[start] = length;
    this.#lengths[last] = length;
    const head = this.#heads[bin]!;
    this.#next[start] = head;
    this.#previous[start] = 0;
    if (head !== 0) this.#previous[head] = start;
    this.#heads[bin] = start;
    this.#occupied[bin >>> 5]! |= 1 << (bin & 31);
  }

  #unlink(start: number): void {
    const length = this.#lengths[start]!;
    const bin = binOf(length);
    this.#kinds[start] = kindNone;
    this.#kinds[start + length - 1] = kindNone;
    const next = this.#next[start]!;
    const previous = this.#previous[start]!;
    if (next !== 0) this.#previous[next] = previous;
    if (previous !== 0) this.#next[previous] = next;
    else this.#heads[bin] = next;
    if (this.#heads[bin] === 0) this.#occupied[bin >>> 5]! &= ~(1 << (bin & 31));
  }
}

function binOf(length: number): number {
  if (length <= exactBins) return length - 1;
  const doubling = 31 - Math.clz32(length);
  const step = (length >>> (doubling - 3)) & (binsPerDoubling - 1);
  return exactBins + (doubling - 5) * binsPerDoubling + step;
}
