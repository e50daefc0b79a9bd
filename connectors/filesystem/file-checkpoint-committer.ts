/**
 * Makes visible what file sink writers wrote up to a checkpoint: files are added to a folder that others may read at any
 * time, each whole and none twice.
 *
 *     barrier     write out/.part-… , fsync, fsync the folder
 *     complete    rename out/.part-… ──▶ out/part-… , fsync the folder      a repeated commit finds that done
 *     restart     the same for what the checkpoint names; other hidden parts are nobody's, and removed
 *     some tasks  hidden parts of tasks that are started again alone are removed
 *
 * Why renames are enough: which checkpoint counts is decided elsewhere, once. Whoever commits one, however late or often,
 * renames the same files to the same names; who has been overtaken has none to commit.
 *
 * What is removed was there before it was sure that no other attempt had taken over: a process that wakes up in between may
 * be late with it, and still takes nothing of its successor's.
 *
 * A job that begins anew wants a folder without visible files, or leave to empty it: rows of another run beside its own
 * would be taken for them. A single file is no target here, since what is added to a file that others read shows before it
 * is complete.
 *
 * Before: connectors/filesystem/file-parts-writer.ts
 */
import type { Disk } from '../../base/env/disk.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { CheckpointCommitter } from '../../engine/contracts/sink.ts';
import type { FileSinkOptions } from './file-options.ts';
import { pathIn } from './file-path.ts';
import { checkParent, isMeantAsFolder } from './sink-checks.ts';
import {
  filledFolderError,
  needsFolderError,
  occupiedError,
  partLostError,
  writeError,
} from './sink-errors.ts';
import {
  hiddenPathOf,
  type PartWrite,
  type PartWriter,
  partsOfWrites,
  writerOfHidden,
} from './sink-parts.ts';
import { makeTarget, type SinkTarget } from './sink-target.ts';

export class FileCheckpointCommitter implements CheckpointCommitter {
  readonly #options: FileSinkOptions;
  readonly #disk: Disk;
  readonly #target: SinkTarget;
  readonly #checkCurrent: () => Promise<void>;
  /** Hidden paths of parts that are to be visible, and may not be so yet. */
  readonly #uncommitted = new Set<string>();

  constructor(options: FileSinkOptions, { disk, attemptId, attempt }: RoleContext) {
    this.#options = options;
    this.#disk = disk;
    this.#target = makeTarget('folder', options, attemptId);
    this.#checkCurrent = async () => await attempt?.checkCurrent();
  }

  /**
   * @throws SINK_PARENT_MISSING, SINK_NEEDS_FOLDER, SINK_FOLDER_EXISTS, SINK_LOST, SINK_UNWRITABLE, and the disk's errors.
   */
  prepare(pending: readonly Json[] | null): Promise<Json> {
    return this.#naming(async () => {
      await checkParent(this.#disk, this.#target);
      await this.#makeFolder();
      if (pending === null) await this.#makeRoom();
      else await this.#show(partsOfWrites(pending));
      await this.#removeHidden(() => true, this.#checkCurrent);
      return { ...this.#target };
    });
  }

  /** @throws SINK_LOST, and the disk's errors. */
  commit(prepared: readonly Json[]): Promise<void> {
    return this.#naming(() => this.#show(partsOfWrites(prepared)));
  }

  /** @throws The disk's errors. */
  restart(taskIndexes: readonly number[]): Promise<Json> {
    return this.#naming(async () => {
      const { attemptId } = this.#target;
      const isGone = (writer: PartWriter) =>
        writer.attemptId === attemptId && taskIndexes.includes(writer.taskIndex);
      await this.#removeHidden(isGone);
      return { ...this.#target };
    });
  }

  async abort(): Promise<void> {
    const { path, attemptId } = this.#target;
    if ((await this.#disk.stat(path))?.kind !== 'folder') return;
    await this.#removeHidden((writer) => writer.attemptId === attemptId);
  }

  /** Makes the folder, and shows before any work is done that it can be written. */
  async #makeFolder(): Promise<void> {
    const { path, parent } = this.#target;
    const stat = await this.#disk.stat(path);
    const isFolder = isMeantAsFolder(this.#options);
    if (stat?.kind === 'file' && isFolder) {
      throw occupiedError(path, 'it is a file, and a "/" at its end means a folder');
    }
    if (stat?.kind === 'other') throw occupiedError(path, 'it is neither a file nor a folder');
    if (stat?.kind === 'file' || (stat === null && !isFolder)) throw needsFolderError(path);
    await this.#disk.makeDir(path);
    await this.#disk.syncDir(parent);
    const probe = hiddenPathOf(this.#target, 'probe');
    await this.#disk.close(await this.#disk.open(probe, 'replace'));
    await this.#disk.unlink(probe);
  }

  /** Removes what others see in the folder, if that was asked. */
  async #makeRoom(): Promise<void> {
    const { path } = this.#target;
    const visible = (await this.#disk.list(path)).filter(({ name }) => !name.startsWith('.'));
    if (visible.length === 0) return;
    if (!this.#options.overwrite) throw filledFolderError(path);
    await this.#checkCurrent();
    for (const { name, kind } of visible) {
      if (kind === 'folder') await this.#disk.removeTree(pathIn(path, name));
      else await this.#disk.unlink(pathIn(path, name));
    }
    await this.#disk.syncDir(path);
  }

  async #show(parts: readonly PartWrite[]): Promise<void> {
    if (parts.length === 0) return;
    const { path } = this.#target;
    for (const { name } of parts) this.#uncommitted.add(hiddenPathOf(this.#target, name));
    for (const part of parts) await this.#showPart(part);
    await this.#disk.syncDir(path);
    for (const { name } of parts) this.#uncommitted.delete(hiddenPathOf(this.#target, name));
  }

  async #showPart({ name, sizeBytes }: PartWrite): Promise<void> {
    const hidden = hiddenPathOf(this.#target, name);
    const visible = pathIn(this.#target.path, name);
    const found = (await this.#disk.stat(hidden)) ?? (await this.#disk.stat(visible));
    if (found?.sizeBytes !== sizeBytes) throw partLostError(this.#target.path, hidden, visible);
    try {
      await this.#disk.rename(hidden, visible);
    } catch (error) {
      // It was visible already, or has just become so: another attempt may commit the same checkpoint now.
      if (codeOf(error) !== 'DISK_NOT_FOUND') throw error;
    }
  }

  /**
   * Parts of the writers that are not to become visible.
   *
   * @param check - Is asked when it is known which there are; what it throws keeps them.
   */
  async #removeHidden(
    isOf: (writer: PartWriter) => boolean,
    check?: () => Promise<void>,
  ): Promise<void> {
    const { path } = this.#target;
    const entries = await this.#disk.list(path);
    await check?.();
    for (const { name } of entries) {
      const writer = writerOfHidden(name);
      const hidden = pathIn(path, name);
      if (writer === null || !isOf(writer) || this.#uncommitted.has(hidden)) continue;
      await this.#disk.unlink(hidden);
    }
  }

  async #naming<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw codeOf(error) === null ? error : writeError(this.#target.path, error);
    }
  }
}
