/**
 * Saving an fsimage while the namenode works: from a frozen moment of the namespace, frame by frame.
 *
 *     root │ entries of the root │ entries of its first directory │ entries of its second │ …       breadth first
 *
 * In this order the entries of a directory lie beside each other, and so do the blocks of a file: the image says only how many
 * there are, and reading it fills lists from left to right. It is also as compact as the tree, whatever was freed before.
 *
 * The file is written as `<path>.next` and renamed when it is durable. After: dfs/namenode/log/load-fs-image.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { Disk, FileId } from '../../../base/env/disk.ts';
import { folderOf } from '../../../base/env/whole-files.ts';
import type { ReadBlocks } from '../namespace/block-table.ts';
import { modeFlags, type ReadInodes, rootRow } from '../namespace/inode-table.ts';
import type { Namespace } from '../namespace/namespace.ts';
import {
  blockColumns,
  blockWidths,
  encodeFrameHead,
  encodeMagic,
  FrameColumns,
  frameKinds,
  type ImageHead,
  type ImageTail,
  inodeColumns,
  inodeWidths,
} from './image-frames.ts';

/** A namespace as it was at one moment. */
export interface FrozenNamespace {
  readonly inodes: ReadInodes;
  readonly blocks: ReadBlocks;
  readonly head: ImageHead;
  /** Counts, and what has inodes' rows in place of numbers in the image. */
  readonly tail: ImageTail;
}

/** At most one at a time: `thawNamespace` ends it. */
export function freezeNamespace(namespace: Namespace, head: ImageHead): FrozenNamespace {
  const { inodes, blocks, people, quotas, openFiles } = namespace;
  const { nextInodeId, nextBlockId, nextGenerationStamp } = namespace;
  const tail = {
    ...{ inodeCount: inodes.count, blockCount: blocks.count },
    ...{ nextInodeId, nextBlockId, nextGenerationStamp },
    people: [...people.strings],
    quotas: quotas.rows.flatMap((row) => {
      const quota = quotas.at(row);
      return quota === null ? [] : [{ inode: row, ...quota.limits, ...quota.used }];
    }),
    openFiles: [...openFiles.values()].map(({ row, clientName }) => ({ inode: row, clientName })),
  };
  return { inodes: inodes.freeze(), blocks: blocks.freeze(), head, tail };
}

export function thawNamespace({ inodes, blocks }: Namespace): void {
  inodes.thaw();
  blocks.thaw();
}

export interface ImageOptions {
  readonly path: string;
  readonly checksum: Checksum;
  /** Rows in a frame. @defaultValue 16,384: about 1.3 MB of inodes */
  readonly frameRows?: number;
}

/** Durable when it resolves. @throws errors of the disk; what was at `path` is untouched then */
export async function saveFsImage(
  disk: Disk,
  frozen: FrozenNamespace,
  { path, checksum, frameRows = 16_384 }: ImageOptions,
): Promise<void> {
  const next = `${path}.next`;
  const file = await disk.open(next, 'replace');
  try {
    const writer = new ImageWriter(disk, file, checksum);
    await writer.begin(frozen.head);
    await writeRows(writer, frozen, frameRows);
    await disk.fsync(file);
  } finally {
    await disk.close(file);
  }
  await disk.rename(next, path);
  await disk.syncDir(folderOf(path));
}

async function writeRows(
  writer: ImageWriter,
  frozen: FrozenNamespace,
  frameRows: number,
): Promise<void> {
  const { inodes, blocks, tail } = frozen;
  // Rows of those that the tail names, and what number each has in the image.
  const numbers = new Map([...tail.quotas, ...tail.openFiles].map(({ inode }) => [inode, -1]));
  const people = new FirstUses();
  let count = 0;
  let batch: number[] = [];
  for (const row of inodeOrder(inodes)) {
    if (numbers.has(row)) numbers.set(row, count);
    count++;
    batch.push(row);
    if (batch.length === frameRows) {
      await writer.write(frameKinds.inodes, frameRows, inodeBody(inodes, batch, people));
      batch = [];
    }
  }
  if (batch.length > 0) {
    await writer.write(frameKinds.inodes, batch.length, inodeBody(inodes, batch, people));
  }
  batch = [];
  for (const row of blockOrder(inodes)) {
    batch.push(row);
    if (batch.length === frameRows) {
      await writer.write(frameKinds.blocks, frameRows, blockBody(blocks, batch));
      batch = [];
    }
  }
  if (batch.length > 0) {
    await writer.write(frameKinds.blocks, batch.length, blockBody(blocks, batch));
  }
  const named = <T extends { readonly inode: number }>(one: T) => ({
    ...one,
    inode: numbers.get(one.inode) ?? -1,
  });
  const { quotas, openFiles } = tail;
  const last = {
    ...{ ...tail, quotas: quotas.map(named), openFiles: openFiles.map(named) },
    people: people.numbers.map((number) => tail.people[number] ?? ''),
  };
  await writer.write(frameKinds.tail, 0, jsonBytes(last));
}

