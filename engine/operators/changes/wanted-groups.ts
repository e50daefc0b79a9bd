/**
 * Wanted groups: the places of those that are looked for on disk, in order, and which have been found. Different keys may
 * have one place, which is then there as often.
 */
import { bucketOf } from './group-order.ts';

export class WantedGroups {
  /** In order. */
  readonly places: Uint32Array;
  /** By the highest bits of a place, where those with these bits begin: some four. */
  readonly #firsts: Uint32Array;
  readonly #bits: number;
  readonly #isFound: Uint8Array;
  #leftCount: number;

  /** @param places - Sorted here. */
  constructor(places: Uint32Array) {
    const count = places.length;
    this.places = places.sort();
    this.#bits = Math.max(0, Math.floor(Math.log2(count / 4)));
    this.#firsts = new Uint32Array(2 ** this.#bits);
    this.#isFound = new Uint8Array(count);
    this.#leftCount = count;
    for (let at = 0, bits = 0; bits < this.#firsts.length; bits++) {
      while (at < count && bucketOf(places[at] ?? 0, this.#bits) < bits) at++;
      this.#firsts[bits] = at;
    }
  }

  get count(): number {
    return this.places.length;
  }

  get areAllFound(): boolean {
    return this.#leftCount === 0;
  }

  isFound(at: number): boolean {
    return this.#isFound[at] === 1;
  }

  /** Whether a group of that place is still wanted. */
  has(place: number): boolean {
    return this.#find(place) >= 0;
  }

  /** One of the place has been found. */
  markFound(place: number): void {
    const at = this.#find(place);
    if (at < 0) return;
    this.#isFound[at] = 1;
    this.#leftCount--;
  }

  /** The first of the place that has not been found; -1 for none. */
  #find(place: number): number {
    const { places } = this;
    let at = this.#firsts[bucketOf(place, this.#bits)] ?? 0;
    while (at < places.length && (places[at] ?? 0) < place) at++;
    for (; at < places.length && places[at] === place; at++) {
      if (this.#isFound[at] === 0) return at;
    }
    return -1;
  }
}

/** Places as they come, in an array that grows. */
export class PlaceList {
  #places = new Uint32Array(1024);
  #count = 0;

  add(place: number): void {
    if (this.#count === this.#places.length) {
      const grown = new Uint32Array(this.#count * 2);
      grown.set(this.#places);
      this.#places = grown;
    }
    this.#places[this.#count++] = place;
  }

  take(): WantedGroups {
    const wanted = new WantedGroups(this.#places.slice(0, this.#count));
    this.#count = 0;
    return wanted;
  }
}
