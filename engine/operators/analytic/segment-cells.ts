/**
 * Segment cells: aggregates of segments, which are runs of sorted rows, by the kernels of groups. Each segment
 * of a batch has a record of cells, in order; the last one goes on in the next batch.
 *
 *     rows       a a | b b b | c          records   carried · a · b · c ─▶ carried, of the next batch
 *     running    cells of each record are merged with those of the one before it, within a partition
 *
 * Why records and not a table: sorted rows need no look-up, and results come out in the order of rows.
 *
 * Contract:
 * - Texts of cells are in an arena of their batch; what is carried is copied into the next one, so that
 *   results that were given out never change.
 * Before: engine/operators/aggregate-plan.ts · After: engine/operators/analytic/frame-stage.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { inlineSizeMax } from '../../batch/utf8-view.ts';
import { type Cell, cellsOf } from '../../kernels/accumulators.ts';
import { GroupCells } from '../../kernels/group-cells.ts';
import { groupTableLayout } from '../../kernels/group-kernels.ts';
import { scanOperationOf } from '../../kernels/segment-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import type { Field } from '../../schema/schema.ts';
import { AggregateInputs } from '../aggregate-inputs.ts';
import { aggregateOverflow } from '../aggregate-overflow.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import type { OperatorContext } from '../operator.ts';
import { Rooms, resultColumn } from '../result-column.ts';
import { SegmentRecords } from './segment-records.ts';

/** Of a record: a word that is not used, and the flags. */
const headBytes = 8;
const controlBytes = 64;
const noArrivals: ReadonlyMap<number, number> = new Map();

/** The segments of a batch. */
export interface Segments {
  /** Marks of rows that begin one; 0 where none does. */
  readonly marks: number;
  /** Marks of rows that begin a partition. */
  readonly partitions: number;
}

export class SegmentCells {
  readonly #context: OperatorContext;
  readonly #plan: AggregatePlan;
  readonly #isRunning: boolean;
  readonly #inputs: AggregateInputs;
  readonly #cells: GroupCells;
  readonly #places: readonly Cell[];
  readonly #control: BlockHandle;
  /** The last record, and the arena that its texts are in. */
  #carried: SegmentRecords | null = null;

  /** @param isRunning - Whether a segment's cells are those of all rows of its partition so far. */
  constructor(context: OperatorContext, plan: AggregatePlan, isRunning: boolean) {
    const { scope, kernels } = context;
    this.#context = context;
    this.#plan = plan;
    this.#isRunning = isRunning;
    this.#inputs = new AggregateInputs(scope, kernels, plan.inputs);
    this.#cells = new GroupCells(kernels, plan.accumulators, headBytes);
    this.#places = cellsOf(plan.accumulators, headBytes).cells;
    this.#control = scope.allocate(controlBytes);
  }

