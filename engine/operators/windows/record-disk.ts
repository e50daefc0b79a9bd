/**
 * Records on disk: when the records of keys have what they may have of the operator's share, all of them go to disk as
 * parts, and come back when a row of their key comes, or when they are due.
 *
 *     records > a third of the share ─▶ by when they are due ─▶ segments of a file (`RecordRun`) ─▶ no records
 *     rows ─▶ hashes of their keys ─▶ segments that have some ─▶ their records, before the rows are worked in
 *     time ─▶ segments that are due ─▶ their records, before what is complete comes out
 *
 * So a record on disk never changes: it has all rows of its session, or pane, that have come. What memory keeps of one are
 * some ten bytes of an index. Work is done in slices: what was begun goes on in `settle`.
 *
 * Invariants:
 * - Before a row is worked in, all records of its key are in memory.
 * - Before a session comes out, all that are due are in memory.
 * - A file is removed when none of its records are left.
 */
import { assert } from '../../../base/assert.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { KeyHasher } from '../../keys/key-hasher.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { SpillFiles } from '../../spill/spill-files.ts';
import type { SpillWriter } from '../../spill/spill-writer.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { memoryTooSmall } from '../memory-too-small.ts';
import type { OperatorContext } from '../operator.ts';
import { type PartitionSize, partitionSizeOf } from '../partition-size.ts';
import type { KeyedRecords } from './keyed-records.ts';
import { readRecordBatch } from './record-batch.ts';
import { type OrderedRecord, RecordOrder } from './record-order.ts';
import { RecordRun } from './record-run.ts';

export interface RecordDiskOptions {
  readonly input: Schema;
  /** Of records on disk: two bounds, keys, parts. */
  readonly pieces: Schema;
  readonly keys: readonly string[];
  /** Of the records. */
  readonly plan: AggregatePlan;
  readonly order: OrderedRecord;
  /** Makes records of pieces from a row on; answers the next row. */
  readonly restore: (pieces: Batch, fromRow: number, isKept: boolean) => number;
  /** Whether a piece that has come out is kept no longer. */
  readonly isOver: (pieces: Batch, row: number) => boolean;
  /** What records may have in memory. @defaultValue a third of what the share has for tables */
  readonly recordBytesMax?: number;
}

/** Records as parts, and whether they have come out and are kept. */
export interface Piece {
  readonly batch: Batch;
  readonly isKept: boolean;
}

/** A part of the work: pieces for memory, or null where it may rest. */
type Work = Generator<Piece | null, void>;

const segmentRows = 1024;
/** Records of a run: sorting their hashes takes a slice, and so do those of a file. */
const runRecordsMax = 131_072;
/** Records with their keys, what one of those takes while it grows, and what is merged. */
const tableCount = 3;
/** What keys and inputs of a batch take, widened. */
const scratchBytes = batchRowsMax * 24;

