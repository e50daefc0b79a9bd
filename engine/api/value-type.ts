/**
 * `t`: the types of fields and of parameters. One builder for both: a field uses `nullable()`, a
 * parameter `default()`, `optional()`, `describe()` and `choices()`. Builders are immutable.
 */
import { assert } from '../../base/assert.ts';
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
import type { Column } from './column.ts';
import type { ColumnKind, JsOf, ListKind, OrNull, StructKind, Typed } from './column-kind.ts';

declare const valueTypes: unique symbol;

/** What a parameter or a field can be declared as. */
export type ValueKind = ColumnKind | 'path';

interface Declaration {
  readonly isNullable: boolean;
  readonly isOptional: boolean;
  readonly default?: string | number | boolean | bigint;
  readonly description?: string;
  readonly choices?: readonly string[];
}

const plain: Declaration = { isNullable: false, isOptional: false };
const decimalPrecisionMax = 38;

/** A type under construction; `t` starts one. */
export class ValueType<
  K extends ValueKind,
  V = K extends ColumnKind ? JsOf<K> : string,
  N extends boolean = false,
  O extends boolean = false,
> {
  declare readonly [valueTypes]: { kind: K; value: V; nullable: N; optional: O };
  /** The type of a field; a path is one of parameters only. */
  readonly type: FieldType | { readonly kind: 'path' };
  readonly declaration: Declaration;

  constructor(type: FieldType | { readonly kind: 'path' }, declaration: Declaration = plain) {
    this.type = type;
    this.declaration = declaration;
    // A struct has more to set.
    if (new.target === ValueType) Object.freeze(this);
  }

  /** A field that may be null. */
  nullable(): ValueType<K, V, true, O> {
    return new ValueType(this.type, { ...this.declaration, isNullable: true });
  }

  /** A parameter that may be left out: `undefined` then. */
  optional(): ValueType<K, V, N, true> {
    return new ValueType(this.type, { ...this.declaration, isOptional: true });
  }

  /** The value of a parameter that is left out. */
  default(value: V & (string | number | boolean | bigint)): ValueType<K, V, N, false> {
    return new ValueType(this.type, { ...this.declaration, default: value });
  }

  /** What `--help` says about a parameter, without a full stop. */
  describe(description: string): ValueType<K, V, N, O> {
    return new ValueType(this.type, { ...this.declaration, description });
  }

  /** The only values that a text parameter takes. */
  choices<const C extends string>(
    this: ValueType<'utf8', string, N, O>,
    ...choices: readonly C[]
  ): ValueType<'utf8', C, N, O> {
    return new ValueType<'utf8', C, N, O>(this.type, { ...this.declaration, choices });
  }
}

/** Any type of a field. */
export type AnyFieldType = ValueType<ColumnKind, unknown, boolean, boolean>;
type Fields = Readonly<Record<string, AnyFieldType>>;

/** The columns of a stream with these fields. */
export type ColumnsOf<F> = {
  readonly [Name in keyof F]: F[Name] extends ValueType<
    infer K extends ColumnKind,
    infer V,
    infer N extends boolean,
    boolean
  >
    ? Column<K, V, N, Name & string>
    : never;
};

/** What the compiler knows of the fields of a struct. */
type TypedFields<F> = {
  readonly [Name in keyof F]: F[Name] extends ValueType<
    infer K,
    infer V,
    infer N extends boolean,
    boolean
  >
    ? Typed<K, V, N>
    : never;
};

/** The field that a type makes under a name. Not part of the public API. */
export function fieldOfType(name: string, { type, declaration }: AnyFieldType): Field {
  assert(type.kind !== 'path', 'a path is a type of parameters');
  return Object.freeze(fieldOf(name, type, declaration.isNullable));
}

/** The fields of a record: `t.struct({ … })`. It is a type of fields as well, for records in records. */
export class StructType<F> extends ValueType<StructKind<TypedFields<F>>> {
  readonly fields: F;
  readonly schema: Schema;

  constructor(fields: F & Fields) {
    const entries = Object.entries<AnyFieldType>(fields).map(([name, type]) => {
      checkFieldType(name, type);
      return fieldOfType(name, type);
    });
    if (entries.length === 0) {
      throw typedError('JOB_ARGUMENT_INVALID', 'a struct has no fields', {
        hint: 'Name at least one field: t.struct({ word: t.utf8() }).',
      });
    }
    super({ kind: 'struct', fields: Object.freeze(entries) });
    this.fields = fields;
    this.schema = Object.freeze({ fields: Object.freeze(entries) });
    Object.freeze(this);
  }
}

function checkFieldType(name: string, type: unknown): asserts type is AnyFieldType {
  if (type instanceof ValueType && type.type.kind !== 'path') return;
  throw typedError('JOB_ARGUMENT_INVALID', `"${name}" has no type that a field can have`, {
    hint: 'Use the types of t, such as t.utf8() or t.list(t.int64()); t.path() is for parameters.',
  });
}

