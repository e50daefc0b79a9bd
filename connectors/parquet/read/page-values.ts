/**
 * The values of one page, by encoding: each reader gives the next ones, side by side, without the rows
 * that have none. Bits and indexes of dictionaries have ways of their own (flat-column.ts).
 *
 * Nothing is trusted: a reader answers with -1 where the page is damaged or has no more values.
 */
import { utf8ViewSize } from '../../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { deltaLayout, runsLayout } from '../../../engine/kernels/parquet-kernels.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { encodings, physicalTypes } from '../parquet-metadata.ts';
import { physicalSizeOf } from '../plan/conversion.ts';
import type { LeafPlan } from '../plan/parquet-split.ts';
import type { ReadRoom } from './read-room.ts';

/**
 * Readers' states of a column: values or indexes in the first 64 bytes, suffixes in the next, then both
 * readers of levels, and what the last text was.
 */
export const columnStateBytes = 256;
export const definitionState = 2 * deltaLayout.size;
export const repetitionState = definitionState + runsLayout.size;
/** What the last text was that others begin like. */
const previousState = 3 * deltaLayout.size;

export interface PageValues {
  /**
   * The next values: at the address that it answers with, which is `room` or a place in the page.
   * @param blocks - Takes those that the values show into, besides the page's.
   */
  next(count: number, room: number, blocks: BlockHandle[]): number;
  /** Releases what it holds. */
  close?(): void;
}

/** Bytes of a page's values. */
export interface ValueBytes {
  readonly from: number;
  readonly end: number;
  /** Values that the page has, nulls among them. */
  readonly valueCount: number;
}

/** What a reader of values is made for. */
export interface ValueReader {
  readonly context: SlotContext;
  readonly leaf: LeafPlan;
  readonly room: ReadRoom;
  /** Address of `columnStateBytes`. */
  readonly state: number;
}

/** The reader of a page's values; null where the encoding is not one of the type's. */
export function pageValuesOf(
  reader: ValueReader,
  encoding: number,
  bytes: ValueBytes,
): PageValues | null {
  const { physical } = reader.leaf;
  const isByteArray = physical === physicalTypes.byteArray;
  const isInteger = physical === physicalTypes.int32 || physical === physicalTypes.int64;
  switch (encoding) {
    case encodings.plain:
      return isByteArray ? new PlainTexts(reader, bytes) : new PlainValues(reader, bytes);
    case encodings.deltaBinaryPacked:
      return isInteger ? new DeltaIntegers(reader, bytes) : null;
    case encodings.deltaLengthByteArray:
      return isByteArray ? new DeltaLengthTexts(reader, bytes) : null;
    case encodings.deltaByteArray:
      return isByteArray || physical === physicalTypes.fixed ? new DeltaTexts(reader, bytes) : null;
    case encodings.byteStreamSplit:
      return isByteArray || physical === physicalTypes.int96
        ? null
        : new SplitStreams(reader, bytes);
    default:
      return null;
  }
}

/** Starts a reader of runs over the bytes. */
export function startRuns(
  { scope }: SlotContext,
  state: number,
  runs: { readonly from: number; readonly end: number; readonly width: number },
): void {
  const { uint32 } = scope.memory;
  uint32[(state + runsLayout.at) >>> 2] = runs.from;
  uint32[(state + runsLayout.end) >>> 2] = runs.end;
  uint32[(state + runsLayout.width) >>> 2] = runs.width;
  uint32[(state + runsLayout.left) >>> 2] = 0;
}

class PlainValues implements PageValues {
  readonly #end: number;
  readonly #size: number;
  #at: number;

  constructor({ leaf }: ValueReader, { from, end }: ValueBytes) {
    this.#at = from;
    this.#end = end;
    this.#size = physicalSizeOf(leaf.physical, leaf.typeLength);
  }

  next(count: number): number {
    const at = this.#at;
    if (count * this.#size > this.#end - at) return -1;
    this.#at = at + count * this.#size;
    return at;
  }
}

class PlainTexts implements PageValues {
  readonly #reader: ValueReader;
  readonly #end: number;
  #at: number;

  constructor(reader: ValueReader, { from, end }: ValueBytes) {
    this.#reader = reader;
    this.#at = from;
    this.#end = end;
  }

  next(count: number, room: number): number {
    const { context, room: rooms } = this.#reader;
    const { result } = rooms;
    const done = context.kernels.viewsFromPlain(this.#at, this.#end, count, room, result);
    this.#at = context.scope.memory.uint32[result >>> 2] ?? 0;
    return done === count ? room : -1;
  }
}

class DeltaIntegers implements PageValues {
  readonly #reader: ValueReader;
  readonly #size: number;

  constructor(reader: ValueReader, { from, end }: ValueBytes) {
    this.#reader = reader;
    this.#size = physicalSizeOf(reader.leaf.physical, 0);
    startDelta(reader, 0, { from, end });
  }

  next(count: number, room: number): number {
    const { kernels } = this.#reader.context;
    const done = kernels.readDelta(this.#reader.state, count, this.#size, room);
    return done === count ? room : -1;
  }
}

/** Lengths as deltas, and behind them the texts. */
class DeltaLengthTexts implements PageValues {
  readonly #reader: ValueReader;
  readonly #end: number;
  #at: number;

  constructor(reader: ValueReader, { from, end }: ValueBytes) {
    this.#reader = reader;
    this.#at = startDelta(reader, 0, { from, end });
    this.#end = end;
  }

