/**
 * Which rows of a row group may meet the predicate, by what stands beside its pages: Bloom filters, and the
 * bounds of pages. Pages of several columns end at different rows, so all their borders are looked at. What
 * dynamic filters know of their keys is asked like the predicate, first of the row group as a whole: where its
 * bounds lie within those of the keys, so do those of its pages.
 *
 *     a   [ 0..9 ][ 10..19 ][ 20..29 ]      a >= 10 and b < 5
 *     b   [ 1..8    ][ 7..9 ][ 2..4  ]
 *     rows         ▲▲▲        ▲▲▲▲▲▲▲       the others surely don't
 */
import type { DynamicFilter, Skipped } from '../../../engine/contracts/source.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { logicExpr, notExpr } from '../../../engine/expr/expr-factory.ts';
import { type ColumnFacts, type FactsOf, mayHold } from '../../../engine/expr/may-hold.ts';
import type { Value } from '../../../engine/expr/value.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import type { ChunkPlace, FilePart, LeafPlan, Piece } from '../plan/parquet-split.ts';
import { factsOfStatistics } from '../plan/row-group-facts.ts';
import { noBounds } from '../plan/value-bounds.ts';
import { bloomFilterOf } from './bloom-filter.ts';
import type { OpenColumn } from './chunk-pages.ts';
import { type PageRows, readPageRows } from './page-index.ts';

type Ranges = Piece['ranges'];

/** The row group, and what its rows are asked. */
export interface PrunedPiece {
  readonly file: Omit<OpenColumn, 'name'>;
  readonly part: FilePart;
  readonly piece: Piece;
  readonly schema: Schema;
  readonly predicate: Expr | null;
  readonly filters: readonly DynamicFilter[];
}

export interface WantedRows {
  /** Those of the piece. */
  readonly ranges: Ranges;
  readonly skipped: Omit<Skipped, 'rows'>;
  /** Whether the row group, when it is left out as a whole, is this piece's to count: one of its pieces does. */
  readonly countsGroup: boolean;
}

/** @throws PARQUET_CORRUPT, SOURCE_CHANGED */
export function wantedRowsOf(pruned: PrunedPiece): WantedRows {
  const { piece } = pruned;
  const predicate = wholePredicateOf(pruned);
  const columns = predicate === null ? [] : askedColumns(pruned, predicate);
  const pages = pagesOf(pruned, columns);
  const filters = bloomFiltersOf(pruned, columns);
  const wanted = wantedRanges(piece, { predicate, columns, pages, filters });
  const countsGroup = isWithin(piece.ranges, wanted[0]?.[0] ?? 0);
  const skipped =
    wanted.length === 0
      ? { rowGroups: Number(countsGroup), pages: 0 }
      : { rowGroups: 0, pages: countSkipped(piece, pages, wanted) };
  return { ranges: intersectionOf(piece.ranges, wanted), skipped, countsGroup };
}

/** The predicate, and what dynamic filters know that may not be true for all of the row group. */
function wholePredicateOf(pruned: PrunedPiece): Expr | null {
  return pruned.filters.reduce<Expr | null>((all, { predicate }) => {
    if (predicate === null) return all;
    const facts = new Map(
      askedColumns(pruned, predicate).map((column) => [column.name, chunkFactsOf(column)]),
    );
    const mayLeaveOut = mayHold(notExpr(predicate), (name) => facts.get(name) ?? null);
    if (!mayLeaveOut) return all;
    return all === null ? predicate : logicExpr('and', all, predicate);
  }, pruned.predicate);
}

/** Null where the split says nothing of the chunk's values. */
function chunkFactsOf({ type, leaf, chunk }: AskedColumn): ColumnFacts | null {
  const { statistics } = chunk.hints ?? {};
  if (statistics === undefined) return null;
  const { min, max, nullCount } = statistics;
  const bounds = { min: min && Uint8Array.from(min), max: max && Uint8Array.from(max) };
  const { valueCount } = chunk;
  return factsOfStatistics({ leaf, type }, { valueCount, statistics: { ...bounds, nullCount } });
}

/** By name: pages of the columns that the predicate reads, where the file has an index of them. */
function pagesOf(
  { file, piece: { rowCount } }: PrunedPiece,
  columns: readonly AskedColumn[],
): ReadonlyMap<string, PageRows> {
  const pages = new Map<string, PageRows>();
  for (const { name, type, leaf, chunk } of columns) {
    const { offsetIndex, hints } = chunk;
    const columnIndex = hints?.columnIndex ?? null;
    if (columnIndex === null || offsetIndex === undefined || leaf.order === null) continue;
    const places = { columnIndex, offsetIndex };
    pages.set(name, readPageRows({ ...file, name }, places, { leaf, type, rowCount }));
  }
  return pages;
}

