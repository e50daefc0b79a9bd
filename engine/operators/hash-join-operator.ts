/**
 * Hash join: keeps the rows of one input (the build side) in a table, then looks up those of the other
 * (the probe side), a batch at a time.
 *
 *     build … buildEnded ─▶ process: keys ─▶ first partners ─▶ pairs, up to 8,192 ─▶ condition ─▶ batch out
 *                                                  └───────────▶ probe rows with, or without, a partner
 *                           finish: build rows with, or without, a partner
 *
 * A condition that is no equality of keys is computed over pairs; whether a row has a partner is decided
 * after that, as SQL has it. So with a condition rows without a partner come behind the pairs of their
 * batch; else they come in the order of the probe side, beside nulls.
 *
 * Invariants:
 * - No call makes more than 8,192 pairs; the place within a chain is kept between calls.
 * - Keys that are null or NaN have no partner.
 * Not here: what to do when the build side outgrows the memory (engine/operators/join-build.ts holds it).
 * @see docs/design/006-joins.md
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { type RowFilter, rowFilter } from '../compile/row-filter.ts';
import { addColumnNames } from '../expr/column-names.ts';
import type { Expr } from '../expr/expr.ts';
import { noNumber } from '../kernels/join-kernels.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { type JoinRows, type JoinSide, type JoinType, joinRowsOf } from '../plan/join-type.ts';
import { bitmapSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import { JoinBuild } from './join-build.ts';
import { JoinKeys } from './join-keys.ts';
import { type JoinedRows, JoinOutput } from './join-output.ts';
import type { JoinOperator, OperatorContext, Outbox } from './operator.ts';

export interface HashJoinOptions {
  readonly type: JoinType;
  /** Which side is kept in memory. */
  readonly buildSide: JoinSide;
  readonly probe: Schema;
  readonly build: Schema;
  /** Names of key columns; as many, and of the same types, on both sides. */
  readonly probeKeys: readonly string[];
  readonly buildKeys: readonly string[];
  /** A condition over columns of both sides. */
  readonly condition: Expr | null;
  /** Columns of both sides. */
  readonly output: Schema;
}

/** What is done with the current batch next. */
type Step = 'pairs' | 'alone' | 'done';

const listBytes = batchRowsMax * 4;

export class HashJoinOperator implements JoinOperator {
  readonly #context: OperatorContext;
  readonly #options: HashJoinOptions;
  readonly #rows: JoinRows;
  readonly #build: JoinBuild;
  readonly #probeKeys: JoinKeys | null;
  readonly #filter: RowFilter | null;
  /** First partners, pairs, the place among them, bits of probe rows. */
  readonly #scratch: BlockHandle;
  /** Bits of build rows that have a partner. */
  #marks: BlockHandle = 0;
  #output: JoinOutput | null = null;
  /** The columns that the condition reads, of pairs. */
  #pairs: JoinOutput | null = null;
  #current: Batch | null = null;
  #step: Step = 'done';
  #waiting: Batch | null = null;
  /** Build rows that `finish` has looked at. */
  #finishedRows = 0;

  constructor(context: OperatorContext, options: HashJoinOptions) {
    const { scope, kernels } = context;
    const { type, buildSide, probe, build, probeKeys, buildKeys, condition } = options;
    this.#context = context;
    this.#options = options;
    this.#rows = joinRowsOf(type, buildSide);
    this.#build = new JoinBuild(context, { schema: build, keys: buildKeys });
    const hasKeys = probeKeys.length > 0;
    this.#probeKeys = hasKeys
      ? new JoinKeys(scope, kernels, { schema: probe, keys: probeKeys })
      : null;
    this.#filter = condition === null ? null : rowFilter(context, condition);
    this.#scratch = scope.allocate(3 * listBytes + bitmapSizeOf(batchRowsMax) + 8);
  }

  build(batch: Batch): number {
    this.#build.append(batch);
    return batch.rowCount;
  }

