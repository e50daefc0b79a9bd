/**
 * Makes what file sink writers wrote visible, all at once, by renames.
 *
 *     file      write .top.csv.<job>-0~1.tmp, fsync ──rename──▶ top.csv, fsync its folder
 *     folder    write .parts.<job>.new/part-*~1     ──rename──▶ part-*
 *                     .parts.<job>.new              ──rename──▶ parts   (after parts ──▶ ….old)
 *
 * A task may have run several times; what other tries than the winning one have written is removed first.
 *
 * A file is replaced atomically. A folder takes two renames, for no system renames over a folder that
 * has something in it: a reader sees the old folder or the new one, and for the moment between the two
 * renames none; never a mixture. Who dies in that moment leaves `….old`; it is put back by `abort`, by
 * a repeated `commit` replaced for good, or put back by the next job that writes to the same target.
 *
 * What dead attempts left beside the target is removed by a later `prepare` when it is older than 24
 * hours (by the disk's own clock): younger, it may belong to a job that still runs.
 *
 * A target that is a symbolic link to a file is replaced by a file; the file it names stays.
 *
 * Before: connectors/filesystem/file-sink-writer.ts
 */
import { assert } from '../../base/assert.ts';
import { compressionOf } from '../../base/compression.ts';
import type { Disk, FileStat } from '../../base/env/disk.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkCommitter } from '../../engine/contracts/sink.ts';
import type { FileSinkOptions } from './file-options.ts';
import { pathIn } from './file-path.ts';
import { checkParent, isMeantAsFolder } from './sink-checks.ts';
import {
  compressionNameError,
  folderExistsError,
  lostError,
  occupiedError,
  writeError,
} from './sink-errors.ts';
import { removeLeftovers, restoreReplacedFolder } from './sink-leftovers.ts';
import {
  type FileWrite,
  fileWriteOf,
  makeTarget,
  parseHiddenName,
  replacedFolderOf,
  type SinkTarget,
  stagedFolderOf,
  writtenPathOf,
} from './sink-target.ts';

export class FileCommitter implements SinkCommitter {
  readonly #options: FileSinkOptions;
  readonly #disk: Disk;
  readonly #attemptId: string;

  constructor(options: FileSinkOptions, context: RoleContext) {
    this.#options = options;
    this.#disk = context.disk;
    this.#attemptId = context.attemptId;
  }

  /** @throws SINK_PARENT_MISSING, SINK_FOLDER_EXISTS, SINK_UNWRITABLE, FILES_OPTION_INVALID, DISK_FULL. */
  async prepare(): Promise<Json> {
    const asFile = this.#target('file');
    return this.#naming(asFile.path, async () => {
      await checkParent(this.#disk, asFile);
      await restoreReplacedFolder(this.#disk, asFile);
      const target = this.#target(await this.#kindOf(asFile.path));
      const now = await this.#makeRoom(target);
      await removeLeftovers(this.#disk, target, now);
      return { ...target };
    });
  }

  /** @throws SINK_FOLDER_EXISTS, SINK_LOST, and the disk's errors. */
  async commit(writes: readonly Json[]): Promise<void> {
    const files = writes.map(fileWriteOf);
    const first = files[0];
    assert(first !== undefined, 'a commit has the writes of all tasks');
    const target = this.#target(first.kind);
    await this.#naming(target.path, () =>
      target.kind === 'file' ? this.#commitFile(target, files) : this.#commitFolder(target, files),
    );
  }

  /** Whether or not anything was prepared, written or committed. */
  async abort(): Promise<void> {
    const target = this.#target('file');
    const parent = await this.#disk.stat(target.parent);
    if (parent?.kind !== 'folder') return;
    const replaced = replacedFolderOf(target);
    if ((await this.#disk.stat(target.path)) === null && (await this.#disk.stat(replaced))) {
      await this.#disk.rename(replaced, target.path);
    }
    for (const { kind, path } of await this.#own(target)) {
      if (kind === 'written') await this.#disk.unlink(path);
      else await this.#disk.removeTree(path);
    }
    await this.#disk.syncDir(target.parent);
  }

  /** What this job has beside the target. */
  async #own(target: SinkTarget) {
    const entries = await this.#disk.list(target.parent);
    return entries.flatMap(({ name }) => {
      const hidden = parseHiddenName(target, name);
      if (hidden?.attemptId !== target.attemptId) return [];
      return [{ kind: hidden.kind, path: pathIn(target.parent, name) }];
    });
  }

