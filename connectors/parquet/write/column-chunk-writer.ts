/**
 * One column of a row group on its way into pages: values are gathered until a page is full, encoded,
 * compressed and kept until the row group is written.
 *
 *     values of a batch ──▶ form ──▶ indexes of a dictionary ──▶ page ──▶ chain of bytes
 *                               └──▶ plain values ─────────────▶
 *
 * A chunk begins with a dictionary. It goes on plainly where the dictionary gets too large; where almost
 * each value of the first page is another one there is none at all. A chunk whose plain values do not get smaller by
 * compression is written without.
 */
import { crc32 } from 'node:zlib';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { runsBytesMax } from '../../../engine/kernels/parquet-write-kernels.ts';
import { takeOf } from '../../../engine/kernels/take-kernels.ts';
import {
  type FieldType,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { GrowingBytes } from '../../formats/growing-bytes.ts';
import type { OutputBuffer } from '../../formats/output-buffer.ts';
import { ValueDictionary } from '../../formats/value-dictionary.ts';
import { encodings, pageTypes } from '../parquet-metadata.ts';
import { i32, struct, type ThriftOut, thriftBytes } from '../thrift-writer.ts';
import { type BloomOptions, BloomWriter } from './bloom-writer.ts';
import { ByteChain } from './byte-chain.ts';
import { compress, type PageBytes, type WrittenCodec } from './compress.ts';
import { PageLevels } from './page-levels.ts';
import type { PhysicalColumn } from './physical-column.ts';
import { PlainValues } from './plain-values.ts';
import { type Extremes, extremesOfValues, joinExtremes } from './value-extremes.ts';
import type { WriteRoom } from './write-room.ts';

const pageBytesMax = 1 << 20;
/** With fewer repetitions than this among the first page's values a dictionary does not pay. */
const repeatedShareMin = 0.05;
/** A chunk whose first page keeps more of its bytes than this is left as it is: readers gain more than disks lose. */
const packedShareMax = 0.95;
/** 64 Ki entries have indexes of 16 bits, and most writers limit a dictionary to 1 MiB. */
const dictionaryLimits = { entriesMax: 64 << 10, textBytesMax: 1 << 20 };

export interface ChunkOptions {
  readonly context: SlotContext;
  readonly room: WriteRoom;
  readonly codec: WrittenCodec;
  /** Rows after which a page ends. */
  readonly pageRows: number;
  /** How many levels there are at most; 0 of what is neither optional nor repeated. */
  readonly definition: number;
  readonly repetition: number;
  /** Null where no Bloom filter is wanted. */
  readonly bloom: BloomOptions | null;
}

/** A page of a chunk that is written. */
export interface WrittenPage {
  readonly offset: number;
  readonly sizeBytes: number;
  /** Among the rows of the row group. */
  readonly firstRow: number;
  readonly valueCount: number;
  readonly nullCount: number;
  readonly encoding: number;
  readonly extremes: Extremes | null;
}

/** A chunk that is written: what the footer says of it. */
export interface WrittenChunk {
  readonly codec: WrittenCodec;
  /** Null where there is none. */
  readonly dictionaryOffset: number | null;
  readonly encodings: readonly number[];
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  readonly pages: readonly WrittenPage[];
  /** To be written behind the row group. */
  readonly bloomFilter: Uint8Array | null;
}

/** Values of a batch. */
export interface ChunkPart {
  /** Rows that begin with these values. */
  readonly rowCount: number;
  /** Values, nulls among them: levels. */
  readonly valueCount: number;
  /** Those that are there, in their form, side by side. */
  readonly values: number;
  readonly present: number;
}

export class ColumnChunkWriter {
  /** Null where there are none. */
  readonly definitions: PageLevels | null;
  readonly repetitions: PageLevels | null;
  readonly #options: ChunkOptions;
  readonly #column: PhysicalColumn;
  readonly #plain: PlainValues;
  readonly #indexes: GrowingBytes;
  readonly #chain: ByteChain;
  /** Takes values that are written plainly when they come, and the entries of the dictionary at its end. */
  readonly #bloom: BloomWriter | null;
  #dictionary: ValueDictionary | null = null;
  /** Whether the values that come are looked up in the dictionary. */
  #isIndexed = false;
  #isStarted = false;
  #codec: WrittenCodec;
  #pages: WrittenPage[] = [];
  #usedEncodings = new Set<number>();
  #uncompressedBytes = 0;
  /** Rows of the row group before the page. */
  #firstRow = 0;
  #pageRows = 0;
  #pageValues = 0;
  #pagePresent = 0;
  #extremes: Extremes | null = null;

  constructor(options: ChunkOptions, column: PhysicalColumn) {
    const { context, definition, repetition, bloom } = options;
    this.#options = options;
    this.#codec = options.codec;
    this.#column = column;
    const isFlat = definition === 1 && repetition === 0;
    this.definitions = definition > 0 ? new PageLevels(context, definition, isFlat) : null;
    this.repetitions = repetition > 0 ? new PageLevels(context, repetition, false) : null;
    this.#plain = new PlainValues(context, column);
    this.#indexes = new GrowingBytes(context.scope);
    this.#chain = new ByteChain(context.scope);
    this.#bloom = bloom === null ? null : new BloomWriter(options, column, bloom);
  }

  /** Bytes of memory that the pages take. */
  get heldBytes(): number {
    return this.#chain.length + this.#plain.sizeBytes + this.#indexes.length;
  }

  get uncompressedBytes(): number {
    return this.#uncompressedBytes + this.#plain.sizeBytes;
  }

  /**
   * Takes values of a batch; their levels are behind those that the page has.
   * @returns False when the page had to be ended: give the levels and values again.
   */
  add({ rowCount, valueCount, values, present }: ChunkPart): boolean {
    if (!this.#isStarted) this.#start();
    if (this.#isIndexed) {
      const out = this.#indexes.reserve(present * 4);
      if (this.#dictionary?.add(values, present, out) !== true) {
        this.#leaveDictionary();
        return false;
      }
      this.#indexes.length += present * 4;
    } else {
      this.#plain.add(values, present);
      this.#bloom?.add(values, present);
    }
    const { context, room } = this.#options;
    const { result } = room;
    const found = extremesOfValues(context, this.#column, { values, count: present, result });
    this.#extremes = joinExtremes(this.#extremes, found);
    this.definitions?.commit(valueCount);
    this.repetitions?.commit(valueCount);
    this.#pageRows += rowCount;
    this.#pageValues += valueCount;
    this.#pagePresent += present;
    const isFull =
      this.#pageRows >= this.#options.pageRows || this.#plain.sizeBytes >= pageBytesMax;
    if (isFull) this.#endPage();
    return true;
  }

  /** Writes the chunk; what comes next is of another row group. */
  finish(output: OutputBuffer): WrittenChunk {
    if (this.#pageValues > 0) this.#endPage();
    const dictionary = this.#packDictionary();
    const offset = dictionary === null ? 0 : dictionary.header.length + dictionary.sizeBytes;
    if (dictionary !== null) {
      output.writeBytes(dictionary.header);
      output.copyFrom(dictionary.start, dictionary.sizeBytes);
    }
    this.#chain.writeTo(output);
    const chunk = {
      codec: this.#codec,
      dictionaryOffset: dictionary === null ? null : 0,
      encodings: [...this.#usedEncodings].sort((a, b) => a - b),
      compressedBytes: offset + this.#chain.length,
      uncompressedBytes: this.#uncompressedBytes,
      pages: this.#pages.map((page) => ({ ...page, offset: page.offset + offset })),
      bloomFilter: this.#bloom?.finish() ?? null,
    };
    this.#reset();
    return chunk;
  }

  close(): void {
    this.#reset();
    this.#plain.close();
    this.#indexes.close();
    this.definitions?.close();
    this.repetitions?.close();
  }

  #start(): void {
    this.#isStarted = true;
    if (this.#column.form === 'bits') return;
    const { form, formSize } = this.#column;
    this.#dictionary = new ValueDictionary(this.#options.context, {
      form: form === 'text' ? 'text' : 'fixed',
      entrySize: formSize,
      ...dictionaryLimits,
    });
    this.#isIndexed = true;
  }

  /** What was indexed stays so; where no page was, the dictionary goes. */
  #leaveDictionary(): void {
    if (this.#pageValues > 0) this.#endPage();
    this.#isIndexed = false;
    if (this.#pages.length === 0) this.#dropDictionary();
  }

  #dropDictionary(): void {
    this.#dictionary?.close();
    this.#dictionary = null;
    this.#isIndexed = false;
  }

  #endPage(): void {
    const { page } = this.#options.room;
    this.#checkDictionary();
    page.length = 0;
    this.repetitions?.writeTo(page);
    this.definitions?.writeTo(page);
    if (this.#isIndexed) this.#writeIndexes(page);
    else this.#plain.writeTo(page);
    const encoding = this.#isIndexed ? encodings.rleDictionary : encodings.plain;
    this.#usedEncodings.add(encoding).add(encodings.rle);
    const header = struct({
      1: i32(this.#pageValues),
      2: i32(encoding),
      3: i32(encodings.rle),
      4: i32(encodings.rle),
    });
    const { start, sizeBytes } = this.#packedPage(page);
    const offset = this.#chain.length;
    this.#chain.appendBytes(this.#header({ start, sizeBytes }, page.length, { 5: header }));
    this.#chain.append(start, sizeBytes);
    this.#pages.push({
      offset,
      sizeBytes: this.#chain.length - offset,
      firstRow: this.#firstRow,
      valueCount: this.#pageValues,
      nullCount: this.#pageValues - this.#pagePresent,
      encoding,
      extremes: this.#extremes,
    });
    this.#firstRow += this.#pageRows;
    this.#clearPage();
  }

  /** Gives the first page plain values where nearly all are different. */
  #checkDictionary(): void {
    const dictionary = this.#dictionary;
    if (!this.#isIndexed || dictionary === null || this.#pages.length > 0) return;
    const present = this.#pagePresent;
    if (present === 0 || dictionary.count <= present * (1 - repeatedShareMin)) return;
    const { context, room } = this.#options;
    const take = takeOf(context.kernels, typeOfSize(this.#column.formSize));
    const { start } = this.#indexes;
    const step = room.valuesMax;
    for (let done = 0; done < present; done += step) {
      const count = Math.min(step, present - done);
      take(dictionary.entries, start + done * 4, count, room.formed);
      this.#plain.add(room.formed, count);
    }
    this.#indexes.length = 0;
    this.#bloom?.add(dictionary.entries, dictionary.count);
    this.#dropDictionary();
  }

  #writeIndexes(page: GrowingBytes): void {
    const { kernels, scope } = this.#options.context;
    const { start, length } = this.#indexes;
    const count = length / 4;
    const entries = this.#dictionary?.count ?? 0;
    const width = entries <= 2 ? 1 : 32 - Math.clz32(entries - 1);
    const room = page.reserve(1 + runsBytesMax(count));
    scope.memory.bytes[room] = width;
    page.length += 1 + kernels.writeRuns(start, count, width, room + 1);
    this.#indexes.length = 0;
  }

  /** Null where the chunk has none; the bytes are those of the room. */
  #packDictionary() {
    const dictionary = this.#dictionary;
    if (dictionary === null) return null;
    const { page } = this.#options.room;
    const entries = new PlainValues(this.#options.context, this.#column);
    page.length = 0;
    try {
      entries.add(dictionary.entries, dictionary.count);
      entries.writeTo(page);
    } finally {
      entries.close();
    }
    this.#bloom?.add(dictionary.entries, dictionary.count);
    this.#usedEncodings.add(encodings.plain);
    const packed = this.#packed(page);
    const own = struct({ 1: i32(dictionary.count), 2: i32(encodings.plain) });
    return { ...packed, header: this.#header(packed, page.length, { 7: own }) };
  }

  /** The first page says whether it pays to compress the chunk's plain values. */
  #packedPage(page: GrowingBytes): PageBytes {
    const { start, length: sizeBytes } = page;
    if (sizeBytes === 0) return { start: 0, sizeBytes };
    const packed = this.#packed(page);
    const isFirst = this.#pages.length === 0 && this.#dictionary === null;
    if (!isFirst || packed.sizeBytes <= sizeBytes * packedShareMax) return packed;
    this.#codec = 'none';
    return { start, sizeBytes };
  }

  #packed(page: GrowingBytes): PageBytes {
    const { context, room } = this.#options;
    return compress(context, room, this.#codec, { start: page.start, sizeBytes: page.length });
  }

  /** @param own - The header of its type, by the number of its field. */
  #header(
    { start, sizeBytes }: { readonly start: number; readonly sizeBytes: number },
    uncompressedBytes: number,
    own: { readonly 5: ThriftOut } | { readonly 7: ThriftOut },
  ): Uint8Array {
    const { bytes } = this.#options.context.scope.memory;
    const header = thriftBytes({
      1: i32('5' in own ? pageTypes.data : pageTypes.dictionary),
      2: i32(uncompressedBytes),
      3: i32(sizeBytes),
      4: i32(crc32(bytes.subarray(start, start + sizeBytes)) | 0),
      ...own,
    });
    this.#uncompressedBytes += header.length + uncompressedBytes;
    return header;
  }

  #clearPage(): void {
    this.#pageRows = 0;
    this.#pageValues = 0;
    this.#pagePresent = 0;
    this.#extremes = null;
  }

  #reset(): void {
    this.#dropDictionary();
    this.#bloom?.close();
    this.#chain.clear();
    this.#clearPage();
    this.#isStarted = false;
    this.#codec = this.#options.codec;
    this.#pages = [];
    this.#usedEncodings = new Set();
    this.#uncompressedBytes = 0;
    this.#firstRow = 0;
  }
}

/** Values are moved by their size: any type that has it will do. */
function typeOfSize(formSize: number): FieldType {
  return formSize === 4 ? int32Type : formSize === 8 ? int64Type : utf8Type;
}
