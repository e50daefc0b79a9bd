/**
 * What tasks read of partitions whose sizes are known: small neighbours together, large ones in parts. Pure
 * arithmetic over lists of bytes.
 *
 *     3 3 3 3 20 3 3, about 6 for a task          ─▶  3 3 │ 3 3 │ 20 │ 3 3
 *     20 = 4 6 5 5 of four senders, parts of 10   ─▶  4 6 │ 5 5
 *
 * @see Apache Spark, ShufflePartitionsUtil (coalescing, splitting by map outputs) and OptimizeSkewedJoin
 */
import type { Span } from '../../engine/plan/map-output-read.ts';
import type { AdaptiveOptions } from './adaptive-options.ts';

/**
 * What a task should have to read: all slots get something as long as that is not too little, and a task does
 * not get too much.
 */
export function taskBytesOf(
  totalBytes: number,
  slotCount: number,
  { taskBytesMin, taskBytesMax }: AdaptiveOptions,
): number {
  return Math.min(taskBytesMax, Math.max(taskBytesMin, Math.ceil(totalBytes / slotCount)));
}

/** A group that is a smaller part of what it should have is not worth a task. */
const smallShare = 1 / 5;

/**
 * Neighbours together, in groups of about the same size: none has more than `groupBytes` by more than its largest
 * member and another fifth.
 */
export function groupsOf(bytes: readonly number[], groupBytes: number): Span[] {
  const groups: Group[] = [];
  for (const group of evenGroups(bytes, groupBytes)) {
    const last = groups.at(-1);
    const least = Math.min(last?.bytes ?? groupBytes, group.bytes);
    if (last === undefined || least >= groupBytes * smallShare) groups.push(group);
    else
      groups[groups.length - 1] = {
        from: last.from,
        to: group.to,
        bytes: last.bytes + group.bytes,
      };
  }
  return groups.map(({ from, to }) => ({ from, to }));
}

interface Group extends Span {
  readonly bytes: number;
}

/** By where the middle of each lies, among so many groups of one size as all of them would fill. */
function evenGroups(bytes: readonly number[], groupBytes: number): Group[] {
  const total = sumOf(bytes);
  const count = Math.max(1, Math.ceil(total / groupBytes));
  const groups: Group[] = [];
  let before = 0;
  let place = -1;
  for (const [index, size] of bytes.entries()) {
    const own = total === 0 ? 0 : Math.floor(((before + size / 2) / total) * count);
    const last = groups.at(-1);
    if (last === undefined || own > place) groups.push({ from: index, to: index + 1, bytes: size });
    else groups[groups.length - 1] = { from: last.from, to: index + 1, bytes: last.bytes + size };
    place = own;
    before += size;
  }
  return groups;
}

/** Indexes of those that are much larger than the median. */
export function skewedOf(
  bytes: readonly number[],
  { skewFactor, skewBytesMin }: AdaptiveOptions,
): ReadonlySet<number> {
  const limit = Math.max(skewBytesMin, medianOf(bytes) * skewFactor);
  return new Set(bytes.flatMap((size, index) => (size > limit ? [index] : [])));
}

/** What a part of a skewed partition should have: as much as one that is not skewed. */
export function partBytesOf(
  bytes: readonly number[],
  skewed: ReadonlySet<number>,
  { splitBytesMin }: AdaptiveOptions,
): number {
  const others = bytes.filter((_, index) => !skewed.has(index));
  return Math.max(splitBytesMin, sumOf(others) / Math.max(1, others.length));
}

export function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

/** The lower one of the two in the middle: of two partitions one may be skewed. */
function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