/** Breadth first: the queue holds directories only. */
function* inodeOrder({ mode, contents }: ReadInodes): Generator<number> {
  yield rootRow;
  const directories = [rootRow];
  for (let next = 0; next < directories.length; next++) {
    const directory = directories[next] ?? rootRow;
    const start = contents.start.get(directory);
    for (let index = contents.count.get(directory) - 1, at = start; index >= 0; index--, at++) {
      const row = contents.entries.get(at);
      if ((mode.get(row) & modeFlags.directory) !== 0) directories.push(row);
      yield row;
    }
  }
}

/** Blocks in the order of their files. */
function* blockOrder(inodes: ReadInodes): Generator<number> {
  const { mode, contents } = inodes;
  for (const row of inodeOrder(inodes)) {
    if ((mode.get(row) & modeFlags.directory) !== 0) continue;
    const start = contents.start.get(row);
    const end = start + contents.count.get(row);
    for (let at = start; at < end; at++) yield contents.entries.get(at);
  }
}

/** Numbers in the order in which they are met: names that nobody has any more are left out. */
class FirstUses {
  readonly numbers: number[] = [];
  readonly #places = new Map<number, number>();

  placeOf(number: number): number {
    const known = this.#places.get(number);
    if (known !== undefined) return known;
    this.#places.set(number, this.numbers.length);
    return this.numbers.push(number) - 1;
  }
}

function inodeBody(
  inodes: ReadInodes,
  rows: readonly number[],
  people: FirstUses,
): Uint8Array<ArrayBuffer> {
  const nameBytes = rows.reduce((sum, row) => sum + inodes.nameLength.get(row), 0);
  const frame = FrameColumns.make(inodeWidths, rows.length, nameBytes);
  const { names, nameAt, contents, owner, group, ...columns } = inodes;
  let at = 0;
  rows.forEach((row, index) => {
    for (const [name, column] of Object.entries(columns)) {
      frame.set(inodeColumns[name as keyof typeof columns], index, column.get(row));
    }
    frame.set(inodeColumns.owner, index, people.placeOf(owner.get(row)));
    frame.set(inodeColumns.group, index, people.placeOf(group.get(row)));
    frame.set(inodeColumns.contentCount, index, contents.count.get(row));
    const start = nameAt.get(row);
    const length = inodes.nameLength.get(row);
    for (let byte = 0; byte < length; byte++) frame.bytes[at++] = names.get(start + byte);
  });
  return frame.body;
}

function blockBody(blocks: ReadBlocks, rows: readonly number[]): Uint8Array<ArrayBuffer> {
  const frame = FrameColumns.make(blockWidths, rows.length, 0);
  rows.forEach((row, index) => {
    frame.set(blockColumns.id, index, blocks.id.get(row));
    frame.set(blockColumns.generationStamp, index, blocks.generationStamp.get(row));
    frame.set(blockColumns.lengthBytes, index, blocks.lengthBytes.get(row));
    frame.set(blockColumns.state, index, blocks.state.get(row));
  });
  return frame.body;
}

function jsonBytes(value: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

class ImageWriter {
  readonly #disk: Disk;
  readonly #file: FileId;
  readonly #checksum: Checksum;
  #sizeBytes = 0;
  #frames = 0;

  constructor(disk: Disk, file: FileId, checksum: Checksum) {
    this.#disk = disk;
    this.#file = file;
    this.#checksum = checksum;
  }

  async begin(head: ImageHead): Promise<void> {
    await this.#put(encodeMagic());
    await this.write(frameKinds.head, 0, jsonBytes(head));
  }

  async write(kind: number, rows: number, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const frame = { kind, number: this.#frames++, rows, body };
    await this.#put(encodeFrameHead(frame, this.#checksum));
    await this.#put(body);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    await this.#disk.write(this.#file, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
  }
}
