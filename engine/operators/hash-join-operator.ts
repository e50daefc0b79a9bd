/**
 * Hash join: keeps the rows of one input (the build side) in a table, then looks up those of the other
 * (the probe side), a batch at a time. Where the build side does not fit, both go to disk by partition.
 *
 *     build … buildEnded ─▶ fits: process: rows past the table (engine/operators/join-probe.ts)
 *                           │     finish: build rows with, or without, a partner
 *                           └─▶ does not: process: to disk
 *                                 finish: partition by partition (engine/operators/spilled-join.ts)
 *
 * Invariants:
 * - Between two calls every row of an input is in memory, or on disk, or done with.
 * - No promise about time goes past rows that come at the end: those of a build side that come alone, and all of what
 *   is on disk.
 * - In a job with checkpoints the build side stays in memory, and is what a snapshot has (engine/operators/kept-side.ts).
 * - What is held stays within the share, unless that is too small to spill: then it may be all of the slot's.
 * @see docs/design/006-joins.md
 */

import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../contracts/snapshot.ts';
import { joinRowsOf } from '../plan/join-type.ts';
import type { Schema } from '../schema/schema.ts';
import { largeRowBytesOf } from '../spill/large-rows.ts';
import { JoinBuild } from './join-build.ts';
import { type JoinCondition, joinConditionOf } from './join-condition.ts';
import { JoinKeyFilter } from './join-key-filter.ts';
import type { HashJoinOptions } from './join-options.ts';
import { JoinProbe } from './join-probe.ts';
import { joinSizeOf } from './join-size.ts';
import { KeptSide } from './kept-side.ts';
import { checkLargeRows, memoryTooSmall } from './memory-too-small.ts';
import type { IdleAnswer, JoinOperator, OperatorContext, Outbox } from './operator.ts';
import { leastBytesFor, type PartitionSize, tableBytesFor } from './partition-size.ts';
import { SpilledJoin } from './spilled-join.ts';
import { joinStateTooLarge } from './stream-join/join-state-too-large.ts';

export interface HashJoinOperatorOptions extends HashJoinOptions {
  /** What the build side may take before it goes to disk. @defaultValue what the share has room for */
  readonly tableBytes?: number;
  /** Whether its job has checkpoints: the build side has to fit then. @defaultValue false */
  readonly isInCheckpoints?: boolean;
  /** Whether every task has all rows of the build side. @defaultValue false */
  readonly isBroadcast?: boolean;
}

