/**
 * Leases: who writes may go on as long as he says so. What he writes is in the namespace (`openFiles`); here is only when he was
 * last heard, which nobody wrote down: after a start every writer counts as heard just then.
 *
 *     heard ────────── soft limit ────────────────────────── hard limit
 *     │ the file is his  │ another who wants it gets it by recovery │ it is recovered in any case
 *
 * A file that is being recovered belongs to the namenode (`recoveryHolder`), so a writer that wakes up finds that it is not his.
 * Times are monotonic. @see Apache Hadoop HDFS, `LeaseManager`
 */
import { leaseHardLimitMs, leaseSoftLimitMs } from '../../protocol/client-protocol.ts';
import type { Namespace } from '../namespace/namespace.ts';

/** Clients can't have this name: theirs are not empty. */
export const recoveryHolder = '';

export interface LeaseLimits {
  readonly softLimitMs: number;
  readonly hardLimitMs: number;
  /** Between two tries to recover a file: datanodes may be away. */
  readonly recoveryRetryMs: number;
}

export const defaultLeaseLimits: LeaseLimits = {
  softLimitMs: leaseSoftLimitMs,
  hardLimitMs: leaseHardLimitMs,
  recoveryRetryMs: 10_000,
};

export class LeaseManager {
  readonly #limits: LeaseLimits;
  readonly #startedAtMs: number;
  readonly #heardAtMs = new Map<string, number>();
  /** By file id: when its recovery was last begun. */
  readonly #recoveredAtMs = new Map<number, number>();

  constructor(limits: LeaseLimits, startedAtMs: number) {
    this.#limits = limits;
    this.#startedAtMs = startedAtMs;
  }

  renew(clientName: string, nowMs: number): void {
    this.#heardAtMs.set(clientName, nowMs);
  }

  isSoftExpired(clientName: string, nowMs: number): boolean {
    return (
      clientName === recoveryHolder || this.#silentMs(clientName, nowMs) > this.#limits.softLimitMs
    );
  }

  noteRecovery(fileId: number, nowMs: number): void {
    this.#recoveredAtMs.set(fileId, nowMs);
  }

  /** Files to be recovered now; those of which a recovery was begun lately are left to it. Forgets who writes nothing. */
  due({ openFiles }: Pick<Namespace, 'openFiles'>, nowMs: number): number[] {
    const { hardLimitMs, recoveryRetryMs } = this.#limits;
    const writers = new Set<string>();
    const fileIds: number[] = [];
    for (const [fileId, { clientName }] of openFiles) {
      writers.add(clientName);
      const isOver =
        clientName === recoveryHolder || this.#silentMs(clientName, nowMs) > hardLimitMs;
      const begunAtMs = this.#recoveredAtMs.get(fileId) ?? Number.NEGATIVE_INFINITY;
      if (isOver && nowMs - begunAtMs >= recoveryRetryMs) fileIds.push(fileId);
    }
    for (const clientName of this.#heardAtMs.keys()) {
      if (!writers.has(clientName)) this.#heardAtMs.delete(clientName);
    }
    for (const fileId of this.#recoveredAtMs.keys()) {
      if (!openFiles.has(fileId)) this.#recoveredAtMs.delete(fileId);
    }
    return fileIds;
  }

  #silentMs(clientName: string, nowMs: number): number {
    return nowMs - (this.#heardAtMs.get(clientName) ?? this.#startedAtMs);
  }
}
