/**
 * Key groups: the unit in which keyed state moves between tasks when a job is rescaled. A hash says
 * the key group, a range of key groups belongs to each task:
 *
 *     hash (u32) ──high 7 bits──▶ key group 0..127 ──table──▶ partition, the task that owns it
 *
 * The high bits, because tables place a key by the low ones: the keys of one task then still spread
 * over its whole table. The kernel `partitionRows` does the same with the table made here.
 */
import { assert } from '../../base/assert.ts';

/** Key groups of every job; also the highest parallelism of a keyed operator. */
export const keyGroupCount = 128;

/** The key group of a hash as the hash kernels give it (u32, also when read as a negative i32). */
export function keyGroupOf(hash: number): number {
  return hash >>> 25;
}

/**
 * Returns the key groups that one task owns.
 *
 * Over all tasks the ranges tile `[0, groupCount)`: no gap, no overlap, sizes within one.
 *
 * @param groupCount - Key groups of the job, 1 to 32,768; fixed when the job is submitted.
 * @param parallelism - Tasks of the operator, 1 to `groupCount`; the planner has checked this.
 * @param taskIndex - This task, 0-based.
 * @returns A half-open range `start <= keyGroup < end`, never empty.
 * @throws An assertion error on arguments out of range: that is a bug in the caller.
 * @example `keyGroupRangeOf(128, 3, 0)` is `{ start: 0, end: 43 }`.
 * @see Apache Flink, `KeyGroupRangeAssignment`: the same split, there with an inclusive end.
 */
export function keyGroupRangeOf(groupCount: number, parallelism: number, taskIndex: number) {
  assert(1 <= parallelism && parallelism <= groupCount, 'parallelism is within 1 and key groups');
  assert(0 <= taskIndex && taskIndex < parallelism, 'taskIndex is below the parallelism');
  const start = Math.ceil((taskIndex * groupCount) / parallelism);
  const end = Math.ceil(((taskIndex + 1) * groupCount) / parallelism);
  return { start, end };
}

/** The partition of each of the 128 key groups, as `partitionRows` reads it. */
export function partitionOfKeyGroups(parallelism: number): Uint16Array<ArrayBuffer> {
  const partitions = new Uint16Array(keyGroupCount);
  for (let taskIndex = 0; taskIndex < parallelism; taskIndex++) {
    const { start, end } = keyGroupRangeOf(keyGroupCount, parallelism, taskIndex);
    partitions.fill(taskIndex, start, end);
  }
  return partitions;
}
