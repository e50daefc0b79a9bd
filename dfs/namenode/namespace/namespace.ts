/**
 * The namespace: the tree of directories and files, in memory. It knows nothing of who asks, of what is allowed or of
 * the log: the operations decide by it, edits change it (apply-edit.ts).
 *
 *     resolve("/books/one.txt")   root ─▶ search "books" among the root's entries ─▶ search "one.txt"
 *
 * Entries of a directory are sorted, so finding one is a binary search, and a listing begins at any name at once. To add one
 * moves those behind it: 2 MB in a directory of a million, which is why directories have a limit (as in HDFS).
 *
 * Invariants:
 * - Each inode but the root is in its parent's entries, once, in the order of names.
 * - Each block is in one file; each file that has an id in `openFiles` has the flag `open`, and the other way round.
 * - What quotas count is what is below them (quota.ts).
 *
 * Before: dfs/namenode/operations/plan.ts. After: dfs/namenode/namespace/apply-edit.ts.
 */
import { assert } from '../../../base/assert.ts';
import type { Block } from '../../protocol/block.ts';
import { compareBytes, copyBytes } from '../table/byte-pool.ts';
import { StringPool } from '../table/string-pool.ts';
import { BlockTable, blockStates } from './block-table.ts';
import { InodeTable, modeFlags, rootRow } from './inode-table.ts';
import { formatPath } from './path.ts';
import { type Counts, QuotaTable } from './quota.ts';

/** How far a path leads. */
export interface Resolved {
  readonly names: readonly Uint8Array[];
  /** The root, and the inode of each name, up to the first that is not there or that is below a file. */
  readonly rows: readonly number[];
}

/** A file that somebody writes. */
export interface OpenFile {
  readonly row: number;
  readonly clientName: string;
}

/** What an inode that is made has beside its name. */
export interface NewInode {
  readonly id: number;
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
  readonly timeMs: number;
}

const firstInodeId = 16_385;
const firstBlockId = 1_073_741_825;
const firstGenerationStamp = 1_001;

export class Namespace {
  readonly inodes = new InodeTable();
  readonly blocks = new BlockTable();
  /** Names of owners and groups. */
  readonly people = new StringPool();
  readonly quotas = new QuotaTable();
  /** By file id. */
  readonly openFiles = new Map<number, OpenFile>();
  nextInodeId = firstInodeId;
  nextBlockId = firstBlockId;
  nextGenerationStamp = firstGenerationStamp;
  /** Called with the row of a block before it is gone. */
  onBlockRemoved: (blockRow: number) => void = () => undefined;
  /** Called with the row of a block when it has another version, or state, and with the version before. */
  onBlockChanged: (blockRow: number, before: Block) => void = () => undefined;

  constructor(root: Omit<NewInode, 'id'>) {
    const row = this.add(new Uint8Array(0), { ...root, id: firstInodeId });
    assert(row === rootRow, 'the root is the first inode');
    this.inodes.parent.set(row, rootRow);
  }

  /** An inode in no directory. */
  add(name: Uint8Array, { id, owner, group, mode, timeMs }: NewInode): number {
    const { inodes, people } = this;
    const row = inodes.add(name);
    inodes.id.set(row, id);
    inodes.owner.set(row, people.numberOf(owner));
    inodes.group.set(row, people.numberOf(group));
    inodes.mode.set(row, mode);
    inodes.replication.set(row, 0);
    inodes.blockSize.set(row, 0);
    inodes.modifiedMs.set(row, timeMs);
    inodes.accessedMs.set(row, 0);
    this.nextInodeId = Math.max(this.nextInodeId, id + 1);
    return row;
  }

  resolve(names: readonly Uint8Array[]): Resolved {
    const rows = [rootRow];
    let row = rootRow;
    for (const name of names) {
      row = this.inodes.isDirectory(row) ? this.childOf(row, name) : -1;
      if (row < 0) break;
      rows.push(row);
    }
    return { names, rows };
  }

  childOf(directory: number, name: Uint8Array): number {
    const index = this.#placeOf(directory, name);
    return index < 0 ? -1 : this.inodes.contents.at(directory, index);
  }

