/**
 * Opening a namenode's folder: the newest image that is whole, then the segments of the log behind it, without a gap.
 *
 *     fsimage-41 ─▶ what of edits-0 … is behind 41 ─▶ edits-97 ─▶ a new segment behind the last transaction
 *
 * - A gap, or a segment that is damaged before its end, is an error: an operation that was acknowledged is missing.
 * - A damaged image is passed over for the one before it, or for the whole log, while these are there.
 * - The last segment, and what says which cluster this is, are written anew: a process that died, or a failed fsync, leaves
 *   bytes that a program sees and the disk has not.
 *
 * Before: dfs/namenode/log/namespace-store.ts. After: dfs/namenode/log/load-fs-image.ts, dfs/namenode/log/edit-segment.ts.
 */
import { decodeChecked, encodeChecked } from '../../../base/checked-text.ts';
import type { Checksum } from '../../../base/checksum.ts';
import type { Env } from '../../../base/env/env.ts';
import { readWholeFile } from '../../../base/env/whole-files.ts';
import { codeOf } from '../../../base/typed-error.ts';
import type { ClusterIdentity } from '../../protocol/datanode-protocol.ts';
import { applyEdit } from '../namespace/apply-edit.ts';
import { modeFlags } from '../namespace/inode-table.ts';
import { Namespace } from '../namespace/namespace.ts';
import { EditLog } from './edit-log.ts';
import {
  afterOfName,
  decodeSegment,
  logDamagedError,
  segmentName,
  type Transaction,
} from './edit-segment.ts';
import { type LoadedImage, loadFsImage } from './load-fs-image.ts';

export type StoreEnv = Pick<Env, 'clock' | 'disk' | 'process' | 'observe' | 'secrets'>;

export interface StoreOptions {
  /** The namenode's own folder; made when it is missing. */
  readonly folder: string;
  /** Of the root of a new cluster. */
  readonly superuser: string;
  readonly supergroup: string;
  readonly checksum: Checksum;
}

const identityFormat = 'millrace-namenode-1'; // On disk: never renumber.
export interface Opened {
  readonly cluster: ClusterIdentity;
  readonly namespace: Namespace;
  readonly log: EditLog;
}

/** What happens once, when a folder is opened. */
export class Opening {
  readonly #env: StoreEnv;
  readonly #options: StoreOptions;

  constructor(env: StoreEnv, options: StoreOptions) {
    this.#env = env;
    this.#options = options;
  }

  async open(): Promise<Opened> {
    const { disk } = this.#env;
    const { folder } = this.#options;
    const found = (await disk.list(folder)).map(({ name }) => name);
    const names = found.filter((name) => !name.endsWith('.next'));
    for (const name of found) {
      if (name.endsWith('.next')) await disk.unlink(`${folder}/${name}`);
    }
    const images = positionsIn(names, positionOfImage).sort((a, b) => b - a);
    const segments = positionsIn(names, afterOfName).sort((a, b) => a - b);
    const { root, ...cluster } = await this.#identity(names.every((name) => name === 'cluster'));
    const image = await this.#newestImage(images, segments[0] === 0);
    const namespace = image?.namespace ?? new Namespace(root);
    const start = image?.head.position ?? 0;
    if (image !== null) this.#verifyCluster(imageName(start), image.head.clusterId, cluster);
    const after = await this.#replay(namespace, { segments, start, cluster });
    const log = await EditLog.start(this.#env, { folder, clusterId: cluster.clusterId, after });
    this.#env.observe.event('namenode.opened', { folder, position: after, image: start });
    return { cluster, namespace, log };
  }

  /** What a cluster is begun with; made once. */
  async #identity(isNew: boolean): Promise<Identity> {
    const { disk, secrets } = this.#env;
    const { folder, superuser, supergroup } = this.#options;
    const path = `${folder}/cluster`;
    const bytes = await readWholeFile(disk, path);
    const text = bytes === null ? null : decodeChecked(identityFormat, bytes);
    if (bytes !== null && text !== null) {
      // It may be only in the cache of a system whose process died before it was synced.
      await this.#writeAnew(path, bytes);
      const { clusterId, blockPoolId, root } = JSON.parse(text);
      return { clusterId, blockPoolId, root: { ...root, timeMs: 0 } };
    }
    // A power cut while it was made leaves half of it, and nothing beside it.
    if (!isNew) throw logDamagedError(path, 'the ids of the cluster are missing');
    const ids = { clusterId: `cluster-${secrets.hex(8)}`, blockPoolId: `pool-${secrets.hex(8)}` };
    const root = { owner: superuser, group: supergroup, mode: 0o755 | modeFlags.directory };
    const body = JSON.stringify({ version: 1, ...ids, root });
    await this.#writeAnew(path, encodeChecked(identityFormat, body));
    return { ...ids, root: { ...root, timeMs: 0 } };
  }

