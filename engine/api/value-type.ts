/**
 * `t`: the types of fields and of parameters. One builder for both: a field uses `nullable()`, a
 * parameter `default()`, `optional()`, `describe()` and `choices()`. Builders are immutable.
 */
import { typedError } from '../../base/typed-error.ts';
import { fieldOf, type Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import { type ColumnKind, fieldTypeOf, type JsOf } from './column-kind.ts';

declare const valueTypes: unique symbol;

/** What a parameter or a field can be declared as. */
export type ValueKind = ColumnKind | 'path';

interface Declaration {
  readonly js: 'bigint' | 'number';
  readonly isNullable: boolean;
  readonly isOptional: boolean;
  readonly default?: string | number | boolean | bigint;
  readonly description?: string;
  readonly choices?: readonly string[];
}

const plain: Declaration = { js: 'bigint', isNullable: false, isOptional: false };

/** A type under construction; `t` starts one. */
export class ValueType<
  K extends ValueKind,
  V = K extends ColumnKind ? JsOf<K> : string,
  N extends boolean = false,
  O extends boolean = false,
> {
  declare readonly [valueTypes]: { kind: K; value: V; nullable: N; optional: O };
  readonly kind: K;
  readonly declaration: Declaration;

  constructor(kind: K, declaration: Declaration = plain) {
    this.kind = kind;
    this.declaration = declaration;
    Object.freeze(this);
  }

  /** A field that may be null. */
  nullable(): ValueType<K, V, true, O> {
    return new ValueType(this.kind, { ...this.declaration, isNullable: true });
  }

  /** A parameter that may be left out: `undefined` then. */
  optional(): ValueType<K, V, N, true> {
    return new ValueType(this.kind, { ...this.declaration, isOptional: true });
  }

  /** The value of a parameter that is left out. */
  default(value: V & (string | number | boolean | bigint)): ValueType<K, V, N, false> {
    return new ValueType(this.kind, { ...this.declaration, default: value });
  }

  /** What `--help` says about a parameter, without a full stop. */
  describe(description: string): ValueType<K, V, N, O> {
    return new ValueType(this.kind, { ...this.declaration, description });
  }

  /** The only values that a text parameter takes. */
  choices<const C extends string>(
    this: ValueType<'utf8', string, N, O>,
    ...choices: readonly C[]
  ): ValueType<'utf8', C, N, O> {
    return new ValueType<'utf8', C, N, O>('utf8', { ...this.declaration, choices });
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

/** The fields of a record: `t.struct({ … })`. */
export class StructType<F> {
  readonly fields: F;
  readonly schema: Schema;

  constructor(fields: F & Fields) {
    this.fields = fields;
    const entries = Object.entries<AnyFieldType>(fields).map(([name, type]) => {
      const { js, isNullable } = type.declaration;
      return Object.freeze(fieldOf(name, fieldTypeOf(type.kind, js), isNullable));
    });
    if (entries.length === 0) {
      throw typedError('JOB_ARGUMENT_INVALID', 'a struct has no fields', {
        hint: 'Name at least one field: t.struct({ word: t.utf8() }).',
      });
    }
    this.schema = Object.freeze({ fields: Object.freeze(entries) });
    Object.freeze(this);
  }
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
 * });
 * Bid.schema.fields.map((field) => field.name).join(); // => 'auction,count,price,channel,at'
 *
 * const top = t.int32().optional().describe('how many to keep');
 * top.declaration.isOptional; // => true
 * ```
 */
export const t = Object.freeze({
  /** Text. */
  utf8: () => new ValueType('utf8'),
  /** Whole numbers from -2^31 to 2^31 - 1. */
  int32: () => new ValueType('int32'),
  /** Whole numbers from -2^63 to 2^63 - 1, read as bigint, or as a number that is checked to be exact. */
  int64: <J extends 'bigint' | 'number' = 'bigint'>(options?: { readonly js: J }) =>
    new ValueType<'int64', J extends 'number' ? number : bigint>('int64', {
      ...plain,
      js: options?.js ?? 'bigint',
    }),
  /** Numbers as JavaScript has them: IEEE 754, 64 bits. */
  float64: () => new ValueType('float64'),
  /** true and false. */
  bool: () => new ValueType('bool'),
  /** A moment in milliseconds since 1970 UTC; functions read a number. */
  timestampMs: () => new ValueType('timestampMs'),
  /** A moment in microseconds since 1970 UTC; functions read a bigint. */
  timestampUs: () => new ValueType('timestampUs'),
  /** A parameter that is a path; relative ones are meant from where the command is run. */
  path: () => new ValueType('path'),
  /** The fields of a record, in this order. */
  struct: <F extends Fields>(fields: F) => new StructType<F>(fields),
});
