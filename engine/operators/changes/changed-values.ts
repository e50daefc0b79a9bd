/**
 * Changed values: which rows of a column differ from other rows of it, as they lie in memory; of texts and bytes what
 * their views point to.
 */
import type { Column } from '../../batch/batch.ts';
import { inlineSizeMax, utf8ViewSize } from '../../batch/utf8-view.ts';
import type { SlotMemory } from '../../memory/slot-memory.ts';
import { layoutOf, valueSizeOf } from '../../schema/field-type.ts';

export interface RowPairs {
  /** Row n is compared with row n + `distance`. */
  readonly distance: number;
  readonly count: number;
}

/** Sets `changed[n]` to 1 where the two rows differ; leaves it where they don't. */
export function markChanged(
  memory: SlotMemory,
  column: Column,
  pairs: RowPairs,
  changed: Uint8Array,
): void {
  const { count, distance } = pairs;
  const { values, validity } = column;
  const isView = layoutOf(column.type) === 'view';
  const differ = isView
    ? viewsDiffer(memory, values)
    : differOf(memory, values, valueSizeOf(column.type));
  for (let row = 0; row < count; row++) {
    if (changed[row] === 1) continue;
    const other = row + distance;
    if (validity !== 0) {
      const isPresent = bitOf(memory, validity, row);
      if (isPresent !== bitOf(memory, validity, other)) changed[row] = 1;
      if (!isPresent) continue;
    }
    if (differ(row, other)) changed[row] = 1;
  }
}

function bitOf({ bytes }: SlotMemory, bitmap: number, row: number): boolean {
  return (((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1;
}

/** Compares lengths and first bytes, and where these are the same all bytes. */
function viewsDiffer({ uint32, bytes }: SlotMemory, values: number): Differ {
  return (row, other) => {
    const left = (values + row * utf8ViewSize) >>> 2;
    const right = (values + other * utf8ViewSize) >>> 2;
    const length = uint32[left] ?? 0;
    if (length !== uint32[right]) return true;
    if (uint32[left + 2] !== uint32[right + 2] || uint32[left + 3] !== uint32[right + 3])
      return true;
    if (length <= inlineSizeMax) return false;
    const own = uint32[left + 1] ?? 0;
    const others = uint32[right + 1] ?? 0;
    for (let at = inlineSizeMax; at < length; at++) {
      if (bytes[own + at] !== bytes[others + at]) return true;
    }
    return false;
  };
}

type Differ = (row: number, other: number) => boolean;

/** Compares by bits, bytes, or words of 4 bytes. */
function differOf(memory: SlotMemory, values: number, size: number): Differ {
  if (size === 0)
    return (row, other) => bitOf(memory, values, row) !== bitOf(memory, values, other);
  const words = size < 4 ? memory.bytes : memory.uint32;
  const start = size < 4 ? values : values >>> 2;
  const length = size < 4 ? size : size >>> 2;
  return (row, other) => {
    const [left, right] = [start + row * length, start + other * length];
    for (let at = 0; at < length; at++) if (words[left + at] !== words[right + at]) return true;
    return false;
  };
}
