/**
 * Text join: the texts of each segment, one after the other with a separator between; null where a segment has
 * none. That of the last segment of a batch goes on in the next one.
 *
 *     a  x y | b  z w        "x, y" is given out, "z, w" stays open and may grow
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { clearView, writeView } from '../../batch/utf8-view.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf, utf8Type } from '../../schema/field-type.ts';
import type { OperatorContext } from '../operator.ts';
import type { Rooms } from '../result-column.ts';
import type { GroupColumns } from './group-columns.ts';
import type { SegmentRecords } from './segment-records.ts';

const viewBytes = 16;

export class TextJoin implements GroupColumns {
  readonly #context: OperatorContext;
  readonly #column: number;
  readonly #separator: BlockHandle;
  readonly #separatorBytes: number;
  /** Of the open segment: its text so far; 0 where there is no room yet. */
  #open: BlockHandle = 0;
  #openBytes = 0;
  #hasText = false;

  /** @param column - Index of the texts. */
  constructor(context: OperatorContext, column: number, separator: string) {
    const bytes = new TextEncoder().encode(separator);
    this.#context = context;
    this.#column = column;
    this.#separatorBytes = bytes.length;
    this.#separator = context.scope.allocate(Math.max(1, bytes.length));
    context.scope.memory.bytes.set(bytes, addressOf(this.#separator));
  }

  add(batch: Batch, records: SegmentRecords, rooms: Rooms): Column[] {
    const { memory } = this.#context.scope;
    const { count, starts } = records;
    const ends = rooms.room(count * 4);
    memory.uint32.fill(0, ends >>> 2, (ends >>> 2) + count);
    const firstEnd = count > 1 ? (memory.uint32[(starts >>> 2) + 1] ?? 0) : batch.rowCount;
    this.#goOn(batch, records, { rowCount: firstEnd, ends });
    if (count === 1) return [{ type: utf8Type, values: 0, validity: 0 }];
    const room = this.#joinOthers(batch, records, { fromRow: firstEnd, ends, rooms });
    const views = rooms.room((count - 1) * viewBytes);
    const validity = rooms.room(bitmapSizeOf(count - 1));
    memory.bytes.fill(0, validity, validity + bitmapSizeOf(count - 1));
    this.#giveOutOpen(views, validity, rooms);
    let begin = room;
    for (let segment = 1; segment < count; segment++) {
      const end = memory.uint32[(ends >>> 2) + segment] ?? 0;
      if (segment === count - 1) this.#keepOpen(begin, end);
      else this.#write(segment, { begin, end, views, validity });
      if (end !== 0) begin = end;
    }
    return [{ type: utf8Type, values: views, validity }];
  }

  end(rooms: Rooms): Column[] {
    const views = rooms.room(viewBytes);
    const validity = rooms.room(bitmapSizeOf(1));
    this.#context.scope.memory.bytes[validity] = 0;
    this.#giveOutOpen(views, validity, rooms);
    return [{ type: utf8Type, values: views, validity }];
  }

  close(): void {
    const { memory } = this.#context.scope;
    if (this.#open !== 0) memory.release(this.#open);
    memory.release(this.#separator);
  }

  /** Adds rows of the open segment. */
  #goOn(
    batch: Batch,
    records: SegmentRecords,
    { rowCount, ends }: { readonly rowCount: number; readonly ends: number },
  ): void {
    const { memory } = this.#context.scope;
    this.#makeRoom(this.#sizeOf(batch, 0, rowCount));
    const start = addressOf(this.#open);
    memory.uint32[ends >>> 2] = Number(this.#hasText);
    this.#join(batch, records, { fromRow: 0, rowCount, out: start + this.#openBytes, ends });
    const end = memory.uint32[ends >>> 2] ?? 0;
    if (end <= 1) return;
    this.#hasText = true;
    this.#openBytes = end - start;
  }

  /** Joins the rows of all segments behind the first one; where their texts begin. */
  #joinOthers(
    batch: Batch,
    records: SegmentRecords,
    { fromRow, ends, rooms }: { fromRow: number; ends: number; rooms: Rooms },
  ): number {
    const out = rooms.room(Math.max(8, this.#sizeOf(batch, fromRow, batch.rowCount)));
    this.#join(batch, records, { fromRow, rowCount: batch.rowCount, out, ends });
    return out;
  }

  #join(
    batch: Batch,
    records: SegmentRecords,
    place: { fromRow: number; rowCount: number; out: number; ends: number },
  ): void {
    const { values, validity } = this.#columnOf(batch);
    const { fromRow, rowCount, out, ends } = place;
    this.#context.kernels.joinTexts(
      ...([values, validity, records.numbers, fromRow, rowCount] as const),
      ...([addressOf(this.#separator), this.#separatorBytes, out, ends] as const),
    );
  }

  #sizeOf(batch: Batch, fromRow: number, rowCount: number): number {
    const { values, validity } = this.#columnOf(batch);
    const { joinedSizeOf } = this.#context.kernels;
    return joinedSizeOf(values, validity, fromRow, rowCount, this.#separatorBytes);
  }

  /** Room behind the open text: it doubles, so that a long text is copied once on average. */
  #makeRoom(bytes: number): void {
    const { scope } = this.#context;
    const { memory } = scope;
    const wanted = this.#openBytes + bytes;
    if (this.#open !== 0 && wanted <= memory.sizeOf(this.#open)) return;
    const block = scope.allocate(Math.max(64, wanted, this.#openBytes * 2));
    if (this.#open !== 0) {
      const from = addressOf(this.#open);
      memory.bytes.copyWithin(addressOf(block), from, from + this.#openBytes);
      memory.release(this.#open);
    }
    this.#open = block;
  }

  /** The open segment has ended: its text is the first one that is given out. */
  #giveOutOpen(views: number, validity: number, rooms: Rooms): void {
    const begin = addressOf(this.#open);
    const end = this.#hasText ? begin + this.#openBytes : 0;
    this.#write(0, { begin, end, views, validity });
    if (this.#open !== 0) rooms.own([this.#open]);
    this.#open = 0;
    this.#openBytes = 0;
    this.#hasText = false;
  }

  /** The last segment of a batch goes on; an end of 0: it has no text yet. */
  #keepOpen(begin: number, end: number): void {
    if (end === 0) return;
    this.#makeRoom(end - begin);
    this.#context.scope.memory.bytes.copyWithin(addressOf(this.#open), begin, end);
    this.#openBytes = end - begin;
    this.#hasText = true;
  }

  #write(
    segment: number,
    place: { begin: number; end: number; views: number; validity: number },
  ): void {
    const { memory } = this.#context.scope;
    const { begin, end, views, validity } = place;
    const view = views + segment * viewBytes;
    if (end === 0) {
      clearView(memory, view);
      return;
    }
    writeView(memory, view, begin, end - begin);
    const byte = validity + (segment >>> 3);
    memory.bytes[byte] = (memory.bytes[byte] ?? 0) | (1 << (segment & 7));
  }

  #columnOf(batch: Batch): Column {
    const column = batch.columns[this.#column];
    assert(column !== undefined, 'the column is in the batch');
    return column;
  }
}
