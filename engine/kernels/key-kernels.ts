/**
 * The key kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 *
 * A key of several columns is bytes, laid out as engine/kernels/key-layout.ts says. Row `index` of the
 * selection has key `index`. A part of the keys is at `keys + index * stride`; or, with `places`, the
 * address of a u32 address per key, `keys` bytes behind that.
 *
 * Texts of a key are behind one another: `cursors` holds, per key, the u32 offset where the next one
 * goes, at first the size of what is before the texts. `alignMask` is 7 where each text begins at a
 * multiple of 8, else 0.
 */

/** Writes a column into keys, zeroes where it is null. */
export type PackKey = (
  values: number,
  validity: number,
  selection: number,
  count: number,
  places: number,
  keys: number,
  stride: number,
) => void;

/** Reads a column of `count` keys; zeroes where it was null. */
export type UnpackKey = (
  places: number,
  keys: number,
  stride: number,
  count: number,
  out: number,
) => void;

/** Columns to keys of several columns, and back. */
export interface KeyKernels {
  packKey1: PackKey;
  packKey2: PackKey;
  packKey4: PackKey;
  packKey8: PackKey;
  packKey16: PackKey;
  /** -0 becomes 0, every NaN the same one. */
  packKeyFloat32: PackKey;
  /** -0 becomes 0, every NaN the same one. */
  packKeyFloat64: PackKey;
  /** A bool becomes a byte, 0 or 1. */
  packKeyBit: PackKey;
  /** Sets bit `bit` of a byte where the column is null. Bit 0 comes first, and clears the others. */
  packKeyNulls(
    validity: number,
    selection: number,
    count: number,
    bit: number,
    places: number,
    keys: number,
    stride: number,
  ): void;
  /** Adds the sizes of a column's texts to the sizes of keys (u32). */
  addKeySizes(
    values: number,
    validity: number,
    selection: number,
    count: number,
    alignMask: number,
    sizes: number,
  ): void;
  /**
   * Writes the address of each key, every one a multiple of 8 behind the other, from `start` on.
   * @returns The address behind the last key.
   */
  placeKeys(sizes: number, count: number, start: number, places: number): number;
  /** The lengths of texts (u32). */
  packKeyLength: PackKey;
  /**
   * Writes the texts of a column. Up to 7 bytes past a text are overwritten: the columns behind it, then
   * lengths, values and null bits, come after.
   */
  packKeyText(
    values: number,
    validity: number,
    selection: number,
    count: number,
    places: number,
    alignMask: number,
    cursors: number,
  ): void;
  /** Makes a view of each key. */
  viewKeys(places: number, sizes: number, count: number, outViews: number): void;
  /** Writes where the bytes of each view are: places for the unpack kernels. */
  locateKeys(views: number, count: number, outPlaces: number): void;
  unpackKey1: UnpackKey;
  unpackKey2: UnpackKey;
  unpackKey4: UnpackKey;
  unpackKey8: UnpackKey;
  unpackKey16: UnpackKey;
  /** Writes a bitmap of bit `bit` of a byte of each key; of its opposite with `isInverted` 1. */
  unpackKeyBits(
    places: number,
    keys: number,
    stride: number,
    count: number,
    bit: number,
    isInverted: number,
    out: number,
  ): void;
  /** Makes views of the texts of a column, whose lengths are `lengthOffset` bytes into the keys. */
  unpackKeyText(
    places: number,
    count: number,
    lengthOffset: number,
    alignMask: number,
    cursors: number,
    outViews: number,
  ): void;
}
