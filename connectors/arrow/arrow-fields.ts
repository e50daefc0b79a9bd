/**
 * The fields of an Arrow schema: what a file says of its columns, and how its buffers hold them.
 *
 *     type       ours, where batches have one: int64, utf8 …; null: the column can't be read
 *     encoding   where the values are in a record batch's buffers; see `buffersOf`
 *
 * Numbers of fields and types are those of the format and never change.
 * @see https://arrow.apache.org/docs/format/Columnar.html and Schema.fbs
 */
import {
  binaryType,
  boolType,
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  typeText,
  utf8Type,
} from '../../engine/schema/field-type.ts';
import type { FlatTable } from './flatbuffer-reader.ts';

export type Encoding =
  /** Validity, bits. */
  | 'bits'
  /** Validity, values of fixed size. */
  | 'fixed'
  /** Validity, offsets of 4 or 8 bytes, bytes. */
  | 'text'
  | 'largeText'
  /** Validity, views of 16 bytes, and as many buffers of bytes as the record batch says. */
  | 'textViews'
  /** Validity, offsets of 4 or 8 bytes; one child. */
  | 'list'
  | 'largeList'
  /** Validity; children. */
  | 'struct'
  /** Anything that can't be read; its buffers are passed over. */
  | 'other';

/** A dictionary-encoded column: its buffers are those of fixed size, the indexes. */
export interface DictionaryIndex {
  readonly id: number;
  readonly indexSize: 1 | 2 | 4 | 8;
  /** Of the values, in dictionary batches. */
  readonly encoding: Encoding;
}

export interface ArrowField {
  readonly name: string;
  readonly nullable: boolean;
  /** Of the values, also where they are in a dictionary. */
  readonly type: FieldType | null;
  /** The type as Arrow names it, for messages. */
  readonly typeName: string;
  readonly encoding: Encoding;
  /** Buffers of this field alone, those of views left out. */
  readonly bufferCount: number;
  readonly dictionary: DictionaryIndex | null;
  readonly children: readonly ArrowField[];
}

/** `Type` of Schema.fbs. */
export const typeIds = {
  null: 1,
  int: 2,
  floatingPoint: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  struct: 13,
  union: 14,
  fixedSizeBinary: 15,
  fixedSizeList: 16,
  map: 17,
  duration: 18,
  largeBinary: 19,
  largeUtf8: 20,
  largeList: 21,
  runEndEncoded: 22,
  binaryView: 23,
  utf8View: 24,
  listView: 25,
  largeListView: 26,
} as const;

/** Whether a column of ours is written with a dictionary; inside of lists and structs none is. */
export function hasDictionary(type: FieldType): boolean {
  return type.kind === 'utf8' && type.isDictionary === true;
}

/** Numbers of the fields of `Field` in Schema.fbs. */
export const fieldSlots = {
  name: 0,
  nullable: 1,
  typeId: 2,
  type: 3,
  dictionary: 4,
  children: 5,
  metadata: 6,
} as const;

const timeUnits = ['s', 'ms', 'us', 'ns'];

interface Described {
  readonly type: FieldType | null;
  readonly encoding: Encoding;
  readonly bufferCount: number;
  /** Where the type's own name says it: ours may not exist. */
  readonly typeName?: string;
}

/** Reads a field and its children. */
export function readArrowField(table: FlatTable): ArrowField {
  const children = table.tables(fieldSlots.children).map(readArrowField);
  const typeId = table.uint8(fieldSlots.typeId, 0);
  const described = describe(typeId, table.table(fieldSlots.type), children);
  const { type, typeName = type === null ? nameOf(typeId) : typeText(type) } = described;
  const field = {
    name: table.text(fieldSlots.name),
    nullable: table.uint8(fieldSlots.nullable, 0) !== 0,
    type,
    children,
  };
  const dictionary = readDictionary(table.table(fieldSlots.dictionary), described.encoding);
  if (dictionary === null) {
    const { encoding, bufferCount } = described;
    return { ...field, typeName, encoding, bufferCount, dictionary };
  }
  // In record batches such a column is its indexes; what it had of its own is in the dictionary.
  const isText = type?.kind === 'utf8' || type?.kind === 'binary';
  return {
    ...field,
    type: isText ? type : null,
    typeName: `dictionary<${typeName}>`,
    encoding: 'fixed',
    bufferCount: 2,
    dictionary,
    children: [],
  };
}

