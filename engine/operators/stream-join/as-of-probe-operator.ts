/**
 * As-of join of a side that is complete: all versions come first, then each row of the left side goes past them.
 * The rows are those of engine/operators/stream-join/as-of-join-operator.ts.
 *
 *     build … buildEnded ─▶ rows, a table over their keys, a tree of each key's versions
 *     process ─▶ first row of the key ─▶ tree ─▶ rows beside their versions
 *
 * Versions are kept in memory, all of them.
 *
 * Before: engine/task/build-side.ts · After: engine/operators/stream-join/version-trees.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import type { Batch } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { noNumber } from '../../kernels/version-kernels.ts';
import { KeyHasher } from '../../keys/key-hasher.ts';
import { fieldIndexOf } from '../../schema/schema.ts';
import { JoinBuild } from '../join-build.ts';
import { JoinKeys } from '../join-keys.ts';
import { JoinOutput } from '../join-output.ts';
import { KeptSide } from '../kept-side.ts';
import type { JoinOperator, OperatorContext, Outbox } from '../operator.ts';
import { type AsOfJoinOptions, type AsOfTimes, asOfTimesOf } from './as-of-options.ts';
import { BandScratch } from './band-scratch.ts';
import type { JoinStream } from './interval-join-options.ts';
import { joinStateTooLarge } from './join-state-too-large.ts';
import { timeMax } from './stream-side.ts';
import { VersionTrees } from './version-trees.ts';

export interface AsOfProbeOptions extends AsOfJoinOptions {
  /** Whether its job has checkpoints. @defaultValue false */
  readonly isInCheckpoints?: boolean;
  /** Whether every task has all versions. @defaultValue false */
  readonly isBroadcast?: boolean;
}

export class AsOfProbeOperator implements JoinOperator {
  readonly #context: OperatorContext;
  readonly #options: AsOfJoinOptions;
  readonly #times: AsOfTimes;
  readonly #parts: { close(): void }[] = [];
  readonly #bands: BandScratch;
  readonly #keys: { readonly left: JoinKeys; readonly right: JoinKeys };
  readonly #hasher: KeyHasher;
  readonly #build: JoinBuild;
  readonly #trees: VersionTrees;
  /** Null where the job has no checkpoints. */
  readonly #side: KeptSide | null;
  #chunksDone = 0;
  /** Once all versions are there. */
  #output: JoinOutput | null = null;
  #waiting: Batch[] = [];
  #isTaken = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: AsOfProbeOptions) {
    const { scope, kernels } = context;
    const { left, right, isInCheckpoints = false, isBroadcast = false } = options;
    const { schema, keys } = right;
    this.#context = context;
    this.#options = options;
    this.#times = asOfTimesOf(options);
    try {
      this.#bands = this.#part(new BandScratch(scope));
      this.#build = this.#part(new JoinBuild(context, right));
      this.#keys = {
        left: this.#part(new JoinKeys(scope, kernels, left)),
        right: this.#part(new JoinKeys(scope, kernels, right)),
      };
      const columns = schema.fields.map(({ name }) => name);
      this.#hasher = this.#part(new KeyHasher({ scope, kernels, schema }, columns));
      this.#trees = this.#part(new VersionTrees(scope, kernels));
      const side = { schema, keys, isBroadcast };
      this.#side = isInCheckpoints ? this.#part(new KeptSide(context, side)) : null;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  build(batch: Batch): number {
    if (this.#side?.isRestored !== true) this.#keep(batch);
    return batch.rowCount;
  }

