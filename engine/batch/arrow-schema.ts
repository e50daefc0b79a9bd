/**
 * Schemas to and from apache-arrow's. Timestamps are exported as UTC, which is what they are here.
 * How a user's function reads an int64 has no place in Arrow's types; it goes as metadata of the
 * field, so that a schema survives the way there and back.
 *
 *     ours ⇄ Arrow      the same names; utf8 as a dictionary ⇄ Dictionary of Utf8
 *     also read         LargeUtf8, Utf8View and the like of Binary, FixedSizeBinary · LargeList,
 *                       FixedSizeList, Map (a list of structs) · Date64, Timestamp in s (as ms) and ns
 *                       (as µs), Float16 (as float32) · a Dictionary of any of these (as its values)
 *
 * Loads apache-arrow (90 ms): nothing that a slot thread loads may import this.
 */
import * as arrow from 'apache-arrow';
import { assertNever } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  binaryType,
  boolType,
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  int8Type,
  int16Type,
  int32Type,
  uint8Type,
  uint16Type,
  uint32Type,
  utf8Type,
} from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';

/** On disk: never renumber. Metadata of an int64 field that is read as a number. */
const jsKey = 'millrace.js';
/** What Arrow's own libraries call the items of a list. */
const itemName = 'item';
/** A schema from outside may be nested without end; no honest one is nested so deep. */
const nestingMax = 32;
const decimalPrecisionMax = 38;

export function toArrowSchema(schema: Schema): arrow.Schema {
  return new arrow.Schema(schema.fields.map(toArrowField));
}

/** @throws ARROW_TYPE_UNSUPPORTED when a field has a type that batches don't have. */
export function fromArrowSchema(schema: arrow.Schema): Schema {
  return { fields: schema.fields.map(fromArrowField) };
}

function toArrowField(field: Field): arrow.Field {
  const { type, name, nullable } = field;
  const isNumber = type.kind === 'int64' && type.js === 'number';
  const metadata = isNumber ? new Map([[jsKey, 'number']]) : undefined;
  return new arrow.Field(name, toArrowType(type), nullable, metadata);
}

function toArrowType(type: FieldType): arrow.DataType {
  switch (type.kind) {
    case 'bool':
      return new arrow.Bool();
    case 'int8':
      return new arrow.Int8();
    case 'int16':
      return new arrow.Int16();
    case 'int32':
      return new arrow.Int32();
    case 'uint8':
      return new arrow.Uint8();
    case 'uint16':
      return new arrow.Uint16();
    case 'uint32':
      return new arrow.Uint32();
    case 'int64':
      return new arrow.Int64();
    case 'float32':
      return new arrow.Float32();
    case 'float64':
      return new arrow.Float64();
    case 'decimal':
      return new arrow.Decimal(type.scale, type.precision);
    case 'date':
      return new arrow.DateDay();
    case 'timestamp':
      return new arrow.Timestamp(
        type.unit === 'ms' ? arrow.TimeUnit.MILLISECOND : arrow.TimeUnit.MICROSECOND,
        'UTC',
      );
    case 'utf8':
      return type.isDictionary === true
        ? new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())
        : new arrow.Utf8();
    case 'binary':
      return new arrow.Binary();
    case 'list':
      return new arrow.List(toArrowField({ name: itemName, ...type.item }));
    case 'struct':
      return new arrow.Struct(type.fields.map(toArrowField));
    default:
      return assertNever(type);
  }
}

function fromArrowField(field: arrow.Field): Field {
  const type = fromArrowType(field, 0);
  if (type !== null) return fieldOf(field.name, type, field.nullable);
  throw typedError(
    'ARROW_TYPE_UNSUPPORTED',
    `the Arrow column "${field.name}" has type ${field.type}, which batches don't have`,
    {
      hint:
        'Convert the column before it comes here. Supported are Bool, Int8 to Int64, Uint8 to Uint32, ' +
        'Float16 to Float64, Decimal of up to 38 digits, Date, Timestamp, Utf8, Binary, lists, structs, ' +
        'maps, and dictionaries of these.',
      details: { column: field.name, type: String(field.type) },
    },
  );
}

/** The type of values of a field, or null. */
function fromArrowType(field: arrow.Field, depth: number): FieldType | null {
  const { type } = field;
  if (depth > nestingMax) return null;
  if (arrow.DataType.isBool(type)) return boolType;
  if (isText(type)) return utf8Type;
  if (isBinary(type)) return binaryType;
  if (arrow.DataType.isInt(type)) return intType(type, field.metadata.get(jsKey) === 'number');
  if (arrow.DataType.isFloat(type)) {
    return type.precision === arrow.Precision.DOUBLE ? float64Type : float32Type;
  }
  if (arrow.DataType.isDecimal(type)) return decimalType(type);
  if (arrow.DataType.isDate(type)) return dateType;
  if (arrow.DataType.isTimestamp(type)) {
    const isMs = type.unit === arrow.TimeUnit.SECOND || type.unit === arrow.TimeUnit.MILLISECOND;
    return { kind: 'timestamp', unit: isMs ? 'ms' : 'us' };
  }
  if (arrow.DataType.isDictionary(type)) {
    const values = fromArrowType(field.clone({ type: type.dictionary }), depth + 1);
    return values?.kind === 'utf8' ? { kind: 'utf8', isDictionary: true } : values;
  }
  return nestedType(type, depth);
}

function nestedType(type: arrow.DataType, depth: number): FieldType | null {
  if (arrow.DataType.isStruct(type)) {
    const fields = type.children.map(fromChild(depth));
    return fields.every((field) => field !== null) ? { kind: 'struct', fields } : null;
  }
  const [child] = isList(type) ? type.children : [];
  if (child === undefined) return null;
  const item = fromChild(depth)(child);
  if (item === null) return null;
  return { kind: 'list', item: { type: item.type, nullable: item.nullable } };
}

function fromChild(depth: number): (child: arrow.Field) => Field | null {
  return (child) => {
    const type = fromArrowType(child, depth + 1);
    return type === null ? null : fieldOf(child.name, type, child.nullable);
  };
}

export function isText(type: arrow.DataType): boolean {
  return (
    arrow.DataType.isUtf8(type) ||
    arrow.DataType.isLargeUtf8(type) ||
    arrow.DataType.isUtf8View(type)
  );
}

function isBinary(type: arrow.DataType): boolean {
  return (
    arrow.DataType.isBinary(type) ||
    arrow.DataType.isLargeBinary(type) ||
    arrow.DataType.isBinaryView(type) ||
    arrow.DataType.isFixedSizeBinary(type)
  );
}

function isList(type: arrow.DataType): boolean {
  return (
    arrow.DataType.isList(type) ||
    arrow.DataType.isLargeList(type) ||
    arrow.DataType.isFixedSizeList(type) ||
    arrow.DataType.isMap(type)
  );
}

function intType(type: arrow.Int, isNumber: boolean): FieldType | null {
  const { isSigned, bitWidth } = type;
  if (bitWidth === 8) return isSigned ? int8Type : uint8Type;
  if (bitWidth === 16) return isSigned ? int16Type : uint16Type;
  if (bitWidth === 32) return isSigned ? int32Type : uint32Type;
  return isSigned ? { kind: 'int64', js: isNumber ? 'number' : 'bigint' } : null;
}

function decimalType({ precision, scale, bitWidth }: arrow.Decimal): FieldType | null {
  const isKnown = bitWidth === 128 && precision >= 1 && precision <= decimalPrecisionMax;
  return isKnown && scale >= 0 && scale <= precision ? { kind: 'decimal', precision, scale } : null;
}
