/**
 * Radix sort: narrow sort rows of fixed-width keys, by their digits, least significant first.
 *
 *     row   0  u32 row number   4  u32 ranks, 2 bits per key   8  per key a u64 whose order is the order
 *
 * Least significant first is stable pass by pass, so a sort by several keys is the passes of the last
 * key, then its rank (nulls), then those of the key before, … A first look over all rows finds the
 * digits that differ at all, and only these get a pass: an int32 below 16 million has three, not eight.
 * A pass counts the digit's values, then moves every row to its place in the other array.
 *
 * All progress is in the state, so a call may stop after any row:
 *
 *     0 entries · 4 scratch · 8 count · 12 stride · 16 keys · 20 phase · 24 next row · 28 digit
 *     32 + 8 × word: what differs in the words of the rows · 176 256 u32: counts, then places
 *
 * (Merging 24-byte entries, which texts need, takes 20 passes over 10 M rows and mispredicts in each.)
 */

@inline const looking: u32 = 0;
@inline const counting: u32 = 1;
@inline const moving: u32 = 2;
@inline const done: u32 = 3;
@inline const differences: usize = 32;
@inline const places: usize = 176;
/** Digits per key: 8 bytes, then its rank. */
@inline const digitsPerKey: u32 = 9;

export function radixSlice(state: usize, stepsMax: u32): u32 {
  let steps = <i32>stepsMax;
  while (steps > 0 && load<u32>(state, 20) != done) {
    const count = load<u32>(state, 8);
    const from = load<u32>(state, 24);
    const end = min<u32>(from + <u32>steps, count);
    const phase = load<u32>(state, 20);
    if (phase == looking) look(state, from, end);
    else if (phase == counting) countDigit(state, from, end);
    else moveRows(state, from, end);
    store<u32>(state, end, 24);
    steps -= <i32>(end - from) + 1;
    if (end == count) nextPhase(state, phase);
  }
  return u32(load<u32>(state, 20) == done);
}

/** Notes in which bits the rows differ from the first one. */
function look(state: usize, from: u32, end: u32): void {
  const stride = <usize>load<u32>(state, 12);
  const first = <usize>load<u32>(state);
  for (let word: usize = 0; word < stride; word += 8) {
    const firstWord = load<u64>(first + word);
    let row = first + <usize>from * stride + word;
    let different: u64 = 0;
    for (let index = from; index < end; index++, row += stride) different |= load<u64>(row) ^ firstWord;
    store<u64>(state + word, load<u64>(state + word, differences) | different, differences);
  }
}

/** Byte offset of the word that a digit is in; ranks are behind the row number. */
@inline function wordOf(digit: u32): usize {
  return digit % digitsPerKey == 8 ? 0 : 8 + (<usize>(digit / digitsPerKey) << 3);
}

@inline function shiftOf(digit: u32): u64 {
  const place = digit % digitsPerKey;
  return place == 8 ? 32 + (<u64>(digit / digitsPerKey) << 1) : <u64>(place << 3);
}

@inline function maskOf(digit: u32): u32 {
  return digit % digitsPerKey == 8 ? 3 : 255;
}

function countDigit(state: usize, from: u32, end: u32): void {
  const stride = <usize>load<u32>(state, 12);
  const digit = load<u32>(state, 28);
  const shift = shiftOf(digit);
  const mask = maskOf(digit);
  const counts = state + places;
  let word = <usize>load<u32>(state) + <usize>from * stride + wordOf(digit);
  for (let index = from; index < end; index++, word += stride) {
    const count = counts + (<usize>(<u32>(load<u64>(word) >>> shift) & mask) << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
}

function moveRows(state: usize, from: u32, end: u32): void {
  const stride = <usize>load<u32>(state, 12);
  const digit = load<u32>(state, 28);
  const shift = shiftOf(digit);
  const mask = maskOf(digit);
  const word = wordOf(digit);
  const out = <usize>load<u32>(state, 4);
  let row = <usize>load<u32>(state) + <usize>from * stride;
  for (let index = from; index < end; index++, row += stride) {
    const place = state + places + (<usize>(<u32>(load<u64>(row + word) >>> shift) & mask) << 2);
    const to = load<u32>(place);
    store<u32>(place, to + 1);
    const target = out + <usize>to * stride;
    v128.store(target, v128.load(row));
    for (let byte: usize = 16; byte < stride; byte += 8) store<u64>(target + byte, load<u64>(row + byte));
  }
}

/** After looking or moving the next digit that differs is counted; after counting it is moved. */
function nextPhase(state: usize, phase: u32): void {
  store<u32>(state, 0, 24);
  if (phase == counting) {
    placesOfCounts(state + places);
    store<u32>(state, moving, 20);
    return;
  }
  let digit = load<u32>(state, 28);
  if (phase == looking) {
    digit = (load<u32>(state, 16) - 1) * digitsPerKey;
  } else {
    const entries = load<u32>(state);
    store<u32>(state, load<u32>(state, 4));
    store<u32>(state, entries, 4);
    digit = following(digit);
  }
  while (digit != <u32>-1 && !differs(state, digit)) digit = following(digit);
  store<u32>(state, digit, 28);
  store<u32>(state, digit == <u32>-1 ? done : counting, 20);
  memory.fill(state + places, 0, 1024);
}

/** The digit after this one: the next of its key, or the first of the key before; -1 at the end. */
@inline function following(digit: u32): u32 {
  if (digit % digitsPerKey != 8) return digit + 1;
  return digit == 8 ? <u32>-1 : digit - 8 - digitsPerKey;
}

@inline function differs(state: usize, digit: u32): bool {
  const different = load<u64>(state + wordOf(digit), differences);
  return (<u32>(different >>> shiftOf(digit)) & maskOf(digit)) != 0;
}

function placesOfCounts(counts: usize): void {
  let place: u32 = 0;
  for (let at = counts; at < counts + 1024; at += 4) {
    const count = load<u32>(at);
    store<u32>(at, place);
    place += count;
  }
}

/** Writes the row numbers of `count` rows, `stride` bytes apart. */
export function rowNumbersOf(rows: usize, count: u32, stride: u32, outNumbers: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    store<u32>(outNumbers + (<usize>index << 2), load<u32>(rows + <usize>index * stride));
  }
}
