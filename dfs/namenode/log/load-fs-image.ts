/**
 * Reading an fsimage into an empty namespace. Every frame is checked before it is used, and so are the counts at the end: an image is
 * whole, or an error.
 *
 * Before: dfs/namenode/log/save-fs-image.ts. After: dfs/namenode/log/namespace-store.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { Disk, FileId } from '../../../base/env/disk.ts';
import { TypedError } from '../../../base/typed-error.ts';
import { modeFlags, rootRow } from '../namespace/inode-table.ts';
import { Namespace } from '../namespace/namespace.ts';
import { newerError } from './edit-segment.ts';
import {
  blockColumns,
  blockWidths,
  decodeFrameHead,
  encodeMagic,
  FrameColumns,
  type FrameHead,
  frameHeadBytes,
  frameKinds,
  type ImageHead,
  type ImageTail,
  imageDamagedError,
  imageMagic,
  imageVersion,
  inodeColumns,
  inodeWidths,
  isFrameWhole,
} from './image-frames.ts';

export interface LoadedImage {
  readonly head: ImageHead;
  readonly namespace: Namespace;
}

/** A body longer than this is a damaged length: nothing that is written is. */
const bodyBytesMax = 512 * 1024 ** 2;

/** @throws DFS_IMAGE_DAMAGED, DFS_VERSION, and errors of the disk */
export async function loadFsImage(
  disk: Disk,
  path: string,
  checksum: Checksum,
): Promise<LoadedImage> {
  const file = await disk.open(path, 'read');
  try {
    return await new ImageReader({ disk, file, path, checksum }).read();
  } catch (error) {
    if (error instanceof TypedError) throw error;
    // A body that is whole, and still can't be: of a version with a mistake in it.
    throw imageDamagedError(path, 'its frames do not fit each other', error);
  } finally {
    await disk.close(file);
  }
}

interface ReaderOptions {
  readonly disk: Disk;
  readonly file: FileId;
  readonly path: string;
  readonly checksum: Checksum;
}

interface CheckedFrame extends FrameHead {
  readonly body: Uint8Array<ArrayBuffer>;
}

