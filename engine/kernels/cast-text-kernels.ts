/**
 * The kernels of casts from and to texts as TypeScript sees them: one value at a time, called by compiled
 * expressions. A text is an address and a length in bytes. Conventions: engine/kernels/kernels.ts.
 */

/** Room that reading a text needs for the value and a copy. */
export const castScratchBytes = 80;
/** Room that writing a value needs, which is more than its text has. */
export const castTextBytes = 64;

export interface CastTextKernels {
  /**
   * Reads the value of a whole text to `scratch`; an int64, a float64, 16 bytes of a decimal, an int32.
   * @returns 1, or 0 for a text that is left to the reference.
   */
  integerOfText(text: number, length: number, scratch: number): number;
  floatOfText(text: number, length: number, scratch: number): number;
  /** `size`: the scale, and the precision shifted by 8 bits. */
  decimalOfText(text: number, length: number, scratch: number, size: number): number;
  dateOfText(text: number, length: number, scratch: number): number;
  timestampOfText(text: number, length: number, scratch: number, isMicros: number): number;
  boolOfText(text: number, length: number, scratch: number): number;
  /** Write the text of a value. @returns Count of bytes. */
  integerText(value: bigint, out: number): number;
  boolText(value: number, out: number): number;
  decimalText(low: bigint, high: bigint, scale: number, out: number): number;
  dateText(days: number, out: number): number;
  timestampText(value: bigint, isMicros: number, out: number): number;
  /** @returns 0 for all but whole numbers: these are left to the reference. */
  floatText(value: number, out: number): number;
}
