/** `union`: which streams may be put together, at the type level and as a logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import { isSameType, typeText } from '../schema/field-type.ts';
import type { Field, Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';

/** What the columns of another stream must be: the same names and kinds, and no others. */
export type SameColumns<C, D> = {
  readonly [Name in keyof C]: C[Name] extends Column<infer K extends ColumnKind, unknown, boolean>
    ? Column<K, unknown, boolean>
    : never;
} & { readonly [Name in Exclude<keyof D, keyof C>]: never };

/** The columns of a union: a column may be null where it may be in one of the streams. */
export type United<C, D> = {
  readonly [Name in keyof C]: Name extends keyof D
    ? UnitedColumn<C[Name], D[Name], Name & string>
    : never;
};

type UnitedColumn<A, B, Name extends string> =
  A extends Column<infer K extends ColumnKind, infer V, infer N extends boolean>
    ? B extends Column<ColumnKind, unknown, infer M extends boolean>
      ? Column<K, V, true extends N | M ? true : false, Name>
      : never
    : never;

/**
 * The node of a union.
 *
 * @throws PLAN_SCHEMA_MISMATCH
 */
export function unionContent(first: Schema, others: readonly Schema[]): NodeContent {
  for (const [index, other] of others.entries()) {
    const difference = differenceOf(first, other);
    if (difference === null) continue;
    const which = others.length === 1 ? 'the other stream' : `stream ${index + 2}`;
    throw typedError('PLAN_SCHEMA_MISMATCH', `union with ${which}: ${difference}`, {
      hint: 'Streams that are united have the same columns in the same order: bring one to the other with select.',
    });
  }
  const isNullable = (at: number) => others.some(({ fields }) => fields[at]?.nullable === true);
  const fields = first.fields.map((field, at) =>
    field.nullable || !isNullable(at) ? field : { ...field, nullable: true },
  );
  return { kind: 'union', schema: { fields } };
}

/** The first column that differs, in words; null when none does. */
function differenceOf({ fields }: Schema, other: Schema): string | null {
  const count = Math.max(fields.length, other.fields.length);
  for (let at = 0; at < count; at++) {
    const [ours, theirs] = [fields[at], other.fields[at]];
    const isSame =
      ours?.name === theirs?.name && ours && theirs && isSameType(ours.type, theirs.type);
    if (!isSame)
      return `column ${at + 1} is ${fieldText(theirs)} there and ${fieldText(ours)} here`;
  }
  return null;
}

function fieldText(field: Field | undefined): string {
  return field === undefined ? 'missing' : `"${field.name}" (${typeText(field.type)})`;
}
