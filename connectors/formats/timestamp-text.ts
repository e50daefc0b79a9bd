/**
 * Timestamps as ISO 8601 in UTC: `2024-02-29T23:59:59.123Z`, with six digits of fraction for
 * microseconds. Always all digits, so that texts sort like times (years 0 to 9999; beyond, a sign and
 * six digits, as in JavaScript). What JavaScript's `Date` has no day for has no text here either.
 *
 * @see Howard Hinnant, "chrono-compatible low-level date algorithms": days to year, month, day.
 */

const dayMs = 86_400_000;
const dateMsMax = 8.64e15;
const twoTo32 = 2 ** 32;

/** The longest text: `+275760-09-13T00:00:00.000000Z`. */
export const timestampTextMax = 30;

/**
 * Writes the text of a timestamp to the beginning of `into`.
 *
 * @param high - The upper half of the int64, signed; `low` is the lower half, unsigned.
 * @param into - At least `timestampTextMax` bytes.
 * @returns The count of bytes written; 0 when the time is out of range.
 */
export function writeTimestamp(
  high: number,
  low: number,
  unit: 'ms' | 'us',
  into: Uint8Array,
): number {
  // Dividing half by half keeps every value below 2^53, so nothing is rounded.
  const highQuotient = unit === 'ms' ? high : Math.floor(high / 1000);
  const rest = unit === 'ms' ? low : (high - highQuotient * 1000) * twoTo32 + low;
  const ms = highQuotient * twoTo32 + (unit === 'ms' ? rest : Math.floor(rest / 1000));
  if (!(Math.abs(ms) <= dateMsMax)) return 0;
  const days = Math.floor(ms / dayMs);
  const msOfDay = ms - days * dayMs;
  let index = writeDate(days, into);
  into[index++] = 84; // T
  index = writePadded(into, index, Math.floor(msOfDay / 3_600_000), 2);
  into[index++] = 58; // :
  index = writePadded(into, index, Math.floor(msOfDay / 60_000) % 60, 2);
  into[index++] = 58;
  index = writePadded(into, index, Math.floor(msOfDay / 1000) % 60, 2);
  into[index++] = 46; // .
  index = writePadded(into, index, msOfDay % 1000, 3);
  if (unit === 'us') index = writePadded(into, index, rest % 1000, 3);
  into[index++] = 90; // Z
  return index;
}

/** Writes year, month and day of a count of days since 1970-01-01. */
function writeDate(days: number, into: Uint8Array): number {
  // Years begin in March here, so that the leap day is a year's last; 400 of them are an era.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  let index = writeYear(year, into);
  into[index++] = 45; // -
  index = writePadded(into, index, month, 2);
  into[index++] = 45;
  return writePadded(into, index, day, 2);
}

function writeYear(year: number, into: Uint8Array): number {
  if (year >= 0 && year <= 9999) return writePadded(into, 0, year, 4);
  into[0] = year < 0 ? 45 : 43;
  return writePadded(into, 1, Math.abs(year), 6);
}

function writePadded(into: Uint8Array, index: number, value: number, digits: number): number {
  let left = value;
  for (let at = index + digits - 1; at >= index; at--) {
    const next = Math.floor(left / 10);
    into[at] = 48 + (left - next * 10);
    left = next;
  }
  return index + digits;
}
