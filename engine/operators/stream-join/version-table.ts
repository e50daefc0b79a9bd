/**
 * The versions of a stream: rows of its right side, found by key and time.
 *
 *     number(keys) ─▶ append                    rows that are versions
 *     number(keys) ─▶ find ─▶ output            rows that ask for theirs
 *
 * Numbers are those of a group table, which has a number for every key that was asked for as well: so a table is
 * copied into a new one when it holds much that nobody can find, keys without versions included (`copyLive`).
 *
 * Of versions of one key at one time that with the largest hash of all its columns counts: another one for each
 * key, but the same one in whatever order they came.
 * Before: engine/operators/stream-join/as-of-join-operator.ts · After: engine/operators/stream-join/version-trees.ts
 */
import { closeAll } from '../../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { GroupTable } from '../../kernels/group-table.ts';
import { noNumber } from '../../kernels/version-kernels.ts';
import { KeyHasher } from '../../keys/key-hasher.ts';
import { GrowingBlock } from '../../memory/growing-block.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { OwnedRows } from '../../stream/owned-rows.ts';
import type { KeysOfBatch } from '../group-keys.ts';
import { JoinKeys } from '../join-keys.ts';
import { JoinOutput } from '../join-output.ts';
import type { OperatorContext } from '../operator.ts';
import type { AsOfJoinOptions } from './as-of-options.ts';
import type { BandScratch } from './band-scratch.ts';
import { VersionTrees } from './version-trees.ts';

export interface VersionTableOptions extends AsOfJoinOptions {
  readonly bands: BandScratch;
  /** In the unit of times; below 0: none. */
  readonly tolerance: number;
}

const numbersBytes = batchRowsMax * 4;

export class VersionTable {
  /** Rows of the left side beside their versions. */
  readonly output: JoinOutput;
  readonly #context: OperatorContext;
  readonly #options: VersionTableOptions;
  readonly #parts: { close(): void }[] = [];
  readonly #keys: JoinKeys;
  readonly #hasher: KeyHasher;
  readonly #groups: GroupTable;
  readonly #trees: VersionTrees;
  readonly #rows: OwnedRows;
  /** Rows of each key, which nobody asks for. */
  readonly #counts: GrowingBlock;
  readonly #numbers: BlockHandle;
  #numberedRows = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: VersionTableOptions) {
    const { scope, kernels } = context;
    const { left, right, output, type } = options;
    const { schema, keys } = right;
    this.#context = context;
    this.#options = options;
    this.#numbers = scope.allocate(numbersBytes);
    try {
      this.#keys = this.#part(new JoinKeys(scope, kernels, { schema, keys }));
      const columns = schema.fields.map(({ name }) => name);
      this.#hasher = this.#part(new KeyHasher({ scope, kernels, schema }, columns));
      const table = { keyForm: this.#keys.form, accumulators: [], isNumbered: true };
      this.#groups = this.#part(new GroupTable(scope, kernels, table));
      this.#trees = this.#part(new VersionTrees(scope, kernels));
      this.#rows = this.#part(new OwnedRows({ scope, kernels, schema, isSmallAtFirst: true }));
      this.#counts = this.#part(new GrowingBlock(scope));
      const sides = { probe: left.schema, build: schema, mayBeNull: type === 'left' };
      this.output = this.#part(new JoinOutput(context, this.#rows, { ...sides, output }));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Rows and keys that it holds. */
  get weight(): number {
    return this.#rows.rowCount + this.#groups.groupCount;
  }

  get chunkCount(): number {
    return this.#rows.chunkCount;
  }

  get rowCount(): number {
    return this.#rows.rowCount;
  }

  get areKeysByPlace(): boolean {
    return this.#keys.areTransient;
  }

  /** What it would take with the rows of one more batch, about. */
  sizeBytesWith(batch: Batch): number {
    const tables = this.#groups.sizeBytes + this.#trees.sizeBytesWith(batch.rowCount);
    return tables + this.#rows.sizeBytesWith(batch) + this.#counts.sizeBytes + numbersBytes;
  }

  get sizeBytes(): number {
    const tables = this.#groups.sizeBytes + this.#trees.sizeBytesWith(0);
    return tables + this.#rows.sizeBytes + this.#counts.sizeBytes + numbersBytes;
  }

  /** The keys of versions; they hold until the next call. */
  readKeys(batch: Batch): KeysOfBatch {
    return this.#keys.read(batch);
  }

  /** Finds the numbers of `count` keys, for the next `append` or `find`; false asks to be called again. */
  number({ values, selection }: KeysOfBatch, count: number): boolean {
    const groups = this.#groups;
    if (groups.isGrowing && !groups.grow()) return false;
    const room = (groups.groupCount + count) * 4;
    const counts = this.#counts.ensure(room, 0);
    const rows = {
      key: { values, validity: 0 },
      ...{ keySelection: selection, selection: 0, inputs: [], rowCount: count },
      numbering: { numbers: addressOf(this.#numbers), counts },
    };
    this.#numberedRows = groups.addRows(rows, this.#numberedRows);
    if (this.#numberedRows < count) return false;
    this.#numberedRows = 0;
    this.#trees.allowGroups(groups.groupCount);
    return true;
  }

  /** Copies versions, whose keys have just been numbered. @param times - By place. @throws MEMORY_EXHAUSTED */
  append(batch: Batch, times: number): void {
    const ties = this.#hasher.hash(batch);
    this.#rows.append(batch);
    const groups = addressOf(this.#numbers);
    this.#trees.add({ times, ties, groups, count: batch.rowCount });
  }

  /**
   * Finds the versions of rows, whose keys have just been numbered.
   * @param out - Gets the rows, and numbers of their versions.
   * @returns Count of rows that come out.
   */
  find(
    query: { readonly rows: number; readonly times: number; readonly count: number },
    out: { readonly rows: number; readonly numbers: number },
  ): number {
    const { type, tolerance } = this.#options;
    const nullNumber = type === 'left' ? this.#rows.nullNumber : noNumber;
    const groups = addressOf(this.#numbers);
    return this.#trees.find({ ...query, groups }, { tolerance, nullNumber }, out);
  }

  /** All versions, as batches that stay as they are; the caller's. */
  frozen(): Batch[] {
    return this.#rows.frozen();
  }

  /** Copies those rows of a chunk that somebody at `bound` or later can find. @throws MEMORY_EXHAUSTED */
  copyLive(chunk: number, bound: number, into: VersionTable): void {
    const { kernels } = this.#context;
    const { tolerance, bands } = this.#options;
    const { partRows: out, partTimes } = bands;
    const all = this.#rows.chunk(chunk);
    const first = chunk * batchRowsMax;
    const count = this.#trees.live(first, all.rowCount, { bound, tolerance, out });
    if (count > 0) {
      const live = all.derive({ rowCount: count, selection: out });
      try {
        kernels.take8(this.#trees.times + first * 8, out, count, partTimes);
        const keys = into.readKeys(live);
        while (!into.number(keys, count));
        into.append(live, partTimes);
      } finally {
        live.release();
      }
    }
    all.release();
  }

  close(): void {
    closeAll(this.#parts.splice(0).reverse());
    this.#context.scope.memory.release(this.#numbers);
  }

  #part<T extends { close(): void }>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
