/**
 * The footer of a file, and the indexes of its pages that stand in front of it: what readers need to
 * find chunks, and to pass over those without wanted rows.
 * @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import { packageVersion } from '../../../base/package-version.ts';
import { type BytesPlace, encodings, pageTypes, repetitions } from '../parquet-metadata.ts';
import {
  binary,
  bool,
  bools,
  i32,
  i64,
  list,
  struct,
  type ThriftFields,
  type ThriftOut,
  text,
  thriftBytes,
} from '../thrift-writer.ts';
import type { WrittenChunk as FinishedChunk, WrittenPage } from './column-chunk-writer.ts';
import { writtenCodecs } from './compress.ts';
import type { PhysicalColumn } from './physical-column.ts';
import { bytesOfExtremes, joinExtremes } from './value-extremes.ts';

/** A node of the schema; a group has children and no column. */
export interface WrittenNode {
  readonly name: string;
  readonly repetition: number;
  readonly column: PhysicalColumn | null;
  readonly childCount: number;
  readonly converted: number | null;
  readonly logical: ThriftOut | null;
}

/** A column of the file: a leaf of its schema. */
export interface WrittenLeaf {
  readonly path: readonly string[];
  readonly column: PhysicalColumn;
}

type WrittenChunk = Omit<FinishedChunk, 'bloomFilter'>;

/** A chunk, and where it is. */
export interface PlacedChunk {
  readonly offset: number;
  readonly chunk: WrittenChunk;
  /** Null where it has none. */
  readonly bloomFilter: BytesPlace | null;
}

export interface WrittenGroup {
  readonly rowCount: number;
  /** By leaf. */
  readonly chunks: readonly PlacedChunk[];
}

export interface WrittenFile {
  readonly nodes: readonly WrittenNode[];
  readonly leaves: readonly WrittenLeaf[];
  readonly groups: readonly WrittenGroup[];
}

/** Where the indexes of a chunk's pages are; without extremes there is no index of columns. */
interface IndexPlaces {
  readonly column: BytesPlace | null;
  readonly offset: BytesPlace;
}

/** What stands behind the last row group: indexes, footer, its length and the magic. */
export function fileEndOf(file: WrittenFile, position: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = position;
  const place = (bytes: Uint8Array) => {
    parts.push(bytes);
    at += bytes.length;
    return { offset: at - bytes.length, sizeBytes: bytes.length };
  };
  const indexes = file.groups.map(({ chunks }) =>
    chunks.map(({ offset, chunk }, leaf): IndexPlaces => {
      const column = columnIndexOf(file.leaves[leaf] as WrittenLeaf, chunk);
      return {
        column: column === null ? null : place(column),
        offset: place(offsetIndexOf(offset, chunk.pages)),
      };
    }),
  );
  const footer = footerOf(file, indexes);
  const end = new Uint8Array(8);
  new DataView(end.buffer).setUint32(0, footer.length, true);
  end.set(magic, 4);
  return [...parts, footer, end];
}

/** `PAR1`: what a file begins and ends with. */
export const magic = Uint8Array.of(0x50, 0x41, 0x52, 0x31);

function footerOf(file: WrittenFile, indexes: readonly (readonly IndexPlaces[])[]): Uint8Array {
  const { nodes, leaves, groups } = file;
  return thriftBytes({
    1: i32(2),
    2: list(nodes.map(schemaElementOf)),
    3: i64(groups.reduce((sum, { rowCount }) => sum + rowCount, 0)),
    4: list(groups.map((group, index) => rowGroupOf(file, group, indexes[index] ?? []))),
    6: text(`millrace version ${packageVersion}`),
    // Without these readers don't rely on extremes.
    7: list(leaves.map(() => struct({ 1: struct({}) }))),
  });
}

function schemaElementOf({ name, repetition, column, ...node }: WrittenNode, index: number) {
  const { converted, logical } = column ?? node;
  const hasLength = column !== null && column.form === 'int128';
  return struct({
    1: column === null ? undefined : i32(column.physical),
    2: hasLength ? i32(column.fileSize) : undefined,
    3: index === 0 ? undefined : i32(repetition),
    4: text(name),
    5: column === null ? i32(node.childCount) : undefined,
    6: converted === null ? undefined : i32(converted),
    7: optionalInt(column?.scale),
    8: optionalInt(column?.precision),
    10: logical ?? undefined,
  });
}

function optionalInt(value: number | null | undefined): ThriftOut | undefined {
  return value === null || value === undefined ? undefined : i32(value);
}

