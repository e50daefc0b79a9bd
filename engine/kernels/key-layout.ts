/**
 * Key layouts: how the key columns of a row become one key of a group table.
 *
 *     one column        as it is: up to 8 bytes widened, 16 bytes, or a view
 *     several, fixed    [null bits][value][value]…, filled up with zeroes to 8 or 16 bytes
 *     others            a view of [null bits][values, u32 length of each text][texts]
 *
 * The null bits are there when a column is nullable, a bit for each column. Of a list or a struct the
 * bytes begin at a multiple of 8, as those who read them in place expect.
 * After: engine/operators/group-keys.ts
 */
import { type FieldType, layoutOf, valueSizeOf } from '../schema/field-type.ts';

/** What a table sees: 8 bytes, 16 bytes, or a view. */
export type KeyForm = 'int64' | 'int128' | 'view';

/** A column within a key. */
export interface KeyPart {
  readonly type: FieldType;
  /** Where its value is, or the length of its text. */
  readonly offset: number;
  /** Its bit among the null bits; -1 when it is never null. */
  readonly nullBit: number;
}

export interface KeyLayout {
  readonly form: KeyForm;
  /** One column that needs no packing. */
  readonly isPlain: boolean;
  readonly parts: readonly KeyPart[];
  /** Bytes before the texts. */
  readonly headBytes: number;
  /** 7 where texts begin at multiples of 8, else 0. */
  readonly alignMask: 0 | 7;
}

export function keyLayoutOf(
  columns: readonly { readonly type: FieldType; readonly nullable: boolean }[],
): KeyLayout {
  const isNullable = columns.some((column) => column.nullable);
  let offset = isNullable ? Math.ceil(columns.length / 8) : 0;
  const parts = columns.map(({ type, nullable }, index): KeyPart => {
    const part = { type, offset, nullBit: nullable ? index : -1 };
    offset += partSizeOf(type);
    return part;
  });
  const isAligned = columns.some(({ type }) => type.kind === 'list' || type.kind === 'struct');
  const headBytes = isAligned ? Math.ceil(offset / 8) * 8 : offset;
  const isPlain = columns.length === 1;
  return { form: formOf(columns, offset), isPlain, parts, headBytes, alignMask: isAligned ? 7 : 0 };
}

function partSizeOf(type: FieldType): number {
  // Of a text the length, of a bool a byte.
  return layoutOf(type) === 'view' ? 4 : Math.max(1, valueSizeOf(type));
}

function formOf(columns: readonly { readonly type: FieldType }[], packedBytes: number): KeyForm {
  if (columns.some(({ type }) => layoutOf(type) === 'view')) return 'view';
  const [only] = columns;
  const sizeBytes = columns.length === 1 && only ? valueSizeOf(only.type) : packedBytes;
  if (sizeBytes <= 8) return 'int64';
  return sizeBytes <= 16 ? 'int128' : 'view';
}
