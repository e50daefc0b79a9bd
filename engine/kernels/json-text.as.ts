/**
 * JSON's own grammar over bytes: texts, numbers, whole values to be passed over. A line of NDJSON ends
 * with a line break, which no value may have in it, so nothing here needs to know where the line ends.
 */
import { digitCount } from './cells.as';
import { fail, reasonNotUtf8, reasonSyntax, reasonTooDeep, stateValue } from './record-layout.as';
import { findInvalidUtf8 } from './text.as';

/** Values may be nested so deep: one bit of 16 words each. */
@inline const depthMax: u32 = 1024;

@inline export function skipSpaces(at: usize): usize {
  let byte = load<u8>(at);
  while (byte == 32 || byte == 9 || byte == 13) byte = load<u8>(++at);
  return at;
}

/** The flag of `textEnd`: the text has escapes. */
@inline export const hasEscapes: u64 = 0x100000000;

/**
 * The address of the quote that ends the text which begins at `start`, behind its first quote, with a
 * flag in the upper half; 0 (and a reason) where it is no text of JSON.
 */
export function textEnd(start: usize, state: usize): u64 {
  const quote = i8x16.splat(34);
  const backslash = i8x16.splat(92);
  const space = i8x16.splat(32);
  let at = start;
  let high: u32 = 0;
  let flags: u64 = 0;
  while (true) {
    const bytes = v128.load(at);
    const special = v128.or(v128.or(i8x16.eq(bytes, quote), i8x16.eq(bytes, backslash)), i8x16.lt_u(bytes, space));
    const stops = <u32>i8x16.bitmask(special);
    const highs = <u32>i8x16.bitmask(bytes);
    if (stops == 0) {
      high |= highs;
      at += 16;
      continue;
    }
    high |= highs & (stops - 1) & ~stops;
    at += <usize>ctz(stops);
    const byte = load<u8>(at);
    if (byte == 34) break;
    if (byte != 92) return <u64>fail(state, reasonSyntax, at);
    const next = escapeEnd(at);
    if (next == 0) return <u64>fail(state, reasonSyntax, at);
    at = next;
    flags = hasEscapes;
  }
  if (high != 0) {
    const invalid = findInvalidUtf8(start, at, state + stateValue);
    if (invalid != 0) return <u64>fail(state, reasonNotUtf8, invalid);
  }
  return <u64>at | flags;
}

@inline function isHexDigit(byte: u32): bool {
  return byte - 48 < 10 || (byte | 0x20) - 97 < 6;
}

/** Behind the escape that begins at `at`; 0 where JSON has none such. */
function escapeEnd(at: usize): usize {
  switch (<u32>load<u8>(at, 1)) {
    case 34: // "
    case 47: // /
    case 92: // backslash
    case 98: // b
    case 102: // f
    case 110: // n
    case 114: // r
    case 116: // t
      return at + 2;
    case 117: { // u
      for (let digit: usize = 2; digit < 6; digit++) {
        if (!isHexDigit(load<u8>(at + digit))) return 0;
      }
      return at + 6;
    }
    default:
      return 0;
  }
}

/** Behind the digits at `at`; `at` where there are none. */
@inline function skipDigits(at: usize): usize {
  let count = digitCount(load<u64>(at));
  at += count;
  while (count == 8) {
    count = digitCount(load<u64>(at));
    at += count;
  }
  return at;
}

/** Behind the number at `at`; 0 where JSON has none such. */
function numberEnd(at: usize): usize {
  let first = at + usize(load<u8>(at) == 45);
  let end = skipDigits(first);
  if (end == first || (load<u8>(first) == 48 && end > first + 1)) return 0;
  if (load<u8>(end) == 46) {
    first = end + 1;
    end = skipDigits(first);
    if (end == first) return 0;
  }
  if ((load<u8>(end) | 0x20) == 101) {
    const sign = load<u8>(end, 1);
    first = end + 1 + usize(sign == 43 || sign == 45);
    end = skipDigits(first);
    if (end == first) return 0;
  }
  return end;
}

/** Behind the text, number, true, false or null at `at`; 0 and a reason where there is none. */
@inline export function scalarEnd(at: usize, state: usize): usize {
  const byte = load<u8>(at);
  if (byte == 34) {
    const end = textEnd(at + 1, state);
    return end == 0 ? 0 : <usize><u32>end + 1;
  }
  let end: usize = 0;
  const word = load<u32>(at);
  if (byte == 45 || byte - 48 < 10) end = numberEnd(at);
  else if (word == 0x65757274 || word == 0x6c6c756e) end = at + 4;
  else if (word == 0x736c6166 && load<u8>(at, 4) == 101) end = at + 5;
  return end == 0 ? fail(state, reasonSyntax, at) : end;
}

