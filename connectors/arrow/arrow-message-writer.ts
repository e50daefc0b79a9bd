/**
 * Writes the metadata of Arrow IPC: schema, dictionary and record batch messages, and the footer of a file. The
 * counterpart of arrow-messages.ts and arrow-fields.ts, which have the pictures.
 */
import { assert } from '../../base/assert.ts';
import type { Field, FieldType } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { ArrowCodec } from './arrow-compression.ts';
import { fieldSlots, hasDictionary, typeIds } from './arrow-fields.ts';
import {
  type BufferPlace,
  codecIds,
  continuation,
  headerIds,
  type MessagePlace,
  prefixBytes,
} from './arrow-messages.ts';
import {
  FlatbufferWriter,
  type FlatField,
  type FlatOffset,
  int8Field,
  int16Field,
  int32Field,
  int64Field,
  offsetField,
} from './flatbuffer-writer.ts';

/** `V5` of Schema.fbs: since Arrow 1.0. */
const metadataVersion = 4;

/** A record batch as its metadata describes it. */
export interface BatchDescription {
  readonly rowCount: number;
  /** Per column, children behind their parents. */
  readonly lengths: readonly number[];
  readonly nullCounts: readonly number[];
  readonly buffers: readonly BufferPlace[];
  readonly bodyBytes: number;
}

/** What the metadata of a body says. */
export interface MessageBody extends BatchDescription {
  /** Null: not compressed. */
  readonly codec: ArrowCodec | null;
}

/** @param metadata - What the file is to say of its schema besides: texts by name. */
export function schemaMessage(
  schema: Schema,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const writer = new FlatbufferWriter();
  const offset = writeSchema(writer, schema, metadata);
  return messageOf(writer, { id: headerIds.schema, offset }, 0);
}

export function batchMessage(body: MessageBody): Uint8Array<ArrayBuffer> {
  const writer = new FlatbufferWriter();
  const offset = writeBatch(writer, body);
  return messageOf(writer, { id: headerIds.batch, offset }, body.bodyBytes);
}

export function dictionaryMessage(
  { id, isDelta }: { readonly id: number; readonly isDelta: boolean },
  body: MessageBody,
): Uint8Array<ArrayBuffer> {
  const writer = new FlatbufferWriter();
  const values = writeBatch(writer, body);
  const offset = writer.table([
    int64Field(0, id),
    offsetField(1, values),
    int8Field(2, Number(isDelta)),
  ]);
  return messageOf(writer, { id: headerIds.dictionary, offset }, body.bodyBytes);
}

/** The footer of a file, without what stands around it. */
export function footerOf(
  schema: Schema,
  dictionaries: readonly MessagePlace[],
  batches: readonly MessagePlace[],
): Uint8Array<ArrayBuffer> {
  const writer = new FlatbufferWriter();
  // The 32 bits of the second number's upper half are padding in the format.
  const numbersOf = (place: MessagePlace) => [place.offset, place.metadataBytes, place.bodyBytes];
  const batchVector = writer.int64Structs(batches.flatMap(numbersOf), 3);
  const dictionaryVector = writer.int64Structs(dictionaries.flatMap(numbersOf), 3);
  const schemaTable = writeSchema(writer, schema);
  const footer = writer.table([
    int16Field(0, metadataVersion),
    offsetField(1, schemaTable),
    offsetField(2, dictionaryVector),
    offsetField(3, batchVector),
  ]);
  return writer.finish(footer);
}

function writeBatch(writer: FlatbufferWriter, body: MessageBody): FlatOffset {
  const { rowCount, lengths, nullCounts, buffers, codec } = body;
  const places = buffers.flatMap(({ offset, sizeBytes }) => [offset, sizeBytes]);
  const bufferVector = writer.int64Structs(places, 2);
  const nodes = nullCounts.flatMap((nullCount, index) => [lengths[index] ?? 0, nullCount]);
  const nodeVector = writer.int64Structs(nodes, 2);
  const fields = [
    int64Field(0, rowCount),
    offsetField(1, nodeVector),
    offsetField(2, bufferVector),
  ];
  if (codec !== null) {
    const compression = writer.table([int8Field(0, codecIds[codec]), int8Field(1, 0)]);
    fields.push(offsetField(3, compression));
  }
  return writer.table(fields);
}

