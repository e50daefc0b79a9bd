/**
 * Snapshot of the two sides of a join of streams: rows that are kept, and back.
 *
 *     left     columns of the side   hasPartner? or partners?   heldMs?
 *     right    the same
 *
 * Whether a row has had a partner, where that matters; how many it has, where rows go again: those that have gone are left out; how long it has been kept, where rows are dropped by the clock:
 * clocks of other machines show other times. Rows are handed out as they lie; bits and times are copied.
 *
 * Before: engine/operators/frozen-batches.ts, engine/operators/own-rows.ts
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { JoinSide } from '../../plan/join-type.ts';
import { bitmapSizeOf, boolType, int64Type } from '../../schema/field-type.ts';
import { type Field, fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { FrozenBatches } from '../frozen-batches.ts';
import type { OperatorContext } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import type { JoinStream } from './interval-join-options.ts';
import type { FrozenSegmentRows, JoinSegment } from './join-segment.ts';
import type { JoinSides } from './join-sides.ts';
import type { LiveRows } from './live-rows.ts';

export interface JoinSidesSnapshotOptions {
  readonly left: Omit<JoinStream, 'time'>;
  readonly right: Omit<JoinStream, 'time'>;
  readonly sides: JoinSides;
  /** Whether rows go by the clock: their times are those of it. */
  readonly isByClock: boolean;
  /** Where rows go again: those that are there, and how many partners each has. */
  readonly live?: Pick<LiveRows, 'isLive' | 'partnersOf'>;
  /**
   * Keeps rows of a snapshot; their bits are in the bands.
   * @param partners - Address of an int64 by stored row: how many partners each has; 0 where rows do not go again.
   * @param heldMs - Address of an int64 by stored row: how long each has been kept; 0 where rows do not go by the clock.
   */
  readonly keep: (side: JoinSide, rows: Batch, heldMs: number, partners: number) => void;
}

interface SideColumns {
  readonly part: JoinSide;
  readonly schema: Schema;
  readonly keys: readonly string[];
  readonly hasMarks: boolean;
}

const sideNames = ['left', 'right'] as const;

export class JoinSidesSnapshot {
  readonly #context: OperatorContext;
  readonly #options: JoinSidesSnapshotOptions;
  readonly #columns: { readonly [Side in JoinSide]: SideColumns };
  /** The side that is read, and its rows. */
  #side: JoinSide | null = 'left';
  #own: OwnRows | null = null;

  constructor(context: OperatorContext, options: JoinSidesSnapshotOptions) {
    this.#context = context;
    this.#options = options;
    this.#columns = { left: this.#columnsOf('left'), right: this.#columnsOf('right') };
  }