/** Behind the value at `at`, whatever it is; 0 and a reason where there is none. `bits`: 128 bytes. */
export function valueEnd(at: usize, state: usize, bits: usize): usize {
  let depth: u32 = 0;
  while (true) {
    // A value begins here.
    let byte = <u32>load<u8>(at);
    if (byte == 123 || byte == 91) {
      if (depth == depthMax) return fail(state, reasonTooDeep, at);
      setDepthBit(bits, depth, byte == 123);
      depth++;
      const first = skipSpaces(at + 1);
      if (load<u8>(first) != byte + 2) {
        at = byte == 123 ? keyEnd(first, state) : first;
        if (at == 0) return 0;
        continue;
      }
      at = first + 1;
      depth--;
    } else {
      at = scalarEnd(at, state);
      if (at == 0) return 0;
    }
    // A value has ended here, and so may those around it.
    while (depth > 0) {
      at = skipSpaces(at);
      byte = load<u8>(at);
      const isObject = depthBit(bits, depth - 1);
      if (byte == 44) {
        at = skipSpaces(at + 1);
        if (isObject) at = keyEnd(at, state);
        if (at == 0) return 0;
        break;
      }
      if (byte != (isObject ? 125 : 93)) return fail(state, reasonSyntax, at);
      at++;
      depth--;
    }
    if (depth == 0) break;
  }
  return at;
}

/** Where the value begins behind the key at `at`. */
function keyEnd(at: usize, state: usize): usize {
  if (load<u8>(at) != 34) return fail(state, reasonSyntax, at);
  const end = textEnd(at + 1, state);
  if (end == 0) return 0;
  const colon = skipSpaces(<usize><u32>end + 1);
  return load<u8>(colon) == 58 ? skipSpaces(colon + 1) : fail(state, reasonSyntax, colon);
}

@inline function setDepthBit(bits: usize, depth: u32, value: bool): void {
  const word = bits + (depth >> 6 << 3);
  const bit = <u64>1 << <u64>(depth & 63);
  store<u64>(word, value ? load<u64>(word) | bit : load<u64>(word) & ~bit);
}

@inline function depthBit(bits: usize, depth: u32): bool {
  return (load<u64>(bits + (depth >> 6 << 3)) >> <u64>(depth & 63) & 1) != 0;
}

/**
 * Replaces the escapes in [from, from + length) by what they stand for, in place: no escape is shorter
 * than its bytes. A surrogate without its other half becomes U+FFFD. Returns the new length.
 */
export function unescapeJson(from: usize, length: u32): u32 {
  const end = from + length;
  let at = from;
  while (at < end && load<u8>(at) != 92) at++;
  let out = at;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte != 92) {
      store<u8>(out++, byte);
      at++;
      continue;
    }
    const letter = load<u8>(at, 1);
    if (letter != 117) {
      store<u8>(out++, unescaped(letter));
      at += 2;
      continue;
    }
    let code = hexAt(at + 2);
    at += 6;
    if (code - 0xd800 < 0x400 && at < end && load<u16>(at) == 0x755c) {
      const low = hexAt(at + 2);
      if (low - 0xdc00 < 0x400) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      }
    }
    out = storeUtf8(out, code - 0xd800 < 0x800 ? 0xfffd : code);
  }
  return <u32>(out - from);
}

@inline function unescaped(letter: u32): u8 {
  if (letter == 110) return 10;
  if (letter == 116) return 9;
  if (letter == 114) return 13;
  if (letter == 98) return 8;
  if (letter == 102) return 12;
  return <u8>letter;
}

function hexAt(at: usize): u32 {
  let value: u32 = 0;
  for (let digit: usize = 0; digit < 4; digit++) {
    const byte = <u32>load<u8>(at + digit);
    value = (value << 4) | ((byte & 15) + (byte >> 6) * 9);
  }
  return value;
}

function storeUtf8(out: usize, code: u32): usize {
  if (code < 0x80) {
    store<u8>(out, code);
    return out + 1;
  }
  if (code < 0x800) {
    store<u8>(out, 0xc0 | (code >> 6));
    store<u8>(out, 0x80 | (code & 63), 1);
    return out + 2;
  }
  if (code < 0x10000) {
    store<u8>(out, 0xe0 | (code >> 12));
    store<u8>(out, 0x80 | ((code >> 6) & 63), 1);
    store<u8>(out, 0x80 | (code & 63), 2);
    return out + 3;
  }
  store<u8>(out, 0xf0 | (code >> 18));
  store<u8>(out, 0x80 | ((code >> 12) & 63), 1);
  store<u8>(out, 0x80 | ((code >> 6) & 63), 2);
  store<u8>(out, 0x80 | (code & 63), 3);
  return out + 4;
}
