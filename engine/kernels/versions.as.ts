/**
 * Version kernels: the versions of each key by time, as a search tree of rows. A version has a time, and a tie that
 * says which of several at one time is the later one.
 *
 *     roots[key] ──▶ row at 12 ─┬─ left  ──▶ row at 5 ─ right ──▶ row at 9      the version at 10 is that of 9
 *                               └─ right ──▶ row at 20
 *
 * A tree is a treap: rows are in order from left to right, and a priority, which is a hash of the row's number, falls
 * from the root on. So it is as deep as a tree of rows in random order, whatever order they come in.
 *
 * Layout of a table (u32 addresses): 0 times (i64 by row), 4 ties (u32), 8 children (two u32), 12 roots (u32 by key). Links are
 * row numbers and one; 0 is none.
 */

@inline function priorityOf(row: u32): u32 {
  let hash = (row + 1) * 0x9e3779b1;
  hash = (hash ^ (hash >>> 15)) * 0x85ebca77;
  return hash ^ (hash >>> 13);
}

@inline function isBefore(times: usize, ties: usize, row: u32, other: u32): bool {
  const time = load<i64>(times + (<usize>row << 3));
  const otherTime = load<i64>(times + (<usize>other << 3));
  if (time != otherTime) return time < otherTime;
  const tie = load<u32>(ties + (<usize>row << 2));
  const otherTie = load<u32>(ties + (<usize>other << 2));
  return tie == otherTie ? row < other : tie < otherTie;
}

/** The last version at a time or before, as a link. */
@inline function versionAt(times: usize, children: usize, root: u32, time: i64): u32 {
  let found: u32 = 0;
  let link = root;
  while (link != 0) {
    const row = <usize>(link - 1);
    const isFound = load<i64>(times + (row << 3)) <= time;
    if (isFound) found = link;
    link = load<u32>(children + (row << 3) + (<usize>isFound << 2));
  }
  return found;
}

/** Whether a version is not older than the tolerance, which is below 0 where there is none. */
@inline function isFresh(version: i64, time: i64, tolerance: f64): bool {
  return tolerance < 0 || <u64>time - <u64>version <= <u64>tolerance;
}

export function insertVersions(table: usize, groups: usize, first: u32, count: u32): void {
  const times = <usize>load<u32>(table);
  const ties = <usize>load<u32>(table, 4);
  const children = <usize>load<u32>(table, 8);
  const roots = <usize>load<u32>(table, 12);
  for (let index: u32 = 0; index < count; index++) {
    const row = first + index;
    const priority = priorityOf(row);
    let place = roots + (<usize>load<u32>(groups + (<usize>index << 2)) << 2);
    let link = load<u32>(place);
    while (link != 0 && priorityOf(link - 1) >= priority) {
      place = children + (<usize>(link - 1) << 3) + (<usize>isBefore(times, ties, link - 1, row) << 2);
      link = load<u32>(place);
    }
    store<u32>(place, row + 1);
    // What was below is divided: what is before the row, and what is behind it.
    let before = children + (<usize>row << 3);
    let behind = before + 4;
    while (link != 0) {
      const other = children + (<usize>(link - 1) << 3);
      if (isBefore(times, ties, link - 1, row)) {
        store<u32>(before, link);
        before = other + 4;
        link = load<u32>(before);
      } else {
        store<u32>(behind, link);
        behind = other;
        link = load<u32>(behind);
      }
    }
    store<u32>(before, 0);
    store<u32>(behind, 0);
  }
}

export function findVersions(
  table: usize, groups: usize, rows: usize, rowTimes: usize, count: u32, tolerance: f64, nullNumber: u32,
  outRows: usize, outNumbers: usize,
): u32 {
  const times = <usize>load<u32>(table);
  const children = <usize>load<u32>(table, 8);
  const roots = <usize>load<u32>(table, 12);
  const keepsAll = nullNumber != <u32>-1;
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const root = load<u32>(roots + (<usize>load<u32>(groups + (<usize>index << 2)) << 2));
    const time = load<i64>(rowTimes + (<usize>index << 3));
    const link = versionAt(times, children, root, time);
    const isThere = link != 0 && isFresh(load<i64>(times + (<usize>(link - 1) << 3)), time, tolerance);
    store<u32>(outRows + (<usize>found << 2), load<u32>(rows + (<usize>index << 2)));
    store<u32>(outNumbers + (<usize>found << 2), isThere ? link - 1 : nullNumber);
    found += u32(isThere || keepsAll);
  }
  return found;
}

export function liveVersions(
  table: usize, groups: usize, first: u32, count: u32, bound: f64, tolerance: f64, outRows: usize,
): u32 {
  const times = <usize>load<u32>(table);
  const children = <usize>load<u32>(table, 8);
  const roots = <usize>load<u32>(table, 12);
  const least = <i64>bound;
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = first + index;
    const time = load<i64>(times + (<usize>row << 3));
    let isLive = time >= least;
    if (!isLive && isFresh(time, least, tolerance)) {
      const root = load<u32>(roots + (<usize>load<u32>(groups + (<usize>row << 2)) << 2));
      isLive = versionAt(times, children, root, least) == row + 1;
    }
    store<u32>(outRows + (<usize>found << 2), index);
    found += u32(isLive);
  }
  return found;
}
