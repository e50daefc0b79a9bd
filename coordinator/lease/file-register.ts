/**
 * The register in one file: for one coordinator, and for the store that serves several. A swap is
 *
 *     write <path>.next ─▶ fsync it ─▶ rename to <path> ─▶ sync the folder ─▶ answer
 *
 * so the file always holds one whole record, and an answer is given only for a durable one. One
 * process owns the file; it keeps the record in memory, and shows it only once it is durable.
 *
 * - Opening syncs the file and its folder first: the process may have been killed between a rename
 *   and its sync, and what is shown must not be taken back by a power cut later.
 * - After a failed fsync or rename nobody can say what is on disk: the process ends.
 * - A missing file is a register that was never written; one that fails its checksum is an error.
 *
 * On disk: docs/formats/lease-register.md.
 * Before: coordinator/lease/lease-keeper.ts. After: coordinator/lease/rpc-register.ts.
 */
import { decodeChecked, encodeChecked } from '../../base/checked-text.ts';
import type { Disk } from '../../base/env/disk.ts';
import type { Env } from '../../base/env/env.ts';
import { folderOf, readWholeFile, syncFile } from '../../base/env/whole-files.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  isLeaseRecord,
  type LeaseRecord,
  type LeaseRegister,
  type RegisterSnapshot,
  type SwapOutcome,
} from './lease-register.ts';

type RegisterEnv = Pick<Env, 'disk' | 'process' | 'observe'>;

/** Exit code of a process that can no longer say what is on its disk. */
const exitCodeDiskInDoubt = 70;
const formatName = 'millrace-lease-1'; // On disk: never renumber.

/** Opens the register at `path`; the folder must exist. */
export async function openFileRegister(env: RegisterEnv, path: string): Promise<LeaseRegister> {
  await env.disk.unlink(`${path}.next`); // Left by a crash; never part of the register.
  return new FileRegister(env, path, await readDurable(env.disk, path));
}

class FileRegister implements LeaseRegister {
  readonly #env: RegisterEnv;
  readonly #path: string;
  #current: RegisterSnapshot;
  /** The last swap; each waits for the one before. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(env: RegisterEnv, path: string, current: RegisterSnapshot) {
    this.#env = env;
    this.#path = path;
    this.#current = current;
  }

  async read(): Promise<RegisterSnapshot> {
    return this.#current;
  }

  compareAndSwap(expectedVersion: number, record: LeaseRecord): Promise<SwapOutcome> {
    const swap = this.#last.then(() => this.#swap(expectedVersion, record));
    this.#last = swap;
    return swap;
  }

  async #swap(expectedVersion: number, record: LeaseRecord): Promise<SwapOutcome> {
    if (expectedVersion !== this.#current.version) return { kind: 'conflict' };
    const next: RegisterSnapshot = { version: expectedVersion + 1, record };
    const nextPath = `${this.#path}.next`;
    try {
      await writeWhole(this.#env.disk, nextPath, encodeRegister(next));
    } catch (error) {
      this.#env.observe.event('lease.register-write-failed', { error: String(error) });
      return { kind: 'failed' }; // The file itself was not touched.
    }
    try {
      await syncFile(this.#env.disk, nextPath);
      await this.#env.disk.rename(nextPath, this.#path);
      await this.#env.disk.syncDir(folderOf(this.#path));
    } catch (error) {
      this.#env.observe.event('lease.register-in-doubt', { error: String(error) });
      return this.#env.process.exit(exitCodeDiskInDoubt);
    }
    this.#current = next;
    return { kind: 'ok', version: next.version };
  }
}

async function readDurable(disk: Disk, path: string): Promise<RegisterSnapshot> {
  if ((await disk.stat(path)) === null) return { version: 0, record: null };
  await syncFile(disk, path);
  await disk.syncDir(folderOf(path));
  return decodeRegister((await readWholeFile(disk, path)) ?? new Uint8Array(), path);
}

async function writeWhole(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, 'replace');
  try {
    await disk.write(file, bytes, 0);
  } finally {
    await disk.close(file);
  }
}

/** One line: format name, CRC32C of the rest in hex, and the snapshot as JSON. */
export function encodeRegister(snapshot: RegisterSnapshot): Uint8Array {
  return encodeChecked(formatName, JSON.stringify(snapshot));
}

/** @throws LEASE_REGISTER_CORRUPT when the bytes are not exactly what was once written. */
export function decodeRegister(bytes: Uint8Array, path: string): RegisterSnapshot {
  const body = decodeChecked(formatName, bytes);
  const snapshot = body === null ? null : (JSON.parse(body) as RegisterSnapshot);
  if (snapshot !== null && Number.isSafeInteger(snapshot.version)) {
    if (isLeaseRecord(snapshot.record)) return snapshot;
  }
  throw typedError('LEASE_REGISTER_CORRUPT', `lease register "${path}" is damaged`, {
    hint: 'Look at the disk. When no coordinator runs, the file may be removed.',
    details: { path, sizeBytes: bytes.length },
  });
}
