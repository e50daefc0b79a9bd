/**
 * Records of a fixed number of bytes: one field of many records to a column, and a column to one field.
 *
 *     records   │ a b b b │ a b b b │ …    field a: width 1 at `from`, the next `stride` further on
 */
import { copyText, rowAt, storeView } from './inline.as';

/** Views of the field's bytes, which stay where they are. */
export function viewsOfRecords(from: usize, stride: u32, width: u32, count: u32, outViews: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    storeView(outViews, from, width);
    from += <usize>stride;
    outViews += 16;
  }
}

/** Values of 1, 2, 4, 8 or 16 bytes, side by side. */
export function valuesOfRecords(from: usize, stride: u32, width: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    copyValue(out, from, width);
    from += <usize>stride;
    out += <usize>width;
  }
}

export function viewsToRecords(
  views: usize, selection: usize, fromRow: u32, count: u32, width: u32, to: usize, stride: u32,
): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const view = views + (<usize>rowAt(selection, fromRow + index) << 4);
    const length = load<u32>(view);
    if (length != width) return index;
    if (length > 8) copyText(to, <usize>load<u32>(view, 4), length);
    else for (let byte: u32 = 0; byte < length; byte++) store<u8>(to + byte, load<u8>(view + byte, 8));
    to += <usize>stride;
  }
  return count;
}

export function valuesToRecords(
  values: usize, selection: usize, fromRow: u32, count: u32, width: u32, to: usize, stride: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    copyValue(to, values + <usize>rowAt(selection, fromRow + index) * <usize>width, width);
    to += <usize>stride;
  }
}

@inline function copyValue(to: usize, from: usize, width: u32): void {
  if (width == 8) store<u64>(to, load<u64>(from));
  else if (width == 4) store<u32>(to, load<u32>(from));
  else if (width == 1) store<u8>(to, load<u8>(from));
  else if (width == 2) store<u16>(to, load<u16>(from));
  else v128.store(to, v128.load(from));
}