function describe(
  typeId: number,
  type: FlatTable | null,
  children: readonly ArrowField[],
): Described {
  const fixed = (known: FieldType | null, typeName?: string): Described => ({
    ...{ type: known, encoding: known === null ? 'other' : 'fixed', bufferCount: 2 },
    ...(typeName !== undefined && { typeName }),
  });
  switch (typeId) {
    case typeIds.bool:
      return { type: boolType, encoding: 'bits', bufferCount: 2 };
    case typeIds.int:
      return describeInt(type?.int32(0, 0) ?? 0, (type?.uint8(1, 0) ?? 0) !== 0);
    case typeIds.floatingPoint: {
      const precision = type?.int16(0, 0) ?? 0;
      const known = precision === 2 ? float64Type : precision === 1 ? float32Type : null;
      return fixed(known, known === null ? 'float16' : undefined);
    }
    case typeIds.decimal:
      return describeDecimal(type);
    case typeIds.date:
      return (type?.int16(0, 1) ?? 1) === 0 ? fixed(dateType) : fixed(null, 'date64');
    case typeIds.timestamp: {
      const unit = timeUnits[type?.int16(0, 0) ?? 0];
      const isKnown = unit === 'ms' || unit === 'us';
      return isKnown ? fixed({ kind: 'timestamp', unit }) : fixed(null, `timestamp(${unit})`);
    }
    case typeIds.list:
    case typeIds.largeList:
      return describeList(typeId === typeIds.list ? 'list' : 'largeList', children[0]);
    case typeIds.struct:
      return describeStruct(children);
    default:
      return describeText(typeId, type);
  }
}

function describeInt(bits: number, isSigned: boolean): Described {
  const typeName = `${isSigned ? '' : 'u'}int${bits}`;
  const common = { encoding: 'fixed', bufferCount: 2, typeName } as const;
  if (isSigned && bits === 64) return { ...common, type: { kind: 'int64', js: 'bigint' } };
  switch (typeName) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return { ...common, type: { kind: typeName } };
    default:
      return { ...common, type: null, encoding: 'other' };
  }
}

function describeDecimal(type: FlatTable | null): Described {
  const precision = type?.int32(0, 0) ?? 0;
  const scale = type?.int32(1, 0) ?? 0;
  const bits = type?.int32(2, 128) ?? 128;
  const isKnown = bits === 128 && precision >= 1 && precision <= 38 && scale >= 0;
  return {
    type: isKnown && scale <= precision ? { kind: 'decimal', precision, scale } : null,
    encoding: isKnown ? 'fixed' : 'other',
    bufferCount: 2,
    typeName: bits === 128 ? `decimal(${precision},${scale})` : `decimal${bits}`,
  };
}

function describeList(encoding: 'list' | 'largeList', item: ArrowField | undefined): Described {
  const isKnown = item?.type !== undefined && item.type !== null && item.dictionary === null;
  return {
    type:
      isKnown && item.type
        ? { kind: 'list', item: { type: item.type, nullable: item.nullable } }
        : null,
    encoding: isKnown ? encoding : 'other',
    bufferCount: 2,
    typeName: `list<${item?.typeName ?? ''}${item?.nullable ? '?' : ''}>`,
  };
}

function describeStruct(children: readonly ArrowField[]): Described {
  const fields = children.flatMap(({ name, type, nullable, dictionary }) =>
    type === null || dictionary !== null ? [] : [{ name, type, nullable }],
  );
  const isKnown = fields.length === children.length && fields.length > 0;
  const texts = children.map((one) => `${one.name} ${one.typeName}${one.nullable ? '?' : ''}`);
  return {
    type: isKnown ? { kind: 'struct', fields } : null,
    encoding: isKnown ? 'struct' : 'other',
    bufferCount: 1,
    typeName: `struct<${texts.join(', ')}>`,
  };
}

/** Text and binary, and all that is passed over. */
function describeText(typeId: number, type: FlatTable | null): Described {
  switch (typeId) {
    case typeIds.utf8:
      return { type: utf8Type, encoding: 'text', bufferCount: 3 };
    case typeIds.binary:
      return { type: binaryType, encoding: 'text', bufferCount: 3 };
    case typeIds.largeUtf8:
      return { type: utf8Type, encoding: 'largeText', bufferCount: 3 };
    case typeIds.largeBinary:
      return { type: binaryType, encoding: 'largeText', bufferCount: 3 };
    case typeIds.utf8View:
      return { type: utf8Type, encoding: 'textViews', bufferCount: 2 };
    case typeIds.binaryView:
      return { type: binaryType, encoding: 'textViews', bufferCount: 2 };
    case typeIds.null:
    case typeIds.runEndEncoded:
      return { type: null, encoding: 'other', bufferCount: 0 };
    case typeIds.fixedSizeList:
      return { type: null, encoding: 'other', bufferCount: 1 };
    case typeIds.union:
      // A sparse union has the types of its values, a dense one offsets as well.
      return { type: null, encoding: 'other', bufferCount: (type?.int16(0, 0) ?? 0) === 1 ? 2 : 1 };
    case typeIds.listView:
    case typeIds.largeListView:
      return { type: null, encoding: 'other', bufferCount: 3 };
    default:
      return { type: null, encoding: 'other', bufferCount: 2 };
  }
}

function nameOf(typeId: number): string {
  const entry = Object.entries(typeIds).find(([, id]) => id === typeId);
  return entry?.[0] ?? `type ${typeId}`;
}

function readDictionary(table: FlatTable | null, encoding: Encoding): DictionaryIndex | null {
  if (table === null) return null;
  // Without a type of its own the index is an int32.
  const bits = table.table(1)?.int32(0, 0) ?? 32;
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64)
    throw new RangeError('an index type');
  const indexSize = (bits / 8) as DictionaryIndex['indexSize'];
  return { id: table.int64(0, 0), indexSize, encoding };
}
