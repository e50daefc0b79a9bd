/**
 * Kinds of columns at the type level: what the compiler knows of a value's type. A timestamp's unit
 * is part of its kind, so that milliseconds are never compared with microseconds; lists and structs
 * carry what is inside them.
 */

/** The type of a column as the compiler sees it. */
export type ColumnKind = ScalarKind | ListKind | StructKind;

/** Numbers: what expressions calculate with. */
export type NumericKind = PlainNumberKind | 'int64' | 'decimal';

/** Whole numbers. */
export type IntegerKind = Exclude<PlainNumberKind, FloatKind> | 'int64';

export type TimestampKind = 'timestampMs' | 'timestampUs';

/** Numbers that functions read as numbers without a check. */
export type PlainNumberKind =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | FloatKind;
type FloatKind = 'float32' | 'float64';

type ScalarKind =
  | 'bool'
  | PlainNumberKind
  | 'int64'
  | 'decimal'
  | 'date'
  | 'timestampMs'
  | 'timestampUs'
  | 'utf8'
  | 'binary';

/** What the compiler knows of a field or an item: its kind, what a function reads, whether it may be null. */
export interface Typed<K = unknown, V = unknown, N extends boolean = boolean> {
  readonly kind: K;
  readonly value: V;
  readonly nullable: N;
}

/** The kind of a list; `Item` is a `Typed`. */
export interface ListKind<Item = unknown> {
  readonly list: Item;
}

/** The kind of a struct; `F` has a `Typed` per field. */
export interface StructKind<F = unknown> {
  readonly struct: F;
}

/** What a function reads of a field or an item. */
export type OrNull<V, N extends boolean> = true extends N ? V | null : V;

/**
 * What a user's function reads for a kind: an int64 is a `bigint` (a checked `number` with
 * `t.int64({ js: 'number' })`), a timestamp in ms a `number`, one in µs a `bigint`; dates are ISO texts,
 * decimals exact texts.
 */
export type JsOf<K extends ColumnKind> = K extends 'utf8' | 'date' | 'decimal'
  ? string
  : K extends 'bool'
    ? boolean
    : K extends PlainNumberKind | 'timestampMs'
      ? number
      : K extends 'binary'
        ? Uint8Array
        : K extends ListKind<infer Item>
          ? readonly ValueOfTyped<Item>[]
          : K extends StructKind<infer F>
            ? { readonly [Name in keyof F]: ValueOfTyped<F[Name]> }
            : bigint;

type ValueOfTyped<T> = T extends Typed<unknown, infer V, infer N> ? OrNull<V, N> : unknown;

/**
 * What a function may give where it would read a V: exact numbers of either form, a Date for moments and
 * days, a typed array for a list of numbers.
 */
export type InputOfKind<K, V> = K extends 'int64'
  ? number | bigint
  : K extends 'timestampMs' | 'timestampUs'
    ? Date | number | bigint
    : K extends 'date'
      ? string | Date
      : K extends 'decimal'
        ? string | number | bigint
        : K extends ListKind<infer Item>
          ? readonly InputOfTyped<Item>[] | NumbersOf<Item>
          : K extends StructKind<infer F>
            ? { readonly [Name in keyof F]: InputOfTyped<F[Name]> }
            : V;

type InputOfTyped<T> =
  T extends Typed<infer K, infer V, infer N> ? OrNull<InputOfKind<K, V>, N> : unknown;

type NumbersOf<Item> = Item extends { readonly kind: PlainNumberKind }
  ? SmallIntegers | Float32Array | Float64Array
  : Item extends { readonly kind: 'int64' }
    ? SmallIntegers | BigInt64Array
    : never;

type SmallIntegers =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array;

/** The kind of a sum, difference, product or rest. */
export type ArithmeticKind<K, L> = K extends TimestampKind
  ? L extends K
    ? 'int64'
    : K
  : K extends 'date'
    ? L extends 'date'
      ? 'int32'
      : 'date'
    : NumberKindOf<K | L>;

/** The kind in which numbers of these kinds are calculated with. */
type NumberKindOf<Kinds> = 'float64' extends Kinds
  ? 'float64'
  : 'decimal' extends Kinds
    ? 'float32' extends Kinds
      ? 'float64'
      : 'decimal'
    : 'float32' extends Kinds
      ? [Kinds] extends ['float32']
        ? 'float32'
        : 'float64'
      : 'int64' extends Kinds
        ? 'int64'
        : 'uint32' extends Kinds
          ? 'int64'
          : 'int32';

/** The kind of a quotient. */
export type QuotientKind<K, L> = 'decimal' extends K | L
  ? FloatKind & (K | L) extends never
    ? 'decimal'
    : 'float64'
  : 'float64';

/** The kind of a number with its sign turned, or without it. */
export type SignedKind<K> = K extends FloatKind | 'decimal' ? K : NumberKindOf<K>;

/** The kind that values of both kinds are brought to; never where there is none. */
export type CommonKind<K, L> = [K] extends [L]
  ? [L] extends [K]
    ? K
    : CommonNumberKind<K, L>
  : CommonNumberKind<K, L>;
type CommonNumberKind<K, L> = K extends NumericKind
  ? L extends NumericKind
    ? NumberKindOf<K | L>
    : never
  : never;

/** What a function reads of a result: a bigint as soon as one int64 operand is read so. */
export type ArithmeticValue<K extends ColumnKind, V> = K extends 'int64'
  ? bigint extends V
    ? bigint
    : number
  : JsOf<K>;
