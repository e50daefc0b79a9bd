/**
 * Walks a folder and finds the files below it, many folders at a time: a `node_modules` has thousands,
 * and one after the other each would wait for the disk.
 *
 * A symbolic link to a file is a file; one to a folder is not followed, so a walk cannot go in circles
 * or leave the folder. Devices, sockets and pipes are passed over. The order of the result does not
 * depend on which answer comes first.
 */
import type { DirEntry, Disk, FileStat } from '../../base/env/disk.ts';
import { codeOf } from '../../base/typed-error.ts';
import { pathIn } from './file-path.ts';
import type { SourceFile } from './file-range.ts';
import { unreadableError } from './source-errors.ts';

/** Calls to the disk under way at once: above this Node's own four threads only queue them. */
const concurrencyMax = 32;

export interface WalkOptions {
  readonly disk: Disk;
  readonly root: string;
  /** Folders deeper than this below the root are not opened; 0 is the root itself. */
  readonly depthMax: number;
  /** Whether names that begin with a dot are seen. */
  readonly seesHidden: boolean;
  /** @param pathBelowRoot - `a/b.txt` for `root/a/b.txt`. */
  readonly isWanted: (pathBelowRoot: string) => boolean;
}

export interface Walked {
  /** Wanted files, sorted by path in code-unit order. */
  readonly files: readonly SourceFile[];
  /** All files, wanted or not, links left out. */
  readonly seenCount: number;
}

interface Folder {
  readonly path: string;
  readonly below: string;
  readonly depth: number;
}

export async function walkFiles(options: WalkOptions): Promise<Walked> {
  const { disk, root } = options;
  const found: Found = { wanted: [], seenCount: 0 };
  let level: Folder[] = [{ path: root, below: '', depth: 0 }];
  while (level.length > 0) {
    const lists = await mapBounded(level, (folder) => entriesOf(disk, folder.path));
    level = level.flatMap((folder, index) =>
      lookThrough(options, folder, lists[index] ?? [], found),
    );
  }
  const files = await mapBounded(found.wanted.sort(), async (path) => {
    const stat = await statOf(disk, path);
    return stat?.kind === 'file' ? { path, sizeBytes: stat.sizeBytes } : null;
  });
  return { files: files.filter((file) => file !== null), seenCount: found.seenCount };
}

interface Found {
  readonly wanted: string[];
  seenCount: number;
}

/** Notes the files of a folder, and answers with the folders in it that are to be opened. */
function lookThrough(
  options: WalkOptions,
  folder: Folder,
  entries: readonly DirEntry[],
  found: Found,
): Folder[] {
  const folders: Folder[] = [];
  for (const { name, kind } of entries) {
    if (!options.seesHidden && name.startsWith('.')) continue;
    const path = pathIn(folder.path, name);
    const below = folder.below === '' ? name : `${folder.below}/${name}`;
    if (kind === 'folder' && folder.depth < options.depthMax) {
      folders.push({ path, below, depth: folder.depth + 1 });
    } else if (kind === 'file' || kind === 'link') {
      if (kind === 'file') found.seenCount++;
      if (options.isWanted(below)) found.wanted.push(path);
    }
  }
  return folders;
}

/** A folder that may not be read is an error: to leave it out would be a wrong answer. */
async function entriesOf(disk: Disk, path: string): Promise<DirEntry[]> {
  try {
    return await disk.list(path);
  } catch (error) {
    // It was removed since its parent was listed: then nothing is in it.
    if (codeOf(error) === 'DISK_NOT_FOUND') return [];
    throw unreadableError('folder', path, error);
  }
}

async function statOf(disk: Disk, path: string): Promise<FileStat | null> {
  try {
    return await disk.stat(path);
  } catch (error) {
    throw unreadableError('file', path, error);
  }
}

/** `Promise.all` of `map`, with at most `concurrencyMax` under way; results in the items' order. */
async function mapBounded<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let index = 0;
  const work = async () => {
    while (index < items.length) {
      const mine = index++;
      results[mine] = await map(items[mine] as T);
    }
  };
  const workers = Math.min(concurrencyMax, items.length);
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}