function decimal(precision: number, scale = 0): ValueType<'decimal'> {
  const isPrecision = Number.isInteger(precision) && precision >= 1;
  const isScale = Number.isInteger(scale) && scale >= 0 && scale <= precision;
  if (isPrecision && precision <= decimalPrecisionMax && isScale) {
    return new ValueType({ kind: 'decimal', precision, scale });
  }
  throw typedError('JOB_ARGUMENT_INVALID', `there is no decimal(${precision},${scale})`, {
    hint: 'Give 1 to 38 digits in all, and how many of them are behind the point: t.decimal(12, 2).',
  });
}

function list<K extends ColumnKind, V, N extends boolean>(
  item: ValueType<K, V, N, boolean>,
): ValueType<ListKind<Typed<K, V, N>>, readonly OrNull<V, N>[]> {
  checkFieldType('item', item);
  const { type, nullable } = fieldOfType('item', item);
  return new ValueType({ kind: 'list', item: Object.freeze({ type, nullable }) });
}

/**
 * The types of fields and parameters.
 *
 * @example
 * ```ts
 * import { t } from 'millrace';
 *
 * const Bid = t.struct({
 *   auction: t.int64(), // a function reads a bigint
 *   count: t.int64({ js: 'number' }), // a number, checked to be exact
 *   price: t.float64(),
 *   channel: t.utf8().nullable(),
 *   at: t.timestampMs(),
 *   fee: t.decimal(12, 2), // '0.25'
 *   tags: t.list(t.utf8()),
 *   seller: t.struct({ name: t.utf8(), since: t.date() }),
 * });
 * Bid.schema.fields.map((field) => field.name).join(); // => 'auction,count,price,channel,at,fee,tags,seller'
 *
 * const top = t.int32().optional().describe('how many to keep');
 * top.declaration.isOptional; // => true
 * ```
 */
export const t = Object.freeze({
  /**
   * Text. As a dictionary, files and Arrow tables hold each different text once: for columns with few
   * of them. Within a job nothing differs.
   */
  utf8: (options?: { readonly dictionary?: boolean }) =>
    new ValueType<'utf8'>(
      options?.dictionary === true ? { kind: 'utf8', isDictionary: true } : utf8Type,
    ),
  /** Bytes; functions read a Uint8Array. */
  binary: () => new ValueType<'binary'>(binaryType),
  /** Whole numbers from -128 to 127. */
  int8: () => new ValueType<'int8'>(int8Type),
  /** Whole numbers from -32,768 to 32,767. */
  int16: () => new ValueType<'int16'>(int16Type),
  /** Whole numbers from -2^31 to 2^31 - 1. */
  int32: () => new ValueType<'int32'>(int32Type),
  /** Whole numbers from 0 to 255. */
  uint8: () => new ValueType<'uint8'>(uint8Type),
  /** Whole numbers from 0 to 65,535. */
  uint16: () => new ValueType<'uint16'>(uint16Type),
  /** Whole numbers from 0 to 2^32 - 1. */
  uint32: () => new ValueType<'uint32'>(uint32Type),
  /** Whole numbers from -2^63 to 2^63 - 1, read as bigint, or as a number that is checked to be exact. */
  int64: <J extends 'bigint' | 'number' = 'bigint'>(options?: { readonly js: J }) =>
    new ValueType<'int64', J extends 'number' ? number : bigint>({
      kind: 'int64',
      js: options?.js ?? 'bigint',
    }),
  /** IEEE 754 numbers of 32 bits, about 7 digits: what is written is the nearest of them. */
  float32: () => new ValueType<'float32'>(float32Type),
  /** Numbers as JavaScript has them: IEEE 754, 64 bits. */
  float64: () => new ValueType<'float64'>(float64Type),
  /**
   * Exact numbers of up to `precision` digits (1 to 38), `scale` of them behind the point. Functions read a
   * text like `12.50`; they may give a text, a number or a bigint, none of whose digits would be lost.
   */
  decimal,
  /** true and false. */
  bool: () => new ValueType<'bool'>(boolType),
  /** A day; functions read an ISO text like `2026-11-26`, and may give a Date at midnight UTC. */
  date: () => new ValueType<'date'>(dateType),
  /** A moment in milliseconds since 1970 UTC; functions read a number. */
  timestampMs: () => new ValueType<'timestampMs'>({ kind: 'timestamp', unit: 'ms' }),
  /** A moment in microseconds since 1970 UTC; functions read a bigint. */
  timestampUs: () => new ValueType<'timestampUs'>({ kind: 'timestamp', unit: 'us' }),
  /** Any number of values of one type; functions read an array. */
  list,
  /** A parameter that is a path; relative ones are meant from where the command is run. */
  path: () => new ValueType<'path'>({ kind: 'path' }),
  /** The fields of a record, in this order; as a field of another record, functions read an object. */
  struct: <F extends Fields>(fields: F) => new StructType<F>(fields),
});