  buildEnded(): boolean {
    do {
      if (this.#build.end()) {
        this.#prepare();
        return true;
      }
    } while (!this.#context.shouldYield());
    return false;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    if (this.#current !== batch) this.#begin(batch);
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return fromRow;
      if (this.#step === 'done') {
        this.#current = null;
        return batch.rowCount;
      }
      if (steps > 0 && this.#context.shouldYield()) return fromRow;
      this.#waiting = this.#step === 'pairs' ? this.#nextPairs(batch) : this.#aloneRows(batch);
    }
  }

  finish(outbox: Outbox): boolean {
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return false;
      const isDone = this.#rows.build === 'none' || this.#finishedRows >= this.#build.rows.rowCount;
      if (isDone) return true;
      if (steps > 0 && this.#context.shouldYield()) return false;
      this.#waiting = this.#nextBuildRows();
    }
  }

  close(): void {
    const { memory } = this.#context.scope;
    this.#waiting?.release();
    this.#output?.close();
    this.#pairs?.close();
    this.#filter?.close();
    this.#probeKeys?.close();
    this.#build.close();
    for (const block of [this.#scratch, this.#marks]) if (block !== 0) memory.release(block);
  }

  /** Whether rows without a partner are written among the pairs. */
  get #isInline(): boolean {
    return this.#rows.hasPairs && this.#rows.probe === 'unmatched' && this.#filter === null;
  }

  get #at() {
    const heads = addressOf(this.#scratch);
    const bits = heads + 3 * listBytes;
    return {
      heads,
      probe: heads + listBytes,
      build: heads + 2 * listBytes,
      bits,
      state: bits + bitmapSizeOf(batchRowsMax),
    };
  }

  /** The build side is complete. */
  #prepare(): void {
    const { probe, build, output, condition } = this.#options;
    const { scope } = this.#context;
    const { rows } = this.#build;
    this.#output = new JoinOutput(this.#context, rows, {
      ...{ output, probe, build },
      mayBeNull: this.#isInline,
    });
    if (condition !== null) {
      const read = conditionSchema(condition, { probe, build });
      const options = { output: read, probe, build, mayBeNull: false };
      this.#pairs = new JoinOutput(this.#context, rows, options);
    }
    if (this.#rows.build === 'none') return;
    const sizeBytes = bitmapSizeOf(rows.rowCount);
    this.#marks = scope.allocate(sizeBytes);
    const start = addressOf(this.#marks);
    scope.memory.bytes.fill(0, start, start + sizeBytes);
  }

  #begin(batch: Batch): void {
    const { heads, bits, state } = this.#at;
    const { uint32, bytes } = this.#context.scope.memory;
    const keys = this.#probeKeys?.read(batch) ?? null;
    this.#build.table.find(keys, batch.rowCount, heads);
    uint32.fill(0, state >>> 2, (state >>> 2) + 2);
    bytes.fill(0, bits, bits + bitmapSizeOf(batchRowsMax));
    this.#current = batch;
    const { hasPairs, build } = this.#rows;
    const needsPairs = hasPairs || build !== 'none' || this.#filter !== null;
    this.#step = needsPairs ? 'pairs' : this.#afterPairs();
  }

  #afterPairs(): Step {
    return this.#rows.probe === 'none' || this.#isInline ? 'done' : 'alone';
  }

