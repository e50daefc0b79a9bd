/**
 * What compiled programs call in JavaScript: functions whose last digit, or whose tables of letters,
 * must be those of the reference, and texts that kernels don't read. Texts are addresses and lengths in the slot's memory; addresses come
 * as signed numbers.
 */
import { utf8SizeOf } from '../../batch/text-arena.ts';
import { decodeUtf8 } from '../../batch/utf8-view.ts';
import { floatText, valueFromText } from '../../expr/cast-text.ts';
import type { SlotMemory } from '../../memory/slot-memory.ts';
import type { FieldType } from '../../schema/field-type.ts';
import { typeOfCastCode } from '../rules/cast-text-rule.ts';
import type { HostName } from '../rules/rule-context.ts';
import { formOf } from '../rules/value.ts';

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
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const casts = new Map<number, (text: string, out: number) => boolean>();
  const castOfCode = (castCode: number) => {
    const known = casts.get(castCode) ?? textCast(view, typeOfCastCode(castCode));
    casts.set(castCode, known);
    return known;
  };
  return {
    exp: Math.exp,
    ln: Math.log,
    pow: Math.pow,
    lower: (text: number, length: number, out: number, end: number) =>
      write(read(text, length).toLowerCase(), out, end),
    upper: (text: number, length: number, out: number, end: number) =>
      write(read(text, length).toUpperCase(), out, end),
    readText: (text: number, length: number, out: number, castCode: number) =>
      Number(castOfCode(castCode)(read(text, length), out >>> 0)),
    // A float has 25 characters at most.
    floatText: (value: number, out: number) => write(floatText(value), out, out + 32),
  };
}

/** Reads a text as the reference does, and writes the value where the program looks for it. */
function textCast(view: DataView, type: FieldType): (text: string, out: number) => boolean {
  const cast = valueFromText(type);
  const form = formOf(type);
  return (text, out) => {
    const value = cast?.(text);
    if (value === undefined || value === null) return false;
    if (form === 'f64') view.setFloat64(out, value as number, true);
    else if (form === 'i32') view.setInt32(out, Number(value), true);
    else view.setBigInt64(out, BigInt.asIntN(64, value as bigint), true);
    if (form === 'i128') view.setBigInt64(out + 8, (value as bigint) >> 64n, true);
    return true;
  };
}
