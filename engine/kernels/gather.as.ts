/**
 * Gather kernels: rows that lie scattered over many batches, column by column.
 *
 * A row's number is the index of its batch × 8,192 + its stored row; `bases` has, for each batch, the
 * address of the column there. Loads of different rows do not wait for one another.
 */

/** The address of the column in the row's batch. */
@inline function baseOf(bases: usize, number: u32): usize {
  return load<u32>(bases + (<usize>(number >>> 13) << 2));
}

@inline function numberAt(numbers: usize, index: u32): u32 {
  return load<u32>(numbers + (<usize>index << 2));
}

export function gatherAcross1Bit(bases: usize, numbers: usize, rowCount: u32, out: usize): void {
  for (let first: u32 = 0; first < rowCount; first += 64) {
    const end = min<u32>(first + 64, rowCount);
    let word: u64 = 0;
    for (let index = first; index < end; index++) {
      const number = numberAt(numbers, index);
      const base = baseOf(bases, number);
      const row = number & 8191;
      const bit = base ? (<u64>load<u8>(base + (row >> 3)) >> (row & 7)) & 1 : 1;
      word |= bit << (index & 63);
    }
    store<u64>(out + (first >> 3), word);
  }
}

export function gatherAcross1(bases: usize, numbers: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const number = numberAt(numbers, index);
    store<u8>(out + <usize>index, load<u8>(baseOf(bases, number) + <usize>(number & 8191)));
  }
}

export function gatherAcross2(bases: usize, numbers: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const number = numberAt(numbers, index);
    const value = load<u16>(baseOf(bases, number) + (<usize>(number & 8191) << 1));
    store<u16>(out + (<usize>index << 1), value);
  }
}

export function gatherAcross4(bases: usize, numbers: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const number = numberAt(numbers, index);
    const value = load<u32>(baseOf(bases, number) + (<usize>(number & 8191) << 2));
    store<u32>(out + (<usize>index << 2), value);
  }
}

export function gatherAcross8(bases: usize, numbers: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const number = numberAt(numbers, index);
    const value = load<u64>(baseOf(bases, number) + (<usize>(number & 8191) << 3));
    store<u64>(out + (<usize>index << 3), value);
  }
}

export function gatherAcross16(bases: usize, numbers: usize, rowCount: u32, out: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const number = numberAt(numbers, index);
    const value = v128.load(baseOf(bases, number) + (<usize>(number & 8191) << 4));
    v128.store(out + (<usize>index << 4), value);
  }
}

export function rowsWithTexts(
  bases: usize, batchCount: u32, columnCount: u32, numbers: usize, rowCount: u32, bytesMax: f64,
): u32 {
  let size: u64 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const number = numberAt(numbers, index);
    let column = bases;
    for (let done: u32 = 0; done < columnCount; done++) {
      size += load<u32>(baseOf(column, number) + (<usize>(number & 8191) << 4));
      column += <usize>batchCount << 2;
    }
    if (size > <u64>bytesMax) return index;
  }
  return rowCount;
}