class ImageReader {
  readonly #options: ReaderOptions;
  #at = 0;
  #frames = 0;
  readonly #builder = new NamespaceBuilder();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  async read(): Promise<LoadedImage> {
    await this.#readMagic();
    const first = await this.#frame();
    if (first.kind !== frameKinds.head) throw this.#damaged('it does not begin with a head');
    const head: ImageHead = jsonOf(first.body);
    for (;;) {
      const frame = await this.#frame();
      if (frame.kind === frameKinds.tail) {
        const tail: ImageTail = jsonOf(frame.body);
        const namespace = this.#builder.finish(tail);
        if (namespace === null) throw this.#damaged('frames are missing');
        return { head, namespace };
      }
      if (frame.kind === frameKinds.inodes) this.#builder.addInodes(frame);
      else if (frame.kind === frameKinds.blocks) this.#builder.addBlocks(frame);
      else throw this.#damaged(`frame ${frame.number} is of the kind ${frame.kind}`);
    }
  }

  async #readMagic(): Promise<void> {
    const magic = encodeMagic();
    const found = new TextDecoder().decode(await this.#bytes(magic.length));
    const version = Number(new RegExp(`^${imageMagic}(\\d+)\\n`).exec(found)?.[1]);
    if (version > imageVersion) throw newerError(this.#options.path, version);
    if (version !== imageVersion) throw this.#damaged('it does not begin as one');
  }

  async #frame(): Promise<CheckedFrame> {
    const head = await this.#bytes(frameHeadBytes);
    const { bodyBytes, ...frame } = decodeFrameHead(head);
    const what = `frame ${this.#frames}`;
    if (bodyBytes > bodyBytesMax) throw this.#damaged(`${what} has a length that none has`);
    const body = await this.#bytes(bodyBytes);
    if (!isFrameWhole(head, body, this.#options.checksum))
      throw this.#damaged(`${what} has another checksum`);
    if (frame.number !== this.#frames) throw this.#damaged(`${what} is missing`);
    this.#frames++;
    return { ...frame, bodyBytes, body };
  }

  async #bytes(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count);
    const read = await this.#options.disk.read(this.#options.file, bytes, this.#at);
    if (read < count) throw this.#damaged(`it ends after ${this.#at + read} bytes`);
    this.#at += count;
    return bytes;
  }

  #damaged(what: string): TypedError {
    return imageDamagedError(this.#options.path, what);
  }
}

/** Rows come in the order of the image, so an inode's number in it is its row. */
class NamespaceBuilder {
  readonly #namespace = new Namespace({ owner: '', group: '', mode: 0, timeMs: 0 });
  readonly #counts: number[] = [];
  #inodeCount = 0;
  #blockCount = 0;

  addInodes({ rows, body }: CheckedFrame): void {
    const { inodes } = this.#namespace;
    const frame = new FrameColumns(inodeWidths, rows, body);
    let nameAt = 0;
    for (let index = 0; index < rows; index++) {
      const of = (column: keyof typeof inodeColumns) => frame.get(inodeColumns[column], index);
      const name = frame.bytes.subarray(nameAt, nameAt + of('nameLength'));
      nameAt += name.length;
      const row = this.#inodeCount === 0 ? rootRow : inodes.add(name);
      this.#inodeCount++;
      for (const column of ['id', 'blockSize', 'modifiedMs', 'accessedMs'] as const) {
        inodes[column].set(row, of(column));
      }
      // Still numbers of the image; `finish` knows the names.
      for (const column of ['owner', 'group', 'mode', 'replication'] as const) {
        inodes[column].set(row, of(column));
      }
      this.#counts.push(of('contentCount'));
    }
  }

  addBlocks({ rows, body }: CheckedFrame): void {
    const { blocks } = this.#namespace;
    const frame = new FrameColumns(blockWidths, rows, body);
    for (let index = 0; index < rows; index++) {
      const id = frame.get(blockColumns.id, index);
      const row = blocks.add(id, frame.get(blockColumns.generationStamp, index), rootRow);
      blocks.lengthBytes.set(row, frame.get(blockColumns.lengthBytes, index));
      blocks.state.set(row, frame.get(blockColumns.state, index));
      this.#blockCount++;
    }
  }

  /** Null where the tail counts others than there are. */
  finish(tail: ImageTail): Namespace | null {
    const namespace = this.#namespace;
    const { inodes } = namespace;
    if (tail.inodeCount !== this.#inodeCount || tail.blockCount !== this.#blockCount) return null;
    const people = tail.people.map((text) => namespace.people.numberOf(text));
    for (let row = 0; row < this.#inodeCount; row++) {
      inodes.owner.set(row, people[inodes.owner.get(row)] ?? 0);
      inodes.group.set(row, people[inodes.group.get(row)] ?? 0);
    }
    if (!this.#fillContents()) return null;
    for (const { inode, namesMax, spaceBytesMax, names, spaceBytes } of tail.quotas) {
      namespace.quotas.set(inode, { namesMax, spaceBytesMax }, { names, spaceBytes });
    }
    for (const { inode, clientName } of tail.openFiles) namespace.setWriter(inode, clientName);
    namespace.nextInodeId = tail.nextInodeId;
    namespace.nextBlockId = tail.nextBlockId;
    namespace.nextGenerationStamp = tail.nextGenerationStamp;
    return namespace;
  }

  /** Hands out entries and blocks from left to right. */
  #fillContents(): boolean {
    const { inodes, blocks } = this.#namespace;
    let nextInode = 1;
    let nextBlock = 0;
    for (let row = 0; row < this.#inodeCount; row++) {
      const count = this.#counts[row] ?? 0;
      const isDirectory = (inodes.mode.get(row) & modeFlags.directory) !== 0;
      const first = isDirectory ? nextInode : nextBlock;
      const end = isDirectory ? this.#inodeCount : this.#blockCount;
      if (first + count > end) return false;
      inodes.contents.fill(row, count, (index) => first + index);
      const owner = isDirectory ? inodes.parent : blocks.file;
      for (let index = 0; index < count; index++) owner.set(first + index, row);
      if (isDirectory) nextInode += count;
      else nextBlock += count;
    }
    return nextInode === this.#inodeCount && nextBlock === this.#blockCount;
  }
}

function jsonOf<T>(body: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(body));
}
