/**
 * Key kernels: several key columns become one key per row, and back.
 *
 *     fixed    [null bits][values, one after the other]                      8 or 16 bytes, dense
 *     run      [null bits][values][length of each text][text][text]…         a view per row
 *
 * Equal keys have equal bytes: the value of a null is zeroes, -0 is 0, all NaN are one. A text is
 * copied 8 bytes at a time, past its end; so texts are written in the order of columns, and all that is
 * in front of texts after them.
 */
import { isValid, keepBytes, rowAt, storeView } from './inline.as';

/** Where a part of a key lies: `keys` bytes into the place of the key, or behind that of the one before. */
@inline function keyAt(places: usize, keys: usize, stride: u32, index: u32): usize {
  return keys + <usize>(places ? load<u32>(places + (<usize>index << 2)) : index * stride);
}

@inline function packEach<T>(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, index);
    let value = load<T>(values + <usize>row * sizeof<T>());
    if (isFloat<T>()) value = value == value ? <T>(value + <T>0) : <T>NaN;
    if (!isValid(validity, row)) value = <T>0;
    store<T>(keyAt(places, keys, stride, index), value);
  }
}

export function packKey1(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  packEach<u8>(values, validity, selection, count, places, keys, stride);
}

export function packKey2(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  packEach<u16>(values, validity, selection, count, places, keys, stride);
}

export function packKey4(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  packEach<u32>(values, validity, selection, count, places, keys, stride);
}

export function packKey8(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  packEach<u64>(values, validity, selection, count, places, keys, stride);
}

export function packKeyFloat32(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  packEach<f32>(values, validity, selection, count, places, keys, stride);
}

export function packKeyFloat64(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  packEach<f64>(values, validity, selection, count, places, keys, stride);
}

export function packKey16(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, index);
    const isThere = isValid(validity, row);
    const at = keyAt(places, keys, stride, index);
    store<u64>(at, isThere ? load<u64>(values + (<usize>row << 4)) : 0);
    store<u64>(at, isThere ? load<u64>(values + (<usize>row << 4), 8) : 0, 8);
  }
}

/** A bool is a byte, 0 or 1. */
export function packKeyBit(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, index);
    const bit = isValid(validity, row) && isValid(values, row);
    store<u8>(keyAt(places, keys, stride, index), u8(bit));
  }
}

export function packKeyNulls(
  validity: usize, selection: usize, count: u32, bit: u32, places: usize, keys: usize, stride: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const at = keyAt(places, keys, stride, index);
    const isNull = u32(!isValid(validity, rowAt(selection, index)));
    // The first bit of a byte sets the other seven to zero.
    store<u8>(at, <u8>((bit ? <u32>load<u8>(at) : 0) | (isNull << bit)));
  }
}

export function addKeySizes(
  values: usize, validity: usize, selection: usize, count: u32, alignMask: u32, sizes: usize,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, index);
    const at = sizes + (<usize>index << 2);
    const start = (load<u32>(at) + alignMask) & ~alignMask;
    store<u32>(at, start + (isValid(validity, row) ? load<u32>(values + (<usize>row << 4)) : 0));
  }
}

export function placeKeys(sizes: usize, count: u32, start: usize, places: usize): usize {
  for (let index: u32 = 0; index < count; index++) {
    const offset = <usize>index << 2;
    store<u32>(places + offset, <u32>start);
    start += <usize>((load<u32>(sizes + offset) + 7) & ~7);
  }
  return start;
}

export function packKeyLength(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, keys: usize, stride: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, index);
    const length = isValid(validity, row) ? load<u32>(values + (<usize>row << 4)) : 0;
    store<u32>(keyAt(places, keys, stride, index), length);
  }
}

export function packKeyText(
  values: usize, validity: usize, selection: usize, count: u32, places: usize, alignMask: u32, cursors: usize,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, index);
    const view = values + (<usize>row << 4);
    const length = isValid(validity, row) ? load<u32>(view) : 0;
    const key = <usize>load<u32>(places + (<usize>index << 2));
    const cursor = cursors + (<usize>index << 2);
    const start = (load<u32>(cursor) + alignMask) & ~alignMask;
    store<u32>(cursor, start + length);
    const from = length <= 8 ? view + 8 : <usize>load<u32>(view, 4);
    const to = key + start;
    let byte: u32 = 0;
    for (; byte + 8 <= length; byte += 8) store<u64>(to + byte, load<u64>(from + byte));
    // Zeroes up to where an aligned text behind this one begins.
    if (byte < length) store<u64>(to + byte, keepBytes(load<u64>(from + byte), length - byte));
  }
}

export function viewKeys(places: usize, sizes: usize, count: u32, outViews: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const offset = <usize>index << 2;
    storeView(outViews + (<usize>index << 4), load<u32>(places + offset), load<u32>(sizes + offset));
  }
}

export function locateKeys(views: usize, count: u32, outPlaces: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const view = views + (<usize>index << 4);
    const start = load<u32>(view) <= 8 ? <u32>(view + 8) : load<u32>(view, 4);
    store<u32>(outPlaces + (<usize>index << 2), start);
  }
}

@inline function unpackEach<T>(places: usize, keys: usize, stride: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    store<T>(out + <usize>index * sizeof<T>(), load<T>(keyAt(places, keys, stride, index)));
  }
}

export function unpackKey1(places: usize, keys: usize, stride: u32, count: u32, out: usize): void {
  unpackEach<u8>(places, keys, stride, count, out);
}

export function unpackKey2(places: usize, keys: usize, stride: u32, count: u32, out: usize): void {
  unpackEach<u16>(places, keys, stride, count, out);
}

export function unpackKey4(places: usize, keys: usize, stride: u32, count: u32, out: usize): void {
  unpackEach<u32>(places, keys, stride, count, out);
}

export function unpackKey8(places: usize, keys: usize, stride: u32, count: u32, out: usize): void {
  unpackEach<u64>(places, keys, stride, count, out);
}

export function unpackKey16(places: usize, keys: usize, stride: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    v128.store(out + (<usize>index << 4), v128.load(keyAt(places, keys, stride, index)));
  }
}

export function unpackKeyBits(
  places: usize, keys: usize, stride: u32, count: u32, bit: u32, isInverted: u32, out: usize,
): void {
  for (let first: u32 = 0; first < count; first += 64) {
    const end = min<u32>(first + 64, count);
    let word: u64 = 0;
    for (let index = first; index < end; index++) {
      const byte = <u32>load<u8>(keyAt(places, keys, stride, index));
      word |= <u64>(((byte >>> bit) & 1) ^ isInverted) << (index & 63);
    }
    store<u64>(out + (first >> 3), word);
  }
}

export function unpackKeyText(
  places: usize, count: u32, lengthOffset: u32, alignMask: u32, cursors: usize, outViews: usize,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const key = <usize>load<u32>(places + (<usize>index << 2));
    const cursor = cursors + (<usize>index << 2);
    const start = (load<u32>(cursor) + alignMask) & ~alignMask;
    const length = load<u32>(key + lengthOffset);
    store<u32>(cursor, start + length);
    storeView(outViews + (<usize>index << 4), key + start, length);
  }
}
