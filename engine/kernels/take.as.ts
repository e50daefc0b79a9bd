/** Take kernels: rows of a column by number, and views to and from plain Arrow utf8. */
import { copyText, rowAt, storeView } from './inline.as';

export function take1Bit(values: usize, rows: usize, rowCount: u32, out: usize): void {
  for (let first: u32 = 0; first < rowCount; first += 64) {
    const end = min<u32>(first + 64, rowCount);
    let word: u64 = 0;
    for (let index = first; index < end; index++) {
      const row = rowAt(rows, index);
      const bit = (<u64>load<u8>(values + (row >> 3)) >> (row & 7)) & 1;
      word |= bit << (index & 63);
    }
    store<u64>(out + (first >> 3), word);
  }
}

export function take1(values: usize, rows: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    store<u8>(out + <usize>index, load<u8>(values + <usize>rowAt(rows, index)));
  }
}

export function take2(values: usize, rows: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    store<u16>(out + (<usize>index << 1), load<u16>(values + (<usize>rowAt(rows, index) << 1)));
  }
}

export function take4(values: usize, rows: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    store<u32>(out + (<usize>index << 2), load<u32>(values + (<usize>rowAt(rows, index) << 2)));
  }
}

export function take8(values: usize, rows: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    store<u64>(out + (<usize>index << 3), load<u64>(values + (<usize>rowAt(rows, index) << 3)));
  }
}

export function take16(values: usize, rows: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    v128.store(out + (<usize>index << 4), v128.load(values + (<usize>rowAt(rows, index) << 4)));
  }
}

export function utf8SizeOf(views: usize, rows: usize, rowCount: u32): f64 {
  let size: u64 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    size += <u64>load<u32>(views + (<usize>rowAt(rows, index) << 4));
  }
  return <f64>size;
}

export function utf8ToArrow(views: usize, rows: usize, rowCount: u32, outOffsets: usize, outBytes: usize): u32 {
  let end = outBytes;
  for (let index: u32 = 0; index < rowCount; index++) {
    store<u32>(outOffsets + (<usize>index << 2), <u32>(end - outBytes));
    end += load<u32>(views + (<usize>rowAt(rows, index) << 4));
  }
  store<u32>(outOffsets + (<usize>rowCount << 2), <u32>(end - outBytes));
  let at = outBytes;
  for (let index: u32 = 0; index < rowCount; index++) {
    const view = views + (<usize>rowAt(rows, index) << 4);
    const length = load<u32>(view);
    const word = load<u64>(view, 8);
    if (length > 8) copyText(at, load<u32>(view, 4), length);
    // What is written past a text, the next ones write over; the caller gives the exact size and no more.
    else if (at + 8 <= end) store<u64>(at, word);
    else for (let byte: u32 = 0; byte < length; byte++) store<u8>(at + byte, <u8>(word >>> (byte << 3)));
    at += length;
  }
  return <u32>(end - outBytes);
}

export function utf8FromArrow(offsets: usize, bytes: usize, rowCount: u32, outViews: usize): void {
  let start = load<u32>(offsets);
  for (let index: u32 = 0; index < rowCount; index++) {
    const end = load<u32>(offsets + (<usize>index << 2), 4);
    storeView(outViews + (<usize>index << 4), bytes + start, end - start);
    start = end;
  }
}

export function zeroNullViews(views: usize, validity: usize, rowCount: u32): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    const isSet = ((<u32>load<u8>(validity + (row >> 3)) >> (row & 7)) & 1) != 0;
    if (!isSet) v128.store(views + (<usize>row << 4), i64x2.splat(0));
  }
}

export function longTextSizeOf(views: usize, rowCount: u32): f64 {
  let size: u64 = 0;
  for (let row: u32 = 0; row < rowCount; row++) {
    const length = load<u32>(views + (<usize>row << 4));
    size += length > 8 ? <u64>length : 0;
  }
  return <f64>size;
}

export function copyLongTexts(views: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    const view = views + (<usize>row << 4);
    const length = load<u32>(view);
    if (length <= 8) continue;
    copyText(out, load<u32>(view, 4), length);
    store<u32>(view, <u32>out, 4);
    out += length;
  }
}
