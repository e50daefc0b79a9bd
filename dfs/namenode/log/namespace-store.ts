/**
 * The namespace and its place on disk: opened from an fsimage and the log behind it, changed by plans whose edits are durable before
 * anybody is answered.
 *
 *     plan ─▶ edits applied in memory ─▶ appended ─▶ … durable ─▶ answer
 *
 *     edits-0 │ edits-41 │ edits-97 …      segments; each begins behind the position in its name
 *     fsimage-41   fsimage-97              what all up to that position comes to; the two newest are kept
 *
 * - Reads wait, too, until what they have seen is durable: nobody is ever shown what a crash takes back.
 * - A segment, or an image, goes only when the two newest images do without it.
 *
 * Before: dfs/namenode/operations/operation.ts. After: dfs/namenode/log/open-namespace.ts.
 */
import { disown, own } from '../../../base/env/owner-file.ts';
import { typedError } from '../../../base/typed-error.ts';
import type { ClusterIdentity } from '../../protocol/datanode-protocol.ts';
import { applyEdit } from '../namespace/apply-edit.ts';
import type { Namespace } from '../namespace/namespace.ts';
import type { Plan } from '../operations/operation.ts';
import { type EditLog, exitCodeDiskInDoubt } from './edit-log.ts';
import { afterOfName, segmentName } from './edit-segment.ts';
import {
  imageName,
  type Opened,
  Opening,
  positionOfImage,
  positionsIn,
  type StoreEnv,
  type StoreOptions,
} from './open-namespace.ts';
import { freezeNamespace, saveFsImage, thawNamespace } from './save-fs-image.ts';

const imagesKept = 2;

export class NamespaceStore {
  readonly cluster: ClusterIdentity;
  readonly namespace: Namespace;
  readonly #env: StoreEnv;
  readonly #options: StoreOptions;
  readonly #log: EditLog;
  #saving: Promise<void> | null = null;

  private constructor(env: StoreEnv, options: StoreOptions, opened: Opened) {
    this.#env = env;
    this.#options = options;
    this.cluster = opened.cluster;
    this.namespace = opened.namespace;
    this.#log = opened.log;
  }

  /**
   * Opens the folder, or makes a new cluster in an empty one.
   * @throws DFS_IN_USE, DFS_LOG_DAMAGED, DFS_IMAGE_DAMAGED, DFS_VERSION, and errors of the disk
   */
  static async open(env: StoreEnv, options: StoreOptions): Promise<NamespaceStore> {
    await env.disk.makeDir(options.folder, true);
    await own(env, options.folder, (owner) => inUseError(options.folder, owner));
    try {
      return new NamespaceStore(env, options, await new Opening(env, options).open());
    } catch (error) {
      await disown(env, options.folder);
      throw error;
    }
  }

  /** Of the last transaction, which may not be durable yet. */
  get position(): number {
    return this.#log.position;
  }

  /**
   * Decides, applies and logs at once, and answers when it is durable.
   * @throws what `decide` throws; nothing was done then
   */
  async commit<Answer>(decide: () => Plan<Answer>): Promise<Answer> {
    try {
      const plan = decide();
      if (plan.edits.length > 0) this.#apply(plan);
      return plan.answer();
    } finally {
      // A refusal shows what is there as much as an answer does.
      await this.#log.durable(this.#log.position);
    }
  }

  #apply({ edits }: Plan<unknown>): void {
    try {
      for (const edit of edits) applyEdit(this.namespace, edit);
    } catch (error) {
      // Half of an operation is in memory, and no one can take it back: what is on disk is right.
      this.#env.observe.event('namenode.edit-failed', { error: String(error) });
      this.#env.process.exit(exitCodeDiskInDoubt);
    }
    this.#log.append(edits);
  }

  /** Saves an fsimage of this moment while the namespace goes on changing, and drops what it makes superfluous. */
  saveImage(): Promise<void> {
    this.#saving ??= this.#saveImage().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  async #saveImage(): Promise<void> {
    const { folder, checksum } = this.#options;
    const { position } = this.#log;
    const head = { clusterId: this.cluster.clusterId, position };
    const frozen = freezeNamespace(this.namespace, head);
    try {
      await this.#log.durable(position);
      await this.#log.roll();
      await saveFsImage(this.#env.disk, frozen, {
        path: `${folder}/${imageName(position)}`,
        checksum,
      });
    } finally {
      thawNamespace(this.namespace);
    }
    await this.#dropOld();
  }

  async #dropOld(): Promise<void> {
    const { disk } = this.#env;
    const { folder } = this.#options;
    const names = (await disk.list(folder)).map(({ name }) => name);
    const images = positionsIn(names, positionOfImage).sort((a, b) => b - a);
    // As long as there is only one, the whole log is there beside it.
    const oldest = images[imagesKept - 1] ?? 0;
    const segments = positionsIn(names, afterOfName).sort((a, b) => a - b);
    // A segment may go when the one behind it begins where the oldest image that is kept ends, or before.
    const gone = segments.filter((_, index) => (segments[index + 1] ?? Infinity) <= oldest);
    for (const position of images.slice(imagesKept)) {
      await disk.unlink(`${folder}/${imageName(position)}`);
    }
    for (const after of gone) await disk.unlink(`${folder}/${segmentName(after)}`);
  }

  async close(): Promise<void> {
    await this.#saving;
    await this.#log.close();
    await disown(this.#env, this.#options.folder);
  }
}

function inUseError(folder: string, owner: string) {
  return typedError('DFS_IN_USE', `the namenode's folder "${folder}" belongs to ${owner}`, {
    hint: `Stop the other namenode, or give this one a folder of its own. If it surely does not run, remove "${folder}.owner".`,
    details: { folder, owner },
  });
}
