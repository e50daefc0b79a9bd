/**
 * Session table: the open sessions of all keys (engine/kernels/session.as.ts), as records of their keys.
 *
 *     add ─▶ slot of the key ─▶ record of the session ─▶ accumulators
 *     due ─▶ sessions of one record · records of sessions that were several ─▶ records.readGroups ─▶ retire
 *
 * Keys without sessions stay until they are most of the table; then it is made anew of the others.
 *
 * Invariant: between two calls every record is in the list of its key, linked to one that is, or free.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { OperatorContext } from '../operator.ts';
import { chunkRows, KeyedRecords, type KeyedRecordsOptions } from './keyed-records.ts';
import type { RecordList } from './record-batch.ts';
import type { OrderedRecord } from './record-order.ts';

export interface SessionTableOptions extends KeyedRecordsOptions {
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

/** The state of a session that has come out (engine/kernels/session.as.ts). */
const fired = 2;
/** Of a record, behind its key: the next one of the same session. */
const linkOffset = 20;
const deadKeysMin = 65_536;
const noTime = -(2 ** 53);

export class SessionTable {
  readonly records: KeyedRecords;
  readonly #context: OperatorContext;
  readonly #options: SessionTableOptions;
  /** Keys of a chunk of records, and their validity. */
  readonly #chunkKeys: BlockHandle;

  constructor(context: OperatorContext, options: SessionTableOptions) {
    this.#context = context;
    this.#options = options;
    this.records = new KeyedRecords(context, options, options.latenessMs);
    this.#chunkKeys = context.scope.allocate(chunkRows * 16 + chunkRows / 8);
  }

  /** Before that time no session is due. */
  get dueMs(): number {
    return this.records.blocks.dueMs;
  }

  /**
   * Adds rows from `fromRow` on, of which those that are over at `overMs` and can't join a session are late: their
   * stored rows go to `outLate` (u32), the count is `lateCount`. Answers the next row.
   */
  add(batch: Batch, fromRow: number, times: SessionTimes, late: { overMs: number; out: number }) {
    const { selection } = batch;
    return this.records.add(batch, fromRow, (found, row) => {
      return this.#assign({ found, row, selection }, times, late);
    });
  }

  /** Rows that were late, since the last call. */
  takeLateCount(): number {
    return this.records.blocks.takeLate();
  }