export class RecordDisk {
  readonly size: PartitionSize;
  readonly #context: OperatorContext;
  readonly #options: RecordDiskOptions;
  readonly #records: KeyedRecords;
  readonly #files: SpillFiles;
  readonly #limitBytes: number;
  /** Of rows, and of pieces. */
  #hashers: { readonly rows: KeyHasher; readonly pieces: KeyHasher } | null = null;
  #runs: RecordRun[] = [];
  #work: Work | null = null;
  #piece: Piece | null = null;
  #pieceRow = 0;
  /** The batch whose keys have all of their records in memory. */
  #readyBatch: Batch | null = null;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, records: KeyedRecords, options: RecordDiskOptions) {
    const { pieces } = options;
    this.#context = context;
    this.#records = records;
    this.#options = options;
    const needs = { batches: [pieces, pieces, pieces], writers: 1, tables: tableCount };
    this.size = partitionSizeOf({ ...needs, scratchBytes }, context.spill.share.bytes);
    this.#limitBytes = options.recordBytesMax ?? this.size.tableBytes;
    this.#files = new SpillFiles(context, this.size);
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Before that time nothing on disk is due. */
  get dueMs(): number {
    return this.#runs.reduce(
      (least, { dueMs }) => Math.min(least, dueMs),
      Number.POSITIVE_INFINITY,
    );
  }

  /** Whether records have what they may have in memory; the index of those on disk is part of it. */
  get isFull(): boolean {
    if (!this.size.canSpill || this.#records.isEmpty) return false;
    const indexBytes = this.#runs.reduce((sum, run) => sum + run.sizeBytes, 0);
    return this.#records.sizeBytes > Math.max(this.#limitBytes - indexBytes, this.#limitBytes / 2);
  }

  /**
   * Puts records on disk where there is no more room, and reads those of the keys that rows of a batch have, before the first
   * of them is worked in; false asks to be called again.
   */
  makeReady(batch: Batch): boolean {
    if (!this.settle()) return false;
    if (this.#readyBatch === batch) return true;
    if (this.isFull) {
      this.write();
      if (!this.settle()) return false;
    }
    if (!this.isEmpty) this.#begin(this.#recalled(batch));
    this.#readyBatch = batch;
    return this.settle();
  }

  /** The rows of the batch have been worked in. */
  endBatch(): void {
    this.#readyBatch = null;
  }

  /** Begins to put all records on disk. */
  write(): void {
    this.#begin(this.#written());
  }

  /** Begins to read records that are due, until all are or memory is full. */
  recallDue(timeMs: number): void {
    this.#begin(this.#recalledDue(timeMs));
  }

  /** Goes on with what was begun; false asks to be called again. */
  settle(): boolean {
    for (;;) {
      if (this.#piece !== null) this.#restore(this.#piece);
      else if (this.#work === null) return true;
      else {
        const { done, value } = this.#work.next();
        if (done === true) this.#work = null;
        else this.#piece = value;
      }
      if (this.#context.shouldYield()) return false;
    }
  }

  /** The records on disk, which stay there; batches are the caller's. Nothing else is done meanwhile. */
  *live(): Generator<Piece, void> {
    for (const run of this.#runs) {
      for (const [number, { liveCount, isKept, run: written }] of run.segments.entries()) {
        if (liveCount === 0) continue;
        const reader = this.#files.open(written, this.#options.pieces);
        try {
          for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
            const there = this.#select(batch, (hash) => run.holds(hash, number));
            if (there !== null) yield { batch: there, isKept };
          }
        } finally {
          reader.close();
        }
      }
    }
  }

  /** Whether records of a key with that hash are on disk, or of one with the same. */
  mayHold(hash: number): boolean {
    return this.#runs.some((run) => run.segments.some((_, number) => run.holds(hash, number)));
  }

  /** What the job ends with when there is no memory. */
  explained(error: unknown): unknown {
    if (codeOf(error) !== 'MEMORY_EXHAUSTED' || this.size.canSpill) return error;
    const { leastBytes } = this.size;
    return memoryTooSmall(this.#context, { verb: 'group', leastBytes, cause: error });
  }

  close(): void {
    this.#work?.return();
    this.#work = null;
    this.#piece?.batch.release();
    this.#piece = null;
    for (const run of this.#runs.splice(0)) run.close();
    this.#hashers?.rows.close();
    this.#hashers?.pieces.close();
    this.#hashers = null;
    this.#files.close();
  }

  #begin(work: Work): void {
    assert(this.#work === null && this.#piece === null, 'one thing is done after the other');
    this.#work = work;
  }

  #restore({ batch, isKept }: Piece): void {
    this.#pieceRow = this.#options.restore(batch, this.#pieceRow, isKept);
    if (this.#pieceRow < batch.rowCount) return;
    batch.release();
    this.#piece = null;
    this.#pieceRow = 0;
  }

  #hash() {
    const { scope, kernels } = this.#context;
    const { input, pieces, keys } = this.#options;
    this.#hashers ??= {
      rows: new KeyHasher({ scope, kernels, schema: input }, keys),
      pieces: new KeyHasher({ scope, kernels, schema: pieces }, keys),
    };
    return this.#hashers;
  }

  *#written(): Work {
    const { order } = this.#options;
    const all = new RecordOrder(this.#context, this.#records, order);
    try {
      while (all.read(runRecordsMax)) yield* this.#writtenRun(all);
    } finally {
      all.close();
    }
    this.#records.reset();
  }

  *#writtenRun(all: RecordOrder): Work {
    const { plan, pieces: schema } = this.#options;
    const { pieces: hasher } = this.#hash();
    const run = new RecordRun(this.#context.scope, all.count);
    let writer: SpillWriter | null = null;
    let isDone = false;
    try {
      writer = this.#files.create();
      for (let from = 0; from < all.count; ) {
        const { list, dueMs, isKept } = all.segment(from, segmentRows);
        const reading = { list, results: plan.parts, schema, beyond: 0 };
        const { batch } = readRecordBatch(this.#context, this.#records, reading, 0);
        assert(batch !== null, 'a segment has records');
        try {
          run.append(writer, batch, hasher.hash(batch), { dueMs, isKept });
        } finally {
          batch.release();
        }
        from += list.count;
        yield null;
      }
      run.finish();
      this.#runs.push(run);
      isDone = true;
    } finally {
      writer?.close();
      if (!isDone) run.close();
    }
  }

  *#recalled(batch: Batch): Work {
    const hashes = this.#hash().rows.hash(batch) >>> 2;
    const { uint32 } = this.#context.scope.memory;
    for (const run of this.#runs.slice()) {
      const wanted = new Map<number, Set<number>>();
      for (let row = 0; row < batch.rowCount; row++) {
        const hash = uint32[hashes + row] ?? 0;
        run.take(hash, (number) => {
          const known = wanted.get(number);
          if (known === undefined) wanted.set(number, new Set([hash]));
          else known.add(hash);
        });
      }
      for (const [number, own] of [...wanted].sort(([a], [b]) => a - b)) {
        yield* this.#read(run, number, (hash) => own.has(hash));
      }
      this.#dropIfEmpty(run);
    }
  }

  *#recalledDue(timeMs: number): Work {
    for (const run of this.#runs.slice()) {
      for (const [number, segment] of run.segments.entries()) {
        if (segment.liveCount === 0 || segment.dueMs > timeMs) continue;
        // Of records that have come out nobody needs to know that they are over.
        if (!segment.isKept) yield* this.#read(run, number, (hash) => run.holds(hash, number));
        segment.liveCount = 0;
        if (this.isFull) break;
      }
      this.#dropIfEmpty(run);
      if (this.isFull) return;
    }
  }

  /** Reads the records of a segment whose hashes are wanted. */
  *#read(run: RecordRun, number: number, isWanted: (hash: number) => boolean): Work {
    const segment = run.segments[number];
    assert(segment !== undefined, 'a run has its segments');
    const { isKept } = segment;
    const reader = this.#files.open(segment.run, this.#options.pieces);
    try {
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        const { isOver } = this.#options;
        const wanted = this.#select(batch, (hash, row) => {
          if (!isWanted(hash)) return false;
          segment.liveCount--;
          return !(isKept && isOver(batch, row));
        });
        if (wanted !== null) yield { batch: wanted, isKept };
      }
    } finally {
      reader.close();
    }
  }

  /** The rows that are wanted; takes the batch over. */
  #select(batch: Batch, isWanted: (hash: number, row: number) => boolean): Batch | null {
    const { scope } = this.#context;
    try {
      const hashes = this.#hash().pieces.hash(batch) >>> 2;
      const block = scope.allocate(batch.rowCount * 4);
      const selection = addressOf(block);
      const { uint32 } = scope.memory;
      let rowCount = 0;
      for (let row = 0; row < batch.rowCount; row++) {
        if (isWanted(uint32[hashes + row] ?? 0, row)) uint32[(selection >>> 2) + rowCount++] = row;
      }
      if (rowCount > 0) return batch.derive({ rowCount, selection, blocks: [block] });
      scope.memory.release(block);
      return null;
    } finally {
      batch.release();
    }
  }

  #dropIfEmpty(run: RecordRun): void {
    if (!run.isEmpty) return;
    this.#runs = this.#runs.filter((other) => other !== run);
    const [first] = run.segments;
    run.close();
    if (first !== undefined) this.#files.remove(first.run);
  }
}
