/**
 * Group disk: groups that memory has no room for, as a log-structured merge tree has them.
 *
 *     table, full ─▶ all of its groups ─▶ a new run                       newest first
 *     groups that are not in the table ─▶ filters of runs ─▶ their buckets, in order ─▶ back into the table
 *     more than six runs ─▶ the newest of about one size, merged a range of places after the other ─▶ one run
 *
 * A group in the table is whole: it was brought back before anything was added to it. So it counts more than what runs have of
 * it, and a newer run more than an older one; nothing is ever taken out of a run. A group that is gone stays, as one
 * without rows, until no older run is left that may have it.
 *
 * Groups are looked for many at once, in the order in which they lie: what is looked for more often than a bucket has
 * groups reads each run once, from front to back.
 *
 * Invariants:
 * - Work is done in slices, and nothing else is done to the table meanwhile.
 * - Memory has 12 bits of a group on disk.
 * Before: engine/operators/changes/kept-groups.ts · After: engine/operators/changes/group-run.ts
 */
import { codeOf } from '../../../base/typed-error.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { groupSlotsOf } from '../../kernels/group-kernels.ts';
import type { GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { SpillFiles } from '../../spill/spill-files.ts';
import type { FrozenRun } from '../frozen-rows.ts';
import { memoryTooSmall } from '../memory-too-small.ts';
import type { OperatorContext } from '../operator.ts';
import { type PartitionSize, partitionSizeOf } from '../partition-size.ts';
import { bucketBitsOf, bucketOf, GroupOrder, placeOf } from './group-order.ts';
import { type GroupRun, GroupRunWriter } from './group-run.ts';
import { runsToMerge } from './run-choice.ts';
import type { WantedGroups } from './wanted-groups.ts';

/** A part of the work. */
export type DiskWork = Generator<null, void>;

/** What is kept of groups, and how it is brought to a table. */
export interface GroupsOnDisk {
  /** Of rows on disk. */
  readonly schema: Schema;
  newTable(): GroupTable;
  /** Writes the hashes by which tables find the keys of a batch, u32. */
  hash(batch: Batch, out: number): void;
  /** Adds rows whose groups the table does not have, from one on; answers the next row, and tells of each that was wanted. */
  addNew(table: GroupTable, batch: Batch, fromRow: number, tell?: (place: number) => void): number;
  /** Groups whose slots are listed. */
  readList(table: GroupTable, list: number, count: number): Batch;
  /** Whether the group of a slot is there; a key that was only looked for has a slot, too. */
  isThere(slot: number): boolean;
  /** Whether the group of a slot that is there need not be kept where nothing older has it. */
  isGone(slot: number): boolean;
  /** Whether a row's time to live is over. */
  isOver(batch: Batch, row: number): boolean;
}

export interface GroupDiskOptions {
  readonly groups: GroupsOnDisk;
  /** Of batches that are on their way beside those of groups. */
  readonly output: Schema;
  /** Of the operator's share, from 0 to 1. */
  readonly part: number;
  /** What the table may have. @defaultValue what is left of the part */
  readonly tableBytes?: number;
}

interface AppendedGroups {
  /** The buckets that they are in, the last one included. */
  readonly first: number;
  readonly last: number;
  /** Whether nothing older has these groups: what is gone is left out. */
  readonly isLast: boolean;
}

/** As of `GroupTable`. */
const loadMax = 0.75;
const chunkRows = 1024;
/** What keys and inputs of a batch take, widened, and the block of a writer. */
const scratchBytes = batchRowsMax * 64;
/** Rows that are merged at once, at most. */
const rangeRowsMax = 16_384;

export class GroupDisk {
  readonly size: PartitionSize;
  readonly #context: OperatorContext;
  readonly #options: GroupDiskOptions;
  readonly #files: SpillFiles;
  /** The numbers from 0 to 8,191, and room for hashes. */
  readonly #scratch: BlockHandle;
  #runs: GroupRun[] = [];
  #isClosed = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: GroupDiskOptions) {
    const { groups, output, part, tableBytes } = options;
    this.#context = context;
    this.#options = options;
    const { schema } = groups;
    const needs = { batches: [schema, output, output], writers: 0, tables: 1, scratchBytes };
    const size = partitionSizeOf(needs, context.spill.share.bytes * part);
    this.size = { ...size, tableBytes: tableBytes ?? size.tableBytes };
    this.#files = new SpillFiles(context, this.size);
    this.#scratch = context.scope.allocate(batchRowsMax * 8);
    const numbers = addressOf(this.#scratch) >>> 2;
    const { uint32 } = context.scope.memory;
    for (let row = 0; row < batchRowsMax; row++) uint32[numbers + row] = row;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Groups on disk, some of them more than once. */
  get rowCount(): number {
    return this.#runs.reduce((sum, { rowCount }) => sum + rowCount, 0);
  }

  /** Whether a table has no room for so many more groups beside what runs have in memory; an empty one always has. */
  isFull(table: GroupTable, moreGroups: number): boolean {
    if (!this.size.canSpill || table.groupCount === 0) return false;
    const { scope } = this.#context;
    const { slotCount, groupCount, sizeBytes } = table;
    const { stride } = groupSlotsOf(table, scope.memory.uint32);
    let grown = slotCount;
    while (groupCount + moreGroups > grown * loadMax) grown *= 2;
    if (grown === slotCount) return sizeBytes > this.#roomBytes;
    // While it grows for the last time there is one of half the size beside it.
    if (sizeBytes + (grown + grown / 2 - slotCount) * stride > this.#roomBytes) return true;
    // What is free may lie in pieces.
    const probe = scope.tryAllocate(grown * stride);
    if (probe === 0) return true;
    scope.memory.release(probe);
    return false;
  }

  /** Whether a table, once empty, can stay as it is: then nothing has to be made again, where there may be no room for it in one piece. */
  hasRoomFor(table: GroupTable): boolean {
    return table.sizeBytes <= (this.#roomBytes * 2) / 3;
  }

  mayHold(place: number): boolean {
    for (const run of this.#runs) if (run.mayHold(place)) return true;
    return false;
  }

  /** Puts all groups of a table, which does not grow, on disk; the caller empties it then. */
  *write(table: GroupTable): DiskWork {
    const of = { bits: bucketBitsOf(table.groupCount), countMax: table.groupCount };
    const all = { first: 0, last: 2 ** of.bits - 1, isLast: this.isEmpty };
    const run = yield* this.#written(of, (writer) => this.#append(table, writer, all));
    if (run !== null) this.#runs.unshift(run);
  }

  /** Merges runs, where there are too many. */
  *tidy(): DiskWork {
    const count = runsToMerge(this.#runs.map(({ rowCount }) => rowCount));
    if (count > 0) yield* this.#merge(count);
  }

  /** Makes one run of all, without what is gone. */
  *gather(): DiskWork {
    if (!this.isEmpty) yield* this.#merge(this.#runs.length);
  }

  /** Brings groups back into a table that has slots of their keys. */
  *find(wanted: WantedGroups, table: GroupTable): DiskWork {
    const isWanted = (place: number) => wanted.has(place);
    const tell = (place: number) => wanted.markFound(place);
    for (const run of this.#runs) {
      for (let at = 0; at < wanted.count && !wanted.areAllFound; ) {
        const from = nextIn(run, wanted, at);
        if (from === wanted.count) break;
        const first = bucketOf(wanted.places[from] ?? 0, run.bits);
        let last = first;
        at = from + 1;
        // Buckets side by side are read as one.
        for (let next = nextIn(run, wanted, at); next < wanted.count; ) {
          const bucket = bucketOf(wanted.places[next] ?? 0, run.bits);
          if (bucket > last + 1) break;
          last = bucket;
          at = next + 1;
          next = nextIn(run, wanted, at);
        }
        yield* this.#read(run, { first, last }, isWanted, (rows) => this.#add(table, rows, tell));
      }
    }
  }

  /** Rows of the one run that `gather` has left, which stay as they are until their reader ends. */
  frozen(read: (batch: Batch) => Batch): FrozenRun[] {
    const { schema } = this.#options.groups;
    return this.#runs.flatMap((run): FrozenRun[] => {
      const rows = run.stretch(0, run.bucketCount - 1);
      if (rows === null) return [];
      const held = run.hold();
      const close = () => (this.#isClosed ? held.abandon() : held.close());
      return [{ open: () => this.#files.open(rows, schema), read, close }];
    });
  }

  /** What the job ends with when there is no memory. */
  explained(error: unknown): unknown {
    if (codeOf(error) !== 'MEMORY_EXHAUSTED' || this.size.canSpill) return error;
    const leastBytes = Math.ceil(this.size.leastBytes / this.#options.part);
    return memoryTooSmall(this.#context, { verb: 'group', leastBytes, cause: error });
  }

  close(): void {
    this.#isClosed = true;
    for (const run of this.#runs.splice(0)) run.abandon();
    this.#context.scope.memory.release(this.#scratch);
    this.#files.close();
  }

  /** What the table may have. */
  get #roomBytes(): number {
    const { tableBytes } = this.size;
    const held = this.#runs.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    return Math.max(tableBytes - held, tableBytes / 2);
  }

  *#written(
    of: { readonly bits: number; readonly countMax: number },
    work: (writer: GroupRunWriter) => DiskWork,
  ): Generator<null, GroupRun | null> {
    const writer = new GroupRunWriter(this.#context.scope, this.#files, of);
    try {
      yield* work(writer);
      const run = writer.finish();
      if (run.rowCount > 0) return run;
      run.close();
      return null;
    } finally {
      writer.close();
    }
  }

  /** Writes the groups of a table, which are of some buckets. */
  *#append(table: GroupTable, writer: GroupRunWriter, of: AppendedGroups): DiskWork {
    const { groups } = this.#options;
    const { scope } = this.#context;
    const isWanted = (slot: number) => {
      return groups.isThere(slot) && !(of.isLast && groups.isGone(slot));
    };
    const order = new GroupOrder(scope, table, { ...of, bits: writer.bits, isWanted });
    try {
      while (!order.step()) yield null;
      let bucket = of.first;
      for (let at = 0; at < order.count; at += batchRowsMax) {
        const count = Math.min(batchRowsMax, order.count - at);
        const list = order.list + at * 4;
        const { uint32 } = scope.memory;
        for (let row = 0; row < count; row++) {
          const slot = uint32[(list >>> 2) + row] ?? 0;
          writer.addPlace(placeOf(uint32[slot >>> 2] ?? 0));
        }
        const batch = groups.readList(table, list, count);
        try {
          const from = { starts: order.starts, first: of.first, at, bucket };
          bucket = this.#appendBuckets(batch, writer, from);
        } finally {
          batch.release();
        }
        yield null;
      }
    } finally {
      order.close();
    }
  }

  /** Appends a batch of groups that lie by bucket from a place of all on; answers the bucket of the last one. */
  #appendBuckets(
    batch: Batch,
    writer: GroupRunWriter,
    from: {
      readonly starts: Uint32Array;
      readonly first: number;
      readonly at: number;
      readonly bucket: number;
    },
  ): number {
    const { starts, first, at } = from;
    const numbers = addressOf(this.#scratch);
    let { bucket } = from;
    for (let row = 0; row < batch.rowCount; ) {
      while ((starts[bucket - first + 1] ?? 0) <= at + row) bucket++;
      const count = Math.min((starts[bucket - first + 1] ?? 0) - at, batch.rowCount) - row;
      writer.append(batch, { list: numbers + row * 4, count }, bucket);
      row += count;
    }
    return bucket;
  }

  /** Makes one run of the newest ones. */
  *#merge(runCount: number): DiskWork {
    const runs = this.#runs.slice(0, runCount);
    const isLast = runCount === this.#runs.length;
    const countMax = runs.reduce((sum, { rowCount }) => sum + rowCount, 0);
    const of = { bits: bucketBitsOf(countMax), countMax };
    const merged = yield* this.#written(of, (writer) => this.#mergeInto(writer, runs, isLast));
    this.#runs = [...(merged === null ? [] : [merged]), ...this.#runs.slice(runCount)];
    for (const run of runs) run.close();
  }

  *#mergeInto(writer: GroupRunWriter, runs: readonly GroupRun[], isLast: boolean): DiskWork {
    const { groups } = this.#options;
    const table = groups.newTable();
    try {
      const rows = runs.reduce((sum, { rowCount }) => sum + rowCount, 0);
      const rangeBits = Math.min(writer.bits, rangeBitsOf(rows, this.#rangeRows(table)));
      for (let range = 0; range < 2 ** rangeBits; range++) {
        const isWanted = (place: number) => bucketOf(place, rangeBits) === range;
        for (const run of runs) {
          const buckets = bucketsOf(range, rangeBits, run.bits);
          yield* this.#read(run, buckets, isWanted, (found) => this.#add(table, found));
        }
        while (table.isGrowing) table.grow();
        const own = bucketsOf(range, rangeBits, writer.bits);
        yield* this.#append(table, writer, { ...own, isLast });
        table.clear();
      }
    } finally {
      table.close();
    }
  }

  /** Rows that a table has room for, on its way. */
  #rangeRows(table: GroupTable): number {
    const { stride } = groupSlotsOf(table, this.#context.scope.memory.uint32);
    const rows = Math.floor(this.size.tableBytes / (stride * 4));
    return Math.max(chunkRows, Math.min(rangeRowsMax, rows));
  }

  /** Reads buckets of a run, the last one included; `work` gets the rows that are wanted. */
  *#read(
    run: GroupRun,
    { first, last }: { readonly first: number; readonly last: number },
    isWanted: (place: number) => boolean,
    work: (batch: Batch) => DiskWork,
  ): DiskWork {
    const rows = run.stretch(first, last);
    if (rows === null) return;
    const reader = this.#files.open(rows, this.#options.groups.schema);
    try {
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        const wanted = this.#select(batch, isWanted);
        if (wanted !== null) yield* work(wanted);
      }
    } finally {
      reader.close();
    }
  }

  /** The rows that are wanted; takes the batch over. */
  #select(batch: Batch, isWanted: (place: number) => boolean): Batch | null {
    const { groups } = this.#options;
    const { scope } = this.#context;
    try {
      const hashes = addressOf(this.#scratch) + batchRowsMax * 4;
      groups.hash(batch, hashes);
      const block = scope.allocate(batch.rowCount * 4);
      const selection = addressOf(block);
      const { uint32 } = scope.memory;
      let rowCount = 0;
      for (let row = 0; row < batch.rowCount; row++) {
        const place = placeOf(uint32[(hashes >>> 2) + row] ?? 0);
        if (!isWanted(place) || groups.isOver(batch, row)) continue;
        uint32[(selection >>> 2) + rowCount++] = row;
      }
      if (rowCount > 0) return batch.derive({ rowCount, selection, blocks: [block] });
      scope.memory.release(block);
      return null;
    } finally {
      batch.release();
    }
  }

  /** Adds rows to a table; takes the batch over. */
  *#add(table: GroupTable, batch: Batch, tell?: (place: number) => void): DiskWork {
    try {
      for (let row = 0; row < batch.rowCount; ) {
        if (table.isGrowing) table.grow();
        else row = this.#options.groups.addNew(table, batch, row, tell);
        yield null;
      }
    } finally {
      batch.release();
    }
  }
}

/** The next number of a group, from one on, that is still wanted and may be in a run. */
function nextIn(run: GroupRun, wanted: WantedGroups, from: number): number {
  let at = from;
  while (at < wanted.count && (wanted.isFound(at) || !run.mayHold(wanted.places[at] ?? 0))) at++;
  return at;
}

/** Bits of a range of places that has so many rows at most, about. */
function rangeBitsOf(rowCount: number, rangeRows: number): number {
  return Math.max(0, Math.ceil(Math.log2(rowCount / rangeRows)));
}

/** The buckets that a range of places lies in. */
function bucketsOf(range: number, rangeBits: number, bits: number) {
  if (bits <= rangeBits) {
    const bucket = Math.floor(range / 2 ** (rangeBits - bits));
    return { first: bucket, last: bucket };
  }
  const each = 2 ** (bits - rangeBits);
  return { first: range * each, last: (range + 1) * each - 1 };
}
