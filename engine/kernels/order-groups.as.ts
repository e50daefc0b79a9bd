/**
 * Order-groups kernels: rows brought together by group without a sort, by counting.
 *
 *     numberGroups   each row's group, by order of first arrival, and how many rows each has
 *     startsOfCounts where each group's rows begin
 *     placeByGroup   row numbers to their places; afterwards each start is the group's end
 *
 * Groups are in order of arrival, and so are the rows of each.
 */
import { rowAt } from './inline.as';

export function numberGroups(
  slots: usize, count: u32, offset: u32, groupCount: u32, outNumbers: usize, counts: usize,
): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const slot = <usize>load<u32>(slots + (<usize>index << 2));
    // 0 is a slot without a number: kept is the number plus one.
    let kept = load<u32>(slot + offset);
    if (kept == 0) {
      kept = ++groupCount;
      store<u32>(slot + offset, kept);
      store<u32>(counts + (<usize>(kept - 1) << 2), 0);
    }
    const place = counts + (<usize>(kept - 1) << 2);
    store<u32>(place, load<u32>(place) + 1);
    store<u32>(outNumbers + (<usize>index << 2), kept - 1);
  }
  return groupCount;
}

export function startsOfCounts(counts: usize, groupCount: u32, first: u32): u32 {
  for (let group: u32 = 0; group < groupCount; group++) {
    const place = counts + (<usize>group << 2);
    const count = load<u32>(place);
    store<u32>(place, first);
    first += count;
  }
  return first;
}

export function placeByGroup(
  numbers: usize, selection: usize, fromRow: u32, count: u32, firstNumber: u32, starts: usize, outRows: usize,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const place = starts + (<usize>load<u32>(numbers + (<usize>index << 2)) << 2);
    const at = load<u32>(place);
    store<u32>(place, at + 1);
    store<u32>(outRows + (<usize>at << 2), firstNumber + rowAt(selection, fromRow + index));
  }
}