  #target(kind: SinkTarget['kind']): SinkTarget {
    return makeTarget(kind, this.#options, this.#attemptId);
  }

  async #kindOf(path: string): Promise<SinkTarget['kind']> {
    const isFolder = isMeantAsFolder(this.#options);
    const stat = await this.#disk.stat(path);
    if (stat?.kind === 'other') throw occupiedError(path, 'it is neither a file nor a folder');
    if (stat?.kind === 'file' && isFolder) {
      throw occupiedError(path, 'it is a file, and a "/" at its end means a folder');
    }
    if (stat?.kind === 'folder' && !this.#options.overwrite) throw folderExistsError(path);
    if (isFolder || stat?.kind === 'folder') return 'folder';
    const { compression } = this.#options;
    if (compression !== undefined && compressionOf(path) !== compression) {
      throw compressionNameError(path, compression);
    }
    return 'file';
  }

  /** Shows, before any work is done, that the place can be written; answers with the disk's time. */
  async #makeRoom(target: SinkTarget): Promise<number> {
    if (target.kind === 'folder') {
      const staged = stagedFolderOf(target);
      await this.#disk.makeDir(staged);
      return modifiedMsOf(await this.#disk.stat(staged));
    }
    const probe = writtenPathOf(target, { taskIndex: 0, attempt: 0 }, '');
    await this.#disk.close(await this.#disk.open(probe, 'replace'));
    const now = modifiedMsOf(await this.#disk.stat(probe));
    await this.#disk.unlink(probe);
    return now;
  }

  async #commitFile(target: SinkTarget, files: readonly FileWrite[]): Promise<void> {
    assert(files.length === 1, 'one task writes a file');
    const write = files[0] as FileWrite;
    for (const { kind, path } of await this.#own(target)) {
      if (kind === 'written' && path !== write.path) await this.#disk.unlink(path);
    }
    if ((await this.#disk.stat(write.path)) !== null) {
      await this.#disk.rename(write.path, target.path);
    } else {
      await this.#checkIsThere(target, target.path, write);
    }
    await this.#disk.syncDir(target.parent);
  }

  async #commitFolder(target: SinkTarget, files: readonly FileWrite[]): Promise<void> {
    const staged = stagedFolderOf(target);
    const replaced = replacedFolderOf(target);
    if ((await this.#disk.stat(staged)) === null) {
      for (const write of files) {
        await this.#checkIsThere(target, pathIn(target.path, write.partName), write);
      }
    } else {
      await this.#nameParts(target, files);
      await this.#disk.syncDir(staged);
      if ((await this.#disk.stat(target.path)) !== null) {
        if (!this.#options.overwrite) throw folderExistsError(target.path);
        await this.#disk.removeTree(replaced);
        await this.#disk.rename(target.path, replaced);
      }
      await this.#disk.rename(staged, target.path);
    }
    await this.#disk.syncDir(target.parent);
    await this.#disk.removeTree(replaced);
  }

  /** Gives the parts that count their names, and leaves nothing else among them. */
  async #nameParts(target: SinkTarget, files: readonly FileWrite[]): Promise<void> {
    const staged = stagedFolderOf(target);
    const written = new Set(
      (await this.#disk.list(staged)).map(({ name }) => pathIn(staged, name)),
    );
    for (const write of files) {
      const named = pathIn(staged, write.partName);
      if (written.delete(write.path)) await this.#disk.rename(write.path, named);
      else await this.#checkIsThere(target, named, write);
      written.delete(named);
    }
    for (const path of written) await this.#disk.unlink(path);
  }

  /** A commit that is repeated finds its work done, and nothing to rename. */
  async #checkIsThere(target: SinkTarget, path: string, write: FileWrite): Promise<void> {
    const stat = await this.#disk.stat(path);
    if (stat?.sizeBytes !== write.sizeBytes) throw lostError(target.path, write.path);
  }

  async #naming<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw codeOf(error) === null ? error : writeError(path, error);
    }
  }
}

function modifiedMsOf(stat: FileStat | null): number {
  assert(stat !== null, 'what was just made is there');
  return stat.modifiedMs;
}
