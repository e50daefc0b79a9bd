/**
 * Reads splits of Arrow files: for each batch of ours the rows of each wanted column's buffers, straight
 * from the file into the slot's memory. Columns that the context's schema lacks are not read at all.
 *
 *     split    parts (files) ──▶ pieces (rows of record batches) ──▶ batches of up to 8,192 rows
 *
 * Before: connectors/formats/part-reader.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../base/assert.ts';
import type { FileId } from '../../base/env/disk.ts';
import { Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Split, SplitReader } from '../../engine/contracts/source.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { Field } from '../../engine/schema/field-type.ts';
import { type PartFormat, PartReader } from '../formats/part-reader.ts';
import { type ArrowBody, type OpenFile, openBatch } from './arrow-body.ts';
import type { ColumnSource, TextOffsets, ViewBuffers } from './arrow-column-source.ts';
import { readColumn } from './arrow-columns.ts';
import { ArrowDictionaries } from './arrow-dictionaries.ts';
import { corruptError } from './arrow-errors.ts';
import { type ColumnPlan, type FilePart, type Piece, partsOf } from './arrow-split.ts';
import { readOffsets, readViewBuffers, rowsWithin } from './arrow-texts.ts';

/** A wanted column and its place in the file. */
interface WantedColumn {
  readonly field: Field;
  readonly plan: ColumnPlan;
}

/** The file that is being read. */
interface OpenPart {
  readonly part: FilePart;
  readonly file: OpenFile;
  readonly columns: readonly WantedColumn[];
  readonly dictionaries: ArrowDictionaries;
}

/** The piece that is being read. */
interface OpenPiece {
  readonly piece: Piece;
  readonly body: ArrowBody;
  readonly toRow: number;
  row: number;
  /** Of columns of views, by their plan; they last as long as the piece. */
  readonly viewBuffers: Map<ColumnPlan, ViewBuffers>;
}

export function createArrowReader(context: SlotContext): SplitReader {
  return new PartReader(context, new ArrowPieces(context));
}

/** @throws ARROW_CORRUPT, ARROW_FEATURE_UNSUPPORTED, TEXT_INVALID_UTF8, VALUE_IS_NULL, SOURCE_CHANGED */
class ArrowPieces implements PartFormat<FilePart, Piece, OpenPart, OpenPiece> {
  readonly #context: SlotContext;

  constructor(context: SlotContext) {
    this.#context = context;
  }

  partsOf({ payload }: Split): readonly FilePart[] {
    return partsOf(payload);
  }

  openPart(part: FilePart, id: FileId): OpenPart {
    const file = { id, path: part.path };
    const columns = this.#context.schema.fields.map((field) => {
      const plan = part.columns.find(({ name }) => name === field.name);
      assert(plan !== undefined, 'a split has the places of all columns of its source');
      return { field, plan };
    });
    const dictionaries = new ArrowDictionaries(this.#context, file, part.dictionaries);
    return { part, file, columns, dictionaries };
  }

  closePart({ dictionaries }: OpenPart): void {
    dictionaries.close();
  }

  openPiece({ part, file, columns }: OpenPart, piece: Piece, fromRow: number): OpenPiece {
    const body = openBatch(this.#context, file, piece);
    const { rowCount, lengths } = body.layout;
    for (const { plan, field } of columns) {
      if (lengths[plan.node] !== rowCount) {
        throw corruptError(part.path, `has a column "${field.name}" of another length`);
      }
    }
    const toRow = piece.toRow ?? rowCount;
    if (toRow > rowCount) throw corruptError(part.path, 'has a record batch with fewer rows');
    const row = Math.max(piece.fromRow, fromRow);
    return { piece, body, toRow, row, viewBuffers: new Map() };
  }

  rowOf({ row }: OpenPiece): number {
    return row;
  }

  read(part: OpenPart, open: OpenPiece): Batch | null {
    if (open.row >= open.toRow) return null;
    const batch = this.#readRows(part, open);
    open.row += batch.rowCount;
    return batch;
  }

  closePiece({ body, viewBuffers }: OpenPiece): void {
    body.close();
    for (const { blocks } of viewBuffers.values()) this.#release(blocks);
    viewBuffers.clear();
  }

  shareOf({ piece, row, toRow }: OpenPiece): number {
    return (row - piece.fromRow) / Math.max(1, toRow - piece.fromRow);
  }

  placeOf({ piece, row }: OpenPiece): string {
    return `row ${row} of the record batch at byte ${piece.offset}`;
  }

  /** The next rows: as many as a batch has, fewer where their texts are long. */
  #readRows(part: OpenPart, open: OpenPiece): Batch {
    const { scope, schema } = this.#context;
    const blocks: BlockHandle[] = [];
    const temporary: BlockHandle[] = [];
    try {
      const sources = part.columns.map((column) => this.#sourceOf(part, open, column, blocks));
      let count = Math.min(batchRowsMax, open.toRow - open.row);
      const offsets = new Map<ColumnSource, TextOffsets>();
      for (const source of sources) {
        const { encoding, dictionary } = source.plan;
        if (dictionary !== null || (encoding !== 'text' && encoding !== 'largeText')) continue;
        const rows = { from: open.row, count };
        const found = readOffsets({ ...source, blocks: temporary }, rows);
        offsets.set(source, found);
        count = rowsWithin(source, found, count);
      }
      const rows = { from: open.row, count };
      const columns = sources.map((source) => readColumn(source, rows, offsets.get(source)));
      const parts = { schema, rowCount: count, columns, blocks: blocks.slice() };
      blocks.length = 0;
      return new Batch(scope.memory, parts);
    } finally {
      this.#release(blocks);
      this.#release(temporary);
    }
  }

  #sourceOf(
    { dictionaries }: OpenPart,
    open: OpenPiece,
    { field, plan }: WantedColumn,
    blocks: BlockHandle[],
  ): ColumnSource {
    const { body } = open;
    const dictionary = plan.dictionary === null ? null : dictionaries.viewsOf(field, plan);
    const viewBuffersOf = (views: ColumnPlan) => this.#viewBuffersOf(open, views);
    return { context: this.#context, body, field, plan, dictionary, viewBuffersOf, blocks };
  }

  #viewBuffersOf(open: OpenPiece, plan: ColumnPlan): ViewBuffers {
    const known = open.viewBuffers.get(plan);
    if (known !== undefined) return known;
    const blocks: BlockHandle[] = [];
    try {
      const buffers = readViewBuffers({ body: open.body, plan, context: this.#context }, blocks);
      open.viewBuffers.set(plan, buffers);
      return buffers;
    } catch (error) {
      this.#release(blocks);
      throw error;
    }
  }

  #release(blocks: readonly BlockHandle[]): void {
    for (const block of blocks) this.#context.scope.memory.release(block);
  }
}
