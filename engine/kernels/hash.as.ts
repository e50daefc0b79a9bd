/** Hash kernels: the same hashes that the group tables use, for shuffles. */
import { hashOfInt64, hashOfLong, hashOfView, isValid, nullHash, rowAt } from './inline.as';

export function hashUtf8(values: usize, validity: usize, selection: usize, rowCount: u32, outHashes: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    const hash = isValid(validity, row) ? hashOfView(values + (<usize>row << 4)) : nullHash;
    store<u32>(outHashes + (<usize>index << 2), hash);
  }
}

export function hashInt64(values: usize, validity: usize, selection: usize, rowCount: u32, outHashes: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    const hash = isValid(validity, row) ? hashOfInt64(load<u64>(values + (<usize>row << 3))) : nullHash;
    store<u32>(outHashes + (<usize>index << 2), hash);
  }
}

export function hashInt128(values: usize, validity: usize, selection: usize, rowCount: u32, outHashes: usize): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    const hash = isValid(validity, row) ? hashOfLong(values + (<usize>row << 4), 16) : nullHash;
    store<u32>(outHashes + (<usize>index << 2), hash);
  }
}

export function combineHashes(hashes: usize, others: usize, rowCount: u32): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const at = hashes + (<usize>index << 2);
    store<u32>(at, hashOfInt64((<u64>load<u32>(at) << 32) | load<u32>(others + (<usize>index << 2))));
  }
}
