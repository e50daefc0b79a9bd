/**
 * The values of a column chunk in the type that the job declared: from page to page, by whichever
 * encoding each has, dense, without the rows that have none. Levels are read by who knows what they mean
 * (flat-column.ts, nested-column.ts), from the states that the page's start has left.
 *
 * Before: connectors/parquet/read/data-page.ts · After: connectors/parquet/read/flat-column.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Kernels } from '../../../engine/kernels/kernels.ts';
import { takeOf } from '../../../engine/kernels/take-kernels.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { type Field, valueSizeOf } from '../../../engine/schema/field-type.ts';
import { corruptError, inexactError, invalidTextError } from '../parquet-errors.ts';
import { type PageHeader, pageTypes, physicalTypes } from '../parquet-metadata.ts';
import { convert, isCopy, showsIntoValues } from '../plan/conversion.ts';
import type { ChunkPlace, LeafPlan } from '../plan/parquet-split.ts';
import { ChunkPages, type OpenColumn } from './chunk-pages.ts';
import { type DataPage, openPage } from './data-page.ts';
import { type Dictionary, readDictionary } from './dictionary.ts';
import type { ChosenRows } from './late-rows.ts';
import { type PagePlaces, readPagePlaces } from './page-index.ts';
import { columnStateBytes, type PageValues } from './page-values.ts';
import type { ReadRoom } from './read-room.ts';

/** Two windows of `ChunkPages`: of pages that are nearer the headers are read with what is before them. */
const seekBytesMin = 512 << 10;

export interface ChunkInputs {
  readonly field: Field;
  readonly leaf: LeafPlan;
  readonly chunk: ChunkPlace;
  readonly room: ReadRoom;
  /** The row group's first row in the file; for messages. */
  readonly firstRow: number;
}

export class ChunkValues {
  /** Address of the readers' states: `page-values.ts`. */
  readonly state: number;
  readonly #column: OpenColumn;
  readonly #inputs: ChunkInputs;
  readonly #pages: ChunkPages;
  readonly #stateBlock: BlockHandle;
  readonly #valueSize: number;
  #dictionary: Dictionary | null = null;
  /** A page whose values have not been asked for. */
  #header: PageHeader | null = null;
  #page: DataPage | null = null;
  /** Values of the page that were taken, nulls among them. */
  #taken = 0;
  /** Of the bits of a page, those that were taken. */
  #takenBits = 0;
  /** Values of the chunk that are still to come. */
  #left: number;
  /** Of the chunk's pages, once they were asked for. */
  #places: PagePlaces | null = null;
  /** Blocks that the batch that is being read has retained. */
  #retained: BlockHandle[] | null = null;

