/**
 * Schemas to and from apache-arrow's. Timestamps are exported as UTC, which is what they are here.
 * How a user's function reads an int64 has no place in Arrow's types; it goes as metadata of the
 * field, so that a schema survives the way there and back.
 *
 * Loads apache-arrow (90 ms): nothing that a slot thread loads may import this.
 */
import * as arrow from 'apache-arrow';
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  utf8Type,
} from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';

/** On disk: never renumber. Metadata of an int64 field that is read as a number. */
const jsKey = 'millrace.js';

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
    case 'float32':
      return new arrow.Float32();
    case 'int64':
      return new arrow.Int64();
    case 'float64':
      return new arrow.Float64();
    case 'timestamp':
      return new arrow.Timestamp(
        type.unit === 'ms' ? arrow.TimeUnit.MILLISECOND : arrow.TimeUnit.MICROSECOND,
        'UTC',
      );
    case 'utf8':
      return new arrow.Utf8();
    default:
      assert(false, 'columns of this type are not exported');
  }
}

function fromArrowField(field: arrow.Field): Field {
  const type = fromArrowType(field.type, field.metadata.get(jsKey) === 'number');
  if (type !== null) return fieldOf(field.name, type, field.nullable);
  throw typedError(
    'ARROW_TYPE_UNSUPPORTED',
    `the Arrow column "${field.name}" has type ${field.type}, which batches don't have`,
    {
      hint:
        'Convert the column before it comes here. Supported are Bool, Int32, Int64, Float64, ' +
        'Timestamp in milliseconds or microseconds, and Utf8.',
      details: { column: field.name, type: String(field.type) },
    },
  );
}

function fromArrowType(type: arrow.DataType, isNumber: boolean): FieldType | null {
  if (arrow.DataType.isBool(type)) return boolType;
  if (arrow.DataType.isUtf8(type)) return utf8Type;
  if (arrow.DataType.isInt(type) && type.isSigned) {
    if (type.bitWidth === 32) return int32Type;
    if (type.bitWidth === 64) return { kind: 'int64', js: isNumber ? 'number' : 'bigint' };
  }
  if (arrow.DataType.isFloat(type) && type.precision === arrow.Precision.DOUBLE) return float64Type;
  if (arrow.DataType.isTimestamp(type)) {
    if (type.unit === arrow.TimeUnit.MILLISECOND) return { kind: 'timestamp', unit: 'ms' };
    if (type.unit === arrow.TimeUnit.MICROSECOND) return { kind: 'timestamp', unit: 'us' };
  }
  return null;
}