  /** The versions are complete when a barrier comes. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (!this.#give(outbox)) return false;
    assert(this.#side !== null, 'barriers come where there are checkpoints');
    this.#side.write(writer, this.#build.rows);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    assert(this.#side !== null, 'a job that is restored has checkpoints');
    return this.#side.restore(reader, (batch) => {
      this.#keep(batch);
      return true;
    });
  }

  #keep(batch: Batch): void {
    if (batch.rowCount === 0) return;
    const { right } = this.#options;
    const { count } = this.#sort(right, this.#keys.right, this.#times.factors.right, batch);
    if (count === 0) return;
    const timed = batch.derive({ rowCount: count, selection: this.#bands.rows });
    try {
      const rowCount = this.#build.rows.rowCount + count;
      const held = this.#build.peakBytesWith(timed) + this.#trees.sizeBytesWith(rowCount);
      const missing = held + this.#bands.sizeBytes - this.#context.spill.share.bytes;
      if (missing > 0) throw joinStateTooLarge(this.#context, missing);
      this.#build.append(timed);
    } finally {
      timed.release();
    }
  }

  buildEnded(): boolean {
    while (!this.#build.end()) if (this.#context.shouldYield()) return false;
    const { rows } = this.#build;
    // The first number is that of no key.
    this.#trees.allowGroups(rows.rowCount + 1);
    while (this.#chunksDone < rows.chunkCount) {
      this.#plant(rows.chunk(this.#chunksDone));
      this.#chunksDone++;
      if (this.#context.shouldYield()) return false;
    }
    const { left, right, output, type } = this.#options;
    const sides = { probe: left.schema, build: right.schema, mayBeNull: type === 'left' };
    this.#output ??= this.#part(new JoinOutput(this.#context, rows, { ...sides, output }));
    return true;
  }

  process(batch: Batch, _fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    if (!this.#isTaken) this.#take(batch);
    this.#isTaken = true;
    if (!this.#give(outbox)) return 0;
    this.#isTaken = false;
    return batch.rowCount;
  }

  finish(outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  close(): void {
    for (const batch of this.#waiting.splice(0)) batch.release();
    closeAll(this.#parts.splice(0).reverse());
  }

  /** Puts the rows of a chunk into the trees of their keys. */
  #plant(chunk: Batch): void {
    const { right } = this.#options;
    const { heads: groups, times } = this.#bands;
    const count = chunk.rowCount;
    this.#sort(right, this.#keys.right, this.#times.factors.right, chunk);
    this.#build.table.findAgain(this.#keys.right.read(chunk), count, groups);
    const ties = this.#hasher.hash(chunk);
    this.#trees.add({ times, ties, groups, count });
    chunk.release();
  }

  #take(batch: Batch): void {
    const { left, type } = this.#options;
    const { rows, times, alone, heads: groups, probe, build } = this.#bands;
    const output = this.#output;
    assert(output !== null, 'versions are complete before rows go past them');
    const factor = this.#times.factors.left;
    const { count, aloneCount } = this.#sort(left, this.#keys.left, factor, batch);
    if (aloneCount > 0 && type === 'left') {
      const probed = { batch, rows: alone };
      this.#waiting.push(output.make({ count: aloneCount, probe: probed, numbers: 0 }));
    }
    if (count === 0) return;
    const keyed = batch.derive({ rowCount: count, selection: rows });
    this.#build.table.find(this.#keys.left.read(keyed), count, groups);
    keyed.release();
    const nullNumber = type === 'left' ? this.#build.rows.nullNumber : noNumber;
    const { tolerance } = this.#times;
    const query = { rows, times, groups, count };
    const found = this.#trees.find(
      query,
      { tolerance, nullNumber },
      { rows: probe, numbers: build },
    );
    if (found === 0) return;
    const probed = { batch, rows: probe };
    this.#waiting.push(output.make({ count: found, probe: probed, numbers: build }));
  }

  /** Rows with a time and a key, and those without, into the lists. */
  #sort({ schema, time }: JoinStream, keys: JoinKeys, factor: number, batch: Batch) {
    const { kernels, scope } = this.#context;
    const { rows, times, alone, counts } = this.#bands;
    const column = batch.columns[fieldIndexOf(schema, time)];
    assert(column !== undefined, 'a batch has the columns of its schema');
    const count = kernels.timedRows(
      ...([column.values, column.validity, batch.selection, batch.rowCount] as const),
      ...([factor, -timeMax, keys.read(batch).validity] as const),
      ...([Number(keys.areTransient), rows, times, alone, counts] as const),
    );
    return { count, aloneCount: scope.memory.uint32[counts >>> 2] ?? 0 };
  }

  /** Offers what waits; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      if (!outbox.offer(batch)) return false;
      this.#waiting.shift();
    }
    return true;
  }

  #part<T extends { close(): void }>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
