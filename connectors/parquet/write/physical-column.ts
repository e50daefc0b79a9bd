/**
 * How the values of a column are written: the type of the file, what it says that they mean, and the
 * form in which pages and dictionaries take them.
 *
 *     form     bits    bool                     fixed    of 4 or 8 bytes, as they are in the file
 *              int128  decimals of 19 digits    text     views
 *                      and more; written as bytes with the highest first
 */
import { assertNever } from '../../../base/assert.ts';
import type { Kernels } from '../../../engine/kernels/kernels.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { convertedTypes, logicalTypes, physicalTypes } from '../parquet-metadata.ts';
import { bool, i8, i32, struct, type ThriftOut } from '../thrift-writer.ts';

export type ValueForm = 'bits' | 'fixed' | 'int128' | 'text';

/** The order in which values are compared for statistics. */
export type ValueOrder = 'bool' | 'signed' | 'unsigned' | 'float' | 'decimal' | 'bytes';

/** Turns `count` values of the column into the form; `wide` is room for 8 bytes each. */
export type ToForm = (kernels: Kernels, values: FormValues) => void;

export interface FormValues {
  readonly values: number;
  readonly count: number;
  readonly wide: number;
  readonly out: number;
}

export interface PhysicalColumn {
  readonly physical: number;
  readonly form: ValueForm;
  /** Bytes of a value in the form; 0 of bits. */
  readonly formSize: number;
  /** Bytes of a value in a plain page; 0 of bits and texts. */
  readonly fileSize: number;
  readonly order: ValueOrder;
  /** Null where the values are in the form as they are. */
  readonly toForm: ToForm | null;
  readonly converted: number | null;
  readonly logical: ThriftOut | null;
  readonly scale: number | null;
  readonly precision: number | null;
}

/** What most types have. */
const plain = { toForm: null, converted: null, logical: null, scale: null, precision: null };
const int32 = {
  ...plain,
  physical: physicalTypes.int32,
  form: 'fixed',
  formSize: 4,
  fileSize: 4,
  order: 'signed',
} as const;
const int64 = { ...int32, physical: physicalTypes.int64, formSize: 8, fileSize: 8 } as const;

/** Of types that are one value: no lists and structs. */
export function physicalColumnOf(type: FieldType): PhysicalColumn {
  switch (type.kind) {
    case 'bool':
      return { ...int32, physical: physicalTypes.boolean, form: 'bits', order: 'bool', ...noBytes };
    case 'int8':
      return { ...int32, ...integer(8, true), toForm: widened('widenInt8') };
    case 'int16':
      return { ...int32, ...integer(16, true), toForm: widened('widenInt16') };
    case 'int32':
      return int32;
    case 'uint8':
      return { ...int32, ...integer(8, false), toForm: widened('widenUint8') };
    case 'uint16':
      return { ...int32, ...integer(16, false), toForm: widened('widenUint16') };
    case 'uint32':
      return { ...int32, ...integer(32, false), order: 'unsigned' };
    case 'int64':
      return int64;
    case 'float32':
      return { ...int32, physical: physicalTypes.float, order: 'float' };
    case 'float64':
      return { ...int64, physical: physicalTypes.double, order: 'float' };
    case 'date':
      return { ...int32, converted: convertedTypes.date, logical: member(logicalTypes.date) };
    case 'timestamp':
      return { ...int64, ...timestamp(type.unit) };
    case 'decimal':
      return decimalColumnOf(type);
    case 'utf8':
      return { ...texts, converted: convertedTypes.utf8, logical: member(logicalTypes.string) };
    case 'binary':
      return texts;
    case 'list':
    case 'struct':
      throw new RangeError('lists and structs are written by their parts');
    default:
      return assertNever(type);
  }
}

const noBytes = { formSize: 0, fileSize: 0 };
const texts: PhysicalColumn = {
  ...plain,
  physical: physicalTypes.byteArray,
  form: 'text',
  formSize: 16,
  fileSize: 0,
  order: 'bytes',
};

function member(field: number, value: ThriftOut = struct({})): ThriftOut {
  return struct({ [field]: value });
}

function integer(bits: 8 | 16 | 32, isSigned: boolean) {
  const names = { 8: 'int8', 16: 'int16', 32: 'int32' } as const;
  const unsigned = { 8: 'uint8', 16: 'uint16', 32: 'uint32' } as const;
  const logical = struct({ 1: i8(bits), 2: bool(isSigned) });
  return {
    converted: convertedTypes[(isSigned ? names : unsigned)[bits]],
    logical: member(logicalTypes.integer, logical),
  };
}

function widened(name: 'widenInt8' | 'widenInt16' | 'widenUint8' | 'widenUint16'): ToForm {
  return (kernels, { values, count, wide, out }) => {
    kernels[name](values, count, wide);
    kernels.narrowInt32(wide, count, out);
  };
}

function timestamp(unit: 'ms' | 'us') {
  const unitField = { ms: 1, us: 2 }[unit];
  const logical = struct({ 1: bool(true), 2: member(unitField) });
  return {
    converted: unit === 'ms' ? convertedTypes.timestampMs : convertedTypes.timestampUs,
    logical: member(logicalTypes.timestamp, logical),
  };
}

/** Up to 9 digits as int32 and up to 18 as int64, as most writers do; all others as bytes. */
function decimalColumnOf({ precision, scale }: FieldType & { kind: 'decimal' }): PhysicalColumn {
  const logical = member(logicalTypes.decimal, struct({ 1: i32(scale), 2: i32(precision) }));
  const common = { converted: convertedTypes.decimal, logical, scale, precision };
  if (precision <= 18) {
    const size = precision <= 9 ? 4 : 8;
    const toForm: ToForm = (kernels, { values, count, out }) =>
      kernels.lowWords(values, count, size, out);
    return { ...(precision <= 9 ? int32 : int64), ...common, toForm };
  }
  return {
    ...{ ...plain, ...common, physical: physicalTypes.fixed, form: 'int128' },
    formSize: 16,
    fileSize: bytesOfDigits(precision),
    order: 'decimal',
  };
}

/** The fewest bytes that hold all decimals of so many digits. */
function bytesOfDigits(precision: number): number {
  let size = 1;
  while (2n ** BigInt(size * 8 - 1) <= 10n ** BigInt(precision)) size++;
  return size;
}
