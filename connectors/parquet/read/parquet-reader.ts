/**
 * Reads splits of Parquet files: for each batch the next rows of each wanted column, from that column's
 * pages. Columns that the context's schema lacks are not read at all.
 *
 *     split    parts (files) ──▶ pieces (row groups) ──▶ ranges of rows ──▶ batches of up to 8,192 rows
 *
 * Before: connectors/parquet/plan/parquet-split-planner.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../../base/assert.ts';
import type { FileId } from '../../../base/env/disk.ts';
import { Batch, batchRowsMax } from '../../../engine/batch/batch.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import type { ReadResult, Split, SplitReader } from '../../../engine/contracts/source.ts';
import type { BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { openError } from '../../filesystem/source-errors.ts';
import { type FilePart, type Piece, partsOf } from '../plan/parquet-split.ts';
import { FlatColumn } from './flat-column.ts';
import { ReadRoom } from './read-room.ts';

/** The file that is being read. */
interface OpenPart {
  readonly part: FilePart;
  readonly file: FileId;
}

/** The row group that is being read. */
interface OpenPiece {
  readonly piece: Piece;
  readonly columns: readonly FlatColumn[];
  rangeIndex: number;
  /** The next row of the row group. */
  row: number;
}

export class ParquetReader implements SplitReader {
  readonly #context: SlotContext;
  #room: ReadRoom | null = null;
  #parts: readonly FilePart[] = [];
  #partIndex = 0;
  #pieceIndex = 0;
  #part: OpenPart | null = null;
  #piece: OpenPiece | null = null;
  #bytesOfEndedPieces = 0;

  constructor(context: SlotContext) {
    this.#context = context;
  }

  get bytesRead(): number {
    const open = this.#piece;
    if (open === null) return this.#bytesOfEndedPieces;
    const { piece, row } = open;
    const from = piece.ranges[0]?.[0] ?? 0;
    const to = piece.ranges.at(-1)?.[1] ?? 0;
    const share = Math.max(0, row - from) / Math.max(1, to - from);
    return this.#bytesOfEndedPieces + Math.floor(piece.sizeBytes * share);
  }

  open(split: Split): void {
    assert(this.#part === null && this.#piece === null, 'the split before has ended');
    this.#parts = partsOf(split.payload);
    this.#partIndex = 0;
    this.#pieceIndex = 0;
  }

  /**
   * @throws PARQUET_CORRUPT, PARQUET_FEATURE_UNSUPPORTED, TEXT_INVALID_UTF8, VALUE_IS_NULL,
   * VALUE_OUT_OF_RANGE, SOURCE_UNREADABLE, SOURCE_CHANGED
   */
  read(): ReadResult {
    const part = this.#part ?? this.#nextPart();
    if (part === null) return 'end';
    const open = this.#piece ?? this.#nextPiece(part);
    if (open === null) {
      this.#closePart();
      return 'more';
    }
    const range = open.piece.ranges[open.rangeIndex];
    if (range === undefined) {
      this.#endPiece(open);
      return 'more';
    }
    const [from, to] = range;
    if (open.row < from) {
      for (const column of open.columns) column.skip(from - open.row);
      open.row = from;
    }
    if (open.row >= to) {
      open.rangeIndex++;
      return 'more';
    }
    return this.#readRows(open, Math.min(batchRowsMax, to - open.row));
  }

  position(): string {
    const path = this.#part?.part.path ?? this.#parts[this.#partIndex - 1]?.path ?? 'no file';
    const open = this.#piece;
    return open === null ? path : `${path}, row ${open.piece.firstRow + open.row}`;
  }

  close(): void {
    this.#closeColumns();
    this.#piece = null;
    this.#parts = [];
    this.#room?.close();
    this.#room = null;
    this.#closePart(); // Last, for it may fail.
  }

  #nextPart(): OpenPart | null {
    const part = this.#parts[this.#partIndex];
    if (part === undefined) return null;
    this.#partIndex++;
    this.#pieceIndex = 0;
    this.#part = { part, file: this.#openFile(part.path) };
    return this.#part;
  }

  #openFile(path: string): FileId {
    try {
      return this.#context.disk.open(path, 'read');
    } catch (error) {
      throw openError(path, error);
    }
  }

  #closePart(): void {
    const part = this.#part;
    if (part === null) return;
    this.#part = null;
    this.#context.disk.close(part.file);
  }

  #nextPiece(open: OpenPart): OpenPiece | null {
    const piece = open.part.pieces[this.#pieceIndex];
    if (piece === undefined) return null;
    this.#pieceIndex++;
    const columns: FlatColumn[] = [];
    // Known at once, so that what was opened is closed where the next column can't be.
    this.#piece = { piece, columns, rangeIndex: 0, row: 0 };
    for (const field of this.#context.schema.fields) {
      columns.push(this.#openColumn(open, piece, field));
    }
    return this.#piece;
  }

  #openColumn(
    { part, file }: OpenPart,
    piece: Piece,
    field: SlotContext['schema']['fields'][number],
  ): FlatColumn {
    const { path } = part;
    const index = part.columns.findIndex(({ name }) => name === field.name);
    const leaf = part.columns[index]?.leaves[0];
    const chunk = piece.chunks[index]?.[0];
    assert(leaf !== undefined, 'a split has the places of all columns of its source');
    assert(chunk !== undefined, 'a piece has a chunk for each column');
    this.#room ??= new ReadRoom(this.#context.scope);
    return new FlatColumn(
      { context: this.#context, file, path, name: field.name },
      { field, leaf, chunk, room: this.#room, firstRow: piece.firstRow },
    );
  }

  #endPiece(open: OpenPiece): void {
    this.#closeColumns();
    this.#bytesOfEndedPieces += open.piece.sizeBytes;
    this.#piece = null;
  }

  #closeColumns(): void {
    for (const column of this.#piece?.columns ?? []) column.close();
  }

  #readRows(open: OpenPiece, count: number): Batch {
    const { scope, schema } = this.#context;
    const blocks: BlockHandle[] = [];
    try {
      const columns = open.columns.map((column) => column.read(count, blocks));
      const batch = new Batch(scope.memory, {
        ...{ schema, rowCount: count, columns },
        blocks: blocks.slice(),
      });
      blocks.length = 0;
      open.row += count;
      return batch;
    } finally {
      for (const block of blocks) scope.memory.release(block);
    }
  }
}
