/**
 * Join probe: rows of the probe side, a batch at a time, beside those of a complete build side.
 *
 *     begin: keys ─▶ first partners ─▶ next: pairs, up to 8,192 ─▶ condition ─▶ batch
 *                                        └─▶ probe rows with, or without, a partner
 *                                      nextBuildRows: build rows with, or without, a partner
 *
 * A condition that is no equality of keys is computed over pairs; whether a row has a partner is decided
 * after that, as SQL has it. So with a condition rows without a partner come behind the pairs of their
 * batch; else they come in the order of the probe side, beside nulls.
 *
 * A build side may be one part of several that the same probe rows go past (engine/operators/partition-join.ts).
 * Then the bits of probe rows that have a partner are handed from part to part, and such rows come alone
 * with the last one.
 *
 * Invariants:
 * - No call makes more than 8,192 pairs; the place within a chain is kept between calls.
 * - Keys that are null or NaN have no partner.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { noNumber } from '../kernels/join-kernels.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { type JoinRows, joinRowsOf } from '../plan/join-type.ts';
import { bitmapSizeOf } from '../schema/field-type.ts';
import type { JoinBuild } from './join-build.ts';
import { type JoinCondition, keepPairs } from './join-condition.ts';
import { JoinKeys } from './join-keys.ts';
import type { HashJoinOptions } from './join-options.ts';
import { type JoinedRows, JoinOutput } from './join-output.ts';
import type { OperatorContext } from './operator.ts';

export interface JoinProbeOptions {
  readonly join: HashJoinOptions;
  /** Complete; still the caller's. */
  readonly build: JoinBuild;
  /** The caller's. */
  readonly condition: JoinCondition | null;
  /** Where the build side is one part of several. */
  readonly part?: { readonly isLast: boolean };
}

/** What is done with the current batch next. */
type Step = 'pairs' | 'alone' | 'done';

const listBytes = batchRowsMax * 4;

/** What a probe takes besides keys: lists and bits of rows, zeroes of nulls. */
export const probeScratchBytes = 3 * listBytes + batchRowsMax * 16 + 4096;