  /** Makes the next pairs; a batch of them where they are given out. */
  #nextPairs(batch: Batch): Batch | null {
    const { kernels, scope } = this.#context;
    const { heads, probe, build, bits, state } = this.#at;
    const { selection, rowCount } = batch;
    const { next } = this.#build.table;
    const nullNumber = this.#isInline ? this.#build.rows.nullNumber : noNumber;
    const args = [state, heads, selection, rowCount, next, nullNumber, probe, build] as const;
    const made = kernels.joinPairs(...args, batchRowsMax);
    const isLast = scope.memory.uint32[state >>> 2] === rowCount;
    if (isLast) this.#step = this.#afterPairs();
    const count = this.#filtered(batch, made);
    if (count === 0) return null;
    if (this.#rows.probe !== 'none') kernels.markRows(bits, probe, count);
    if (this.#marks !== 0) this.#markBuildRows(build, count);
    if (!this.#rows.hasPairs) return null;
    // No key is there twice, and every row has a pair: each has one, in order.
    const isWhole = next === 0 && selection === 0 && count === rowCount;
    const rows = isWhole ? 0 : probe;
    return this.#make({ count, probe: { batch, rows }, numbers: build });
  }

  /** Marks the partners; the number of nulls is no row. */
  #markBuildRows(numbers: number, count: number): void {
    const { kernels, scope } = this.#context;
    const marks = addressOf(this.#marks);
    if (!this.#isInline) {
      kernels.markRows(marks, numbers, count);
      return;
    }
    const { uint32, bytes } = scope.memory;
    const { rowCount } = this.#build.rows;
    for (let index = 0; index < count; index++) {
      const row = uint32[(numbers >>> 2) + index] ?? rowCount;
      const byte = marks + (row >>> 3);
      if (row < rowCount) bytes[byte] = (bytes[byte] ?? 0) | (1 << (row & 7));
    }
  }

  /** Leaves the pairs for which the condition is true; answers how many. */
  #filtered(batch: Batch, made: number): number {
    if (this.#filter === null || made === 0) return made;
    const { kernels, scope } = this.#context;
    const { probe, build } = this.#at;
    assert(this.#pairs !== null, 'a join with a condition has its columns');
    const pairs = this.#pairs.make({ count: made, probe: { batch, rows: probe }, numbers: build });
    try {
      const { selection, rowCount } = this.#filter.select(pairs);
      if (selection === 0) return rowCount;
      for (const list of [probe, build]) {
        kernels.take4(list, addressOf(selection), rowCount, list);
      }
      scope.memory.release(selection);
      return rowCount;
    } finally {
      pairs.release();
    }
  }

  /** The probe rows of the batch that come alone. */
  #aloneRows(batch: Batch): Batch | null {
    const { kernels } = this.#context;
    const { heads, probe, bits } = this.#at;
    const { selection, rowCount } = batch;
    const wanted = this.#rows.probe === 'matched' ? 1 : 0;
    this.#step = 'done';
    const count =
      this.#filter === null
        ? kernels.rowsByHead(heads, selection, rowCount, wanted, probe)
        : kernels.rowsByMark(bits, selection, 0, rowCount, wanted, probe);
    if (count === 0) return null;
    const isWhole = selection === 0 && count === rowCount;
    return this.#make({ count, probe: { batch, rows: isWhole ? 0 : probe }, numbers: 0 });
  }

  /** The build rows that come alone, among the next 8,192. */
  #nextBuildRows(): Batch | null {
    const { kernels } = this.#context;
    const { build } = this.#at;
    const from = this.#finishedRows;
    const end = Math.min(from + batchRowsMax, this.#build.rows.rowCount);
    const wanted = this.#rows.build === 'matched' ? 1 : 0;
    const count = kernels.rowsByMark(addressOf(this.#marks), 0, from, end, wanted, build);
    this.#finishedRows = end;
    return count === 0 ? null : this.#make({ count, probe: null, numbers: build });
  }

  #make(rows: JoinedRows): Batch {
    assert(this.#output !== null, 'rows are given out when the build side is complete');
    return this.#output.make(rows);
  }

  /** Offers what waits; true when nothing does any more. */
  #give(outbox: Outbox): boolean {
    if (this.#waiting === null) return true;
    if (!outbox.offer(this.#waiting)) return false;
    this.#waiting = null;
    return true;
  }
}

/** The columns that a condition reads; batches without columns are not made. */
function conditionSchema(
  condition: Expr,
  { probe, build }: { readonly probe: Schema; readonly build: Schema },
): Schema {
  const names = new Set<string>();
  addColumnNames(condition, names);
  const fields = [...probe.fields, ...build.fields].filter(({ name }) => names.has(name));
  return { fields: fields.length > 0 ? fields : probe.fields.slice(0, 1) };
}
