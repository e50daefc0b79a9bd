/**
 * The pages of a column chunk, one after the other: headers, and the bytes behind them. The file is
 * read in windows; a page that is passed over is not read, as far as it lies beyond the window. Who knows where a
 * page is may go there (page-index.ts).
 *
 *     chunk    [header │ dictionary][header │ page][header │ page] …
 *     window            ▲ read up to here, at least the page that is wanted
 *
 * Nothing is trusted: a page lies within its chunk, and its bytes are as many as its header says.
 */
import { crc32 } from 'node:zlib';
import { assert } from '../../../base/assert.ts';
import type { FileId } from '../../../base/env/disk.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { unpackSlackBytes } from '../../../engine/kernels/compression-kernels.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { changedError } from '../../filesystem/source-errors.ts';
import { corruptError } from '../parquet-errors.ts';
import { codecs, type PageHeader, pageHeaderOf } from '../parquet-metadata.ts';
import type { ChunkPlace } from '../plan/parquet-split.ts';
import { readThriftStruct } from '../thrift-reader.ts';
import { uncompress } from './uncompress.ts';

/** Most pages are below 1 MiB; smaller windows cost more calls, larger ones memory per column. */
const windowBytes = 256 << 10;
/** Holds the header of nearly every page; those with long texts as statistics are read again. */
const headerBytesUsual = 256;
/** A header without an end is not looked for in the whole chunk. */
const headerBytesMax = 1 << 20;
/** A page that claims more than this must be within what its chunk claims. */
const pageBytesLikely = 64 << 20;

/** A file that is open, and the column that is being read. */
export interface OpenColumn {
  readonly context: SlotContext;
  readonly file: FileId;
  readonly path: string;
  readonly name: string;
}

/** A page in the slot's memory; the block is its holder's. */
export interface PageBytes {
  readonly block: BlockHandle;
  /** Levels of a page of version 2: repetition, then definition; the values of all others. */
  readonly from: number;
  /** Where the values of a page of version 2 are; of others the same as `from`. */
  readonly valuesFrom: number;
  readonly end: number;
}

export class ChunkPages {
  readonly #column: OpenColumn;
  readonly #chunk: ChunkPlace;
  #window: BlockHandle = 0;
  /** Places in the file: what the window holds. */
  #windowStart: number;
  #windowEnd: number;
  /** The place in the file that is next. */
  #at: number;
  #header: PageHeader | null = null;

  constructor(column: OpenColumn, chunk: ChunkPlace) {
    this.#column = column;
    this.#chunk = chunk;
    this.#at = chunk.start;
    this.#windowStart = chunk.start;
    this.#windowEnd = chunk.start;
  }

  /** The header of the next page; null behind the last. The page before is passed over. */
  next(): PageHeader | null {
    if (this.#header !== null) this.#at += this.#header.compressedBytes;
    this.#header = null;
    const left = this.#end - this.#at;
    if (left <= 0) return null;
    const most = Math.min(left, headerBytesMax);
    for (let size = Math.min(most, headerBytesUsual); ; size = Math.min(most, size * 8)) {
      const read = readHeader(this.#bytesAt(size));
      if (read !== null) return this.#take(read.header, read.sizeBytes);
      if (size === most) throw this.#corrupt('has the header of a page that is damaged');
    }
  }

  /** Goes on with the page whose header is at this place in the file, which lies ahead. */
  seek(place: number): void {
    if (place < this.#at || place >= this.#end) {
      throw this.#corrupt('has an index of pages that lie elsewhere');
    }
    this.#header = null;
    this.#at = place;
  }

  /** The bytes of the page whose header came last; the caller owns the block. */
  readPage(): PageBytes {
    const header = this.#header;
    assert(header !== null, 'a page is read after its header');
    const { compressedBytes, uncompressedBytes, v2, crc } = header;
    const { scope } = this.#column.context;
    const from = this.#load(compressedBytes);
    if (crc !== null) this.#checkCrc(from, compressedBytes, crc);
    const levelBytes = v2 === null ? 0 : v2.definitionBytes + v2.repetitionBytes;
    const block = scope.allocate(uncompressedBytes + unpackSlackBytes + 8);
    const start = addressOf(block);
    // Values start at a multiple of 8.
    const valuesFrom = start + Math.ceil(levelBytes / 8) * 8;
    const levelsFrom = valuesFrom - levelBytes;
    scope.memory.bytes.copyWithin(levelsFrom, from, from + levelBytes);
    const isWhole = uncompress(this.#column.context, {
      codec: v2 === null || v2.isCompressed ? this.#chunk.codec : codecs.none,
      from: from + levelBytes,
      sizeBytes: compressedBytes - levelBytes,
      to: valuesFrom,
      toBytes: uncompressedBytes - levelBytes,
    });
    if (!isWhole) {
      scope.memory.release(block);
      throw this.#corrupt('has a page that can not be uncompressed');
    }
    const end = valuesFrom + uncompressedBytes - levelBytes;
    return { block, from: levelsFrom, valuesFrom, end };
  }

  close(): void {
    const window = this.#window;
    this.#window = 0;
    if (window !== 0) this.#column.context.scope.memory.release(window);
  }

  get #end(): number {
    return this.#chunk.start + this.#chunk.sizeBytes;
  }

