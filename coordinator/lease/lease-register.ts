/**
 * The register behind the leader lease: one record with a version, changed by compare-and-swap. All
 * that the lease needs of a store; a file, memory, a store node over rpc and etcd can all be it.
 *
 * Contract of an implementation:
 * - The version grows by one with each accepted swap; 0 means that nothing was ever written.
 * - Swaps happen one after the other, and an answer is given only when the record is durable.
 * - A read returns a durable record: what was shown is never taken back, whatever crashes.
 */

export interface LeaseRecord {
  /** The node that holds the lease, for people. */
  readonly holder: string;
  /** The one run of that node's program that holds it: new with each start. */
  readonly instance: string;
  /** The fencing token of this leadership; each leadership has a greater one. */
  readonly token: number;
  /** Counts the writes of this leadership, so that its holder knows which of them arrived. */
  readonly renewal: number;
  /** How long the holder trusts the record, on its own clock, from sending it on. */
  readonly durationMs: number;
  /** The holder gave the lease back: nobody has to wait. */
  readonly isReleased: boolean;
}

export interface RegisterSnapshot {
  readonly version: number;
  readonly record: LeaseRecord | null;
}

export type SwapOutcome =
  | { readonly kind: 'ok'; readonly version: number }
  /** Another write was first; nothing was done. */
  | { readonly kind: 'conflict' }
  /** Surely not done. */
  | { readonly kind: 'failed' }
  /** Perhaps done, perhaps later: only a read can tell. */
  | { readonly kind: 'unknown' };

export interface LeaseRegister {
  /** Rejects when the register cannot be reached. */
  read(): Promise<RegisterSnapshot>;
  /** Writes when the version still is `expectedVersion`. Never rejects. */
  compareAndSwap(expectedVersion: number, record: LeaseRecord): Promise<SwapOutcome>;
}

/** True for a value from outside that has the form of a record. */
export function isLeaseRecord(value: unknown): value is LeaseRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<LeaseRecord>;
  return (
    typeof record.holder === 'string' &&
    typeof record.instance === 'string' &&
    Number.isSafeInteger(record.token) &&
    Number.isSafeInteger(record.renewal) &&
    typeof record.durationMs === 'number' &&
    record.durationMs > 0 &&
    typeof record.isReleased === 'boolean'
  );
}
