/**
 * Spilled join: a join whose build side does not fit into its share of the memory (grace hash join).
 *
 *     addBuild, moveOut ─▶ partitions of the build side ┐
 *     addProbe ──────────▶ partitions of the probe side ┴▶ next: pair by pair, joined in memory
 *                                   ▲                             │ too large: divided by other bits of the hash,
 *                                   └─────────────────────────────┘ or joined in parts where one key has most rows
 *
 * Each pair keeps the side that is smaller there, whichever side the job or the planner chose for the whole.
 * What goes to no file: rows without a key, and pairs of which nothing can be given out.
 *
 * Contract: `next` works for a slice, and is called after the last row of both sides.
 * @see Kitsuregawa, Tanaka, Moto-oka 1983, GRACE; DeWitt et al. 1984.
 */
import { closeAll } from '../../base/close-all.ts';
import type { Batch } from '../batch/batch.ts';
import { joinRowsOf } from '../plan/join-type.ts';
import { SpillFiles } from '../spill/spill-files.ts';
import type { JoinBuild } from './join-build.ts';
import type { JoinCondition } from './join-condition.ts';
import { type HashJoinOptions, swapped } from './join-options.ts';
import { JoinSideWriter, type SpilledSide } from './join-side-writer.ts';
import { checkLargeRows } from './memory-too-small.ts';
import type { OperatorContext } from './operator.ts';
import { isProbeSmaller, type Pair, PairDivision, pairsOf } from './pair-division.ts';
import { PartitionJoin } from './partition-join.ts';
import { leastBytesFor, type PartitionSize, tableBytesFor } from './partition-size.ts';

/** A pair that is being joined, or divided. */
type Work =
  | { readonly pair: Pair; readonly join: PartitionJoin }
  | { readonly pair: Pair; readonly division: PairDivision };

const nothing: SpilledSide = { partitions: [], keyless: null, rowCount: 0 };

export class SpilledJoin {
  readonly #context: OperatorContext;
  readonly #join: HashJoinOptions;
  readonly #size: PartitionSize;
  readonly #files: SpillFiles;
  /** Of the side that is being written. */
  #writer: JoinSideWriter | null = null;
  #build: SpilledSide | null = null;
  /** Chunks of rows in memory that have been moved out. */
  #movedChunks = 0;
  /** Pairs to be joined; null while rows come. */
  #waiting: Pair[] | null = null;
  #work: Work | null = null;

  /** Reserves the memory that spilling needs. @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, join: HashJoinOptions, size: PartitionSize) {
    this.#context = context;
    this.#join = join;
    this.#size = size;
    this.#files = new SpillFiles(context, size);
  }

  /** Writes the rows that have gathered in memory; false when the slice ended before. */
  moveOut(build: JoinBuild): boolean {
    const { rows } = build;
    if (this.#movedChunks === 0) rows.seal();
    while (this.#movedChunks < rows.chunkCount) {
      this.addBuild(rows.chunk(this.#movedChunks++));
      if (this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** Writes rows of the build side; the batch is still the caller's. */
  addBuild(batch: Batch): void {
    this.#writer ??= this.#newWriter('build');
    this.#writer.append(batch);
  }

  /** All rows of the build side are there. */
  endBuild(): void {
    this.#build = this.#finishSide();
  }

  /** Writes rows of the probe side; the batch is still the caller's. */
  addProbe(batch: Batch): void {
    this.#writer ??= this.#newWriter('probe');
    this.#writer.append(batch);
  }

  /** The next rows; null when this slice has none. */
  next(condition: JoinCondition | null): Batch | null | 'end' {
    if (this.#waiting === null) {
      this.#waiting = pairsOf(this.#build ?? nothing, this.#finishSide(), 0);
      return null;
    }
    if (this.#work === null) return this.#begin(this.#waiting, condition);
    return 'join' in this.#work ? this.#joinRows(this.#work) : this.#divide(this.#work);
  }

  /** Releases all memory and removes all files. */
  close(): void {
    closeAll([this.#work && partOf(this.#work), this.#writer, this.#files]);
  }

  #newWriter(side: 'build' | 'probe'): JoinSideWriter {
    const { type, buildSide, build, buildKeys, probe, probeKeys } = this.#join;
    const { partitionCount } = this.#size;
    const rows = joinRowsOf(type, buildSide);
    const keepsKeyless = rows[side] === 'unmatched';
    const [schema, keys] = side === 'build' ? [build, buildKeys] : [probe, probeKeys];
    const options = { files: this.#files, schema, keys, partitionCount, level: 0, keepsKeyless };
    return new JoinSideWriter(this.#context, options);
  }

  #finishSide(): SpilledSide {
    const side = this.#writer?.finish() ?? nothing;
    this.#writer = null; // Not before: one that can't end its files is to be closed.
    return side;
  }

  #begin(waiting: Pair[], condition: JoinCondition | null): null | 'end' {
    const pair = waiting.pop();
    if (pair === undefined) return 'end';
    const isSwapped = isProbeSmaller(pair);
    const join = isSwapped ? swapped(this.#join) : this.#join;
    const [build, probe] = isSwapped ? [pair.probe, pair.build] : [pair.build, pair.probe];
    const isWithoutPartners = build === null || probe === null;
    const rows = joinRowsOf(join.type, join.buildSide);
    if (isWithoutPartners && rows.probe !== 'unmatched') {
      // The side that is there is the larger one, and it is of no use without partners.
      this.#remove(pair);
      return null;
    }
    const tableBytes = this.#tableBytesFor(pair);
    const isInParts = !pair.isDivisible;
    const parts = { join, condition, files: this.#files, build, probe, tableBytes, isInParts };
    this.#work = { pair, join: new PartitionJoin(this.#context, parts) };
    return null;
  }

  /** What the side that is kept may have: less where either side has large rows. */
  #tableBytesFor({ build, probe }: Pair): number {
    const most = Math.max(build?.blockBytesMax ?? 0, probe?.blockBytesMax ?? 0);
    const rowBytes = most > this.#size.blockBytes ? most : 0;
    const leastBytes = leastBytesFor(this.#size, rowBytes);
    checkLargeRows(this.#context, { verb: 'join', leastBytes, rowBytes });
    return tableBytesFor(this.#size, rowBytes);
  }

  #joinRows(work: Work & { readonly join: PartitionJoin }): Batch | null {
    const made = work.join.next();
    if (made === 'end') this.#end(work);
    else if (made !== 'too large') return made;
    else {
      const { pair, join } = work;
      const { partitionCount } = this.#size;
      const options = { join: this.#join, files: this.#files, partitionCount };
      this.#work = { pair, division: new PairDivision(this.#context, pair, options) };
      join.close();
    }
    return null;
  }

  #divide(work: Work & { readonly division: PairDivision }): null {
    const pairs = work.division.step();
    if (pairs === null) return null;
    this.#end(work);
    this.#waiting?.push(...pairs);
    return null;
  }

  #end(work: Work): void {
    this.#work = null;
    partOf(work).close();
    this.#remove(work.pair);
  }

  #remove({ build, probe }: Pair): void {
    for (const run of [build, probe]) if (run !== null) this.#files.remove(run);
  }
}

function partOf(work: Work): { close(): void } {
  return 'join' in work ? work.join : work.division;
}