  next(count: number, room: number): number {
    const { context, state, room: rooms } = this.#reader;
    const { kernels } = context;
    const { indexes } = rooms;
    if (kernels.readDelta(state, count, 4, indexes) < count) return -1;
    const most = this.#end - this.#at;
    const sizeBytes = sumOf(context, { at: indexes, count, most });
    if (sizeBytes > most) return -1;
    kernels.viewsFromLengths(indexes, count, this.#at, this.#end, room);
    this.#at += sizeBytes;
    return room;
  }
}

/** How much of the text before each shares, and what it has of its own. */
class DeltaTexts implements PageValues {
  readonly #reader: ValueReader;
  readonly #end: number;
  readonly #textBytes: number;
  #at: number;
  /** Of the last text, where it is a long one. */
  #lastBlock: BlockHandle = 0;

  constructor(reader: ValueReader, { from, end }: ValueBytes) {
    this.#reader = reader;
    const suffixes = startDelta(reader, 0, { from, end });
    this.#at = startDelta(reader, deltaLayout.size, { from: suffixes, end });
    this.#end = end;
    this.#textBytes = end - this.#at;
    this.#setPrevious(0);
  }

  next(count: number, room: number, blocks: BlockHandle[]): number {
    const { context, state, room: rooms } = this.#reader;
    const { kernels, scope } = context;
    const { indexes, lengths } = rooms;
    if (kernels.readDelta(state, count, 4, indexes) < count) return -1;
    if (kernels.readDelta(state + deltaLayout.size, count, 4, lengths) < count) return -1;
    // No text is longer than all that the page's texts have of their own.
    const most = this.#textBytes;
    const prefixBytes = sumOf(context, { at: indexes, count, most });
    const suffixBytes = sumOf(context, { at: lengths, count, most: this.#end - this.#at });
    if (prefixBytes + suffixBytes > most * (count + 1)) return -1;
    const block = scope.allocate(prefixBytes + suffixBytes + 16);
    blocks.push(block);
    const [at, end, previous] = [this.#at, this.#end, state + previousState];
    const bytes = addressOf(block);
    const done = kernels.joinPrefixes(indexes, lengths, count, at, end, previous, bytes, room);
    if (done < count) return -1;
    this.#at += suffixBytes;
    if (count > 0) this.#setPrevious(room + (count - 1) * utf8ViewSize, block);
    return room;
  }

  close(): void {
    const block = this.#lastBlock;
    this.#lastBlock = 0;
    if (block !== 0) this.#reader.context.scope.memory.release(block);
  }

  /** Keeps the view, and the block that it may show into. */
  #setPrevious(view: number, block: BlockHandle = 0): void {
    const { memory } = this.#reader.context.scope;
    const previous = this.#reader.state + previousState;
    this.close();
    if (view === 0) memory.bytes.fill(0, previous, previous + utf8ViewSize);
    else memory.bytes.copyWithin(previous, view, view + utf8ViewSize);
    if (block !== 0) memory.retain(block);
    this.#lastBlock = block;
  }
}

/** The first bytes of all values, then all second ones. */
class SplitStreams implements PageValues {
  readonly #reader: ValueReader;
  readonly #from: number;
  readonly #size: number;
  readonly #stride: number;
  #done = 0;

  constructor(reader: ValueReader, { from, end }: ValueBytes) {
    this.#reader = reader;
    this.#from = from;
    this.#size = physicalSizeOf(reader.leaf.physical, reader.leaf.typeLength);
    this.#stride = Math.floor((end - from) / this.#size);
  }

  next(count: number, room: number, blocks: BlockHandle[]): number {
    const { context } = this.#reader;
    if (this.#done + count > this.#stride) return -1;
    let out = room;
    // Values that are shown into, and such as don't fit the room, get a block of their own.
    if (this.#reader.leaf.conversion.name === 'fixedBytes' || this.#size > utf8ViewSize) {
      const block = context.scope.allocate(count * this.#size);
      blocks.push(block);
      out = addressOf(block);
    }
    const from = this.#from + this.#done;
    context.kernels.joinStreams(from, this.#stride, this.#size, count, out);
    this.#done += count;
    return out;
  }
}

/** Starts reading deltas; answers with the place behind them. A damaged stream has no values. */
function startDelta(
  { context, state }: ValueReader,
  offset: number,
  { from, end }: { readonly from: number; readonly end: number },
): number {
  const { kernels, scope } = context;
  const at = state + offset;
  const isRight = kernels.startDelta(at, from, end) >= 0;
  const behind = isRight ? kernels.skipDelta(at) >>> 0 : 0;
  if (behind !== 0) kernels.startDelta(at, from, end);
  else scope.memory.uint32[(at + deltaLayout.left) >>> 2] = 0;
  return behind === 0 ? end : behind;
}

/** The sum of u32 lengths, exact; infinite where one is longer than a text of the page can be. */
function sumOf({ scope }: SlotContext, lengths: Lengths): number {
  const { uint32 } = scope.memory;
  const word = lengths.at >>> 2;
  let sum = 0;
  for (let index = 0; index < lengths.count; index++) {
    const length = uint32[word + index] ?? 0;
    if (length > lengths.most) return Number.POSITIVE_INFINITY;
    sum += length;
  }
  return sum;
}

interface Lengths {
  readonly at: number;
  readonly count: number;
  readonly most: number;
}
