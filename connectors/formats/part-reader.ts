/**
 * Reads splits that consist of parts of files, each with pieces of it: the walk that binary formats have in
 * common. What a piece is and how its rows are read is the format's.
 *
 *     split    parts (files) ──▶ pieces (record batches, row groups) ──▶ batches
 *
 * Invariant: at most one file and one piece are open; after `close` none is, whatever has failed before.
 *
 * Before: connectors/formats/file-formats.ts · After: connectors/arrow/arrow-reader.ts, connectors/parquet/read/parquet-reader.ts
 */
import { assert } from '../../base/assert.ts';
import type { FileId } from '../../base/env/disk.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type {
  DynamicFilter,
  ReadResult,
  Skipped,
  Split,
  SplitReader,
} from '../../engine/contracts/source.ts';
import { openError } from '../filesystem/source-errors.ts';

/** What a split has of one file. */
export interface SplitPart<Piece> {
  readonly path: string;
  readonly pieces: readonly Piece[];
}

/** What a format does with parts and pieces. `P` and `Q` are those that are open. */
export interface PartFormat<Part, Piece, P, Q> {
  /** The parts of a split. */
  partsOf(split: Split): readonly Part[];
  openPart(part: Part, file: FileId): P;
  /** The file is closed behind it. */
  closePart(open: P): void;
  /**
   * Null where none of its rows are wanted. Holds nothing when it throws.
   *
   * @param fromRow - What `rowOf` has said: those before it are not wanted; 0: all are.
   */
  openPiece(open: P, piece: Piece, fromRow: number): Q | null;
  /** The next row that is read, by the format's own count. */
  rowOf(piece: Q): number;
  /** Null when the piece has been read. */
  read(open: P, piece: Q): Batch | 'more' | null;
  closePiece(piece: Q): void;
  /** How much of the piece has been read, 0 to 1. */
  shareOf(piece: Q): number;
  /** Where in its file the piece is being read, for messages. */
  placeOf(piece: Q): string;
  /** As `SplitReader.narrow`. @defaultValue all rows are given out */
  narrow?(filters: readonly DynamicFilter[]): void;
  /** What was left out so far. */
  readonly skipped?: Skipped;
  /** Releases what all pieces share. */
  close?(): void;
}

/** The next row of a split: in which part, which piece of it, and which row by the format's own count. */
// A type alias, not an interface: only those are assignable to `Json`.
type Position = { readonly partIndex: number; readonly pieceIndex: number; readonly row: number };

const fromStart: Position = { partIndex: 0, pieceIndex: 0, row: 0 };

export class PartReader<
  Part extends SplitPart<Piece>,
  Piece extends { readonly sizeBytes: number },
  P,
  Q,
> implements SplitReader
{
  readonly #disk: SlotContext['disk'];
  readonly #format: PartFormat<Part, Piece, P, Q>;
  #parts: readonly Part[] = [];
  /** What comes next; of the piece that is open, and its part, the ones behind it. */
  #partIndex = 0;
  #pieceIndex = 0;
  /** Where in the piece that comes next to begin. */
  #row = 0;
  #part: { readonly part: Part; readonly file: FileId; readonly open: P } | null = null;
  #piece: { readonly piece: Piece; readonly open: Q } | null = null;
  #bytesOfEndedPieces = 0;

  constructor({ disk }: SlotContext, format: PartFormat<Part, Piece, P, Q>) {
    this.#disk = disk;
    this.#format = format;
  }

  get bytesRead(): number {
    if (this.#piece === null) return this.#bytesOfEndedPieces;
    const { piece, open } = this.#piece;
    return this.#bytesOfEndedPieces + Math.floor(piece.sizeBytes * this.#format.shareOf(open));
  }

  get skipped(): Skipped {
    return this.#format.skipped ?? { rows: 0, rowGroups: 0, pages: 0 };
  }

  narrow(filters: readonly DynamicFilter[]): void {
    this.#format.narrow?.(filters);
  }

  open(split: Split): void {
    assert(this.#part === null && this.#piece === null, 'the split before has ended');
    const { partIndex, pieceIndex, row } = (split.position ?? fromStart) as Position;
    this.#parts = this.#format.partsOf(split);
    this.#partIndex = partIndex;
    this.#pieceIndex = pieceIndex;
    this.#row = row;
    const before = this.#parts.slice(0, partIndex).flatMap(({ pieces }) => pieces);
    before.push(...(this.#parts[partIndex]?.pieces.slice(0, pieceIndex) ?? []));
    for (const { sizeBytes } of before) this.#bytesOfEndedPieces += sizeBytes;
  }

  /** @throws SOURCE_UNREADABLE, SOURCE_CHANGED, and what the format throws. */
  read(): ReadResult {
    const part = this.#part ?? this.#nextPart();
    if (part === null) return 'end';
    if (this.#piece === null && !this.#nextPiece(part.part, part.open)) return 'more';
    const piece = this.#piece;
    if (piece === null) return 'more';
    const rows = this.#format.read(part.open, piece.open);
    if (rows !== null) return rows;
    this.#endPiece();
    return 'more';
  }

  snapshot(): Json {
    const partIndex = this.#part === null ? this.#partIndex : this.#partIndex - 1;
    const isOpen = this.#piece !== null;
    const position: Position = {
      partIndex,
      pieceIndex: isOpen ? this.#pieceIndex - 1 : this.#pieceIndex,
      row: this.#piece === null ? this.#row : this.#format.rowOf(this.#piece.open),
    };
    return position;
  }

  position(): string {
    const path = this.#part?.part.path ?? this.#parts[this.#partIndex - 1]?.path ?? 'no file';
    return this.#piece === null ? path : `${path}, ${this.#format.placeOf(this.#piece.open)}`;
  }

  close(): void {
    const piece = this.#piece;
    this.#piece = null;
    this.#parts = [];
    if (piece !== null) this.#format.closePiece(piece.open);
    const part = this.#takePart();
    this.#format.close?.();
    if (part !== null) this.#disk.close(part.file); // Last, for it may fail.
  }

  #nextPart() {
    const part = this.#parts[this.#partIndex];
    if (part === undefined) return null;
    this.#partIndex++;
    const file = this.#openFile(part.path);
    this.#part = { part, file, open: this.#format.openPart(part, file) };
    return this.#part;
  }

  #openFile(path: string): FileId {
    try {
      return this.#disk.open(path, 'read');
    } catch (error) {
      throw openError(path, error);
    }
  }

  /** Opens the next piece; false behind the last one, whose file is closed, and where none of it is wanted. */
  #nextPiece({ pieces }: Part, part: P): boolean {
    const piece = pieces[this.#pieceIndex];
    if (piece === undefined) {
      this.#pieceIndex = 0;
      const ended = this.#takePart();
      if (ended !== null) this.#disk.close(ended.file);
      return false;
    }
    const open = this.#format.openPiece(part, piece, this.#row);
    this.#pieceIndex++;
    this.#row = 0;
    if (open === null) this.#bytesOfEndedPieces += piece.sizeBytes;
    else this.#piece = { piece, open };
    return open !== null;
  }

  #endPiece(): void {
    const ended = this.#piece;
    if (ended === null) return;
    this.#piece = null;
    this.#bytesOfEndedPieces += ended.piece.sizeBytes;
    this.#format.closePiece(ended.open);
  }

  /** The open part without what the format holds of it; its file is the caller's to close. */
  #takePart() {
    const part = this.#part;
    this.#part = null;
    if (part !== null) this.#format.closePart(part.open);
    return part;
  }
}
