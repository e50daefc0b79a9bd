/**
 * The disk seam, in two forms with the same words: `SyncDisk` for slot threads, where a blocking
 * read of 1 MiB is the fastest way to read, and `Disk` for roles, which must not block.
 *
 * Durable means written and fsynced; a created or renamed name is durable after `syncDir` of its
 * folder. Errors are typed: DISK_NOT_FOUND, DISK_PERMISSION, DISK_FULL, DISK_EXISTS, DISK_IO,
 * DISK_IS_A_FOLDER, DISK_NOT_A_FOLDER, DISK_TOO_MANY_FILES, each with the path and the system's own
 * code in `details`.
 */

export type OpenMode =
  /** Reads an existing file. */
  | 'read'
  /** Creates a new file for writing; DISK_EXISTS when the name is taken. */
  | 'createNew'
  /** Creates a file for writing, or empties the existing one. */
  | 'replace'
  /** Reads and writes an existing file, or creates it. */
  | 'update';

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export interface DirEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
}

/** What the disk below a path has room for. */
export interface DiskSpace {
  readonly capacityBytes: number;
  /** That this user may fill. */
  readonly freeBytes: number;
}

/** An open file, known by a number that only its disk understands. */
export type FileId = number;

export interface SyncDisk {
  open(path: string, mode: OpenMode): FileId;
  /** Reads at `position` until `into` is full or the file ends; answers with the bytes read. */
  read(file: FileId, into: Uint8Array, position: number): number;
  /** Writes all of `from` at `position`; a short write is continued or becomes an error. */
  write(file: FileId, from: Uint8Array, position: number): void;
  /** Makes the file so long: what is behind goes, what is missing is zeros. Durable with the next fsync. */
  truncate(file: FileId, sizeBytes: number): void;
  fsync(file: FileId): void;
  close(file: FileId): void;
  rename(from: string, to: string): void;
  syncDir(path: string): void;
  /** Removes a file; no error when it is not there. */
  unlink(path: string): void;
  /** Removes a folder and all below it; no error when it is not there. */
  removeTree(path: string): void;
  /**
   * Makes a folder and its missing parents; no error when it is there.
   * @param isPrivate - Of what is made, this user alone may see what is in it. @defaultValue false
   */
  makeDir(path: string, isPrivate?: boolean): void;
  /** Entries of a folder, sorted by name in code-unit order. */
  list(path: string): DirEntry[];
  /** Facts about a path, links followed; null when nothing is there. */
  stat(path: string): FileStat | null;
  /** Of the disk that a file or folder is on. */
  space(path: string): DiskSpace;
}

type Promised<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never;
};

/** The same words for roles: each answers with a promise. */
export type Disk = Promised<SyncDisk>;
