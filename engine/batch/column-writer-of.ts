/** The column writer for a field's type. */
import { assertNever } from '../../base/assert.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { Field } from '../schema/schema.ts';
import type { ColumnWriter } from './column-writer.ts';
import { DateWriter, DecimalWriter } from './date-decimal-writers.ts';
import { Int64Writer } from './int64-writer.ts';
import {
  BoolWriter,
  Float32Writer,
  Float64Writer,
  Int8Writer,
  Int16Writer,
  Int32Writer,
  Uint8Writer,
  Uint16Writer,
  Uint32Writer,
} from './number-writers.ts';
import { BinaryWriter, NestedWriter, Utf8Writer } from './view-writers.ts';

export function columnWriterOf(scope: MemoryScope, field: Field): ColumnWriter {
  const { type } = field;
  switch (type.kind) {
    case 'bool':
      return new BoolWriter(scope, field);
    case 'int8':
      return new Int8Writer(scope, field);
    case 'int16':
      return new Int16Writer(scope, field);
    case 'int32':
      return new Int32Writer(scope, field);
    case 'uint8':
      return new Uint8Writer(scope, field);
    case 'uint16':
      return new Uint16Writer(scope, field);
    case 'uint32':
      return new Uint32Writer(scope, field);
    case 'int64':
    case 'timestamp':
      return new Int64Writer(scope, field);
    case 'float32':
      return new Float32Writer(scope, field);
    case 'float64':
      return new Float64Writer(scope, field);
    case 'date':
      return new DateWriter(scope, field);
    case 'decimal':
      return new DecimalWriter(scope, field);
    case 'utf8':
      return new Utf8Writer(scope, field);
    case 'binary':
      return new BinaryWriter(scope, field);
    case 'list':
    case 'struct':
      return new NestedWriter(scope, field);
    default:
      return assertNever(type);
  }
}
