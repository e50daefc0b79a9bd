/**
 * Inodes as rows of columns: about 62 bytes each, beside the name and the entry in the directory.
 *
 *     row    parent  id     name (at, length)  owner  group  mode   times   replication  block size   contents
 *     0      0       16385  –                  0      0      0755d  …                                 rows 1, 7
 *     1      0       16386  "books"            0      0      0755d  …                                 row 2
 *     2      1       16387  "one.txt"          1      0      0644   …       3            128 MiB      blocks 0, 1
 *
 * `contents` are rows: of a directory its entries, sorted by name; of a file its blocks, in order. A row is used again
 * when its inode is gone; an id never is.
 */
import { BytePool } from '../table/byte-pool.ts';
import { Column, type ReadColumn } from '../table/column.ts';
import { ListEntries, NumberLists, type ReadLists } from '../table/number-lists.ts';

/** In `mode`, above the twelve bits that HDFS has. In memory and in the fsimage: never renumber. */
export const modeFlags = { directory: 0x8000, open: 0x4000 } as const;
export const permissionMask = 0o7777;

export const rootRow = 0;

/** What it takes to read inodes, of now or of a frozen moment. */
export interface ReadInodes {
  readonly id: ReadColumn;
  readonly nameAt: ReadColumn;
  readonly nameLength: ReadColumn;
  readonly names: ReadColumn;
  readonly owner: ReadColumn;
  readonly group: ReadColumn;
  readonly mode: ReadColumn;
  readonly replication: ReadColumn;
  readonly blockSize: ReadColumn;
  readonly modifiedMs: ReadColumn;
  readonly accessedMs: ReadColumn;
  readonly contents: ReadLists;
}

export class InodeTable implements ReadInodes {
  readonly #entries = new ListEntries();
  readonly #pool = new BytePool();
  readonly #freed: number[] = [];
  #end = 0;

  readonly parent = Column.u32();
  readonly id = Column.f64();
  readonly nameAt = Column.u32();
  readonly nameLength = Column.u8();
  readonly owner = Column.u32();
  readonly group = Column.u32();
  readonly mode = Column.u16();
  readonly replication = Column.u16();
  readonly blockSize = Column.f64();
  readonly modifiedMs = Column.f64();
  readonly accessedMs = Column.f64();
  readonly contents = new NumberLists(this.#entries);

  readonly #columns = [
    ...[this.parent, this.id, this.nameAt, this.nameLength, this.owner, this.group, this.mode],
    ...[this.replication, this.blockSize, this.modifiedMs, this.accessedMs],
  ];

  get names(): ReadColumn {
    return this.#pool.column;
  }

  get count(): number {
    return this.#end - this.#freed.length;
  }

  get sizeBytes(): number {
    const columns = [...this.#columns, this.contents, this.#pool.column, this.#entries.column];
    return columns.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** A row whose columns hold whatever they held before; its contents are empty. */
  add(name: Uint8Array): number {
    const row = this.#freed.pop() ?? this.#end++;
    if (row === this.#end - 1) {
      for (const column of this.#columns) column.reserve(this.#end);
      this.contents.reserve(this.#end);
    }
    this.rename(row, name);
    return row;
  }

  /** Gives a row without a name one. */
  rename(row: number, name: Uint8Array): void {
    this.nameAt.set(row, this.#pool.add(name));
    this.nameLength.set(row, name.length);
  }

  freeName(row: number): void {
    this.#pool.free(this.nameAt.get(row), this.nameLength.get(row));
  }

  free(row: number): void {
    this.freeName(row);
    this.contents.clear(row);
    this.#freed.push(row);
  }

  isDirectory(row: number): boolean {
    return (this.mode.get(row) & modeFlags.directory) !== 0;
  }

  isOpen(row: number): boolean {
    return (this.mode.get(row) & modeFlags.open) !== 0;
  }

  setFlag(row: number, flag: number, isSet: boolean): void {
    const mode = this.mode.get(row);
    this.mode.set(row, isSet ? mode | flag : mode & ~flag);
  }

  permissionOf(row: number): number {
    return this.mode.get(row) & permissionMask;
  }

  freeze(): ReadInodes {
    const { start, count } = this.contents.freeze();
    return {
      id: this.id.freeze(),
      nameAt: this.nameAt.freeze(),
      nameLength: this.nameLength.freeze(),
      names: this.#pool.column.freeze(),
      owner: this.owner.freeze(),
      group: this.group.freeze(),
      mode: this.mode.freeze(),
      replication: this.replication.freeze(),
      blockSize: this.blockSize.freeze(),
      modifiedMs: this.modifiedMs.freeze(),
      accessedMs: this.accessedMs.freeze(),
      contents: { start, count, entries: this.#entries.column.freeze() },
    };
  }

  thaw(): void {
    for (const column of this.#columns) column.thaw();
    this.contents.thaw();
    this.#pool.column.thaw();
    this.#entries.column.thaw();
  }
}
