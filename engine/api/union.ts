/** `union`, `intersect`, `except`: which streams may be put together, at the type level and as a logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NodeContent, VerbOptions } from '../plan/logical-node.ts';
import { isSameType, typeText } from '../schema/field-type.ts';
import type { Field, Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { describe } from './row.ts';

/** What the columns of another stream must be: the same names and kinds, and no others. */
export type SameColumns<C, D> = {
  readonly [Name in keyof C]: C[Name] extends Column<infer K extends ColumnKind, unknown, boolean>
    ? Column<K, unknown, boolean>
    : never;
} & { readonly [Name in Exclude<keyof D, keyof C>]: never };

/** How `intersect` and `except` count rows that come several times. */
export interface SetOptions extends VerbOptions {
  /** Whether a row comes out as often as it is there, as with SQL's ALL. @defaultValue false: once */
  readonly all?: boolean;
}

export type UnitingVerb = 'union' | 'intersect' | 'except';

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
 * The node of a union, or of another verb that wants rows of the same columns.
 *
 * @throws PLAN_SCHEMA_MISMATCH, JOB_ARGUMENT_INVALID
 */
export function unitedContent(
  verb: UnitingVerb,
  [first, ...others]: readonly [Schema, ...Schema[]],
  isAll: unknown = false,
): NodeContent {
  if (others.length === 0) {
    throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs another stream`, {
      hint: 'Give one or more streams: first.union(second).',
    });
  }
  for (const [index, other] of others.entries()) {
    const difference = differenceOf(first, other);
    if (difference === null) continue;
    const which = others.length === 1 ? 'the other stream' : `stream ${index + 2}`;
    throw typedError('PLAN_SCHEMA_MISMATCH', `${verb} with ${which}: ${difference}`, {
      hint: 'Streams that are put together have the same columns in the same order: bring one to the other with select.',
    });
  }
  const isNullable = (at: number) => others.some(({ fields }) => fields[at]?.nullable === true);
  const fields = first.fields.map((field, at) =>
    field.nullable || !isNullable(at) ? field : { ...field, nullable: true },
  );
  if (verb === 'union') return { kind: verb, schema: { fields } };
  if (typeof isAll === 'boolean') return { kind: verb, isAll, schema: { fields } };
  throw typedError(
    'JOB_ARGUMENT_INVALID',
    `all of ${verb} is true or false, got ${describe(isAll)}`,
    {
      hint: `Write first.${verb}(second, { all: true }), or leave it out.`,
    },
  );
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