/** Prefix and metadata of a message. */
function messageOf(
  writer: FlatbufferWriter,
  header: { readonly id: number; readonly offset: FlatOffset },
  bodyBytes: number,
): Uint8Array<ArrayBuffer> {
  const message = writer.table([
    int16Field(0, metadataVersion),
    int8Field(1, header.id),
    offsetField(2, header.offset),
    int64Field(3, bodyBytes),
  ]);
  const metadata = writer.finish(message);
  const bytes = new Uint8Array(prefixBytes + metadata.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, continuation, true);
  view.setInt32(4, metadata.length, true);
  bytes.set(metadata, prefixBytes);
  return bytes;
}

function writeSchema(
  writer: FlatbufferWriter,
  { fields }: Schema,
  metadata: Readonly<Record<string, string>> = {},
): FlatOffset {
  const tables = fields.map((field, index) =>
    writeField(writer, field, hasDictionary(field.type) ? index : null),
  );
  const fieldVector = writer.offsets(tables);
  const pairs = Object.entries(metadata).map(([key, value]) => {
    const [keyText, valueText] = [writer.text(key), writer.text(value)];
    return writer.table([offsetField(0, keyText), offsetField(1, valueText)]);
  });
  const written = [offsetField(1, fieldVector)];
  if (pairs.length > 0) written.push(offsetField(2, writer.offsets(pairs)));
  return writer.table(written);
}

/** @param dictionary - The id of the column's dictionary. */
function writeField(
  writer: FlatbufferWriter,
  { name, nullable, type }: Field,
  dictionary: number | null,
): FlatOffset {
  const children = writer.offsets(childrenOf(type).map((child) => writeField(writer, child, null)));
  const { id, fields } = describe(writer, type);
  const typeTable = writer.table(fields);
  const nameText = writer.text(name);
  const written = [
    offsetField(fieldSlots.name, nameText),
    int8Field(fieldSlots.nullable, Number(nullable)),
    int8Field(fieldSlots.typeId, id),
    offsetField(fieldSlots.type, typeTable),
    offsetField(fieldSlots.children, children),
  ];
  if (dictionary !== null) {
    const indexType = writer.table(intFields(32, true));
    const encoding = writer.table([int64Field(0, dictionary), offsetField(1, indexType)]);
    written.push(offsetField(fieldSlots.dictionary, encoding));
  }
  return writer.table(written);
}

function intFields(bits: number, isSigned: boolean): FlatField[] {
  return [int32Field(0, bits), int8Field(1, Number(isSigned))];
}

function childrenOf(type: FieldType): readonly Field[] {
  if (type.kind === 'list') return [{ name: 'item', ...type.item }];
  return type.kind === 'struct' ? type.fields : [];
}

/** The number of a type and the fields of its table. */
function describe(
  writer: FlatbufferWriter,
  type: FieldType,
): { readonly id: number; readonly fields: readonly FlatField[] } {
  switch (type.kind) {
    case 'bool':
      return { id: typeIds.bool, fields: [] };
    case 'float32':
      return { id: typeIds.floatingPoint, fields: [int16Field(0, 1)] };
    case 'float64':
      return { id: typeIds.floatingPoint, fields: [int16Field(0, 2)] };
    case 'decimal': {
      const fields = [int32Field(0, type.precision), int32Field(1, type.scale), int32Field(2, 128)];
      return { id: typeIds.decimal, fields };
    }
    case 'date':
      return { id: typeIds.date, fields: [int16Field(0, 0)] };
    case 'timestamp': {
      const unit = type.unit === 'ms' ? 1 : 2;
      return {
        id: typeIds.timestamp,
        fields: [int16Field(0, unit), offsetField(1, writer.text('UTC'))],
      };
    }
    case 'utf8':
      return { id: typeIds.utf8, fields: [] };
    case 'binary':
      return { id: typeIds.binary, fields: [] };
    case 'list':
      return { id: typeIds.list, fields: [] };
    case 'struct':
      return { id: typeIds.struct, fields: [] };
    default: {
      const [, sign, bits] = /^(u?)int(\d+)$/.exec(type.kind) ?? [];
      assert(bits !== undefined, 'all types are known');
      return { id: typeIds.int, fields: intFields(Number(bits), sign === '') };
    }
  }
}
