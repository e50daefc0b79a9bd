/**
 * Session table: the open sessions of all keys. Keys are in a group table, whose slots lead to the sessions; a
 * session is a record like a slot (engine/kernels/session.as.ts), so accumulators and results are those of groups.
 *
 *     add ─▶ slot of the key ─▶ record of the session ─▶ accumulators
 *     due ─▶ sessions of one record · records of sessions that were several ─▶ readGroups ─▶ retire
 *
 * Keys without sessions stay until they are most of the table; then it is made anew of the others.
 *
 * Invariant: between two calls every record is in the list of its key, linked to one that is, or free.
 */
import type { Batch } from '../../batch/batch.ts';
import { GroupCells } from '../../kernels/group-cells.ts';
import { type ColumnAddress, type GroupColumns, GroupTable } from '../../kernels/group-table.ts';
import { sessionLayout as layout } from '../../kernels/session-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { aggregateOverflow } from '../aggregate-overflow.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { type AggregateScratch, aggregateScratchOf } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';
import { RecordBlocks } from './record-blocks.ts';

export interface SessionTableOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  readonly gapMs: number;
  /** How long sessions that have come out are kept. */
  readonly latenessMs: number;
}

/** When rows of a batch begin and end: the same for moments. */
export interface SessionTimes {
  readonly starts: number;
  readonly lasts: number;
  readonly unitsPerMs: number;
}

const chunkRows = 1024;
/** Keys of a chunk, their validity, and the records of rows. */
const recordsOffset = chunkRows * 16 + chunkRows / 8;
const scratchBytes = recordsOffset + chunkRows * 4;
const deadKeysMin = 65_536;
const noTime = -(2 ** 53);

export class SessionTable {
  readonly #context: OperatorContext;
  readonly #options: SessionTableOptions;
  readonly #scratch: AggregateScratch;
  readonly #cells: GroupCells;
  readonly #records: RecordBlocks;
  readonly #keyEnd: number;
  readonly #room: BlockHandle;
  #keys: GroupTable;
  /** Which records are given out. */
  #list = 0;
  #listCount = 0;

  constructor(context: OperatorContext, options: SessionTableOptions) {
    const { kernels, scope } = context;
    this.#context = context;
    this.#options = options;
    this.#scratch = aggregateScratchOf(context, options);
    this.#keyEnd = this.#scratch.keys.form === 'int128' ? 24 : 16;
    const headBytes = this.#keyEnd + layout.headBytes;
    this.#cells = new GroupCells(kernels, options.plan.accumulators, headBytes);
    this.#records = new RecordBlocks(scope, this.#cells.slotBytes, options.latenessMs);
    this.#room = scope.allocate(scratchBytes);
    this.#keys = this.#newKeys();
  }

  /** Bytes of keys and sessions. */
  get sizeBytes(): number {
    return this.#keys.sizeBytes + this.#records.sizeBytes;
  }

  get isEmpty(): boolean {
    return this.#records.usedCount === 0;
  }

  /** Before that time no session is due. */
  get dueMs(): number {
    return this.#records.dueMs;
  }

