/**
 * Disks that fail on purpose: a plan counts the calls of a synchronous and an asynchronous disk
 * together and makes the n-th of them fail, so that a test can aim at every call in turn.
 *
 *     error   the n-th call fails, the next ones work        (a full disk, a broken sector)
 *     late    it is carried out, and then reported as failed (the answer is lost)
 *     crash   it and all later ones fail: the process is dead until `heal`
 *
 * A write that fails has written its first half, as a full disk does.
 */
import type { Disk, FileId, SyncDisk } from '../../base/env/disk.ts';
import type { ErrorCode } from '../../base/error-codes.ts';
import { typedError } from '../../base/typed-error.ts';

export type FaultKind = 'error' | 'late' | 'crash';

export interface Fault {
  readonly kind: FaultKind;
  /** Which call fails, counted from 0. */
  readonly at: number;
  readonly code?: ErrorCode;
}

type Call = keyof SyncDisk;

export class FaultPlan {
  /** What was called so far, such as `rename .a.tmp → a`. */
  readonly calls: string[] = [];
  /** Files that are open, by their number on the disk. */
  readonly openFiles = new Set<FileId>();
  #fault: Fault | null;
  #hasFired = false;

  constructor(fault: Fault | null = null) {
    this.#fault = fault;
  }

  get hasFired(): boolean {
    return this.#hasFired;
  }

  /** From now on all calls work; the files of the dead process are closed by its system. */
  heal(): void {
    this.#fault = null;
  }

  /** Counts a call; answers how it is to fail, or null. */
  next(call: Call, subject: unknown): FaultKind | null {
    const index = this.calls.push(`${call} ${String(subject)}`) - 1;
    const fault = this.#fault;
    if (fault === null || index < fault.at) return null;
    if (index > fault.at && fault.kind !== 'crash') return null;
    this.#hasFired = true;
    return fault.kind;
  }

  error(call: Call, subject: unknown): Error {
    const code = this.#fault?.code ?? 'DISK_IO';
    return typedError(code, `planned failure of ${call} ${String(subject)}`);
  }

  note(call: Call, result: unknown, subject: unknown): void {
    if (call === 'open') this.openFiles.add(result as FileId);
    if (call === 'close') this.openFiles.delete(subject as FileId);
  }
}

/** A synchronous disk whose calls the plan may fail. */
export function faultySyncDisk(inner: SyncDisk, plan: FaultPlan): SyncDisk {
  return wrapped(inner, (call, args, run) => {
    const kind = plan.next(call, args[0]);
    if (kind === 'error' && call === 'write') writeHalf(inner, args);
    const isDone = kind === null || kind === 'late' || call === 'close';
    const result = isDone ? run() : undefined;
    // Nobody can close a file whose number was lost with the answer.
    if (kind === 'late' && call === 'open') inner.close(result as FileId);
    else if (isDone) plan.note(call, result, args[0]);
    if (kind !== null) throw plan.error(call, args[0]);
    return result;
  });
}

/** An asynchronous disk whose calls the plan may fail. */
export function faultyDisk(inner: Disk, plan: FaultPlan): Disk {
  return wrapped(inner, async (call, args, run) => {
    const kind = plan.next(call, args[0]);
    const isDone = kind === null || kind === 'late' || call === 'close';
    const result = isDone ? await run() : undefined;
    if (kind === 'late' && call === 'open') await inner.close(result as FileId);
    else if (isDone) plan.note(call, result, args[0]);
    if (kind !== null) throw plan.error(call, args[0]);
    return result;
  });
}

type Intercept = (call: Call, args: readonly unknown[], run: () => unknown) => unknown;

function wrapped<T extends SyncDisk | Disk>(inner: T, intercept: Intercept): T {
  return new Proxy(inner, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        intercept(name as Call, args, () => Reflect.apply(method, target, args));
    },
  });
}

/** A half of a write is what a full disk takes. */
function writeHalf(inner: SyncDisk, args: readonly unknown[]): void {
  const [file, from, position] = args as [FileId, Uint8Array, number];
  inner.write(file, from.subarray(0, from.length >> 1), position);
}
