/**
 * Running groups: groups that are kept for ever, and what merging parts into them changes. A batch of parts has each
 * key once; it is merged by chunks, and of each chunk the results before and after are read side by side:
 *
 *     find slots ─▶ read ─▶ merge ─▶ read      before  k1 3   k2 5   k3 –      -U k2 5   +U k2 6   +I k3 1
 *                                              after   k1 3   k2 6   k3 1
 *
 * What was given out before needs not be kept beside the accumulators: it is what they said before the merge, since
 * every merge is given out. A group is there while it has rows, of which the last result column is the count; the
 * one group of an aggregate without keys is there once it was given out.
 *
 * A group that was not touched for its time to live is forgotten, and no change says so; groups that are gone are
 * swept out as well, when they are many. Where memory has no room for all groups, the others are on disk, and `makeReady`
 * brings those back that are to be merged into (engine/operators/changes/kept-groups.ts).
 *
 * Not here: when parts are merged (engine/operators/changes/running-aggregate-operator.ts).
 */
import { assert } from '../../../base/assert.ts';
import { Batch, type Column } from '../../batch/batch.ts';
import type {
  ColumnAddress,
  GroupColumns,
  GroupRows,
  GroupTable,
} from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { rowKinds } from '../../plan/row-kind.ts';
import type { Schema } from '../../schema/schema.ts';
import { takeColumn } from '../../stream/take-column.ts';
import { aggregateOverflow } from '../aggregate-overflow.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import type { OperatorContext } from '../operator.ts';
import { TableSnapshot } from '../table-snapshot.ts';
import { markChanged } from './changed-values.ts';
import type { Work } from './counted-rows.ts';
import { GroupSweep } from './group-sweep.ts';
import { GroupTableParts } from './group-table-parts.ts';
import { type ComingGroups, KeptGroups, type KeptParts } from './kept-groups.ts';
import { OwnTexts } from './own-texts.ts';
import { TouchedTimes, touchedMsOf, turnTimes } from './touched-times.ts';

export interface RunningGroupsOptions {
  /** Keys and parts. */
  readonly parts: Schema;
  readonly keys: readonly string[];
  /** Merges the parts. */
  readonly plan: AggregatePlan;
  /** Keys, results, and how many rows there are. */
  readonly groups: Schema;
  /** Keys, results, the row kind. */
  readonly output: Schema;
  readonly givesBefore: boolean;
  /** How long a group is kept after it was touched, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
  /** Groups that may be gone, beside as many others, before they are swept out. @defaultValue 65,536 */
  readonly goneMax?: number;
  /** Of the operator's share, from 0 to 1, what groups may have. */
  readonly part: number;
  /** As of `KeptGroups`. */
  readonly tableBytes?: number;
}

/** What a chunk of parts came to. */
export interface MergedChunk {
  /** Null where nothing has changed, or the table has to grow first. */
  readonly changes: Batch | null;
  readonly nextRow: number;
}

type AddRows = (batch: Batch, fromRow: number) => number;

const chunkRows = 1024;
const goneMaxDefault = 65_536;
const unchanged = (fromRow: number): MergedChunk => ({ changes: null, nextRow: fromRow });

export class RunningGroups {
  readonly #context: OperatorContext;
  readonly #options: RunningGroupsOptions;
  readonly #parts: GroupTableParts;
  readonly #kept: KeptGroups;
  readonly #changed = new Uint8Array(chunkRows);
  /** Rows of a chunk to give out: u32 numbers, then kinds of a byte each. */
  readonly #given: BlockHandle;
  readonly #touched: TouchedTimes;
  readonly #texts: OwnTexts;
  readonly snapshot: TableSnapshot;
  #rows: GroupRows | null = null;
  #batch: Batch | null = null;
  /** Of an aggregate without keys: whether its group has been given out. */
  #hasGiven = false;
  #goneCount = 0;
  #sweepAtMs: number;
  /** Since when groups stay that were touched, while others are swept out. */
  #sweepsSinceMs: number | null = null;
  /** Since when groups had to be touched to be there behind the last sweep: on disk some are that were not. */
  #sweptSinceMs = Number.NEGATIVE_INFINITY;
  /** Rows of a snapshot for whose groups the table is ready. */
  #readyBatch: Batch | null = null;

