/**
 * Splits of Arrow files: which rows of which record batches, and where columns are in them. Plain
 * JSON, made where the files' schemas were read, so that slot threads read record batches only.
 */
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';
import type { ArrowField, DictionaryIndex, Encoding } from './arrow-fields.ts';
import type { MessagePlace } from './arrow-messages.ts';

/** Where a column is in each record batch of a file. */
export interface ColumnPlan {
  readonly name: string;
  readonly encoding: Encoding;
  /** Index among the nodes, which have the lengths and counts of nulls. */
  readonly node: number;
  /** Index of its first buffer, the buffers of bytes of views before it not counted. */
  readonly buffer: number;
  /** How many columns of views there are before it. */
  readonly viewsBefore: number;
  readonly dictionary: DictionaryIndex | null;
  readonly children: readonly ColumnPlan[];
}

/** Rows of one record batch, half-open. */
export interface Piece extends MessagePlace {
  readonly fromRow: number;
  /** Null: to the last. */
  readonly toRow: number | null;
  /** Its share of the split's bytes. */
  readonly sizeBytes: number;
}

/** What a split has of one file. */
export interface FilePart {
  readonly path: string;
  readonly fileSize: number;
  /** The declared columns. */
  readonly columns: readonly ColumnPlan[];
  /** Dictionary batches in force, in their order. */
  readonly dictionaries: readonly MessagePlace[];
  readonly pieces: readonly Piece[];
}

export function splitOfParts(parts: readonly FilePart[]): Split {
  const pieces = parts.flatMap((part) => part.pieces);
  const first = parts[0];
  const piece = pieces[0];
  const row = piece?.fromRow === 0 || piece === undefined ? '' : `, row ${piece.fromRow}`;
  const more = pieces.length > 1 ? ` and ${pieces.length - 1} more` : '';
  return {
    id: `${first?.path}:${piece?.offset}${row}${more}`,
    sizeBytes: pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    payload: { parts } as unknown as Json,
  };
}

/** The parts of a split that `splitOfParts` made. */
export function partsOf(payload: Json): readonly FilePart[] {
  return (payload as unknown as { readonly parts: readonly FilePart[] }).parts;
}

/** The places of fields that lie one after the other, children behind their parents. */
export function planColumns(fields: readonly ArrowField[]): ColumnPlan[] {
  const next = { node: 0, buffer: 0, views: 0 };
  const plan = (field: ArrowField): ColumnPlan => {
    const { name, encoding, dictionary, bufferCount } = field;
    const place = { node: next.node++, buffer: next.buffer, viewsBefore: next.views };
    next.buffer += bufferCount;
    if (encoding === 'textViews') next.views++;
    return { name, encoding, ...place, dictionary, children: field.children.map(plan) };
  };
  return fields.map(plan);
}