  /** Hands out the rows of both sides. */
  write(writer: SnapshotWriter, nowMs: number): void {
    for (const side of sideNames) {
      const { part, schema } = this.#columns[side];
      const batches = this.#options.sides[side].segments.flatMap((segment) => {
        return segment.frozen().map((frozen, chunk) => {
          const rows = this.#rowsOf(side, frozen, nowMs);
          return this.#options.live === undefined ? rows : this.#liveOf(rows, segment, chunk);
        });
      });
      writer.rows(part, schema, new FrozenBatches(batches));
    }
  }

  /** Keeps the rows of this task's keys; false asks to be called again. */
  restore(reader: SnapshotReader): boolean {
    for (;;) {
      if (this.#side === null) return true;
      this.#own ??= new OwnRows(this.#context, this.#columns[this.#side]);
      const rows = this.#own.next(reader);
      if (rows === 'end') {
        this.#own.close();
        this.#own = null;
        this.#side = this.#side === 'left' ? 'right' : null;
        continue;
      }
      if (rows !== null) this.#keep(this.#side, rows);
      if (this.#context.shouldYield()) return false;
    }
  }

  close(): void {
    this.#own?.close();
    this.#own = null;
  }

  #columnsOf(side: JoinSide): SideColumns {
    const { sides, isByClock, live } = this.#options;
    const { schema, keys } = this.#options[side];
    const taken = new Set(schema.fields.map(({ name }) => name));
    const hasMarks = sides.hasMarks(side) && live === undefined;
    const more: Field[] = hasMarks ? [fieldOf(freeName('hasPartner', taken), boolType)] : [];
    if (isByClock) more.push(fieldOf(freeName('heldMs', taken), int64Type));
    if (live !== undefined) more.push(fieldOf(freeName('partners', taken), int64Type));
    return { part: side, schema: { fields: [...schema.fields, ...more] }, keys, hasMarks };
  }

  /** Frozen rows with the columns behind that a snapshot has; takes the batch over. */
  #rowsOf(side: JoinSide, frozen: FrozenSegmentRows, nowMs: number): Batch {
    const { scope } = this.#context;
    const { isByClock, live } = this.#options;
    const { schema: whole, hasMarks } = this.#columns[side];
    // The last column is written for those rows that are there.
    const schema = live === undefined ? whole : { fields: whole.fields.slice(0, -1) };
    const { batch, marks, times } = frozen;
    const { rowCount } = batch;
    const markBytes = hasMarks ? bitmapSizeOf(rowCount) + 8 : 0;
    if (markBytes === 0 && !isByClock) return batch;
    const block = scope.allocate(markBytes + 8 + (isByClock ? rowCount * 8 : 0));
    const { bytes } = scope.memory;
    const columns = [...batch.columns];
    let at = addressOf(block);
    if (hasMarks) {
      bytes.copyWithin(at, marks, marks + bitmapSizeOf(rowCount));
      columns.push({ type: boolType, validity: 0, values: at });
      at += Math.ceil(markBytes / 8) * 8;
    }
    if (isByClock) {
      this.#subtracted({ from: nowMs, times, rowCount, out: at });
      columns.push({ type: int64Type, validity: 0, values: at });
    }
    const rows = batch.derive({ schema, columns, blocks: [block] });
    batch.release();
    return rows;
  }

  /** The rows of a chunk that are there, with how many partners they have; takes the batch over. */
  #liveOf(rows: Batch, segment: JoinSegment, chunk: number): Batch {
    const { scope } = this.#context;
    const { live } = this.#options;
    assert(live !== undefined, 'rows go again');
    const { rowCount } = rows;
    const block = scope.allocate(rowCount * 12 + 8);
    const [partners, selection] = [addressOf(block) >>> 2, (addressOf(block) >>> 2) + rowCount * 2];
    const { uint32 } = scope.memory;
    let count = 0;
    for (let row = 0; row < rowCount; row++) {
      const number = chunk * batchRowsMax + row;
      if (!live.isLive(segment, number)) continue;
      uint32[partners + row * 2] = live.partnersOf(segment, number);
      uint32[partners + row * 2 + 1] = 0;
      uint32[selection + count++] = row;
    }
    const fields = [...rows.schema.fields, fieldOf(this.#partnersName(rows.schema), int64Type)];
    const column = { type: int64Type, values: partners << 2, validity: 0 };
    const there = rows.derive({
      ...{ schema: { fields }, columns: [...rows.columns, column] },
      ...{ rowCount: count, selection: selection << 2, blocks: [block] },
    });
    rows.release();
    return there;
  }

  #partnersName({ fields }: Schema): string {
    return freeName('partners', new Set(fields.map(({ name }) => name)));
  }

  #keep(side: JoinSide, rows: Batch): void {
    const { sides, isByClock, live, keep } = this.#options;
    const { hasMarks } = this.#columns[side];
    const { schema } = this.#options[side];
    const { bytes } = this.#context.scope.memory;
    const [marks, held] = rows.columns.slice(schema.fields.length);
    sides.bands.clearBits();
    if (hasMarks) {
      assert(marks !== undefined, 'rows say whether they have had a partner');
      const { values } = marks;
      bytes.copyWithin(sides.bands.bits, values, values + bitmapSizeOf(rows.storedRows));
    }
    const heldMs = (hasMarks ? held : marks)?.values ?? 0;
    const columns = rows.columns.slice(0, schema.fields.length);
    const own = rows.derive({ schema, columns });
    try {
      const partners = live === undefined ? 0 : (rows.columns.at(-1)?.values ?? 0);
      keep(side, own, isByClock ? heldMs : 0, partners);
    } finally {
      own.release();
      rows.release();
    }
  }

  /** Writes `from` less each time: two numbers that float64 holds. */
  #subtracted(part: { from: number; times: number; rowCount: number; out: number }): void {
    const { uint32, int32 } = this.#context.scope.memory;
    const [times, out] = [part.times >>> 2, part.out >>> 2];
    for (let row = 0; row < part.rowCount; row++) {
      const time = (int32[times + row * 2 + 1] ?? 0) * highUnit + (uint32[times + row * 2] ?? 0);
      const left = Math.floor(part.from) - time;
      uint32[out + row * 2] = left >>> 0;
      uint32[out + row * 2 + 1] = Math.floor(left / highUnit) >>> 0;
    }
  }
}

const highUnit = 2 ** 32;