  #take(header: PageHeader, headerBytes: number): PageHeader {
    const { compressedBytes, uncompressedBytes, v2 } = header;
    this.#at += headerBytes;
    if (compressedBytes > this.#end - this.#at) {
      throw this.#corrupt('has a page that is longer than its chunk');
    }
    const likely = Math.max(pageBytesLikely, this.#chunk.uncompressedBytes);
    if (uncompressedBytes > likely) throw this.#corrupt('has a page that claims too many bytes');
    const levelBytes = v2 === null ? 0 : v2.definitionBytes + v2.repetitionBytes;
    if (levelBytes > Math.min(compressedBytes, uncompressedBytes)) {
      throw this.#corrupt('has a page with more levels than bytes');
    }
    this.#header = header;
    return header;
  }

  /** The next bytes of the file, in the window. */
  #bytesAt(sizeBytes: number): Uint8Array {
    const address = this.#load(sizeBytes);
    return this.#column.context.scope.memory.bytes.subarray(address, address + sizeBytes);
  }

  /** Brings the next bytes of the file into the window; answers with their address. */
  #load(sizeBytes: number): number {
    const { context } = this.#column;
    const { memory } = context.scope;
    if (this.#at > this.#windowEnd || this.#at < this.#windowStart) {
      this.#windowStart = this.#at;
      this.#windowEnd = this.#at;
    }
    if (this.#at + sizeBytes > this.#windowEnd) {
      const usual = Math.min(windowBytes, this.#end - this.#at);
      this.#makeRoom(Math.max(usual, sizeBytes));
      const room = Math.min(memory.sizeOf(this.#window), this.#end - this.#windowStart);
      const from = addressOf(this.#window) + this.#windowEnd - this.#windowStart;
      const wanted = room - (this.#windowEnd - this.#windowStart);
      const into = memory.bytes.subarray(from, from + wanted);
      const count = context.disk.read(this.#column.file, into, this.#windowEnd);
      if (count < wanted) throw changedError(this.#column.path, 'became shorter');
      this.#windowEnd += wanted;
    }
    return addressOf(this.#window) + this.#at - this.#windowStart;
  }

  /** Moves what is left of the window to the front of one that is large enough. */
  #makeRoom(sizeBytes: number): void {
    const { scope } = this.#column.context;
    const { memory } = scope;
    const kept = this.#windowEnd - this.#at;
    const old = this.#window;
    const isLarge = old !== 0 && memory.sizeOf(old) >= sizeBytes;
    // A little more than is wanted, for the next header.
    const window = isLarge ? old : scope.allocate(sizeBytes + headerBytesUsual);
    if (kept > 0) {
      const from = addressOf(old) + this.#at - this.#windowStart;
      memory.bytes.copyWithin(addressOf(window), from, from + kept);
    }
    if (!isLarge && old !== 0) memory.release(old);
    this.#window = window;
    this.#windowStart = this.#at;
    this.#windowEnd = this.#at + kept;
  }

  #checkCrc(from: number, sizeBytes: number, crc: number): void {
    const { bytes } = this.#column.context.scope.memory;
    const found = crc32(bytes.subarray(from, from + sizeBytes)) | 0;
    if (found !== (crc | 0)) throw this.#corrupt('has a page whose checksum is wrong');
  }

  #corrupt(what: string) {
    const { path, name } = this.#column;
    return corruptError(path, `${what}, in column "${name}"`);
  }
}

function readHeader(bytes: Uint8Array): { header: PageHeader; sizeBytes: number } | null {
  try {
    const { struct, sizeBytes } = readThriftStruct(bytes);
    return { header: pageHeaderOf(struct), sizeBytes };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
