/**
 * The metadata of Arrow IPC: messages of a stream, and the footer of a file.
 *
 *     stream    message … message, end mark
 *     message   ffffffff │ i32 bytes of the metadata │ metadata (flatbuffer) │ body
 *     file      ARROW1 00 00 │ a stream │ footer (flatbuffer) │ i32 bytes of the footer │ ARROW1
 *
 * Metadata and bodies start at multiples of 8. A message is a schema (the first), a dictionary batch or
 * a record batch. What can't be parsed throws a RangeError (flatbuffer-reader.ts).
 *
 * @see https://arrow.apache.org/docs/format/Columnar.html#format-ipc, and Message.fbs, File.fbs
 */
import { type ArrowField, readArrowField } from './arrow-fields.ts';
import { FlatBytes, type FlatTable } from './flatbuffer-reader.ts';

/** `ARROW1`, at both ends of a file. */
export const magic = Uint8Array.of(0x41, 0x52, 0x52, 0x4f, 0x57, 0x31);
/** Where the stream in a file starts. */
export const fileStart = 8;
/** The mark in front of a message, and the bytes of its metadata. */
export const prefixBytes = 8;
export const continuation = 0xffff_ffff;

/** `MessageHeader` of Message.fbs. */
export const headerIds = { schema: 1, dictionary: 2, batch: 3 } as const;

/** `CompressionType` of Message.fbs. */
export const codecIds = { lz4: 0, zstd: 1 } as const;

export interface ArrowSchema {
  readonly fields: readonly ArrowField[];
  readonly isBigEndian: boolean;
  /** What the writer says of the schema, by names of its own. */
  readonly metadata: ReadonlyMap<string, string>;
}

export type MessageKind = 'schema' | 'dictionary' | 'batch' | 'other';

export interface Message {
  readonly kind: MessageKind;
  readonly bodyBytes: number;
  readonly header: FlatTable;
}

/** Where a message is in a file. */
export interface MessagePlace {
  /** Of its prefix. */
  readonly offset: number;
  /** Of prefix and metadata together. */
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

export interface BufferPlace {
  /** From the start of the body. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export type Compression = 'none' | 'lz4' | 'zstd' | 'other';

export interface RecordBatchLayout {
  readonly rowCount: number;
  readonly nullCounts: readonly number[];
  readonly lengths: readonly number[];
  readonly buffers: readonly BufferPlace[];
  readonly compression: Compression;
  /** For each column of views how many buffers of bytes it has. */
  readonly viewBufferCounts: readonly number[];
}

export interface DictionaryLayout {
  readonly id: number;
  /** Adds to the dictionary of the same id instead of replacing it. */
  readonly isDelta: boolean;
  readonly values: RecordBatchLayout;
}

export interface Footer {
  readonly schema: ArrowSchema;
  readonly dictionaries: readonly MessagePlace[];
  readonly batches: readonly MessagePlace[];
}

/** Reads a message's metadata, without its prefix. */
export function readMessage(metadata: Uint8Array): Message {
  const root = new FlatBytes(metadata).root();
  const id = root.uint8(1, 0);
  const header = root.table(2);
  if (header === null) throw new RangeError('a message without a header');
  const entry = Object.entries(headerIds).find(([, one]) => one === id);
  const bodyBytes = root.int64(3, 0);
  if (bodyBytes < 0) throw new RangeError('a body of negative size');
  return { kind: (entry?.[0] as MessageKind | undefined) ?? 'other', bodyBytes, header };
}

export function readSchema(header: FlatTable): ArrowSchema {
  return {
    fields: header.tables(1).map(readArrowField),
    isBigEndian: header.int16(0, 0) !== 0,
    metadata: new Map(header.tables(2).map((pair) => [pair.text(0), pair.text(1)])),
  };
}

export function readDictionaryBatch(header: FlatTable): DictionaryLayout {
  const values = header.table(1);
  if (values === null) throw new RangeError('a dictionary without values');
  return {
    id: header.int64(0, 0),
    isDelta: header.uint8(2, 0) !== 0,
    values: readRecordBatch(values),
  };
}

export function readRecordBatch(header: FlatTable): RecordBatchLayout {
  const rowCount = header.int64(0, 0);
  const nodes = header.int64s(1, 2);
  const places = header.int64s(2, 2);
  if ([rowCount, ...nodes, ...places].some((size) => size < 0)) {
    throw new RangeError('a negative size');
  }
  return {
    rowCount,
    lengths: nodes.filter((_, index) => index % 2 === 0),
    nullCounts: nodes.filter((_, index) => index % 2 === 1),
    buffers: pairsOf(places),
    compression: readCompression(header.table(3)),
    viewBufferCounts: header.int64s(4),
  };
}

/** @param bytes - The footer's own. */
export function readFooter(bytes: Uint8Array): Footer {
  const flat = new FlatBytes(bytes);
  const root = flat.root();
  const schema = root.table(1);
  if (schema === null) throw new RangeError('a footer without schema');
  const places = (field: number) => {
    const { start, count } = root.structs(field, 24);
    return Array.from({ length: count }, (_, index): MessagePlace => {
      const at = start + index * 24;
      const place = {
        offset: flat.int64(at),
        metadataBytes: flat.int32(at + 8),
        bodyBytes: flat.int64(at + 16),
      };
      if (Math.min(...Object.values(place)) < 0) throw new RangeError('a negative place');
      return place;
    });
  };
  return { schema: readSchema(schema), dictionaries: places(2), batches: places(3) };
}

function pairsOf(numbers: readonly number[]): BufferPlace[] {
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: numbers[index * 2] ?? 0,
    sizeBytes: numbers[index * 2 + 1] ?? 0,
  }));
}

function readCompression(table: FlatTable | null): Compression {
  if (table === null) return 'none';
  const codec = table.uint8(0, 0);
  // Bodies are compressed buffer by buffer; there is no other method.
  if (table.uint8(1, 0) !== 0) return 'other';
  return codec === codecIds.lz4 ? 'lz4' : codec === codecIds.zstd ? 'zstd' : 'other';
}
