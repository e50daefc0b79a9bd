/**
 * Table changes: the deltas that were frozen since the last snapshot, kept for the next one also where they have been
 * merged. Those that take too much memory are given up: the next snapshot is a full one then.
 */
import type { FrozenDelta } from './frozen-delta.ts';

export class TableChanges {
  readonly #bytesMax: number;
  /** Newest first; null: some are not kept, or nobody has asked so far. */
  #deltas: FrozenDelta[] | null = null;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Whether all changes since `restart` are here. */
  get isWhole(): boolean {
    return this.#deltas !== null;
  }

  /** Newest first. */
  get deltas(): readonly FrozenDelta[] {
    return this.#deltas ?? [];
  }

  add(delta: FrozenDelta): void {
    if (this.#deltas === null) return;
    const bytes = this.#deltas.reduce((sum, { table }) => sum + table.sizeBytes, 0);
    if (bytes + delta.table.sizeBytes > this.#bytesMax) this.close();
    else this.#deltas.unshift(delta.hold());
  }

  /** A snapshot is taken: what changes from now on is kept for the next one. */
  restart(): void {
    this.close();
    this.#deltas = [];
  }

  close(): void {
    for (const delta of this.#deltas ?? []) delta.release();
    this.#deltas = null;
  }
}