  childCountOf(directory: number): number {
    return this.inodes.contents.count.get(directory);
  }

  /** The index of the first entry behind a name. */
  indexBehind(directory: number, name: Uint8Array): number {
    const index = this.#placeOf(directory, name);
    return index < 0 ? ~index : index + 1;
  }

  nameOf(row: number): Uint8Array {
    const { names, nameAt, nameLength } = this.inodes;
    return copyBytes(names, nameAt.get(row), nameLength.get(row));
  }

  pathOf(row: number): string {
    const names: Uint8Array[] = [];
    for (let at = row; at !== rootRow; at = this.inodes.parent.get(at))
      names.unshift(this.nameOf(at));
    return formatPath(names);
  }

  link(directory: number, row: number): void {
    const index = this.#placeOf(directory, this.nameOf(row));
    assert(index < 0, 'a name is in a directory once');
    this.inodes.contents.insert(directory, ~index, row);
    this.inodes.parent.set(row, directory);
  }

  unlink(row: number): void {
    const directory = this.inodes.parent.get(row);
    const index = this.#placeOf(directory, this.nameOf(row));
    assert(index >= 0, 'an inode is in the entries of its parent');
    this.inodes.contents.remove(directory, index);
  }

  /** Frees an inode that is in no directory, and all below it. */
  removeTree(top: number): void {
    const { inodes, blocks } = this;
    const waiting = [top];
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      const count = inodes.contents.count.get(row);
      const isDirectory = inodes.isDirectory(row);
      for (let index = 0; index < count; index++) {
        const content = inodes.contents.at(row, index);
        if (isDirectory) waiting.push(content);
        else {
          this.onBlockRemoved(content);
          blocks.free(content);
        }
      }
      if (inodes.isOpen(row)) this.openFiles.delete(inodes.id.get(row));
      this.quotas.remove(row);
      inodes.free(row);
    }
  }

  /** Marks a file as being written, or takes the mark away. */
  setWriter(row: number, clientName: string | null): void {
    const id = this.inodes.id.get(row);
    this.inodes.setFlag(row, modeFlags.open, clientName !== null);
    if (clientName === null) this.openFiles.delete(id);
    else this.openFiles.set(id, { row, clientName });
  }

  lengthOf(file: number): number {
    const { contents } = this.inodes;
    let lengthBytes = 0;
    for (let index = contents.count.get(file) - 1; index >= 0; index--) {
      lengthBytes += this.blocks.lengthBytes.get(contents.at(file, index));
    }
    return lengthBytes;
  }

  /** A block that is being written counts as full: there must be room for it. */
  spaceOf(file: number): number {
    const { contents, blockSize, replication } = this.inodes;
    let lengthBytes = 0;
    for (let index = contents.count.get(file) - 1; index >= 0; index--) {
      const block = contents.at(file, index);
      const state = this.blocks.state.get(block);
      const isFinal = state === blockStates.complete || state === blockStates.committed;
      lengthBytes += isFinal ? this.blocks.lengthBytes.get(block) : blockSize.get(file);
    }
    return lengthBytes * replication.get(file);
  }

  /** Names and space of an inode and all below it. */
  countsOf(top: number): Counts {
    const { inodes } = this;
    const counts = { names: 0, spaceBytes: 0 };
    const waiting = [top];
    for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
      counts.names++;
      if (!inodes.isDirectory(row)) counts.spaceBytes += this.spaceOf(row);
      else {
        for (let index = inodes.contents.count.get(row) - 1; index >= 0; index--) {
          waiting.push(inodes.contents.at(row, index));
        }
      }
    }
    return counts;
  }

  /** The index of an entry, or the complement of where it would be. */
  #placeOf(directory: number, name: Uint8Array): number {
    const { contents, names, nameAt, nameLength } = this.inodes;
    let low = 0;
    let high = contents.count.get(directory);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const row = contents.at(directory, middle);
      const order = compareBytes(names, nameAt.get(row), nameLength.get(row), name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }
}
