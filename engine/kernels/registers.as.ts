/**
 * Register kernel: values to registers of a HyperLogLog, by a hash of 64 bits of which all are good.
 *
 *     hash    52 bits: zeroes in front of the first one ─▶ share 2^-(zeroes + 1)     12 bits ─▶ register
 *
 * @see Flajolet et al. 2007, HyperLogLog; Appleby's MurmurHash3 for the last mixing.
 */
import { isValid, rowAt } from './inline.as';

@inline const first64: u64 = 0x9e3779b97f4a7c15;
@inline const length64: u64 = 0xff51afd7ed558ccd;
@inline const views: u32 = 0;
@inline const words: u32 = 1;

@inline function mixed64(key: u64): u64 {
  let hash = key;
  hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >>> 33);
}

/** Of 8 bytes or more; the last word overlaps the one before, so nothing is masked. */
function hash64OfBytes(address: usize, length: u32): u64 {
  let hash: u64 = <u64>length * length64;
  const last = address + length - 8;
  for (; address < last; address += 8) hash = rotl<u64>((hash ^ load<u64>(address)) * first64, 29);
  return mixed64((hash ^ load<u64>(last)) * first64);
}

@inline function hash64OfView(view: usize): u64 {
  const length = load<u32>(view);
  if (length > 8) return hash64OfBytes(<usize>load<u32>(view, 4), length);
  return mixed64(load<u64>(view, 8) + <u64>(length + 1) * length64);
}

export function registersOf(
  form: u32, values: usize, validity: usize, selection: usize, rowCount: u32, outRegisters: usize, outShares: usize,
): void {
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    let register: u32 = 0;
    let share: f64 = 0;
    if (isValid(validity, row)) {
      const hash =
        form == views ? hash64OfView(values + (<usize>row << 4))
        : form == words ? mixed64(load<u64>(values + (<usize>row << 3)) ^ first64)
        : hash64OfBytes(values + (<usize>row << 4), 16);
      register = <u32>hash & 4095;
      const zeroes = clz<u64>((hash >>> 12) | 1) - 12;
      share = reinterpret<f64>(<u64>(1023 - 1 - zeroes) << 52);
    }
    store<u32>(outRegisters + (<usize>row << 2), register);
    store<f64>(outShares + (<usize>row << 3), share);
  }
}
