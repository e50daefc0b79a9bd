/**
 * What compiled programs call in JavaScript: functions whose last digit, or whose tables of letters,
 * must be those of the reference. Texts are addresses and lengths in the slot's memory; addresses come
 * as signed numbers.
 */
import { utf8SizeOf } from '../../batch/text-arena.ts';
import { decodeUtf8 } from '../../batch/utf8-view.ts';
import type { SlotMemory } from '../../memory/slot-memory.ts';
import type { HostName } from '../rules/rule-context.ts';

const encoder = new TextEncoder();

/** The functions, by the names that programs import. */
export function hostFunctions({
  bytes,
}: SlotMemory): Record<HostName, (...args: never[]) => number> {
  /** Writes the text if it fits; answers how many bytes it takes. */
  const write = (text: string, out: number, end: number): number => {
    const [start, stop] = [out >>> 0, end >>> 0];
    const size = utf8SizeOf(text);
    if (size <= stop - start) encoder.encodeInto(text, bytes.subarray(start, stop));
    return size;
  };
  const read = (text: number, length: number): string => {
    const start = text >>> 0;
    return decodeUtf8(bytes.subarray(start, start + length));
  };
  return {
    exp: Math.exp,
    ln: Math.log,
    pow: Math.pow,
    lower: (text: number, length: number, out: number, end: number) =>
      write(read(text, length).toLowerCase(), out, end),
    upper: (text: number, length: number, out: number, end: number) =>
      write(read(text, length).toUpperCase(), out, end),
  };
}
