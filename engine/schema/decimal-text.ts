/**
 * Decimals as texts and as int128: the value × 10^scale in two's complement, four words of 32 bits,
 * the lowest first.
 *
 *     decimal(12,2)   12.50  ⇄  1250        -0.07  ⇄  -7
 *
 * The text always has `scale` digits behind the point, so equal values have equal texts. Up to 15
 * digits the value is a JavaScript number on the way; beyond, six digits at a time go through the
 * words: a word times a million, and what is carried, stays below 2^53. BigInt would allocate.
 */

export interface DecimalSize {
  readonly precision: number;
  readonly scale: number;
}

/** `digits` behind a sign and around a point, and a power of ten. */
const decimalText = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
const twoTo32 = 2 ** 32;
const chunkDigits = 6;
const chunkFactor = 10 ** chunkDigits;
/** Digits of a number that is exact whatever they are. */
const safeDigits = 15;

/** `range`: more digits before the point than there is room for; `digits`: some behind would be lost. */
export type DecimalOutcome = 'ok' | 'syntax' | 'range' | 'digits';

/**
 * Writes the decimal of a text (`12.5`, `-.07`, `1e3`) as four words from `words[at]` on. Only `ok`
 * writes.
 */
export function writeDecimalText(
  text: string,
  { precision, scale }: DecimalSize,
  words: Uint32Array,
  at: number,
): DecimalOutcome {
  const match = decimalText.exec(text);
  if (match === null) return 'syntax';
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return 'syntax';
  const digits = whole + fraction;
  // Digits that stand before the column's last place.
  const kept = whole.length + Number(exponent) + scale;
  if (!isZero(digits, Math.max(0, kept))) return 'digits';
  const significant = digits.slice(0, Math.max(0, kept)).replace(/^0+/, '');
  const size = significant === '' ? 0 : significant.length + Math.max(0, kept - digits.length);
  if (size > precision) return 'range';
  writeDigits(significant.padEnd(size, '0'), sign === '-', words, at);
  return 'ok';
}

/** The text of the decimal in four words from `words[at]` on. */
export function decimalTextOf(words: Uint32Array, at: number, scale: number): string {
  const isNegative = (words[at + 3] ?? 0) >>> 31 === 1;
  const magnitude = [0, 1, 2, 3].map((index) => words[at + index] ?? 0);
  if (isNegative) negate(magnitude);
  const digits = digitsOf(magnitude).padStart(scale + 1, '0');
  const sign = isNegative ? '-' : '';
  const pointAt = digits.length - scale;
  return scale === 0
    ? sign + digits
    : `${sign}${digits.slice(0, pointAt)}.${digits.slice(pointAt)}`;
}

/** Whether the four words are a decimal of at most `precision` digits. */
export function isWithinPrecision(words: Uint32Array, at: number, precision: number): boolean {
  const most = mostOf(precision);
  // The complement of a negative value is one less than its magnitude: so it must be below the most.
  const isNegative = (words[at + 3] ?? 0) >>> 31 === 1;
  const flip = isNegative ? 0xffff_ffff : 0;
  for (let index = 3; index >= 0; index--) {
    const word = ((words[at + index] ?? 0) ^ flip) >>> 0;
    const limit = most[index] ?? 0;
    if (word !== limit) return word < limit;
  }
  return !isNegative;
}

const mosts = new Map<number, Uint32Array>();

/** The largest number of so many digits: all are nines. */
function mostOf(precision: number): Uint32Array {
  let most = mosts.get(precision);
  if (most === undefined) {
    most = new Uint32Array(4);
    writeDigits('9'.repeat(precision), false, most, 0);
    mosts.set(precision, most);
  }
  return most;
}

function isZero(digits: string, from: number): boolean {
  for (let index = from; index < digits.length; index++) {
    if (digits.charCodeAt(index) !== 48) return false;
  }
  return true;
}

function writeDigits(digits: string, isNegative: boolean, words: Uint32Array, at: number): void {
  const magnitude = [0, 0, 0, 0];
  if (digits.length <= safeDigits) {
    const value = Number(digits);
    magnitude[0] = value >>> 0;
    magnitude[1] = Math.floor(value / twoTo32);
  } else {
    const first = digits.length % chunkDigits;
    multiplyAdd(magnitude, Number(digits.slice(0, first)));
    for (let from = first; from < digits.length; from += chunkDigits) {
      multiplyAdd(magnitude, Number(digits.slice(from, from + chunkDigits)));
    }
  }
  if (isNegative) negate(magnitude);
  for (let index = 0; index < 4; index++) words[at + index] = magnitude[index] ?? 0;
}

/** Times a million, plus a number below that. */
function multiplyAdd(words: number[], chunk: number): void {
  let carry = chunk;
  for (let index = 0; index < 4; index++) {
    const product = (words[index] ?? 0) * chunkFactor + carry;
    words[index] = product >>> 0;
    carry = Math.floor(product / twoTo32);
  }
}

/** All digits of an unsigned number of four words. */
function digitsOf(words: number[]): string {
  const [low = 0, middle = 0, high = 0, top = 0] = words;
  if (top === 0 && high === 0 && middle < 2 ** 21) return String(middle * twoTo32 + low);
  let rest = 0;
  for (let index = 3; index >= 0; index--) {
    const dividend = rest * twoTo32 + (words[index] ?? 0);
    words[index] = Math.floor(dividend / chunkFactor);
    rest = dividend - (words[index] ?? 0) * chunkFactor;
  }
  return digitsOf(words) + String(rest).padStart(chunkDigits, '0');
}

/** Two's complement of four words. */
function negate(words: number[]): void {
  let carry = 1;
  for (let index = 0; index < 4; index++) {
    const sum = (~(words[index] ?? 0) >>> 0) + carry;
    words[index] = sum >>> 0;
    carry = sum > 0xffff_ffff ? 1 : 0;
  }
}