export class JoinProbe {
  readonly #context: OperatorContext;
  readonly #options: JoinProbeOptions;
  readonly #rows: JoinRows;
  readonly #keys: JoinKeys | null;
  readonly #output: JoinOutput;
  /** The columns that the condition reads, of pairs. */
  readonly #pairs: JoinOutput | null;
  /** First partners, pairs, the place among them, bits of probe rows. */
  readonly #scratch: BlockHandle;
  /** Bits of build rows that have a partner; 0 where nobody asks. */
  readonly #marks: BlockHandle;
  readonly #blocks: BlockHandle[] = [];
  readonly #parts: ({ close(): void } | null)[] = [];
  #current: Batch | null = null;
  #step: Step = 'done';
  /** Build rows that have been looked at, whether they come alone. */
  #finishedRows = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: JoinProbeOptions) {
    const { join, build, condition } = options;
    const { type, buildSide, output, probe, probeKeys } = join;
    const { scope, kernels } = context;
    this.#context = context;
    this.#options = options;
    this.#rows = joinRowsOf(type, buildSide);
    const schemas = { probe, build: join.build };
    try {
      this.#keys = this.#part(
        probeKeys.length === 0
          ? null
          : new JoinKeys(scope, kernels, { schema: probe, keys: probeKeys }),
      );
      const mayBeNull = this.#isInline;
      const { rows } = build;
      this.#output = this.#part(new JoinOutput(context, rows, { ...schemas, output, mayBeNull }));
      this.#pairs = this.#part(
        condition === null
          ? null
          : new JoinOutput(context, rows, {
              ...{ ...schemas, output: condition.columns, mayBeNull: false },
            }),
      );
      this.#scratch = this.#room(3 * listBytes + bitmapSizeOf(batchRowsMax) + 8);
      this.#marks = this.#rows.build === 'none' ? 0 : this.#room(bitmapSizeOf(rows.rowCount));
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.#marks === 0) return;
    const start = addressOf(this.#marks);
    scope.memory.bytes.fill(0, start, start + bitmapSizeOf(build.rows.rowCount));
  }

  /** The batch that is being worked on; it is the caller's. */
  get current(): Batch | null {
    return this.#current;
  }

  /** Bits of the probe rows that have a partner, by stored row; of the batch that `next` has come to the end of. */
  get bits(): number {
    return this.#at.bits;
  }

  /** @param bits - Address of those of rows that had a partner in a part before; 0: none. */
  begin(batch: Batch, bits = 0): void {
    const { heads, bits: own, state } = this.#at;
    const { uint32, bytes } = this.#context.scope.memory;
    const keys = this.#keys?.read(batch) ?? null;
    this.#options.build.table.find(keys, batch.rowCount, heads);
    uint32.fill(0, state >>> 2, (state >>> 2) + 2);
    const sizeBytes = bitmapSizeOf(batchRowsMax);
    if (bits === 0) bytes.fill(0, own, own + sizeBytes);
    else bytes.copyWithin(own, bits, bits + bitmapSizeOf(batch.storedRows));
    this.#current = batch;
    const { hasPairs, build } = this.#rows;
    const needsPairs = hasPairs || build !== 'none' || this.#options.condition !== null;
    this.#step = needsPairs ? 'pairs' : this.#afterPairs();
    if (!needsPairs && this.#options.part !== undefined) this.#markByHeads(batch);
    if (this.#step === 'done') this.#current = null;
  }

  /** Works on the current batch, a step; what is given out, if any. */
  next(): Batch | null {
    const batch = this.#current;
    assert(batch !== null, 'a batch is begun before pairs are made');
    const made = this.#step === 'pairs' ? this.#nextPairs(batch) : this.#aloneRows(batch);
    if (this.#step === 'done') this.#current = null;
    return made;
  }

  /** After the last batch: the next build rows that come alone; null when a step has none. */
  nextBuildRows(): Batch | null | 'end' {
    const { kernels } = this.#context;
    const { build } = this.#at;
    const { rowCount } = this.#options.build.rows;
    const from = this.#finishedRows;
    if (this.#marks === 0 || from >= rowCount) return 'end';
    const end = Math.min(from + batchRowsMax, rowCount);
    const wanted = this.#rows.build === 'matched' ? 1 : 0;
    const count = kernels.rowsByMark(addressOf(this.#marks), 0, from, end, wanted, build);
    this.#finishedRows = end;
    return count === 0 ? null : this.#output.make({ count, probe: null, numbers: build });
  }

  /** Releases all memory; once. */
  close(): void {
    const { memory } = this.#context.scope;
    for (const block of this.#blocks.splice(0)) memory.release(block);
    closeAll(this.#parts.splice(0));
  }

  /** Whether rows without a partner are written among the pairs. */
  get #isInline(): boolean {
    const { condition, part } = this.#options;
    const { hasPairs, probe } = this.#rows;
    return hasPairs && probe === 'unmatched' && condition === null && part === undefined;
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

  #afterPairs(): Step {
    const areLater = this.#options.part?.isLast === false;
    return this.#rows.probe === 'none' || this.#isInline || areLater ? 'done' : 'alone';
  }

  /** Makes the next pairs; a batch of them where they are given out. */
  #nextPairs(batch: Batch): Batch | null {
    const { kernels, scope } = this.#context;
    const { heads, probe, build, bits, state } = this.#at;
    const { selection, rowCount } = batch;
    const { table, rows: buildRows } = this.#options.build;
    const nullNumber = this.#isInline ? buildRows.nullNumber : noNumber;
    const args = [state, heads, selection, rowCount, table.next, nullNumber, probe, build] as const;
    const made = kernels.joinPairs(...args, batchRowsMax);
    const isLast = scope.memory.uint32[state >>> 2] === rowCount;
    if (isLast) this.#step = this.#afterPairs();
    const count = this.#filtered(batch, made);
    if (count === 0) return null;
    if (this.#rows.probe !== 'none') kernels.markRows(bits, probe, count);
    if (this.#marks !== 0) this.#markBuildRows(build, count);
    if (!this.#rows.hasPairs) return null;
    // No key is there twice, and every row has a pair: each has one, in order.
    const isWhole = table.next === 0 && selection === 0 && count === rowCount;
    return this.#make({ count, probe: { batch, rows: isWhole ? 0 : probe }, numbers: build });
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
    const { rowCount } = this.#options.build.rows;
    for (let index = 0; index < count; index++) {
      const row = uint32[(numbers >>> 2) + index] ?? rowCount;
      const byte = marks + (row >>> 3);
      if (row < rowCount) bytes[byte] = (bytes[byte] ?? 0) | (1 << (row & 7));
    }
  }

  /** Leaves the pairs for which the condition is true; answers how many. */
  #filtered(batch: Batch, made: number): number {
    const { condition } = this.#options;
    if (condition === null || this.#pairs === null || made === 0) return made;
    const { probe, build } = this.#at;
    const pairs = this.#pairs.make({ count: made, probe: { batch, rows: probe }, numbers: build });
    try {
      return keepPairs(this.#context, { condition, pairs, lists: [probe, build] });
    } finally {
      pairs.release();
    }
  }

  /** The probe rows of the batch that come alone. */
  #aloneRows(batch: Batch): Batch | null {
    const { kernels } = this.#context;
    const { heads, probe, bits } = this.#at;
    const { condition, part } = this.#options;
    const { selection, rowCount } = batch;
    const wanted = this.#rows.probe === 'matched' ? 1 : 0;
    this.#step = 'done';
    const count =
      condition === null && part === undefined
        ? kernels.rowsByHead(heads, selection, rowCount, wanted, probe)
        : kernels.rowsByMark(bits, selection, 0, rowCount, wanted, probe);
    if (count === 0) return null;
    const isWhole = selection === 0 && count === rowCount;
    return this.#make({ count, probe: { batch, rows: isWhole ? 0 : probe }, numbers: 0 });
  }

  /** Marks the probe rows that have a partner, where pairs are not made. */
  #markByHeads({ selection, rowCount }: Batch): void {
    const { kernels } = this.#context;
    const { heads, probe, bits } = this.#at;
    const count = kernels.rowsByHead(heads, selection, rowCount, 1, probe);
    kernels.markRows(bits, probe, count);
  }

  #make(rows: JoinedRows): Batch {
    return this.#output.make(rows);
  }

  #part<T extends { close(): void } | null>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  #room(sizeBytes: number): BlockHandle {
    const block = this.#context.scope.allocate(sizeBytes);
    this.#blocks.push(block);
    return block;
  }
}
