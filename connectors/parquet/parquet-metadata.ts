/**
 * Parquet's metadata as its files have it: the footer, and the headers of pages. Numbers are the
 * format's and never change. What of it can be relied on is for others to check.
 * @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
import type { ThriftStruct } from './thrift-reader.ts';

/** `Type`: how the bytes of a value are. */
export const physicalTypes = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  byteArray: 6,
  fixed: 7,
} as const;

/** `FieldRepetitionType`. */
export const repetitions = { required: 0, optional: 1, repeated: 2 } as const;

/** `CompressionCodec`. */
export const codecs = {
  none: 0,
  snappy: 1,
  gzip: 2,
  lzo: 3,
  brotli: 4,
  lz4: 5,
  zstd: 6,
  lz4Raw: 7,
} as const;

/** `Encoding`. */
export const encodings = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const;

/** `PageType`. */
export const pageTypes = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const;

/** `ConvertedType`: what values mean, in older files. */
export const convertedTypes = {
  utf8: 0,
  map: 1,
  mapKeyValue: 2,
  list: 3,
  enum: 4,
  decimal: 5,
  date: 6,
  timeMs: 7,
  timeUs: 8,
  timestampMs: 9,
  timestampUs: 10,
  uint8: 11,
  uint16: 12,
  uint32: 13,
  uint64: 14,
  int8: 15,
  int16: 16,
  int32: 17,
  int64: 18,
  json: 19,
  bson: 20,
  interval: 21,
} as const;

/** Members of the union `LogicalType`: what values mean. */
export const logicalTypes = {
  string: 1,
  map: 2,
  list: 3,
  enum: 4,
  decimal: 5,
  date: 6,
  time: 7,
  timestamp: 8,
  integer: 10,
  unknown: 11,
  json: 12,
  bson: 13,
  uuid: 14,
  float16: 15,
} as const;

/** A node of the schema, in the order of a walk: a group is followed by its children. */
export interface SchemaElement {
  readonly name: string;
  /** None of groups. */
  readonly physical: number | null;
  /** Bytes of a value of `fixed`. */
  readonly typeLength: number;
  readonly repetition: number;
  readonly childCount: number;
  readonly converted: number | null;
  readonly logical: ThriftStruct | null;
  readonly scale: number;
  readonly precision: number;
}

