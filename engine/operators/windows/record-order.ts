/**
 * Record order: the open records of keys on their way to disk, some blocks of them at a time, in the order in which they
 * are due. Records that belong to one session lie side by side, each with the bounds of all.
 */
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { OperatorContext } from '../operator.ts';
import type { KeyedRecords } from './keyed-records.ts';
import type { RecordList } from './record-batch.ts';

/** What records are ordered by. */
export interface OrderedRecord {
  /** Of a record that is open: its place in time, or among those of its key. */
  readonly placeOf: (record: number) => number;
  /** When a record of that place is due to be read back; infinity: never. */
  readonly dueOf: (place: number) => number;
  /** Whether it has come out, and is kept for late rows. */
  readonly isKept: (record: number) => boolean;
  /** The next record of the same session; 0 for none. */
  readonly linkOf: (record: number) => number;
}

interface Segment {
  readonly list: RecordList;
  readonly dueMs: number;
  readonly isKept: boolean;
}

/** A place in front of the number of a record, in what is sorted. */
const numberUnit = 2 ** 18;
const placesMax = 2 ** 34;

export class RecordOrder {
  readonly #context: OperatorContext;
  readonly #records: KeyedRecords;
  readonly #order: OrderedRecord;
  /** Blocks of records that are still to be read. */
  readonly #blocks: { readonly at: number; readonly count: number }[] = [];
  #list: BlockHandle = 0;
  #count = 0;
  /** Where records begin that have come out. */
  #keptFrom = 0;

  constructor(context: OperatorContext, records: KeyedRecords, order: OrderedRecord) {
    this.#context = context;
    this.#records = records;
    this.#order = order;
    records.blocks.forEach((at, count) => {
      this.#blocks.push({ at, count });
    });
  }

  /** Records that were read last. */
  get count(): number {
    return this.#count;
  }

  /** Reads the records of the next blocks, those of one and not many more than `countMax`; false when none are left. */
  read(countMax: number): boolean {
    const { blocks } = this.#records;
    for (;;) {
      this.close();
      let most = 0;
      const next = this.#blocks.splice(0, this.#blocksWithin(countMax));
      if (next.length === 0) return false;
      for (const { count } of next) most += count;
      const { kernels, scope } = this.#context;
      this.#list = scope.allocate(most * 4);
      const heads = addressOf(this.#list);
      let count = 0;
      for (const block of next) {
        const out = heads + count * 4;
        count += kernels.openSessions(block.at, block.count, blocks.stride, out);
      }
      if (count === 0) continue;
      const all = scope.memory.uint32.slice(heads >>> 2, (heads >>> 2) + count);
      this.#write(this.#inOrder(all));
      return true;
    }
  }

  /** Records from a place on, at most so many: either all have come out, or none. */
  segment(from: number, countMax: number): Segment {
    const { uint32 } = this.#context.scope.memory;
    const isKept = from >= this.#keptFrom;
    const end = Math.min(isKept ? this.#count : this.#keptFrom, from + countMax);
    const at = addressOf(this.#list) + from * 4;
    const records = uint32.subarray(at >>> 2, (at >>> 2) + end - from);
    const places = Float64Array.from(records, this.#order.placeOf);
    const told = isKept ? Math.max(...places) : Math.min(...places);
    return { list: { at, count: end - from }, dueMs: this.#order.dueOf(told), isKept };
  }

  close(): void {
    if (this.#list !== 0) this.#context.scope.memory.release(this.#list);
    this.#list = 0;
    this.#count = 0;
  }

  /** How many blocks have about so many records. */
  #blocksWithin(countMax: number): number {
    let sum = 0;
    const more = this.#blocks.findIndex(({ count }) => {
      sum += count;
      return sum >= countMax;
    });
    return more < 0 ? this.#blocks.length : more + 1;
  }

  /** Those that have not come out first, both by their places. */
  #inOrder(heads: Uint32Array): number[] {
    const { placeOf, isKept } = this.#order;
    const kept = heads.filter(isKept);
    const others = kept.length === 0 ? heads : heads.filter((record) => !isKept(record));
    const sorted = (records: Uint32Array) => sortedBy(records, placeOf);
    const first = sorted(others);
    this.#keptFrom = this.#withLinks(first).length;
    return [...first, ...sorted(kept)];
  }

  #withLinks(heads: readonly number[]): number[] {
    const { linkOf } = this.#order;
    const all: number[] = [];
    for (const head of heads) {
      for (let record = head; record !== 0; record = linkOf(record)) all.push(record);
    }
    return all;
  }

  /** Writes the list: sessions with all of their records, which get the bounds of the first. */
  #write(heads: readonly number[]): void {
    const { memory } = this.#context.scope;
    const { keyEnd } = this.#records;
    const all = this.#withLinks(heads);
    let head = heads[0] ?? 0;
    let next = 0;
    for (const record of all) {
      if (record === heads[next]) head = heads[next++] ?? 0;
      else memory.bytes.copyWithin(record + keyEnd, head + keyEnd, head + keyEnd + 16);
    }
    if (all.length > heads.length) {
      memory.release(this.#list);
      this.#list = this.#context.scope.allocate(all.length * 4);
    }
    memory.uint32.set(all, addressOf(this.#list) >>> 2);
    this.#count = all.length;
  }
}

/** Records by their places; those whose places are nearly the same may lie in any order where they are far apart. */
function sortedBy(records: Uint32Array, placeOf: (record: number) => number): number[] {
  const places = Float64Array.from(records, placeOf);
  const least = places.reduce((min, place) => Math.min(min, place), Number.POSITIVE_INFINITY);
  const most = places.reduce((max, place) => Math.max(max, place), Number.NEGATIVE_INFINITY);
  const unit = Math.max(1, Math.ceil((most - least) / placesMax));
  const keys = places.map((place, number) => {
    return Math.floor((place - least) / unit) * numberUnit + number;
  });
  return Array.from(keys.sort(), (key) => records[key % numberUnit] ?? 0);
}