  /**
   * Sessions that a watermark completes: first those of one record, then the records of others. What has come out and
   * is kept no longer is dropped.
   */
  due(watermarkMs: number): DueSessions {
    const { kernels, scope } = this.#context;
    const { gapMs, latenessMs } = this.#options;
    const capacity = Math.max(1, this.records.blocks.usedCount);
    const block = scope.allocate(capacity * 12 + 16);
    const counts = addressOf(block);
    const [due, over, spare] = [0, 1, 2].map((at) => counts + 16 + at * capacity * 4) as [
      number,
      number,
      number,
    ];
    const { uint32 } = scope.memory;
    uint32.fill(0, counts >>> 2, (counts >>> 2) + 4);
    this.records.blocks.beginDue();
    const watermark = Math.max(noTime, Math.min(watermarkMs, -noTime));
    this.records.blocks.forEach((records, count) => {
      kernels.dueSessions(
        ...([
          records,
          count,
          this.records.blocks.stride,
          this.records.keyEnd,
          gapMs,
          watermark,
        ] as const),
        ...([latenessMs, this.records.blocks.control, due, over, counts] as const),
      );
    });
    const dueCount = uint32[counts >>> 2] ?? 0;
    this.#retire(over, uint32[(counts >>> 2) + 1] ?? 0, watermark);
    kernels.divideSessions(due, dueCount, this.records.keyEnd, over, spare, counts);
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

  /** The open sessions of the key in a slot: the records of each, the first one with the bounds of all. */
  sessionsOf(slot: number): number[][] {
    const { uint32 } = this.#context.scope.memory;
    const word = (address: number) => uint32[address >>> 2] ?? 0;
    const next = this.records.keyEnd + 16;
    const link = next + 4;
    const sessions: number[][] = [];
    for (let at = word(slot + this.records.keys.extraOffset); at !== 0; at = word(at + next)) {
      const records = [at];
      for (let part = word(at + link); part !== 0; part = word(part + link)) records.push(part);
      sessions.push(records);
    }
    return sessions;
  }

  /** When a record begins, and the time of its last row. */
  boundsOf(record: number): readonly [startMs: number, lastMs: number] {
    const { int32, uint32 } = this.#context.scope.memory;
    const at = (record + this.records.keyEnd) >>> 2;
    const timeAt = (word: number) => (int32[word + 1] ?? 0) * 2 ** 32 + (uint32[word] ?? 0);
    return [timeAt(at), timeAt(at + 2)];
  }

  /** What was due has come out: sessions that are over at the watermark are dropped. */
  retireDue({ due, dueCount, block }: DueSessions, watermarkMs: number): void {
    this.#retire(due, dueCount, Math.max(noTime, Math.min(watermarkMs, -noTime)));
    this.#context.scope.memory.release(block);
    this.#dropKeys();
  }

  /** How sessions lie on disk: by their last rows, those that have come out behind the others. */
  get order(): OrderedRecord {
    const { gapMs, latenessMs } = this.#options;
    const { keyEnd } = this.records;
    const { memory } = this.#context.scope;
    const isKept = (record: number) => memory.uint32[record >>> 2] === fired;
    return {
      placeOf: (record) => this.boundsOf(record)[1] + (isKept(record) ? latenessMs : 0),
      dueOf: (placeMs) => placeMs + gapMs,
      isKept,
      linkOf: (record) => memory.uint32[(record + keyEnd + linkOffset) >>> 2] ?? 0,
    };
  }

  /**
   * Sessions that were on disk, as parts with their first and last times, are open again, from a row on; `areKept` where they
   * have come out. Answers the next row.
   */
  restore(pieces: Batch, fromRow: number, areKept: boolean): number {
    const { selection } = pieces;
    const [start, last] = pieces.columns;
    assert(start !== undefined && last !== undefined, 'pieces have their bounds in front');
    const times = { starts: start.values, lasts: last.values, unitsPerMs: 1 };
    const never = { overMs: Number.NEGATIVE_INFINITY, out: 0 };
    return this.records.restore(pieces, fromRow, (found, row) => {
      const done = this.#assign({ found, row, selection }, times, never);
      if (areKept) this.#markFired(done);
      return done;
    });
  }

  close(): void {
    this.records.close();
    this.#context.scope.memory.release(this.#chunkKeys);
  }

  /** Records of the rows whose keys were found; answers how many. */
  #assign(
    { found, row, selection }: { found: number; row: number; selection: number },
    { starts, lasts, unitsPerMs }: SessionTimes,
    { overMs, out }: { overMs: number; out: number },
  ): number {
    const { keys, keyEnd, recordsOfRows } = this.records;
    const { control, stride } = this.records.blocks;
    return this.#context.kernels.assignSessions(
      ...([keys.slotsAt, found, keys.extraOffset, starts, lasts, selection, row] as const),
      ...([unitsPerMs, this.#options.gapMs, Math.max(overMs, noTime), control] as const),
      ...([keyEnd, stride, recordsOfRows, out] as const),
    );
  }

  /** The records of rows that were assigned last have come out. */
  #markFired(count: number): void {
    const { uint32 } = this.#context.scope.memory;
    const records = this.records.recordsOfRows >>> 2;
    for (let row = 0; row < count; row++) uint32[(uint32[records + row] ?? 0) >>> 2] = fired;
  }

  #retire(list: number, count: number, watermarkMs: number): void {
    const { kernels } = this.#context;
    const over = watermarkMs - this.#options.gapMs - this.#options.latenessMs;
    this.#byKey(list, count, (slots, at, rows) => {
      const { control } = this.records.blocks;
      const [cell, end] = [this.records.keys.extraOffset, this.records.keyEnd];
      kernels.retireSessions(slots, at, rows, cell, end, over, control);
    });
  }

  /** Calls `visit` with the slots of the keys of a list of records, a chunk at a time. */
  #byKey(list: number, count: number, visit: (slots: number, at: number, rows: number) => void) {
    const keys = this.records.keys;
    const values = addressOf(this.#chunkKeys);
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
    if (this.records.isEmpty) {
      this.records.clear();
      return;
    }
    const { accumulators } = this.#options.plan;
    const hasTexts = accumulators.some(({ type }) => type === 'text');
    const dead = this.records.keys.groupCount - this.records.blocks.usedCount;
    if (hasTexts || dead < deadKeysMin || dead < this.records.keys.groupCount / 2) return;
    const block = scope.allocate(this.records.blocks.usedCount * 4);
    let count = 0;
    this.records.blocks.forEach((records, all) => {
      const out = addressOf(block) + count * 4;
      count += kernels.openSessions(records, all, this.records.blocks.stride, out);
    });
    const old = this.records.renewKeys();
    this.#byKey(addressOf(block), count, (slots, at, rows) => {
      kernels.relinkSessions(slots, at, rows, this.records.keys.extraOffset, this.records.keyEnd);
    });
    old.close();
    scope.memory.release(block);
  }
}

/** Sessions that have to come out; holds until they are retired. */
export interface DueSessions {
  readonly block: BlockHandle;
  readonly due: number;
  readonly dueCount: number;
  readonly singles: RecordList;
  readonly linked: RecordList;
}
