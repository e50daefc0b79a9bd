/**
 * The jobs' modules on this worker: a file for each, named by the hash of its bytes, got from the coordinator when it is first
 * asked for.
 *
 *     bundles/.<hash>~<chance>   is being written
 *     bundles/<hash>.mjs         is whole and durable: it had its hash before it got its name
 *
 * Before: worker/supervisor/supervisor.ts. After: coordinator/protocol/members.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { isSha256, sha256Of } from '../../base/env/sha256.ts';
import { putWholeFile, readWholeFile } from '../../base/env/whole-files.ts';
import { typedError } from '../../base/typed-error.ts';
import { type BundlePart, bundlePartBytes } from '../../coordinator/protocol/members.ts';

type CacheEnv = Pick<Env, 'disk' | 'secrets'>;

export interface BundleCacheOptions {
  readonly folder: string;
  readonly readPart: (hash: string, part: number) => Promise<BundlePart>;
  /** Those above it that are not used go, the oldest first. @defaultValue 100 */
  readonly bundlesMax?: number;
}

/** 256 MiB: what is larger is no module, and would be held in memory here. */
const partsMax = 64;
const fileForm = /^([0-9a-f]{64})\.mjs$/;

export class BundleCache {
  readonly #env: CacheEnv;
  readonly #options: BundleCacheOptions;
  readonly #fetching = new Map<string, Promise<string>>();

  constructor(env: CacheEnv, options: BundleCacheOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Makes the folder, and removes what was not finished and what is too old. */
  async open(): Promise<void> {
    const { folder, bundlesMax = 100 } = this.#options;
    const { disk } = this.#env;
    await disk.makeDir(folder, true);
    const names = (await disk.list(folder)).map(({ name }) => name);
    const partial = names.filter((name) => name.startsWith('.'));
    for (const name of partial) await disk.unlink(`${folder}/${name}`);
    const stats = await Promise.all(
      names
        .filter((name) => fileForm.test(name))
        .map(async (name) => ({
          name,
          ms: (await disk.stat(`${folder}/${name}`))?.modifiedMs ?? 0,
        })),
    );
    stats.sort((a, b) => b.ms - a.ms || (a.name < b.name ? -1 : 1));
    for (const { name } of stats.slice(bundlesMax)) await disk.unlink(`${folder}/${name}`);
  }

  /** Where it lies. @throws BUNDLE_DAMAGED, and what the disk and the calls throw */
  async pathOf(hash: string): Promise<string> {
    // It becomes a name on this disk, and comes from elsewhere.
    if (!isSha256(hash)) throw damagedError(hash, 'its name is no hash');
    const path = `${this.#options.folder}/${hash}.mjs`;
    const fetching = this.#fetching.get(hash) ?? this.#checkOrFetch(hash, path);
    this.#fetching.set(hash, fetching);
    try {
      return await fetching;
    } finally {
      this.#fetching.delete(hash);
    }
  }

  /** What lies there is read before it runs: a disk may have lost a part of it since. */
  async #checkOrFetch(hash: string, path: string): Promise<string> {
    const known = await readWholeFile(this.#env.disk, path);
    if (known !== null && sha256Of(known) === hash) return path;
    const bytes = await this.#fetch(hash);
    const found = sha256Of(bytes);
    if (found !== hash) throw damagedError(hash, `what came has the hash ${found}`);
    const { disk, secrets } = this.#env;
    const hidden = `${this.#options.folder}/.${hash}~${secrets.hex(4)}`;
    await putWholeFile(disk, { path, hidden }, bytes);
    return path;
  }

  async #fetch(hash: string): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    for (let part = 0; part < partsMax; part++) {
      const { data, isLast } = await this.#options.readPart(hash, part);
      const bytes = Buffer.from(data, 'base64');
      if (bytes.length > bundlePartBytes) throw damagedError(hash, `part ${part} is too long`);
      parts.push(bytes);
      if (isLast) return Buffer.concat(parts);
    }
    throw damagedError(hash, `it has more than ${partsMax} parts`);
  }
}

function damagedError(hash: string, why: string) {
  return typedError('BUNDLE_DAMAGED', `bundle "${hash}" is damaged: ${why}`, {
    hint: 'Submit the job again: its bundle is then made and stored anew.',
    details: { hash },
  });
}