export class HashJoinOperator implements JoinOperator {
  readonly #context: OperatorContext;
  readonly #options: HashJoinOptions;
  readonly #size: PartitionSize;
  readonly #spill: SpilledJoin;
  #condition: JoinCondition | null = null;
  /** Null when the build side is on disk. */
  #build: JoinBuild | null;
  /** Null where the job has no checkpoints. */
  #side: KeptSide | null = null;
  #isSpilling = false;
  /** Bytes of the largest row of the build side; 0 while none was larger than a block. */
  #largeRowBytes = 0;
  /** When the build side is complete, in memory. */
  #probe: JoinProbe | null = null;
  #keyFilter: JoinKeyFilter | null = null;
  #current: Batch | null = null;
  #waiting: Batch | null = null;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: HashJoinOperatorOptions) {
    const { build: schema, buildKeys: keys, tableBytes } = options;
    const { isInCheckpoints = false, isBroadcast = false } = options;
    this.#context = context;
    this.#options = options;
    this.#build = new JoinBuild(context, { schema, keys });
    const size = joinSizeOf(options, this.#build.keyForm, context.spill.share.bytes);
    this.#size = tableBytes === undefined ? size : { ...size, tableBytes };
    try {
      this.#spill = new SpilledJoin(context, options, this.#size);
    } catch (error) {
      this.#build.close();
      throw error;
    }
    try {
      this.#condition = joinConditionOf(context, options);
      if (isInCheckpoints) this.#side = new KeptSide(context, { schema, keys, isBroadcast });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  build(batch: Batch, fromRow: number): number {
    if (this.#side?.isRestored === true) return batch.rowCount;
    return this.#keep(batch) ? batch.rowCount : fromRow;
  }

  /** The build side is complete when a barrier comes. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (!this.#give(outbox)) return false;
    assert(this.#side !== null && this.#build !== null, 'with checkpoints the build side is kept');
    this.#side.write(writer, this.#build.rows);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    assert(this.#side !== null, 'a job that is restored has checkpoints');
    return this.#side.restore(reader, (batch) => this.#keep(batch));
  }

  buildEnded(): boolean {
    if (this.#build === null) {
      this.#spill.endBuild();
      return true;
    }
    try {
      do {
        if (this.#build.end()) {
          this.#probe = this.#newProbe(this.#build);
          return true;
        }
      } while (!this.#context.shouldYield());
    } catch (error) {
      throw this.#explained(error);
    }
    return false;
  }

  /**
   * When the build side has ended: what its keys say of a source's rows. Null where it is on disk, or memory is
   * too scarce for it.
   *
   * @param columns - Of the source: the keys of the probe side.
   */
  keyFilter(source: Schema, columns: readonly string[]): JoinKeyFilter | null {
    const build = this.#build;
    if (this.#probe === null || build === null) return null;
    const { build: schema, buildKeys } = this.#options;
    try {
      const options = { build, schema, buildKeys, source, columns };
      this.#keyFilter = new JoinKeyFilter(this.#context, options);
    } catch (error) {
      if (codeOf(error) !== 'MEMORY_EXHAUSTED') throw error;
    }
    return this.#keyFilter;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    const probe = this.#probe;
    if (probe === null) {
      this.#spill.addProbe(batch);
      return batch.rowCount;
    }
    if (this.#current !== batch) {
      probe.begin(batch);
      this.#current = batch;
    }
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return fromRow;
      if (probe.current === null) {
        this.#current = null;
        return batch.rowCount;
      }
      if (steps > 0 && this.#context.shouldYield()) return fromRow;
      this.#waiting = probe.next();
    }
  }

  /** A row of the probe side is gone when `process` is done with it, unless one of either side comes at the end. */
  watermarkBehind(timeMs: number): number {
    return this.#holdsRows ? Number.NEGATIVE_INFINITY : timeMs;
  }

  idle(): IdleAnswer {
    return this.#holdsRows ? 'hold' : 'pass';
  }

  finish(outbox: Outbox): boolean {
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return false;
      if (steps > 0 && this.#context.shouldYield()) return false;
      const rows =
        this.#probe === null ? this.#spill.next(this.#condition) : this.#probe.nextBuildRows();
      if (rows === 'end') return true;
      this.#waiting = rows;
    }
  }

  close(): void {
    this.#waiting?.release();
    this.#waiting = null;
    closeAll([
      this.#keyFilter,
      this.#probe,
      this.#build,
      this.#condition?.filter ?? null,
      this.#side,
      this.#spill,
    ]);
  }

  /** Whether rows come at the end: those of the build side that come alone, and all of what is on disk. */
  get #holdsRows(): boolean {
    const { type, buildSide } = this.#options;
    return this.#probe === null || joinRowsOf(type, buildSide).build !== 'none';
  }

  /** Keeps rows of the build side; false when the slice ended before. */
  #keep(batch: Batch): boolean {
    try {
      if (!this.#makeRoom(batch)) return false;
      if (this.#build === null) this.#spill.addBuild(batch);
      else this.#build.append(batch);
    } catch (error) {
      throw this.#explained(error);
    }
    return true;
  }

  /** Moves the build side to disk when the batch would not fit; false when the slice ended before. */
  #makeRoom(batch: Batch): boolean {
    const build = this.#build;
    if (build === null) return true;
    const { canSpill, blockBytes } = this.#size;
    if (!this.#isSpilling) {
      if (!canSpill) return true;
      const rowBytes = largeRowBytesOf(this.#context.kernels, batch, blockBytes);
      this.#largeRowBytes = Math.max(this.#largeRowBytes, rowBytes);
      const missing = build.peakBytesWith(batch) - tableBytesFor(this.#size, this.#largeRowBytes);
      if (missing <= 0) return true;
      // On disk the rows of both sides would come at the end, and no snapshot would have them.
      if (this.#side !== null) throw joinStateTooLarge(this.#context, missing);
      this.#checkLargeRows();
      this.#isSpilling = true;
    }
    if (!this.#spill.moveOut(build)) return false;
    this.#build = null;
    build.close();
    return true;
  }

  #newProbe(build: JoinBuild): JoinProbe {
    return new JoinProbe(this.#context, { join: this.#options, build, condition: this.#condition });
  }

  /** Offers what waits; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    if (this.#waiting !== null && !outbox.offer(this.#waiting)) return false;
    this.#waiting = null;
    return true;
  }

  #checkLargeRows(): void {
    const rowBytes = this.#largeRowBytes;
    const leastBytes = leastBytesFor(this.#size, rowBytes);
    checkLargeRows(this.#context, { verb: 'join', leastBytes, rowBytes });
  }

  #explained(error: unknown): unknown {
    if (codeOf(error) !== 'MEMORY_EXHAUSTED' || this.#size.canSpill) return error;
    const { leastBytes } = this.#size;
    return memoryTooSmall(this.#context, { verb: 'join', leastBytes, cause: error });
  }
}
