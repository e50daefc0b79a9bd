/**
 * Reads splits of Parquet files: for each batch the next rows of each wanted column, from that column's
 * pages. Columns that the context's schema lacks are not read at all, rows that can't meet the predicate, or
 * have no partner in a join that has said which keys it has, are passed over, and where few are left the columns
 * that were not asked are decoded for these alone.
 *
 *     split    parts (files) ──▶ pieces (row groups) ──▶ ranges of rows ──▶ batches of up to 8,192 rows
 *
 * Before: connectors/formats/part-reader.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import type { FileId } from '../../../base/env/disk.ts';
import { Batch } from '../../../engine/batch/batch.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import type {
  DynamicFilter,
  Skipped,
  Split,
  SplitReader,
} from '../../../engine/contracts/source.ts';
import type { BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { type PartFormat, PartReader } from '../../formats/part-reader.ts';
import { type FilePart, type Piece, partsOf } from '../plan/parquet-split.ts';
import { DictionaryFilter } from './dictionary-filter.ts';
import { LateRows } from './late-rows.ts';
import { batchRowsOf, type ColumnOptions, openColumn, type PieceColumn } from './open-columns.ts';
import { ReadRoom } from './read-room.ts';
import { type WantedRows, wantedRowsOf } from './row-pruning.ts';

/** The file that is being read. */
interface OpenPart {
  readonly part: FilePart;
  readonly file: FileId;
}

/** The row group that is being read. */
interface OpenPiece {
  readonly piece: Piece;
  /** Half-open, ascending: those that may be wanted. */
  readonly ranges: Piece['ranges'];
  readonly columns: readonly PieceColumn[];
  /** Rows of a batch at most. */
  readonly batchRows: number;
  rangeIndex: number;
  /** The next row of the row group. */
  row: number;
}

export function createParquetReader(context: SlotContext): SplitReader {
  return new PartReader(context, new ParquetPieces(context));
}

/**
 * @throws PARQUET_CORRUPT, PARQUET_FEATURE_UNSUPPORTED, TEXT_INVALID_UTF8, VALUE_IS_NULL,
 * VALUE_OUT_OF_RANGE, SOURCE_CHANGED
 */
class ParquetPieces implements PartFormat<FilePart, Piece, OpenPart, OpenPiece> {
  readonly #context: SlotContext;
  #filters: readonly DynamicFilter[] = [];
  #dictionaries: DictionaryFilter;
  #late: LateRows;
  #room: ReadRoom | null = null;
  #skipped: Skipped = { rows: 0, rowGroups: 0, pages: 0 };

  constructor(context: SlotContext) {
    this.#context = context;
    this.#dictionaries = new DictionaryFilter(context, []);
    this.#late = new LateRows(context, []);
  }

  narrow(filters: readonly DynamicFilter[]): void {
    this.#filters = filters;
    this.#dictionaries.close();
    this.#late.close();
    this.#dictionaries = new DictionaryFilter(this.#context, filters);
    this.#late = new LateRows(this.#context, filters);
  }

  get skipped(): Skipped {
    return this.#skipped;
  }

  partsOf({ payload }: Split): readonly FilePart[] {
    return partsOf(payload);
  }

  openPart(part: FilePart, file: FileId): OpenPart {
    return { part, file };
  }

  closePart(): void {}