  constructor(context: OperatorContext, options: RunningGroupsOptions) {
    const { scope } = context;
    this.#context = context;
    this.#options = options;
    this.#parts = new GroupTableParts(context, options);
    const { keys, ttlMs, output, part, tableBytes } = options;
    const nowMs = () => this.#nowMs();
    this.#kept = new KeptGroups(context, {
      ...{ parts: this.#keptParts(), hasKeys: keys.length > 0, output, part },
      ...(tableBytes !== undefined && { tableBytes }),
      frozenNow: () => this.#frozenAt(nowMs()),
      sweep: (table, sinceMs) => new GroupSweep(this.#parts, table, sinceMs),
    });
    this.#given = scope.allocate(chunkRows * 2 * 5);
    this.#touched = new TouchedTimes(scope);
    this.#texts = new OwnTexts(scope, options.plan.accumulators);
    this.#sweepAtMs = this.#nextSweepMs();
    const inSnapshots = this.#parts.snapshotOptions(() => this.#table, { nowMs, ttlMs });
    this.snapshot = new TableSnapshot(context, {
      ...{ ...inSnapshots, part: 'groups', keys },
      count: () => this.count,
      settle: () => this.#kept.settle(),
      frozen: () => this.#kept.frozen(),
      add: (batch, fromRow) => this.#restore(inSnapshots.add, batch, fromRow),
    });
  }

