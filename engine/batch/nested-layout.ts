/**
 * Lists and structs as bytes: one value, one run of bytes, which a view points at. Parts of fixed size
 * come first and variable parts behind them, so that any field or item is one or two loads away.
 *
 *     list     u32 count │ bits │ slots │ variable bytes        bits   one per item or field, 1 is a
 *     struct               bits │ slots │ variable bytes               value; only where one is nullable
 *
 *     slots    bool                        1 byte, 0 or 1
 *              fixed                       1 to 16 bytes, little-endian, as in a column
 *              utf8, binary, list, struct  u32: where its bytes end, counted from the start of the
 *                                          variable bytes; they start where those of the one before end
 *
 *     ['ab', null] as list<utf8?>    02 00 00 00 │ 01 │ 02 00 00 00  02 00 00 00 │ 61 62
 *
 * Nothing is aligned: the bytes lie behind a view, at any address.
 *
 * Invariants:
 * - Equal values of a type have equal bytes, so they hash, group and compare as bytes do: the slot of a
 *   null is zero or empty, unused bits are zero, there is one NaN and no -0.
 * - All offsets are relative, so the bytes may be moved.
 * - A view of 0 bytes is a null list or struct (or a struct without fields, which `t` doesn't offer).
 * After: nested-encode.ts, nested-decode.ts (JavaScript), nested-pack.ts, nested-unpack.ts (columns)
 */
import { type Field, type FieldType, layoutOf, valueSizeOf } from '../schema/field-type.ts';

/** Bytes of the count in front of a list. */
const listCountBytes = 4;
/** Bytes of the slot of a variable part: where it ends. */
const endSlotBytes = 4;

export function slotSizeOf(type: FieldType): number {
  const layout = layoutOf(type);
  return layout === 'bits' ? 1 : layout === 'view' ? endSlotBytes : valueSizeOf(type);
}

/** Where the parts of a struct are, from the start of its bytes. */
export interface StructLayout {
  /** 0 when no field is nullable. */
  readonly bitsBytes: number;
  readonly slots: readonly number[];
  /** Where the end of the variable part before a field's is; -1: it starts the variable bytes. */
  readonly previousEnds: readonly number[];
  /** Where the variable bytes start. */
  readonly variable: number;
}

export function structLayoutOf(fields: readonly Field[]): StructLayout {
  const bitsBytes = fields.some(({ nullable }) => nullable) ? (fields.length + 7) >>> 3 : 0;
  let at = bitsBytes;
  let previousEnd = -1;
  const previousEnds: number[] = [];
  const slots = fields.map(({ type }) => {
    const slot = at;
    previousEnds.push(previousEnd);
    if (layoutOf(type) === 'view') previousEnd = slot;
    at += slotSizeOf(type);
    return slot;
  });
  return { bitsBytes, slots, previousEnds, variable: at };
}

/** Where the parts of a list of `count` items are, from the start of its bytes. */
export interface ListLayout {
  /** Where the bits are; 0 when items are not nullable. */
  readonly bits: number;
  readonly slots: number;
  readonly slotSize: number;
  readonly variable: number;
}

export function listLayoutOf(item: FieldType, nullable: boolean, count: number): ListLayout {
  const bits = nullable ? listCountBytes : 0;
  const slots = listCountBytes + (nullable ? (count + 7) >>> 3 : 0);
  const slotSize = slotSizeOf(item);
  return { bits, slots, slotSize, variable: slots + count * slotSize };
}