/** By name: whether the column may have a value. */
type BloomFilters = ReadonlyMap<string, (value: Value) => boolean>;

function bloomFiltersOf({ file }: PrunedPiece, columns: readonly AskedColumn[]): BloomFilters {
  return new Map(
    columns.flatMap(({ name, leaf, chunk }) => {
      const place = chunk.hints?.bloomFilter ?? null;
      return place === null ? [] : [[name, bloomFilterOf({ ...file, name }, leaf, place.offset)]];
    }),
  );
}

interface AskedColumn {
  readonly name: string;
  readonly type: Schema['fields'][number]['type'];
  readonly leaf: LeafPlan;
  readonly chunk: ChunkPlace;
}

/** Columns that the predicate reads, of those that have one value per row. */
function askedColumns(
  { part, piece, schema }: PrunedPiece,
  predicate: Expr,
): readonly AskedColumn[] {
  const names = new Set<string>();
  addColumnNames(predicate, names);
  return schema.fields.flatMap(({ name, type }) => {
    const index = part.columns.findIndex((column) => column.name === name);
    const [leaf] = part.columns[index]?.leaves ?? [];
    const [chunk] = piece.chunks[index] ?? [];
    const isFlat = part.columns[index]?.shape.kind === 'leaf';
    if (!names.has(name) || !isFlat || leaf === undefined || chunk === undefined) return [];
    return [{ name, type, leaf, chunk }];
  });
}

const nothingKnown: ColumnFacts = { mayBeNull: true, mayBeValue: true, ...noBounds };

/** The rows of the row group, between borders of pages, for which the predicate may hold. */
function wantedRanges(
  piece: Piece,
  asked: {
    readonly predicate: Expr | null;
    readonly columns: readonly AskedColumn[];
    readonly pages: ReadonlyMap<string, PageRows>;
    readonly filters: BloomFilters;
  },
): Ranges {
  const { predicate, columns, pages, filters } = asked;
  if (predicate === null) return [[0, piece.rowCount]];
  const borders = new Set([0, piece.rowCount]);
  for (const { firstRows } of pages.values()) for (const row of firstRows) borders.add(row);
  const ascending = [...borders].sort((a, b) => a - b);
  /** By column: the page that the rows are in. */
  const current = new Map<string, number>([...pages.keys()].map((name) => [name, -1]));
  const ofChunk = new Map(columns.map((column) => [column.name, chunkFactsOf(column)]));
  const factsOf: FactsOf = (name): ColumnFacts | null => {
    const ofPage = pages.get(name)?.facts[current.get(name) ?? -1];
    const facts = ofPage ?? ofChunk.get(name) ?? null;
    const mayHave = filters.get(name);
    return mayHave === undefined ? facts : { ...(facts ?? nothingKnown), mayHave };
  };
  const ranges: [number, number][] = [];
  ascending.slice(0, -1).forEach((from, index) => {
    for (const [name, { firstRows }] of pages) {
      const page = current.get(name) ?? -1;
      if (firstRows[page + 1] === from) current.set(name, page + 1);
    }
    if (!mayHold(predicate, factsOf)) return;
    const to = ascending[index + 1] ?? from;
    const last = ranges.at(-1);
    if (last?.[1] === from) last[1] = to;
    else ranges.push([from, to]);
  });
  return ranges;
}

function intersectionOf(some: Ranges, others: Ranges): Ranges {
  return some.flatMap(([from, to]) =>
    others.flatMap(([start, end]) => {
      const range = [Math.max(from, start), Math.min(to, end)] as const;
      return range[0] < range[1] ? [range] : [];
    }),
  );
}

function isWithin(ranges: Ranges, row: number): boolean {
  return ranges.some(([from, to]) => from <= row && row < to);
}

/** Pages without wanted rows; each is counted by the piece that has its first row. */
function countSkipped(piece: Piece, pages: ReadonlyMap<string, PageRows>, wanted: Ranges): number {
  let count = 0;
  for (const { firstRows } of pages.values()) {
    firstRows.forEach((from, page) => {
      const own: Ranges = [[from, firstRows[page + 1] ?? piece.rowCount]];
      if (isWithin(piece.ranges, from) && intersectionOf(wanted, own).length === 0) count++;
    });
  }
  return count;
}