  /** Null for none; where all are damaged, too, if the log is there from the beginning. */
  async #newestImage(
    positions: readonly number[],
    isLogWhole: boolean,
  ): Promise<LoadedImage | null> {
    const { disk, observe } = this.#env;
    const { folder, checksum } = this.#options;
    let first: unknown = null;
    for (const position of positions) {
      const path = `${folder}/${imageName(position)}`;
      try {
        return await loadFsImage(disk, path, checksum);
      } catch (error) {
        if (codeOf(error) !== 'DFS_IMAGE_DAMAGED') throw error;
        first ??= error;
        observe.event('namenode.image-damaged', { path, error: String(error) });
      }
    }
    if (first !== null && !isLogWhole) throw first;
    return null;
  }

  /** Applies what is behind the image; answers with the position of the last transaction. */
  async #replay(namespace: Namespace, { segments, start, cluster }: Replay): Promise<number> {
    let position = start;
    // Those before the one that the image ends in are in the image.
    const firstIndex = Math.max(
      segments.findLastIndex((after) => after <= start),
      0,
    );
    const needed = segments.slice(firstIndex);
    for (const [index, after] of needed.entries()) {
      const isLast = index === needed.length - 1;
      const path = `${this.#options.folder}/${segmentName(after)}`;
      const bytes = (await readWholeFile(this.#env.disk, path)) ?? new Uint8Array(0);
      const segment = decodeSegment(bytes, path);
      if (after > position) {
        throw logDamagedError(
          path,
          `transactions ${position + 1} to ${after} are missing before it`,
        );
      }
      if (segment === null && isLast) break;
      if (segment === null || (segment.tornBytes > 0 && !isLast)) {
        throw logDamagedError(path, 'its end is missing, and there are later segments');
      }
      this.#verifyCluster(segmentName(after), segment.clusterId, cluster);
      if (segment.after !== after) throw logDamagedError(path, 'it is not the segment of its name');
      position = this.#apply(namespace, {
        path,
        after,
        position,
        transactions: segment.transactions,
      });
      if (isLast) await this.#writeAnew(path, bytes.subarray(0, segment.wholeBytes));
      if (segment.tornBytes > 0) {
        this.#env.observe.event('namenode.torn-end-cut', { path, bytes: segment.tornBytes });
      }
    }
    return position;
  }

  #apply(namespace: Namespace, { path, after, position, transactions }: SegmentPart): number {
    const skipped = Math.max(position - after, 0);
    for (const [index, edits] of transactions.slice(skipped).entries()) {
      try {
        for (const edit of edits) applyEdit(namespace, edit);
      } catch (error) {
        const at = after + skipped + index + 1;
        throw logDamagedError(path, `transaction ${at} does not fit what is before it`, error);
      }
    }
    return Math.max(position, after + transactions.length);
  }

  async #writeAnew(path: string, bytes: Uint8Array): Promise<void> {
    const { disk } = this.#env;
    const file = await disk.open(`${path}.next`, 'replace');
    try {
      await disk.write(file, bytes, 0);
      await disk.fsync(file);
    } finally {
      await disk.close(file);
    }
    await disk.rename(`${path}.next`, path);
    await disk.syncDir(this.#options.folder);
  }

  #verifyCluster(name: string, clusterId: string, cluster: ClusterIdentity): void {
    if (clusterId === cluster.clusterId) return;
    const path = `${this.#options.folder}/${name}`;
    throw logDamagedError(path, `it is of another cluster, "${clusterId}"`);
  }
}

interface Identity extends ClusterIdentity {
  readonly root: ConstructorParameters<typeof Namespace>[0];
}

interface Replay {
  readonly segments: readonly number[];
  readonly start: number;
  readonly cluster: ClusterIdentity;
}

interface SegmentPart {
  readonly path: string;
  readonly after: number;
  readonly position: number;
  readonly transactions: readonly Transaction[];
}

export function imageName(position: number): string {
  return `fsimage-${String(position).padStart(16, '0')}`;
}

export function positionOfImage(name: string): number | null {
  const digits = /^fsimage-(\d{16})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function positionsIn(
  names: readonly string[],
  of: (name: string) => number | null,
): number[] {
  return names.map(of).filter((position) => position !== null);
}