export interface BytesPlace {
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface ColumnChunk {
  readonly physical: number;
  readonly codec: number;
  /** Values, nulls among them. */
  readonly valueCount: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** Where its first page is. */
  readonly start: number;
  /** Another file that it is in. */
  readonly otherFile: boolean;
  readonly isEncrypted: boolean;
  readonly statistics: Statistics | null;
  readonly columnIndex: BytesPlace | null;
  readonly offsetIndex: BytesPlace | null;
  readonly bloomFilter: BytesPlace | null;
  /** Whether all values are surely indexes of its dictionary. */
  readonly isAllIndexed: boolean;
}

/** Least and largest values, in the plain encoding; null where the file does not say. */
export interface Statistics {
  readonly min: Uint8Array | null;
  readonly max: Uint8Array | null;
  readonly nullCount: number | null;
  /** Different values, where the file says it. */
  readonly distinctCount: number | null;
}

export interface RowGroup {
  readonly rowCount: number;
  readonly chunks: readonly ColumnChunk[];
}

export interface FileMetadata {
  readonly rowCount: number;
  readonly schema: readonly SchemaElement[];
  readonly rowGroups: readonly RowGroup[];
  /** By leaf: whether its statistics are in the order of its type. */
  readonly typedOrders: readonly boolean[];
}

/** Member of the union `ColumnOrder`. */
const typeOrder = 1;

/** @throws RangeError */
export function fileMetadataOf(file: ThriftStruct): FileMetadata {
  return {
    schema: file.structs(2).map(schemaElementOf),
    rowCount: file.size(3),
    rowGroups: file.structs(4).map((group) => ({
      chunks: group.structs(1).map(columnChunkOf),
      rowCount: group.size(3),
    })),
    typedOrders: file.structs(7).map(({ member }) => member === typeOrder),
  };
}

function schemaElementOf(element: ThriftStruct): SchemaElement {
  return {
    physical: element.has(1) ? element.int(1) : null,
    typeLength: element.size(2, 0),
    repetition: element.int(3, repetitions.required),
    name: element.text(4),
    childCount: element.size(5, 0),
    converted: element.has(6) ? element.int(6) : null,
    scale: element.int(7, 0),
    precision: element.int(8, 0),
    logical: element.struct(10),
  };
}

function columnChunkOf(chunk: ThriftStruct): ColumnChunk {
  const metadata = chunk.struct(3);
  const isEncrypted = chunk.has(8) || chunk.has(9);
  if (metadata === null) {
    if (!isEncrypted) throw new RangeError('a column without metadata');
    return encryptedChunk;
  }
  const data = metadata.size(9);
  // Writers that have no dictionary leave its place out, or write 0.
  const dictionary = metadata.size(11, 0);
  return {
    physical: metadata.int(1),
    codec: metadata.int(4),
    valueCount: metadata.size(5),
    uncompressedBytes: metadata.size(6),
    compressedBytes: metadata.size(7),
    start: dictionary > 0 && dictionary < data ? dictionary : data,
    otherFile: chunk.bytes(1) !== null,
    isEncrypted,
    statistics: statisticsOf(metadata.struct(12)),
    offsetIndex: placeOf(chunk, 4),
    columnIndex: placeOf(chunk, 6),
    bloomFilter: placeOf(metadata, 14),
    isAllIndexed: dictionary > 0 && isAllIndexed(metadata),
  };
}

const encryptedChunk: ColumnChunk = {
  physical: physicalTypes.byteArray,
  codec: codecs.none,
  valueCount: 0,
  uncompressedBytes: 0,
  compressedBytes: 0,
  start: 0,
  otherFile: false,
  isEncrypted: true,
  statistics: null,
  offsetIndex: null,
  columnIndex: null,
  bloomFilter: null,
  isAllIndexed: false,
};

/** By the counts of pages by encoding; older writers named the dictionary's in another way than plain. */
function isAllIndexed(metadata: ThriftStruct): boolean {
  const { plainDictionary, rleDictionary, rle, bitPacked } = encodings;
  const pages = metadata
    .structs(13)
    .filter((one) => one.int(1) === pageTypes.data || one.int(1) === pageTypes.dataV2);
  if (pages.length > 0) {
    return pages.every((one) => [plainDictionary, rleDictionary].some((is) => is === one.int(2)));
  }
  const used = metadata.ints(2);
  const older = [plainDictionary, rle, bitPacked] as readonly number[];
  return used.includes(plainDictionary) && used.every((one) => older.includes(one));
}

/** Only the newer fields: what the older ones hold was compared in an order of each writer's own. */
function statisticsOf(statistics: ThriftStruct | null): Statistics | null {
  if (statistics === null) return null;
  return {
    nullCount: statistics.has(3) ? statistics.size(3) : null,
    distinctCount: statistics.has(4) ? statistics.size(4) : null,
    max: statistics.bytes(5),
    min: statistics.bytes(6),
  };
}

/** An offset, and a length in the field behind; 0 where the file does not say it. */
function placeOf(struct: ThriftStruct, field: number): BytesPlace | null {
  if (!struct.has(field)) return null;
  return { offset: struct.size(field), sizeBytes: struct.size(field + 1, 0) };
}

/** A page of a column: what stands in front of its bytes. */
export interface PageHeader {
  readonly type: number;
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly crc: number | null;
  /** Values, nulls among them; of a dictionary its entries. */
  readonly valueCount: number;
  readonly encoding: number;
  /** Of a data page of version 1: how its levels are encoded. */
  readonly definitionEncoding: number;
  readonly repetitionEncoding: number;
  /** Of a data page of version 2. */
  readonly v2: PageV2 | null;
}

interface PageV2 {
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
}

/** @throws RangeError */
export function pageHeaderOf(header: ThriftStruct): PageHeader {
  const type = header.int(1);
  const field = ownFieldOf(type);
  const own = field === null ? null : header.struct(field);
  if (field !== null && own === null) throw new RangeError('a page without its header');
  const isV2 = type === pageTypes.dataV2;
  const isV1 = type === pageTypes.data;
  return {
    type,
    uncompressedBytes: header.size(2),
    compressedBytes: header.size(3),
    crc: header.has(4) ? header.int(4) : null,
    valueCount: own?.size(1) ?? 0,
    encoding: own?.int(isV2 ? 4 : 2) ?? 0,
    definitionEncoding: isV1 ? (own?.int(3) ?? 0) : encodings.rle,
    repetitionEncoding: isV1 ? (own?.int(4) ?? 0) : encodings.rle,
    v2: isV2 && own !== null ? pageV2Of(own) : null,
  };
}

/** Where the header of a type of page has what is that type's own. */
function ownFieldOf(type: number): number | null {
  switch (type) {
    case pageTypes.data:
      return 5;
    case pageTypes.dictionary:
      return 7;
    case pageTypes.dataV2:
      return 8;
    default:
      return null;
  }
}

function pageV2Of(own: ThriftStruct): PageV2 {
  return {
    definitionBytes: own.size(5),
    repetitionBytes: own.size(6),
    isCompressed: own.bool(7, true),
  };
}
