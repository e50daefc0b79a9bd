/**
 * Splits of Parquet files: which rows of which row groups, and where the chunks of the wanted columns
 * are. Plain JSON, made where the files' footers were read, so that slot threads read pages only.
 */
import type { Json } from '../../../engine/contracts/json.ts';
import type { Split } from '../../../engine/contracts/source.ts';
import type { BytesPlace } from '../parquet-metadata.ts';
import type { Conversion } from './conversion.ts';
import type { BoundsOrder } from './value-bounds.ts';

/** A column of values in a file. */
export interface LeafPlan {
  readonly physical: number;
  readonly typeLength: number;
  /** The highest levels; 0 where nothing is optional, or repeated. */
  readonly definition: number;
  readonly repetition: number;
  readonly conversion: Conversion;
  /** In which the file's statistics are; null where they say nothing. */
  readonly order: BoundsOrder | null;
}

/**
 * How a column is put together from its leaves, which are named by their index. What is there, or null, is
 * said by the definition levels: from `definition` on it is there.
 */
export type ColumnShape =
  | { readonly kind: 'leaf'; readonly leaf: number; readonly definition: number }
  | {
      readonly kind: 'struct';
      readonly definition: number;
      readonly fields: readonly ColumnShape[];
    }
  | {
      readonly kind: 'list';
      readonly definition: number;
      /** From this definition on there is an item. */
      readonly itemDefinition: number;
      /** Up to this repetition an item begins. */
      readonly itemRepetition: number;
      readonly item: ColumnShape;
    };

/** A declared column. */
export interface ColumnPlan {
  readonly name: string;
  readonly leaves: readonly LeafPlan[];
  readonly shape: ColumnShape;
}

export interface ChunkPlace {
  readonly start: number;
  readonly sizeBytes: number;
  readonly uncompressedBytes: number;
  readonly codec: number;
  readonly valueCount: number;
  /** Places and rows of pages; of columns with a value per row, where the file has it. */
  readonly offsetIndex?: BytesPlace;
  /** Of columns that the predicate reads: what says more of their values. */
  readonly hints?: ChunkHints;
}

/** Null where the file has none. */
export interface ChunkHints {
  /** Bounds by page. */
  readonly columnIndex: BytesPlace | null;
  readonly bloomFilter: BytesPlace | null;
  readonly isAllIndexed: boolean;
  /** Of columns that a dynamic filter asks of: bounds of the chunk, as numbers of their bytes. */
  readonly statistics?: ChunkStatistics;
}

export interface ChunkStatistics {
  readonly min: readonly number[] | null;
  readonly max: readonly number[] | null;
  readonly nullCount: number | null;
}

/** Rows of a row group. */
export interface Piece {
  /** The row group's first row, counted from the start of the file; for messages. */
  readonly firstRow: number;
  readonly rowCount: number;
  /** Half-open, ascending. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** By column of the part, then by its leaves. */
  readonly chunks: readonly (readonly ChunkPlace[])[];
  /** Its share of the split's bytes. */
  readonly sizeBytes: number;
}

/** What a split has of one file. */
export interface FilePart {
  readonly path: string;
  /** The declared columns. */
  readonly columns: readonly ColumnPlan[];
  readonly pieces: readonly Piece[];
}

export function splitOfParts(parts: readonly FilePart[]): Split {
  const pieces = parts.flatMap((part) => part.pieces);
  const [first] = pieces;
  const row = (first?.firstRow ?? 0) + (first?.ranges[0]?.[0] ?? 0);
  const more = pieces.length > 1 ? ` and ${pieces.length - 1} more` : '';
  return {
    id: `${parts[0]?.path}, row ${row}${more}`,
    sizeBytes: pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    payload: { parts } as unknown as Json,
  };
}

/** The parts of a split that `splitOfParts` made. */
export function partsOf(payload: Json): readonly FilePart[] {
  return (payload as unknown as { readonly parts: readonly FilePart[] }).parts;
}