  constructor(column: OpenColumn, inputs: ChunkInputs) {
    this.#column = column;
    this.#inputs = inputs;
    this.#pages = new ChunkPages(column, inputs.chunk);
    this.#stateBlock = column.context.scope.allocate(columnStateBytes);
    this.state = addressOf(this.#stateBlock);
    this.#valueSize = valueSizeOf(inputs.field.type);
    this.#left = inputs.chunk.valueCount;
  }

  /** The next value, counted from the start of the file: the row, where a row has one. */
  get row(): number {
    return this.#inputs.firstRow + this.#inputs.chunk.valueCount - this.#left;
  }

  /** Whether all values were taken. */
  get isAtEnd(): boolean {
    return this.#left === 0;
  }

  /** The dictionary, which is in front of all pages; null where there is none. */
  dictionary(): Dictionary | null {
    if (this.#page === null && this.#left > 0) this.#header ??= this.#nextHeader();
    return this.#dictionary;
  }

  /** Values that the page has, nulls among them; brings the next page into memory where it has none. */
  inPage(): number {
    for (;;) {
      const page = this.#page;
      if (page !== null && this.#taken < page.valueCount) return page.valueCount - this.#taken;
      this.#endPage();
      const header = this.#header ?? this.#nextHeader();
      this.#header = null;
      const inputs = { ...this.#inputs, context: this.#column.context, state: this.state };
      this.#page = openPage(inputs, { column: this.#column, pages: this.#pages }, header);
      this.#taken = 0;
      this.#takenBits = 0;
    }
  }

  /**
   * Passes over what is left of the open page, and whole pages, of up to `count` values; answers with how many. For
   * columns without repetition.
   */
  passPages(count: number): number {
    let passed = this.#page === null ? 0 : this.#page.valueCount - this.#taken;
    if (passed > count) return 0;
    this.#endPage();
    this.#left -= passed;
    if (passed < count) passed += this.#seekPages(count - passed);
    while (passed < count) {
      this.#header ??= this.#nextHeader();
      if (passed + this.#header.valueCount > count) break;
      passed += this.#header.valueCount;
      this.#left -= this.#header.valueCount;
      this.#header = null;
    }
    return passed;
  }

  /**
   * Goes to the page that has the value `count` values ahead, where the file says which that is, and it is so far
   * ahead that its header would not be in what is read for the next one. Answers with how many were passed.
   */
  #seekPages(count: number): number {
    const { chunk } = this.#inputs;
    const bytesAhead = (chunk.sizeBytes / chunk.valueCount) * count;
    if (chunk.offsetIndex === undefined || bytesAhead < seekBytesMin) return 0;
    // The dictionary is in front of all pages.
    this.#header ??= this.#nextHeader();
    const at = chunk.valueCount - this.#left;
    this.#places ??= readPagePlaces(this.#column, chunk.offsetIndex, chunk.valueCount);
    const { firstRows, offsets } = this.#places;
    const page = firstRows.findLastIndex((first) => first <= at + count);
    const [first = 0, offset = 0] = [firstRows[page], offsets[page]];
    if (first < at + this.#header.valueCount) return 0;
    this.#pages.seek(offset);
    this.#left = chunk.valueCount - first;
    this.#header = this.#nextHeader();
    const next = firstRows[page + 1] ?? chunk.valueCount;
    if (this.#header.valueCount !== next - first) throw this.damaged('counts');
    return first - at;
  }

  /** Levels of so many values were read, and the values of those that have one. */
  advance(count: number): void {
    this.#taken += count;
    this.#left -= count;
  }

  /** The next values of the page: at the address that it answers with. */
  read(count: number, blocks: BlockHandle[]): number {
    const { room } = this.#inputs;
    return this.#read(count, room.converted, blocks);
  }

  /** The same, into `target`. */
  readInto(count: number, target: number, blocks: BlockHandle[]): void {
    const from = this.#read(count, target, blocks);
    const { bytes } = this.#column.context.scope.memory;
    if (from !== target) bytes.copyWithin(target, from, from + count * this.#valueSize);
  }

  /** Takes some of the next values of the page. */
  readChosen(
    count: number,
    chosen: ChosenRows,
    { out, blocks }: { readonly out: number; readonly blocks: BlockHandle[] },
  ): void {
    const { field, room } = this.#inputs;
    const { kernels } = this.#column.context;
    const page = this.#openPage;
    if (page.source.kind === 'values' && this.#takesStored(page)) {
      this.#convertChosen(page, page.source.values, { count, chosen, out, blocks });
      return;
    }
    const take = takeOf(kernels, field.type);
    if (page.source.kind !== 'indexes') {
      take(this.#read(count, room.converted, blocks), chosen.rows, chosen.count, out);
      return;
    }
    const { values, count: known, shownBlocks } = this.#knownDictionary;
    const { rows, count: found } = chosen;
    if (kernels.readRunsAt(this.state, count, known, rows, found, room.indexes) < count) {
      throw this.damaged('indexes');
    }
    take(values, room.indexes, found, out);
    this.#retain(shownBlocks, blocks);
  }

  /** The next bools of the page, behind the bits before `outBit`. */
  readBits(count: number, out: number, outBit: number): void {
    const { kernels } = this.#column.context;
    const { source } = this.#openPage;
    if (source.kind === 'bits') {
      const isThere = this.#takenBits + count <= (source.end - source.from) * 8;
      if (!isThere) throw this.damaged('values');
      kernels.copyBits(source.from, this.#takenBits, count, out, outBit);
      this.#takenBits += count;
    } else if (kernels.readRunBits(this.state, count, out, outBit) < 0) {
      throw this.damaged('values');
    }
  }

  damaged(what: string): Error {
    const { path, name } = this.#column;
    return corruptError(path, `has a page whose ${what} are damaged, in column "${name}"`);
  }

  close(): void {
    const { memory } = this.#column.context.scope;
    this.#endPage();
    this.#pages.close();
    for (const block of this.#dictionary?.blocks ?? []) memory.release(block);
    this.#dictionary = null;
    memory.release(this.#stateBlock);
  }

  get #openPage(): DataPage {
    const page = this.#page;
    assert(page !== null, 'values are read of the page that is open');
    return page;
  }

  get #knownDictionary(): Dictionary {
    if (this.#dictionary === null) throw this.damaged('dictionary entries');
    return this.#dictionary;
  }

  /** The header of the next data page. */
  #nextHeader(): PageHeader {
    for (;;) {
      const header = this.#pages.next();
      if (header === null) {
        const { path, name } = this.#column;
        throw corruptError(path, `has fewer values than it says, in column "${name}"`);
      }
      if (header.type === pageTypes.dictionary) this.#takeDictionary(header);
      if (header.type !== pageTypes.data && header.type !== pageTypes.dataV2) continue;
      if (header.valueCount > this.#left) throw this.damaged('counts');
      return header;
    }
  }

  #takeDictionary(header: PageHeader): void {
    if (this.#dictionary !== null) throw this.damaged('dictionaries');
    const inputs = { ...this.#inputs, column: this.#column };
    this.#dictionary = readDictionary(inputs, this.#pages, header);
  }

  #endPage(): void {
    const page = this.#page;
    if (page === null) return;
    this.#page = null;
    if (page.source.kind === 'values') page.source.values.close?.();
    this.#column.context.scope.memory.release(page.block);
  }

  /** Where no conversion is needed the values may be in the page; else they are at `target`. */
  #read(count: number, target: number, blocks: BlockHandle[]): number {
    const page = this.#openPage;
    const { source } = page;
    if (source.kind === 'indexes') {
      this.#readIndexed(count, target, blocks);
      return target;
    }
    assert(source.kind === 'values', 'bools are read as bits');
    const isAsIs = isCopy(page.conversion);
    const room = isAsIs ? target : this.#inputs.room.dense;
    const values = source.values.next(count, room, blocks);
    if (values < 0) throw this.damaged('values');
    if (isAsIs) {
      if (page.conversion.name === 'text' && !page.isAscii) this.#checkTexts(values, count);
    } else {
      this.#convert(page, { values, count, target });
    }
    if (showsIntoValues(page.conversion)) this.#retain([page.block], blocks);
    return isAsIs ? values : target;
  }

  /** Whether values are chosen as the file has them, and only those are converted. */
  #takesStored({ conversion }: DataPage): boolean {
    const { physical } = this.#inputs.leaf;
    const isNumber = physical === physicalTypes.int32 || physical === physicalTypes.int64;
    return isNumber && !isCopy(conversion);
  }

  #convertChosen(
    page: DataPage,
    values: PageValues,
    rows: {
      readonly count: number;
      readonly chosen: ChosenRows;
      readonly out: number;
      readonly blocks: BlockHandle[];
    },
  ): void {
    const { leaf, room } = this.#inputs;
    const { kernels } = this.#column.context;
    const { count, chosen, out, blocks } = rows;
    const stored = values.next(count, room.dense, blocks);
    if (stored < 0) throw this.damaged('values');
    const take = leaf.physical === physicalTypes.int64 ? kernels.take8 : kernels.take4;
    take(stored, chosen.rows, chosen.count, room.converted);
    this.#convert(page, { values: room.converted, count: chosen.count, target: out });
  }

  #convert(
    { conversion }: DataPage,
    { values, count, target }: { values: number; count: number; target: number },
  ): void {
    const { field } = this.#inputs;
    const { context, path, name } = this.#column;
    const right = convert(context.kernels, conversion, { values, count, out: target });
    if (right === count) return;
    throw inexactError(path, name, { declared: field.type, rows: this.#rowsText(count) });
  }

  #readIndexed(count: number, target: number, blocks: BlockHandle[]): void {
    const { field, room } = this.#inputs;
    const { kernels } = this.#column.context;
    const { values, count: known, shownBlocks } = this.#knownDictionary;
    if (kernels.readRuns(this.state, count, known, room.indexes) < count) {
      throw this.damaged('indexes');
    }
    takeOf(kernels, field.type)(values, room.indexes, count, target);
    this.#retain(shownBlocks, blocks);
  }

  #checkTexts(views: number, count: number): void {
    const { kernels } = this.#column.context;
    const { path, name } = this.#column;
    if (kernels.findInvalidText(views, count, this.#inputs.room.result) === count) return;
    throw invalidTextError(path, name, this.#rowsText(count));
  }

  /** Once for each batch; `blocks` are those of the batch. */
  #retain(shown: readonly BlockHandle[], blocks: BlockHandle[]): void {
    const { memory } = this.#column.context.scope;
    for (const block of shown) {
      // Retained for the same column of the same batch: then it is near the end.
      if (this.#retained === blocks && blocks.includes(block)) continue;
      memory.retain(block);
      blocks.push(block);
    }
    this.#retained = blocks;
  }

  #rowsText(count: number): string {
    const { leaf, chunk, firstRow } = this.#inputs;
    if (leaf.repetition === 0) return `rows ${this.row} to ${this.row + count - 1}`;
    const value = chunk.valueCount - this.#left;
    return `values ${value} to ${value + count - 1} of the row group from row ${firstRow} on`;
  }
}

type Spread = (values: number, bits: number, fromBit: number, count: number, out: number) => void;

/** The kernel that spreads values of so many bytes. */
export function spreadOf(kernels: Kernels, valueSize: number): Spread {
  switch (valueSize) {
    case 1:
      return kernels.spread1;
    case 2:
      return kernels.spread2;
    case 4:
      return kernels.spread4;
    case 8:
      return kernels.spread8;
    default:
      return kernels.spread16;
  }
}
