/**
 * A leaf of a column on its way into pages: rows of a batch as levels and values in their form.
 *
 * Flat columns go by kernels: one pass gives the rows that have a value, and their levels as bits. Nested ones
 * come as entries (nested-entries.ts); a page begins with a row, so whole rows are given at a time.
 */
import type { Batch, Column } from '../../../engine/batch/batch.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { takeOf } from '../../../engine/kernels/take-kernels.ts';
import type { OutputBuffer } from '../../formats/output-buffer.ts';
import { type ChunkOptions, ColumnChunkWriter, type WrittenChunk } from './column-chunk-writer.ts';
import type { TreeLeaf } from './column-tree.ts';
import type { LeafEntries } from './nested-entries.ts';
import type { PageLevels } from './page-levels.ts';
import type { WriteRoom } from './write-room.ts';

export class LeafWriter {
  readonly leaf: TreeLeaf;
  readonly #context: SlotContext;
  readonly #room: WriteRoom;
  readonly #chunk: ColumnChunkWriter;

  constructor(options: Omit<ChunkOptions, 'definition' | 'repetition'>, leaf: TreeLeaf) {
    const { definition, repetition, column } = leaf;
    this.leaf = leaf;
    this.#context = options.context;
    this.#room = options.room;
    this.#chunk = new ColumnChunkWriter({ ...options, definition, repetition }, column);
  }

  /** Bytes of memory that the pages take, and of data that they hold. */
  get sizes(): { readonly held: number; readonly data: number } {
    return { held: this.#chunk.heldBytes, data: this.#chunk.uncompressedBytes };
  }

  /** Takes the rows of a column without nesting. */
  addColumn(column: Column, batch: Batch): void {
    while (!this.#addColumn(column, batch));
  }

  /** Takes rows as entries. */
  addEntries(entries: LeafEntries): void {
    for (let from = 0; from < entries.count; ) {
      const { to, rowCount } = wholeRows(entries, from, this.#room.valuesMax);
      while (!this.#addEntries(entries, { from, to, rowCount }));
      from = to;
    }
  }

  finish(output: OutputBuffer): WrittenChunk {
    return this.#chunk.finish(output);
  }

  close(): void {
    this.#chunk.close();
  }

  /** False when the page had to be ended first. */
  #addColumn(column: Column, { rowCount, selection }: Batch): boolean {
    const { kernels } = this.#context;
    const room = this.#room;
    let rows = selection;
    let present = rowCount;
    const { definitions } = this.#chunk;
    if (definitions !== null) {
      const { start, bit } = definitions.reserve(rowCount);
      rows = room.rows;
      present = kernels.presentRows(column.validity, selection, rowCount, rows, start, bit);
    }
    const values = this.#formed(column, rows, present);
    return this.#chunk.add({ rowCount, valueCount: rowCount, values, present });
  }

  #addEntries(
    { definitions, repetitions, values, column }: LeafEntries,
    {
      from,
      to,
      rowCount,
    }: { readonly from: number; readonly to: number; readonly rowCount: number },
  ): boolean {
    const room = this.#room;
    room.ensure(to - from);
    const chunk = this.#chunk;
    if (chunk.definitions !== null)
      this.#putLevels(chunk.definitions, definitions.subarray(from, to));
    if (chunk.repetitions !== null)
      this.#putLevels(chunk.repetitions, repetitions.subarray(from, to));
    const { uint32 } = this.#context.scope.memory;
    let present = 0;
    for (let entry = from; entry < to; entry++) {
      const value = values[entry] ?? -1;
      if (value >= 0) uint32[(room.rows >>> 2) + present++] = value;
    }
    const formed = this.#formed(column, room.rows, present);
    return chunk.add({ rowCount, valueCount: to - from, values: formed, present });
  }

  #putLevels(levels: PageLevels, given: Uint32Array): void {
    const { start, bit, isBits } = levels.reserve(given.length);
    const { bytes, uint32 } = this.#context.scope.memory;
    if (!isBits) {
      uint32.set(given, start >>> 2);
      return;
    }
    given.forEach((level, index) => {
      const at = bit + index;
      const byte = bytes[start + (at >>> 3)] ?? 0;
      bytes[start + (at >>> 3)] = level === 1 ? byte | (1 << (at & 7)) : byte & ~(1 << (at & 7));
    });
  }

  /** Values of the rows, side by side, in their form; `rows` 0: of the first. */
  #formed({ values, type }: Column, rows: number, present: number): number {
    const { kernels } = this.#context;
    const { toForm } = this.leaf.column;
    const room = this.#room;
    let from = values;
    if (rows !== 0) {
      takeOf(kernels, type)(values, rows, present, room.dense);
      from = room.dense;
    }
    if (toForm === null) return from;
    const { wide, formed: out } = room;
    toForm(kernels, { values: from, count: present, wide, out });
    return out;
  }
}

/** Rows from an entry on, as many as have no more entries than there is room for, or one. */
function wholeRows({ count, repetitions }: LeafEntries, from: number, entriesMax: number) {
  let to = from;
  let rowCount = 0;
  for (let end = from + 1; end <= count; end++) {
    if (end < count && repetitions[end] !== 0) continue;
    if (end - from > entriesMax && to > from) break;
    to = end;
    rowCount++;
  }
  return { to, rowCount };
}
