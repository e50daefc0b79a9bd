/**
 * The partial matches of a key as bytes, which keyed state keeps.
 *
 *     u32 next row number · u32 count · f64 time of the timer (infinity: none)
 *     each: u8 stage · u8 · u16 · u32 count · u32 live · u32 rows · f64 first time · rows: u32 number, u8 stage each
 */
import type { PartialMatch } from './pattern-step.ts';

export interface KeyMatches {
  /** The number of the next row that is taken. */
  readonly nextNumber: number;
  /** When the timer of the key is set for. */
  readonly timerMs: number;
  readonly partials: readonly PartialMatch[];
}

export const noMatches: KeyMatches = {
  ...{ nextNumber: 0, timerMs: Number.POSITIVE_INFINITY, partials: [] },
};

const headBytes = 16;
const partialBytes = 24;
const rowBytes = 5;

export function encodeMatches({ nextNumber, timerMs, partials }: KeyMatches): Uint8Array {
  const rowCount = partials.reduce((sum, { rows }) => sum + rows.length, 0);
  const bytes = new Uint8Array(headBytes + partials.length * partialBytes + rowCount * rowBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, nextNumber, true);
  view.setUint32(4, partials.length, true);
  view.setFloat64(8, timerMs, true);
  let at = headBytes;
  for (const { stage, count, live, firstMs, rows, stages } of partials) {
    view.setUint8(at, stage);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, live, true);
    view.setUint32(at + 12, rows.length, true);
    view.setFloat64(at + 16, firstMs, true);
    at += partialBytes;
    for (let row = 0; row < rows.length; row++, at += rowBytes) {
      view.setUint32(at, rows[row] ?? 0, true);
      view.setUint8(at + 4, stages[row] ?? 0);
    }
  }
  return bytes;
}

export function decodeMatches(bytes: Uint8Array): KeyMatches {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(4, true);
  const partials: PartialMatch[] = [];
  let at = headBytes;
  for (let partial = 0; partial < count; partial++) {
    const rowCount = view.getUint32(at + 12, true);
    const head = {
      stage: view.getUint8(at),
      count: view.getUint32(at + 4, true),
      live: view.getUint32(at + 8, true),
      firstMs: view.getFloat64(at + 16, true),
    };
    at += partialBytes;
    const rows: number[] = [];
    const stages: number[] = [];
    for (let row = 0; row < rowCount; row++, at += rowBytes) {
      rows.push(view.getUint32(at, true));
      stages.push(view.getUint8(at + 4));
    }
    partials.push({ ...head, rows, stages });
  }
  return { nextNumber: view.getUint32(0, true), timerMs: view.getFloat64(8, true), partials };
}