function rowGroupOf(
  file: WrittenFile,
  { rowCount, chunks }: WrittenGroup,
  indexes: readonly IndexPlaces[],
): ThriftOut {
  const sum = (of: (chunk: WrittenChunk) => number) =>
    chunks.reduce((total, { chunk }) => total + of(chunk), 0);
  return struct({
    1: list(
      chunks.map((placed, leaf) =>
        columnChunkOf(file, placed, { leaf, places: indexes[leaf] as IndexPlaces }),
      ),
    ),
    2: i64(sum((chunk) => chunk.uncompressedBytes)),
    3: i64(rowCount),
    5: i64(chunks[0]?.offset ?? 0),
    6: i64(sum((chunk) => chunk.compressedBytes)),
  });
}

function columnChunkOf(
  { leaves }: WrittenFile,
  { offset, chunk, bloomFilter }: PlacedChunk,
  { leaf, places }: { readonly leaf: number; readonly places: IndexPlaces },
): ThriftOut {
  const { path, column } = leaves[leaf] as WrittenLeaf;
  const { dictionaryOffset, pages } = chunk;
  const firstPage = offset + (pages[0]?.offset ?? 0);
  const metadata = struct({
    1: i32(column.physical),
    2: list(chunk.encodings.map(i32)),
    3: list(path.map(text)),
    4: i32(writtenCodecs[chunk.codec]),
    5: i64(pages.reduce((sum, { valueCount }) => sum + valueCount, 0)),
    6: i64(chunk.uncompressedBytes),
    7: i64(chunk.compressedBytes),
    9: i64(firstPage),
    11: dictionaryOffset === null ? undefined : i64(offset + dictionaryOffset),
    12: struct(statisticsOf(column, pages)),
    13: list(encodingCountsOf(chunk)),
    14: bloomFilter === null ? undefined : i64(bloomFilter.offset),
    15: bloomFilter === null ? undefined : i32(bloomFilter.sizeBytes),
  });
  return struct({
    2: i64(0),
    3: metadata,
    4: i64(places.offset.offset),
    5: i32(places.offset.sizeBytes),
    6: places.column === null ? undefined : i64(places.column.offset),
    7: places.column === null ? undefined : i32(places.column.sizeBytes),
  });
}

/** By which encoding how many pages are: readers see by it whether the dictionary has all values. */
function encodingCountsOf({ dictionaryOffset, pages }: WrittenChunk): ThriftOut[] {
  const counts = new Map<number, number>();
  for (const { encoding } of pages) counts.set(encoding, (counts.get(encoding) ?? 0) + 1);
  const of = (type: number, encoding: number, count: number) =>
    struct({ 1: i32(type), 2: i32(encoding), 3: i32(count) });
  const { data, dictionary } = pageTypes;
  return [
    ...(dictionaryOffset === null ? [] : [of(dictionary, encodings.plain, 1)]),
    ...[...counts].map(([encoding, count]) => of(data, encoding, count)),
  ];
}

function statisticsOf(column: PhysicalColumn, pages: readonly WrittenPage[]): ThriftFields {
  const extremes = pages.reduce(
    (joined: WrittenPage['extremes'], page) => joinExtremes(joined, page.extremes),
    null,
  );
  const bytes = extremes === null ? null : bytesOfExtremes(column, extremes);
  return {
    3: i64(pages.reduce((sum, { nullCount }) => sum + nullCount, 0)),
    5: bytes === null ? undefined : binary(bytes.most),
    6: bytes === null ? undefined : binary(bytes.least),
    7: bytes === null ? undefined : bool(bytes.isMostExact),
    8: bytes === null ? undefined : bool(bytes.isLeastExact),
  };
}

/** Null where a page has values, and none of them has a place in the order. */
function columnIndexOf({ column }: WrittenLeaf, { pages }: WrittenChunk): Uint8Array | null {
  const none = new Uint8Array();
  const found = pages.map(({ extremes, valueCount, nullCount }) => {
    if (extremes !== null) return bytesOfExtremes(column, extremes);
    return valueCount === nullCount ? { least: none, most: none } : null;
  });
  if (found.includes(null)) return null;
  return thriftBytes({
    1: bools(pages.map(({ valueCount, nullCount }) => valueCount === nullCount)),
    2: list(found.map((bytes) => binary(bytes?.least ?? none))),
    3: list(found.map((bytes) => binary(bytes?.most ?? none))),
    // In no order that is promised.
    4: i32(0),
    5: list(pages.map(({ nullCount }) => i64(nullCount))),
  });
}

function offsetIndexOf(chunkOffset: number, pages: readonly WrittenPage[]): Uint8Array {
  const places = pages.map(({ offset, sizeBytes, firstRow }) =>
    struct({ 1: i64(chunkOffset + offset), 2: i32(sizeBytes), 3: i64(firstRow) }),
  );
  return thriftBytes({ 1: list(places) });
}

/** The root of the schema. */
export function rootNode(childCount: number): WrittenNode {
  return {
    name: 'schema',
    repetition: repetitions.required,
    column: null,
    childCount,
    converted: null,
    logical: null,
  };
}
