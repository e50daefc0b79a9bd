/**
 * Modules of jobs, as files that are named by the SHA-256 of their bytes: sent by clients part by part, read by workers
 * part by part. A bundle never changes, and is there whole or not at all.
 *
 *     put part 0, 1 … last ─▶ the hash is right ─▶ .HASH.part ─▶ fsync ─▶ rename to HASH.mjs
 *
 * Before: coordinator/cluster/cluster-session.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { isSha256, sha256Of } from '../../base/env/sha256.ts';
import { putWholeFile, readWholeFile } from '../../base/env/whole-files.ts';
import { typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';
import {
  bundleBytesMax,
  type PutBundleAnswer,
  type PutBundleRequest,
} from '../protocol/clients.ts';
import { type BundlePart, bundlePartBytes, type ReadBundleRequest } from '../protocol/members.ts';

/** Bundles that are being sent at a time; the one that was begun first makes room. */
const arrivingMax = 8;

type StoreEnv = Pick<Env, 'disk' | 'secrets'>;

export class BundleStore {
  readonly #env: StoreEnv;
  readonly #folder: string;
  readonly #arriving = new Map<string, Uint8Array[]>();
  /** The one that was read last: its parts follow each other. */
  #read: { readonly hash: string; readonly bytes: Uint8Array } | null = null;

  /** @param folder - Is there. */
  constructor(env: StoreEnv, folder: string) {
    this.#env = env;
    this.#folder = folder;
  }

  async has(hash: string): Promise<boolean> {
    return isSha256(hash) && (await this.#env.disk.stat(this.#pathOf(hash))) !== null;
  }

  /** @throws BUNDLE_DAMAGED, BUNDLE_TOO_LARGE, errors of the disk */
  async put({ hash, part, data, isLast }: PutBundleRequest): Promise<PutBundleAnswer> {
    if (!isSha256(hash)) throw damagedError('its name is no SHA-256');
    if (await this.has(hash)) return { isStored: true };
    if (data === '') return { isStored: false };
    const parts = this.#partsOf(hash, part);
    parts.push(Buffer.from(data, 'base64'));
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    if (size > bundleBytesMax) {
      this.#arriving.delete(hash);
      throw tooLargeError();
    }
    if (!isLast) return { isStored: false };
    this.#arriving.delete(hash);
    await this.#store(hash, Buffer.concat(parts));
    return { isStored: true };
  }

  /** @throws BUNDLE_MISSING, BUNDLE_DAMAGED, errors of the disk */
  async read({ hash, part }: ReadBundleRequest): Promise<BundlePart> {
    const bytes = await this.#bytesOf(hash);
    const start = part * bundlePartBytes;
    const end = Math.min(bytes.length, start + bundlePartBytes);
    const data = Buffer.from(bytes.subarray(start, end)).toString('base64');
    return { data, isLast: end === bytes.length };
  }

  /** Of a bundle that arrives; the first part begins it anew. */
  #partsOf(hash: string, part: number): Uint8Array[] {
    if (part === 0) {
      this.#arriving.delete(hash);
      const [oldest] = this.#arriving.keys();
      if (this.#arriving.size >= arrivingMax && oldest !== undefined) this.#arriving.delete(oldest);
      this.#arriving.set(hash, []);
    }
    const parts = this.#arriving.get(hash);
    if (parts?.length !== part) throw damagedError(`part ${part} does not follow`);
    return parts;
  }

  async #store(hash: string, bytes: Uint8Array): Promise<void> {
    if (sha256Of(bytes) !== hash) throw damagedError('its bytes are not those of its name');
    const { disk, secrets } = this.#env;
    const hidden = `${this.#folder}/.${hash}.${secrets.hex(4)}`;
    await putWholeFile(disk, { path: this.#pathOf(hash), hidden }, bytes);
  }

  async #bytesOf(hash: string): Promise<Uint8Array> {
    if (this.#read?.hash === hash) return this.#read.bytes;
    const bytes = isSha256(hash) ? await readWholeFile(this.#env.disk, this.#pathOf(hash)) : null;
    if (bytes === null) throw missingError(hash);
    if (sha256Of(bytes) !== hash) throw damagedError('its file has changed');
    this.#read = { hash, bytes };
    return bytes;
  }

  #pathOf(hash: string): string {
    return `${this.#folder}/${hash}.mjs`;
  }
}

export function missingError(hash: string) {
  return typedError('BUNDLE_MISSING', `the cluster has no bundle "${hash.slice(0, 12)}…"`, {
    hint: 'Send it first: millrace submit does.',
  });
}

function damagedError(reason: string) {
  return typedError('BUNDLE_DAMAGED', `a job's bundle can't be used: ${reason}`, {
    hint: 'Submit the job again.',
  });
}

function tooLargeError() {
  return typedError('BUNDLE_TOO_LARGE', `a job's bundle is over ${formatBytes(bundleBytesMax)}`, {
    hint: 'Read large data from files in place of importing them.',
  });
}