  /** Adds the rows of a batch; its records, the first of which is what was carried. The caller owns them. */
  add(batch: Batch, { marks, partitions }: Segments): SegmentRecords {
    const { scope, kernels } = this.#context;
    const { memory } = scope;
    const { rowCount } = batch;
    const carried = this.#carried;
    const rooms = new Rooms(scope);
    let arena: BlockHandle | null = null;
    try {
      const begins = marks !== 0 && memory.bytes[marks] === 1;
      const first = carried !== null && begins ? 1 : 0;
      const numbers = rooms.room(rowCount * 4);
      const starts = rooms.room((rowCount + 1) * 4);
      memory.uint32[starts >>> 2] = 0;
      if (marks === 0) memory.uint32.fill(0, numbers >>> 2, (numbers >>> 2) + rowCount);
      const last = marks === 0 ? 0 : kernels.segmentRows(marks, rowCount, first, numbers, starts);
      const count = last + 1;
      const stride = this.#cells.slotBytes;
      const cells = rooms.room(count * stride);
      memory.bytes.fill(0, cells, cells + count * stride);
      arena = this.#accumulate(batch, numbers, cells);
      if (this.#isRunning) this.#scan({ cells, count, marks: partitions, starts });
      const parts = { rooms, arena, cells, stride, count, numbers, starts };
      const records = new SegmentRecords(memory, parts);
      carried?.release();
      this.#carried = records.retain();
      return records;
    } catch (error) {
      rooms.release();
      if (arena !== null) memory.release(arena);
      throw error;
    }
  }

  /** What is carried: one record, that of the last segment; null before the first row. */
  get carried(): SegmentRecords | null {
    return this.#carried;
  }

  /** The results of the first `count` records as columns of `rooms`, one for each field; texts are in the arenas. */
  results(
    records: Pick<SegmentRecords, 'cellsOf'>,
    count: number,
    { fields, rooms }: { readonly fields: readonly Field[]; readonly rooms: Rooms },
  ): Column[] {
    const { scope, kernels } = this.#context;
    const { memory } = scope;
    const { resultSizes } = this.#cells;
    const slots = rooms.room(count * 4);
    for (let at = 0; at < count; at++) memory.uint32[(slots >>> 2) + at] = records.cellsOf(at);
    const wide = resultSizes.map((sizeBytes) => ({
      values: rooms.room(count * sizeBytes),
      validity: rooms.room(bitmapSizeOf(count)),
    }));
    this.#cells.gather(slots, count, 0, wide);
    return this.#plan.results.map((result, at): Column => {
      const field = fields[at];
      assert(field !== undefined, 'there is a field for each result');
      const room = (sizeBytes: number) => rooms.room(sizeBytes);
      const from = { memory, result, field, columns: wide, rowCount: count, room };
      return { type: field.type, ...resultColumn(kernels, from) };
    });
  }

  close(): void {
    this.#carried?.release();
    this.#carried = null;
    this.#inputs.close();
    this.#context.scope.memory.release(this.#control);
  }

  /** Adds the rows to the cells of their segments; the arena that it needed. */
  #accumulate(batch: Batch, numbers: number, cells: number): BlockHandle | null {
    const { scope, kernels } = this.#context;
    const { rowCount } = batch;
    const inputs = this.#inputs.read(batch, noArrivals);
    const scratch = scope.allocate(rowCount * 4);
    let arena: BlockHandle | null = null;
    try {
      const slots = addressOf(scratch);
      kernels.slotsOfSegments(numbers, rowCount, cells, this.#cells.slotBytes, slots);
      const rows = { slots, count: rowCount, fromRow: 0, selection: 0 };
      const carriedBytes = this.#carriedTextBytes();
      const arenaBytes = this.#cells.textRoom(inputs, rows) + carriedBytes;
      if (arenaBytes > 0) arena = scope.allocate(arenaBytes);
      const room = arena === null ? 0 : addressOf(arena);
      this.#takeCarried(cells, room);
      const control = addressOf(this.#control);
      scope.memory.uint32[(control + groupTableLayout.arena) >>> 2] = room + carriedBytes;
      if (this.#cells.add(control, inputs, rows)) return arena;
      throw this.#overflow(this.#cells.overflow?.accumulator);
    } catch (error) {
      if (arena !== null) scope.memory.release(arena);
      throw error;
    } finally {
      scope.memory.release(scratch);
    }
  }

  #scan(options: { cells: number; count: number; marks: number; starts: number }): void {
    const { cells, count, marks, starts } = options;
    const { scanCells } = this.#context.kernels;
    const stride = this.#cells.slotBytes;
    for (const [index, { spec, offset, flags, flag, resultSizes }] of this.#places.entries()) {
      const sizeBytes =
        spec.type === 'text' ? 24 : resultSizes.reduce((sum, size) => sum + size, 0);
      const operation = scanOperationOf(spec);
      const place = [offset, sizeBytes, flags, flag] as const;
      const failed = scanCells(operation, cells, stride, count, ...place, marks, starts);
      if (failed >= 0) throw this.#overflow(index);
    }
  }

  #overflow(accumulator = 0): Error {
    return aggregateOverflow(this.#context.name, this.#plan, accumulator);
  }

  /** Bytes of the carried texts, which are not in their views. */
  #carriedTextBytes(): number {
    return this.#carriedTexts().reduce((sum, { length }) => sum + Math.ceil(length / 8) * 8, 0);
  }

  /** Copies the carried record to the first one, its texts into the arena. */
  #takeCarried(cells: number, arena: number): void {
    const carried = this.#carried;
    if (carried === null) return;
    const { bytes, uint32 } = this.#context.scope.memory;
    const from = carried.cellsOf(carried.count - 1);
    bytes.copyWithin(cells, from, from + this.#cells.slotBytes);
    let room = arena;
    for (const { offset, address, length } of this.#carriedTexts()) {
      bytes.copyWithin(room, address, address + length);
      const word = (cells + offset) >>> 2;
      uint32[word + 1] = room;
      uint32[word + 4] = room;
      uint32[word + 5] = length;
      room += Math.ceil(length / 8) * 8;
    }
  }

  #carriedTexts() {
    const carried = this.#carried;
    if (carried === null) return [];
    const { uint32 } = this.#context.scope.memory;
    const from = carried.cellsOf(carried.count - 1);
    return this.#places.flatMap(({ spec, offset }) => {
      const word = (from + offset) >>> 2;
      const length = uint32[word] ?? 0;
      if (spec.type !== 'text' || length <= inlineSizeMax) return [];
      return [{ offset, length, address: uint32[word + 1] ?? 0 }];
    });
  }
}