  /**
   * Adds rows from `fromRow` on, of which those that are over at `overMs` and can't join a session are late: their
   * stored rows go to `outLate` (u32), the count is `lateCount`. Answers the next row.
   */
  add(batch: Batch, fromRow: number, times: SessionTimes, late: { overMs: number; out: number }) {
    const { keys, inputs } = this.#scratch;
    const { selection, rowCount } = batch;
    const key = keys.read(batch);
    const inputColumns = inputs.read(batch, noArrivals);
    const rows = { key, keySelection: key.selection, inputs: inputColumns, selection, rowCount };
    let row = fromRow;
    while (row < rowCount) {
      while (this.#keys.isGrowing) this.#keys.grow();
      const found = this.#keys.findRows(rows, row);
      const done = this.#assign(found, row, selection, times, late);
      this.#accumulate(inputColumns, { count: done, fromRow: row, selection });
      row += done;
      if (done < found) this.#records.grow();
      if (row < rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  /** Rows that were late, since the last call. */
  takeLateCount(): number {
    return this.#records.takeLate();
  }

  /**
   * Sessions that a watermark completes: first those of one record, then the records of others. What has come out and
   * is kept no longer is dropped.
   */
  due(watermarkMs: number): DueSessions {
    const { kernels, scope } = this.#context;
    const { gapMs, latenessMs } = this.#options;
    const capacity = Math.max(1, this.#records.usedCount);
    const block = scope.allocate(capacity * 12 + 16);
    const counts = addressOf(block);
    const [due, over, spare] = [0, 1, 2].map((at) => counts + 16 + at * capacity * 4) as [
      number,
      number,
      number,
    ];
    const { uint32 } = scope.memory;
    uint32.fill(0, counts >>> 2, (counts >>> 2) + 4);
    this.#records.beginDue();
    const watermark = Math.max(noTime, Math.min(watermarkMs, -noTime));
    this.#records.forEach((records, count) => {
      kernels.dueSessions(
        ...([records, count, this.#records.stride, this.#keyEnd, gapMs, watermark] as const),
        ...([latenessMs, this.#records.control, due, over, counts] as const),
      );
    });
    const dueCount = uint32[counts >>> 2] ?? 0;
    this.#retire(over, uint32[(counts >>> 2) + 1] ?? 0, watermark);
    kernels.divideSessions(due, dueCount, this.#keyEnd, over, spare, counts);
    const singles = uint32[counts >>> 2] ?? 0;
    const linked = uint32[(counts >>> 2) + 1] ?? 0;
    return {
      block,
      due,
      dueCount,
      singles: { at: over, count: singles },
      linked: { at: spare, count: linked },
    };
  }

  /** The table of keys, to look one up. */
  get keyTable(): GroupTable {
    return this.#keys;
  }

  /** The open sessions of the key in a slot: the records of each, the first one with the bounds of all. */
  sessionsOf(slot: number): number[][] {
    const { uint32 } = this.#context.scope.memory;
    const word = (address: number) => uint32[address >>> 2] ?? 0;
    const next = this.#keyEnd + 16;
    const link = next + 4;
    const sessions: number[][] = [];
    for (let at = word(slot + this.#keys.extraOffset); at !== 0; at = word(at + next)) {
      const records = [at];
      for (let part = word(at + link); part !== 0; part = word(part + link)) records.push(part);
      sessions.push(records);
    }
    return sessions;
  }

  /** When a record begins, and the time of its last row. */
  boundsOf(record: number): readonly [startMs: number, lastMs: number] {
    const { view } = this.#context.scope.memory;
    const at = record + this.#keyEnd;
    return [Number(view.getBigInt64(at, true)), Number(view.getBigInt64(at + 8, true))];
  }

  /** What was due has come out: sessions that are over at the watermark are dropped. */
  retireDue({ due, dueCount, block }: DueSessions, watermarkMs: number): void {
    this.#retire(due, dueCount, Math.max(noTime, Math.min(watermarkMs, -noTime)));
    this.#context.scope.memory.release(block);
    this.#dropKeys();
  }

  /** Which records `readGroups` gives. */
  select({ at, count }: RecordList): void {
    this.#list = at;
    this.#listCount = count;
  }

  get groupCount(): number {
    return this.#listCount;
  }

  get resultSizes(): readonly number[] {
    return this.#cells.resultSizes;
  }

  get arenaBlocks(): readonly BlockHandle[] {
    return this.#keys.arenaBlocks;
  }

  /** How keys are read and written. */
  get keyColumns() {
    return this.#scratch.keys;
  }

  /** As of `GroupTable`, from a place of the list on. */
  readGroups(from: number, rowsMax: number, out: GroupColumns) {
    const end = Math.min(this.#listCount, from + rowsMax);
    for (let at = from; at < end; at += chunkRows) {
      const count = Math.min(chunkRows, end - at);
      const list = this.#list + at * 4;
      this.#keys.gatherKeys(list, count, at - from, out.key);
      this.#cells.gather(list, count, at - from, out.results);
    }
    return { rowCount: end - from, nextSlot: end };
  }

  /** Writes starts, and last times with `beyondMs` more, of records of the list. */
  readBounds(from: number, count: number, beyondMs: number, starts: number, ends: number): void {
    const list = this.#list + from * 4;
    this.#context.kernels.sessionBounds(list, count, this.#keyEnd, beyondMs, starts, ends);
  }

  /** Forgets all sessions and keys. */
  clear(): void {
    this.#records.clear();
    this.#keys.clear();
  }

  close(): void {
    this.#keys.close();
    this.#records.close();
    this.#scratch.keys.close();
    this.#scratch.inputs.close();
    this.#context.scope.memory.release(this.#room);
  }

  /** Records of the rows whose keys were found; answers how many. */
  #assign(
    found: number,
    row: number,
    selection: number,
    { starts, lasts, unitsPerMs }: SessionTimes,
    { overMs, out }: { overMs: number; out: number },
  ): number {
    const { control, stride } = this.#records;
    return this.#context.kernels.assignSessions(
      ...([
        this.#keys.slotsAt,
        found,
        this.#keys.extraOffset,
        starts,
        lasts,
        selection,
        row,
      ] as const),
      ...([unitsPerMs, this.#options.gapMs, Math.max(overMs, noTime), control] as const),
      ...([this.#keyEnd, stride, addressOf(this.#room) + recordsOffset, out] as const),
    );
  }

  #accumulate(
    inputs: readonly ColumnAddress[],
    rows: { readonly count: number; readonly fromRow: number; readonly selection: number },
  ): void {
    const slots = addressOf(this.#room) + recordsOffset;
    const chunk = { ...rows, slots };
    this.#keys.makeTextRoom(this.#cells.textRoom(inputs, chunk));
    if (this.#cells.add(this.#keys.description, inputs, chunk)) return;
    const { overflow } = this.#cells;
    throw aggregateOverflow(this.#context.name, this.#options.plan, overflow?.accumulator ?? 0);
  }

  #retire(list: number, count: number, watermarkMs: number): void {
    const { kernels } = this.#context;
    const over = watermarkMs - this.#options.gapMs - this.#options.latenessMs;
    this.#byKey(list, count, (slots, at, rows) => {
      const { control } = this.#records;
      const [cell, end] = [this.#keys.extraOffset, this.#keyEnd];
      kernels.retireSessions(slots, at, rows, cell, end, over, control);
    });
  }

  /** Calls `visit` with the slots of the keys of a list of records, a chunk at a time. */
  #byKey(list: number, count: number, visit: (slots: number, at: number, rows: number) => void) {
    const keys = this.#keys;
    const values = addressOf(this.#room);
    const validity = values + chunkRows * 16;
    for (let from = 0; from < count; ) {
      const at = list + from * 4;
      const rowCount = Math.min(chunkRows, count - from);
      keys.gatherKeys(at, rowCount, 0, { values, validity });
      const rows = { key: { values, validity }, inputs: [], selection: 0, rowCount };
      while (keys.isGrowing) keys.grow();
      const found = keys.findRows(rows, 0);
      visit(keys.slotsAt, at, found);
      from += found;
    }
  }

  /** Makes the keys anew where most have no session; texts in cells are in the arena of the old ones. */
  #dropKeys(): void {
    const { kernels, scope } = this.#context;
    if (this.isEmpty) {
      this.clear();
      return;
    }
    const { accumulators } = this.#options.plan;
    const hasTexts = accumulators.some(({ type }) => type === 'text');
    const dead = this.#keys.groupCount - this.#records.usedCount;
    if (hasTexts || dead < deadKeysMin || dead < this.#keys.groupCount / 2) return;
    const block = scope.allocate(this.#records.usedCount * 4);
    let count = 0;
    this.#records.forEach((records, all) => {
      const out = addressOf(block) + count * 4;
      count += kernels.openSessions(records, all, this.#records.stride, out);
    });
    const old = this.#keys;
    this.#keys = this.#newKeys();
    this.#byKey(addressOf(block), count, (slots, at, rows) => {
      kernels.relinkSessions(slots, at, rows, this.#keys.extraOffset, this.#keyEnd);
    });
    old.close();
    scope.memory.release(block);
  }

  #newKeys(): GroupTable {
    const { kernels, scope } = this.#context;
    const keyForm = this.#scratch.keys.form;
    return new GroupTable(scope, kernels, { keyForm, accumulators: [], isNumbered: true });
  }
}

/** A list of record addresses. */
export interface RecordList {
  readonly at: number;
  readonly count: number;
}

/** Sessions that have to come out; holds until they are retired. */
export interface DueSessions {
  readonly block: BlockHandle;
  readonly due: number;
  readonly dueCount: number;
  readonly singles: RecordList;
  readonly linked: RecordList;
}

const noArrivals: ReadonlyMap<number, number> = new Map();
