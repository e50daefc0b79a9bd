/**
 * Quotas: how many names, itself included, and how many bytes of replicas may be below a directory. What is there is
 * counted along the way for directories that have a quota, and for no others.
 */
import { typedError } from '../../../base/typed-error.ts';
import type { ReadColumn } from '../table/column.ts';
import { rootRow } from './inode-table.ts';

export interface Counts {
  readonly names: number;
  readonly spaceBytes: number;
}

/** Null: no limit. */
export interface QuotaLimits {
  readonly namesMax: number | null;
  readonly spaceBytesMax: number | null;
}

export interface Quota {
  readonly limits: QuotaLimits;
  readonly used: Counts;
}

export class QuotaTable {
  readonly #quotas = new Map<number, Quota>();

  get isEmpty(): boolean {
    return this.#quotas.size === 0;
  }

  /** Rows of directories that have one. */
  get rows(): readonly number[] {
    return [...this.#quotas.keys()];
  }

  at(row: number): Quota | null {
    return this.#quotas.get(row) ?? null;
  }

  /** `used` of the directory, counted; limits of null take the quota away. */
  set(row: number, limits: QuotaLimits, used: Counts): void {
    if (limits.namesMax === null && limits.spaceBytesMax === null) this.#quotas.delete(row);
    else this.#quotas.set(row, { limits, used });
  }

  remove(row: number): void {
    this.#quotas.delete(row);
  }

  /** Something has come or gone in `directory`. */
  charge(parent: ReadColumn, directory: number, names: number, spaceBytes: number): void {
    if (this.isEmpty) return;
    for (let row = directory; ; row = parent.get(row)) {
      const quota = this.#quotas.get(row);
      if (quota !== undefined) {
        const { limits, used } = quota;
        const more = { names: used.names + names, spaceBytes: used.spaceBytes + spaceBytes };
        this.#quotas.set(row, { limits, used: more });
      }
      if (row === rootRow) return;
    }
  }

  /**
   * Says no when something more does not fit, in `directory` or above it, below `stopRow`.
   * @throws DFS_QUOTA
   */
  verify(request: QuotaRequest): void {
    if (this.isEmpty) return;
    const { parent, directory, stopRow, pathOf } = request;
    for (let row = directory; row !== stopRow; row = parent.get(row)) {
      const quota = this.#quotas.get(row);
      if (quota !== undefined) verifyOne(quota, request, () => pathOf(row));
      if (row === rootRow) return;
    }
  }
}

export interface QuotaRequest extends Counts {
  readonly parent: ReadColumn;
  readonly directory: number;
  /** What is above has it already: a rename within it adds nothing. Null: look at all. */
  readonly stopRow: number | null;
  readonly pathOf: (row: number) => string;
}

function verifyOne({ limits, used }: Quota, more: Counts, path: () => string): void {
  const { namesMax, spaceBytesMax } = limits;
  const names = used.names + more.names;
  const spaceBytes = used.spaceBytes + more.spaceBytes;
  // Who is over the quota already, as it was set lower, may do what adds nothing.
  if (namesMax !== null && more.names > 0 && names > namesMax) {
    throw quotaError('names', path(), namesMax, names);
  }
  if (spaceBytesMax !== null && more.spaceBytes > 0 && spaceBytes > spaceBytesMax) {
    throw quotaError('bytes', path(), spaceBytesMax, spaceBytes);
  }
}

function quotaError(what: 'names' | 'bytes', path: string, quota: number, wanted: number) {
  return typedError(
    'DFS_QUOTA',
    `directory "${path}" may have ${quota} ${what}, this would make ${wanted}`,
    {
      hint: 'Delete something below it, or ask for a greater quota.',
      details: { path, what, quota, wanted },
    },
  );
}