  get #table(): GroupTable {
    return this.#kept.table;
  }

  /** Groups, those without rows among them. */
  get count(): number {
    return this.#kept.count;
  }

  /** Whether an aggregate without keys has given its group out. */
  get hasGiven(): boolean {
    return this.#hasGiven;
  }

  /** In how many milliseconds groups that are over are swept out; infinity: never. */
  get sweepInMs(): number {
    return this.#sweepAtMs - this.#nowMs();
  }

  /** Behind a restart, what was so before. */
  goOn(hasGiven: boolean, sweepInMs: number): void {
    this.#hasGiven = hasGiven;
    this.#sweepAtMs = this.#nowMs() + sweepInMs;
  }

  /** Brings what is known of groups that come into the table, before they are merged; false asks to be called again. */
  makeReady(coming: ComingGroups, subject: unknown): boolean {
    return this.#kept.makeReady(coming, subject);
  }

  /** Forgets what is over, where that is worth it; false asks to be called again, before any merge. */
  settle(): boolean {
    const nowMs = this.#nowMs();
    const { ttlMs, keys, goneMax = goneMaxDefault } = this.#options;
    const isMostlyGone = this.#goneCount > Math.max(goneMax, this.count / 2);
    if (this.#sweepsSinceMs === null) {
      // The one group without keys is there for ever.
      if (keys.length === 0 || !(isMostlyGone || nowMs >= this.#sweepAtMs)) return true;
      this.#sweepsSinceMs = ttlMs === null ? 0 : nowMs - ttlMs;
    }
    this.#sweptSinceMs = this.#sweepsSinceMs;
    if (!this.#kept.sweep(this.#sweepsSinceMs)) return false;
    this.snapshot.forget();
    this.#sweepsSinceMs = null;
    this.#goneCount = 0;
    this.#sweepAtMs = this.#nextSweepMs();
    return true;
  }

  /** Merges up to 1,024 rows of a batch that has each key once, and answers what has changed. */
  merge(batch: Batch, fromRow: number): MergedChunk {
    const table = this.#table;
    if (table.isGrowing) {
      table.grow();
      return unchanged(fromRow);
    }
    const rows = this.#rowsOf(batch);
    const count = table.findRows(rows, fromRow);
    if (count === 0) return unchanged(fromRow);
    const nextRow = fromRow + count;
    const both = this.#mergeFound(rows, fromRow, count);
    try {
      if (nextRow === batch.rowCount) this.snapshot.note(() => this.#touchedNow(batch));
      return { changes: this.#changesIn(both, count), nextRow };
    } finally {
      both.release();
      this.#texts.close();
      if (nextRow === batch.rowCount) this.#batch = null;
    }
  }

  close(): void {
    const { memory } = this.#context.scope;
    this.snapshot.close();
    this.#kept.close();
    this.#parts.close();
    memory.release(this.#given);
    this.#touched.close();
    this.#texts.close();
  }

  #keptParts(): KeptParts {
    const parts = this.#parts;
    const { ttlMs } = this.#options;
    return {
      schema: parts.partsWithTouch,
      newTable: () => parts.newTable(),
      keysOf: (batch) => parts.keysOf(batch),
      hash: (batch, out) => parts.hash(batch, out),
      addNew: (table, batch, fromRow, tell) => parts.addNew(table, batch, fromRow, tell),
      readList: (table, list, count) => parts.readList(table, list, count),
      isThere: (slot) => parts.isThere(slot),
      isGone: (slot) => !parts.hasRows(slot),
      isOver: (batch, row) => ttlMs !== null && touchedMsOf(batch, row) < this.#sweptSinceMs,
    };
  }

  /** Makes of rows on disk those of a snapshot that is taken then. */
  #frozenAt(nowMs: number): (batch: Batch) => Batch {
    return (batch) => {
      if (this.#options.ttlMs !== null) turnTimes(batch, nowMs);
      return batch;
    };
  }

  #restore(add: AddRows, batch: Batch, fromRow: number): number {
    if (this.#readyBatch !== batch) {
      const coming = { count: batch.rowCount, each: (work: (rows: Batch) => Work) => work(batch) };
      if (!this.#kept.makeReady(coming, batch)) return fromRow;
      this.#readyBatch = batch;
    }
    const nextRow = add(batch, fromRow);
    if (nextRow === batch.rowCount) this.#readyBatch = null;
    return nextRow;
  }

  #touchedNow(batch: Batch): Batch {
    return this.#parts.withTouch(batch, this.#touched.at(this.#nowMs()));
  }

  #nowMs(): number {
    return Math.max(0, Math.floor(this.#context.nowMs?.() ?? 0));
  }

  /** Twice in a time to live, so that a group is kept for half of it longer at most, and whatever time rows come after. */
  #nextSweepMs(): number {
    const { ttlMs } = this.#options;
    return ttlMs === null ? Number.POSITIVE_INFINITY : this.#nowMs() + Math.ceil(ttlMs / 2);
  }

  #rowsOf(batch: Batch): GroupRows {
    if (this.#batch === batch && this.#rows !== null) return this.#rows;
    this.#batch = batch;
    this.#rows = this.#parts.rowsOf(batch, this.#touched.at(this.#nowMs()));
    return this.#rows;
  }

  /** Results before, from row 0 on, and after, from the next multiple of 64 on. */
  #mergeFound(rows: GroupRows, fromRow: number, count: number): Batch {
    const { scope, kernels } = this.#context;
    const table = this.#table;
    const slots = table.slotsAt;
    const half = halfOf(count);
    // Bitmaps have whole words: the first group stands in for those that are not there.
    const { uint32 } = scope.memory;
    uint32.fill(uint32[slots >>> 2] ?? 0, (slots >>> 2) + count, (slots >>> 2) + half);
    const readGroups = (_: number, __: number, out: GroupColumns) => {
      this.#read(half, 0, out);
      this.#add(rows, fromRow, count);
      this.#read(half, half, out);
      return { rowCount: half * 2, nextSlot: half * 2 };
    };
    const { arenaBlocks, resultSizes } = table;
    const { plan, groups: schema } = this.#options;
    const read = { groupCount: half * 2, resultSizes, arenaBlocks, readGroups };
    const from = { scope, kernels, keys: this.#parts.givenKeys, results: plan.results, schema };
    const { batch } = readGroupBatch({ ...from, table: read }, 0);
    assert(batch !== null, 'groups that were found can be read');
    return batch;
  }

  #read(count: number, rowCount: number, out: GroupColumns): void {
    this.#table.gatherKeys(this.#table.slotsAt, count, rowCount, out.key);
    this.#parts.cells.gather(this.#table.slotsAt, count, rowCount, out.results);
    this.#texts.copy(out, rowCount, count);
  }

  #add(rows: GroupRows, fromRow: number, count: number): void {
    const { inputs, selection } = rows;
    const chunk = { slots: this.#table.slotsAt, count, fromRow, selection };
    this.#table.makeTextRoom(this.#parts.cells.textRoom(inputs, chunk));
    if (this.#parts.cells.add(this.#table.description, inputs, chunk)) return;
    const { overflow } = this.#parts.cells;
    assert(overflow !== null, 'what does not fit is known');
    throw aggregateOverflow(this.#context.name, this.#options.plan, overflow.accumulator);
  }

  /** The rows that come and go, with their kinds; null for none. */
  #changesIn(both: Batch, count: number): Batch | null {
    const { scope, kernels } = this.#context;
    const rowCount = this.#choose(both, count);
    if (rowCount === 0) return null;
    const { output } = this.#options;
    const given = addressOf(this.#given);
    const blocks: BlockHandle[] = [];
    try {
      const target = { scope, kernels, blocks };
      const columns = both.columns
        .slice(0, -1)
        .map((column) => takeColumn(target, column, given, rowCount));
      const kinds = scope.allocate(rowCount);
      blocks.push(kinds);
      const { bytes } = scope.memory;
      const from = given + chunkRows * 2 * 4;
      bytes.copyWithin(addressOf(kinds), from, from + rowCount);
      columns.push(kindColumn(output, addressOf(kinds)));
      blocks.push(...this.#texts.take());
      for (const block of this.#table.arenaBlocks) {
        scope.memory.retain(block);
        blocks.push(block);
      }
      return new Batch(scope.memory, { schema: output, rowCount, columns, blocks });
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      throw error;
    }
  }

  /** Writes the numbers and the kinds of the rows to give out; answers how many. */
  #choose(both: Batch, count: number): number {
    const { memory } = this.#context.scope;
    const { keys, givesBefore } = this.#options;
    const half = halfOf(count);
    const results = both.columns.slice(keys.length, -1);
    this.#changed.fill(0, 0, count);
    for (const column of results) {
      markChanged(memory, column, { distance: half, count }, this.#changed);
    }
    const rows = both.columns.at(-1)?.values ?? 0;
    const given = addressOf(this.#given);
    const kinds = given + chunkRows * 2 * 4;
    let chosen = 0;
    const choose = (row: number, kind: number) => {
      memory.uint32[(given >>> 2) + chosen] = row;
      memory.bytes[kinds + chosen++] = kind;
    };
    for (let row = 0; row < count; row++) {
      const wasThere = keys.length === 0 ? this.#hasGiven : hasRows(memory.uint32, rows, row);
      const isThere = keys.length === 0 || hasRows(memory.uint32, rows, half + row);
      if (wasThere && isThere) {
        if (this.#changed[row] === 0) continue;
        if (givesBefore) choose(row, rowKinds.updateBefore);
        choose(half + row, rowKinds.updateAfter);
      } else if (isThere) choose(half + row, rowKinds.insert);
      else if (wasThere) {
        choose(row, rowKinds.delete);
        this.#goneCount++;
      }
    }
    this.#hasGiven = true;
    return chosen;
  }
}

/** Rows of groups are counted by int64. */
function hasRows(words: Uint32Array, counts: number, row: number): boolean {
  const at = (counts >>> 2) + row * 2;
  return words[at] !== 0 || words[at + 1] !== 0;
}

function halfOf(count: number): number {
  return (count + 63) & ~63;
}

function kindColumn({ fields }: Schema, values: ColumnAddress['values']): Column {
  const kind = fields.at(-1);
  assert(kind !== undefined, 'a stream of changes has the row kind behind its columns');
  return { type: kind.type, values, validity: 0 };
}