  openPiece(open: OpenPart, piece: Piece, fromRow: number): OpenPiece | null {
    const { ranges: wantedRanges, countsGroup } = this.#wantedRows(open, piece);
    const ranges = rangesFrom(wantedRanges, fromRow);
    if (ranges.length === 0) return null;
    const columns: PieceColumn[] = [];
    const wanted = this.#wantedColumns(open.part, piece);
    try {
      for (const one of wanted) columns.push(this.#openColumn(open, piece, one));
      if (this.#dictionaries.mayHold(columns)) {
        const batchRows = batchRowsOf(piece, wanted);
        return { piece, ranges, columns, batchRows, rangeIndex: 0, row: 0 };
      }
      this.#skip({ rows: rowsOf(ranges), rowGroups: Number(countsGroup), pages: 0 });
      closeAll(columns);
      return null;
    } catch (error) {
      closeAll(columns);
      throw error;
    }
  }

  read(_part: OpenPart, open: OpenPiece): Batch | 'more' | null {
    const range = open.ranges[open.rangeIndex];
    if (range === undefined) return null;
    const [from, to] = range;
    if (open.row < from) {
      for (const column of open.columns) column.skip(from - open.row);
      open.row = from;
    }
    if (open.row < to) return this.#readRows(open, Math.min(open.batchRows, to - open.row));
    open.rangeIndex++;
    return 'more';
  }

  rowOf({ row }: OpenPiece): number {
    return row;
  }

  closePiece({ columns }: OpenPiece): void {
    closeAll(columns);
  }

  shareOf({ ranges, row }: OpenPiece): number {
    const from = ranges[0]?.[0] ?? 0;
    const to = ranges.at(-1)?.[1] ?? 0;
    return Math.max(0, row - from) / Math.max(1, to - from);
  }

  placeOf({ piece, row }: OpenPiece): string {
    return `row ${piece.firstRow + row}`;
  }

  close(): void {
    this.#dictionaries.close();
    this.#late.close();
    this.#room?.close();
    this.#room = null;
  }

  #wantedRows({ part, file }: OpenPart, piece: Piece): WantedRows {
    const { predicate = null, schema } = this.#context;
    const source = { context: this.#context, file, path: part.path };
    const asked = { schema, predicate, filters: this.#filters };
    const found = wantedRowsOf({ file: source, part, piece, ...asked });
    this.#skip({ ...found.skipped, rows: rowsOf(piece.ranges) - rowsOf(found.ranges) });
    return found;
  }

  #skip(more: Skipped): void {
    const { rows, rowGroups, pages } = this.#skipped;
    this.#skipped = {
      rows: rows + more.rows,
      rowGroups: rowGroups + more.rowGroups,
      pages: pages + more.pages,
    };
  }

  /** The columns of the schema, with what the split has of them. */
  #wantedColumns({ columns }: FilePart, { chunks }: Piece) {
    return this.#context.schema.fields.map((field) => {
      const index = columns.findIndex(({ name }) => name === field.name);
      const plan = columns[index];
      assert(plan !== undefined, 'a split has the places of all columns of its source');
      return { field, plan, chunks: chunks[index] ?? [] };
    });
  }

  #openColumn(
    { part, file }: OpenPart,
    { firstRow }: Piece,
    wanted: Pick<ColumnOptions, 'field' | 'plan' | 'chunks'>,
  ): PieceColumn {
    this.#room ??= new ReadRoom(this.#context.scope);
    const { path } = part;
    const column = { context: this.#context, file, path, name: wanted.field.name };
    return openColumn({ ...wanted, column, firstRow, room: this.#room });
  }

  #readRows(open: OpenPiece, count: number): Batch | 'more' {
    const { scope, schema } = this.#context;
    const blocks: BlockHandle[] = [];
    try {
      const { columns, rowCount } = this.#late.read(open.columns, count, blocks);
      open.row += count;
      this.#skip({ rows: count - rowCount, rowGroups: 0, pages: 0 });
      if (rowCount === 0) return 'more';
      const batch = new Batch(scope.memory, { schema, rowCount, columns, blocks: blocks.slice() });
      blocks.length = 0;
      return batch;
    } finally {
      for (const block of blocks) scope.memory.release(block);
    }
  }
}

/** What the ranges have from a row on. */
function rangesFrom(ranges: Piece['ranges'], fromRow: number): Piece['ranges'] {
  return ranges
    .filter(([, to]) => to > fromRow)
    .map(([from, to]) => [Math.max(from, fromRow), to] as const);
}

function rowsOf(ranges: Piece['ranges']): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}
