/**
 * Kinds of columns at the type level: what the compiler knows of a value's type. A timestamp's unit
 * is part of its kind, so that milliseconds are never compared with microseconds.
 */
import type { FieldType } from '../schema/field-type.ts';

/** The type of a column as the compiler sees it. */
export type ColumnKind =
  | 'bool'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'utf8'
  | 'timestampMs'
  | 'timestampUs';

export type NumericKind = 'int32' | 'int64' | 'float64';

/**
 * What a user's function reads for a kind: an int64 is a `bigint` (a checked `number` with
 * `t.int64({ js: 'number' })`), a timestamp in ms a `number`, one in µs a `bigint`.
 */
export type JsOf<K extends ColumnKind> = K extends 'utf8'
  ? string
  : K extends 'bool'
    ? boolean
    : K extends 'int32' | 'float64' | 'timestampMs'
      ? number
      : bigint;

/** The kind of a sum, difference or product. */
export type ArithmeticKind<K, L> = 'float64' extends K | L
  ? 'float64'
  : K extends 'timestampMs' | 'timestampUs'
    ? L extends K
      ? 'int64'
      : K
    : 'int64' extends K | L
      ? 'int64'
      : 'int32';

/** What a function reads of a result: a bigint as soon as one int64 operand is read so. */
export type ArithmeticValue<K extends ColumnKind, V> = K extends 'int64'
  ? bigint extends V
    ? bigint
    : number
  : JsOf<K>;

export function fieldTypeOf(kind: ColumnKind, js: 'bigint' | 'number' = 'bigint'): FieldType {
  if (kind === 'timestampMs') return { kind: 'timestamp', unit: 'ms' };
  if (kind === 'timestampUs') return { kind: 'timestamp', unit: 'us' };
  return kind === 'int64' ? { kind, js } : { kind };
}
