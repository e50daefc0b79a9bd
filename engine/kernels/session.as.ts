/**
 * Session kernels: rows to the open sessions of their keys. A session is a record of the form of a group's slot, so
 * that accumulators and results are those of groups; a key's slot has the list of its open records.
 *
 *     record   0 u32 state · 4 flags and size of the key · 8 key · i64 start · i64 last · u32 next · u32 link · cells
 *     key      slot … u32 first record, at `cell`
 *
 * A row joins a record when it is no further than the gap from it. One that closes the space between two makes one
 * session of them: the other record is taken out of the list and linked to the first. Its cells stay as they are,
 * and are merged when the session comes out: that is rare, and needs no merging of cells in place.
 */
import { rowAt } from './inline.as';
import { momentMs } from './window.as';

@inline const free: u32 = 0;
/** With rows that have not come out. */
@inline const touched: u32 = 1;
@inline const fired: u32 = 2;
@inline const linked: u32 = 3;

@inline function startOf(record: usize, keyEnd: u32): i64 {
  return load<i64>(record + keyEnd);
}

@inline function lastOf(record: usize, keyEnd: u32): i64 {
  return load<i64>(record + keyEnd, 8);
}

@inline function nextOf(record: usize, keyEnd: u32): usize {
  return <usize>load<u32>(record + keyEnd, 16);
}

@inline function linkOf(record: usize, keyEnd: u32): usize {
  return <usize>load<u32>(record + keyEnd, 20);
}

@inline function noteDue(control: usize, due: i64): void {
  if (due < load<i64>(control, 16)) store<i64>(control, due, 16);
}

export function assignSessions(
  slots: usize, count: u32, cell: u32, starts: usize, lasts: usize, selection: usize, fromRow: u32, unitsPerMs: u32,
  gapMs: f64, overMs: f64, control: usize, keyEnd: u32, stride: u32, outRecords: usize, outLate: usize,
): u32 {
  const gap = <i64>gapMs;
  const over = <i64>overMs;
  const dummy = load<u32>(control, 12);
  let late = load<u32>(control, 24);
  let index: u32 = 0;
  for (; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const start = momentMs(starts, row, unitsPerMs);
    const last = lasts == starts ? start : momentMs(lasts, row, unitsPerMs);
    const head = <usize>load<u32>(slots + (<usize>index << 2)) + cell;
    const first = <usize>load<u32>(head);
    let record = first;
    while (record != 0) {
      if (start <= lastOf(record, keyEnd) + gap && startOf(record, keyEnd) <= last + gap) break;
      record = nextOf(record, keyEnd);
    }
    if (record == 0) {
      if (last + gap <= over) {
        store<u32>(outLate + (<usize>late << 2), row);
        late++;
        store<u32>(outRecords + (<usize>index << 2), dummy);
        continue;
      }
      record = takeRecord(control, stride);
      if (record == 0) break;
      beginSession(record, head - cell, first, start, last, keyEnd, stride);
      store<u32>(head, <u32>record);
      noteDue(control, last + gap);
    } else {
      if (start < startOf(record, keyEnd)) store<i64>(record + keyEnd, start);
      if (last > lastOf(record, keyEnd)) store<i64>(record + keyEnd, last, 8);
      if (load<u32>(record) != touched) {
        store<u32>(record, touched);
        noteDue(control, lastOf(record, keyEnd) + gap);
      }
      if (nextOf(first, keyEnd) != 0) closeSpaces(head, record, keyEnd, gap);
    }
    store<u32>(outRecords + (<usize>index << 2), <u32>record);
  }
  store<u32>(control, late, 24);
  return index;
}

export function takeRecord(control: usize, stride: u32): usize {
  const record = load<u32>(control);
  const used = load<u32>(control, 28) + 1;
  if (record != 0) {
    store<u32>(control, used, 28);
    // A free record has the next one where its key was.
    store<u32>(control, load<u32>(record, 8));
    return record;
  }
  const fresh = load<u32>(control, 4);
  if (fresh + stride > load<u32>(control, 8)) return 0;
  store<u32>(control, fresh + stride, 4);
  store<u32>(control, used, 28);
  return fresh;
}

export function beginSession(
  record: usize, slot: usize, next: usize, start: i64, last: i64, keyEnd: u32, stride: u32,
): void {
  store<u32>(record, touched);
  store<u32>(record, load<u32>(slot, 4), 4);
  for (let byte: u32 = 8; byte < keyEnd; byte += 8) store<u64>(record + byte, load<u64>(slot + byte));
  store<i64>(record + keyEnd, start);
  store<i64>(record + keyEnd, last, 8);
  store<u32>(record + keyEnd, <u32>next, 16);
  store<u32>(record + keyEnd, 0, 20);
  for (let byte = keyEnd + 24; byte < stride; byte += 8) store<u64>(record + byte, 0);
}

/** Links the records of a key that are no further from one of them than the gap. */
function closeSpaces(head: usize, record: usize, keyEnd: u32, gap: i64): void {
  let place = head;
  let other = <usize>load<u32>(head);
  while (other != 0) {
    const next = nextOf(other, keyEnd);
    const isNear =
      other != record &&
      startOf(other, keyEnd) <= lastOf(record, keyEnd) + gap &&
      startOf(record, keyEnd) <= lastOf(other, keyEnd) + gap;
    if (!isNear) {
      place = other + keyEnd + 16;
      other = next;
      continue;
    }
    store<u32>(place, <u32>next);
    linkTo(record, other, keyEnd);
    // What has grown may be near to those before.
    place = head;
    other = <usize>load<u32>(head);
  }
}

function linkTo(record: usize, other: usize, keyEnd: u32): void {
  store<i64>(record + keyEnd, min<i64>(startOf(record, keyEnd), startOf(other, keyEnd)));
  store<i64>(record + keyEnd, max<i64>(lastOf(record, keyEnd), lastOf(other, keyEnd)), 8);
  let end = other;
  while (true) {
    store<u32>(end, linked);
    const link = linkOf(end, keyEnd);
    if (link == 0) break;
    end = link;
  }
  store<u32>(end + keyEnd, <u32>linkOf(record, keyEnd), 20);
  store<u32>(record + keyEnd, <u32>other, 20);
}

export function dueSessions(
  records: usize, count: u32, stride: u32, keyEnd: u32, gapMs: f64, watermarkMs: f64, latenessMs: f64, control: usize,
  outDue: usize, outOver: usize, counts: usize,
): void {
  const gap = <i64>gapMs;
  const watermark = <i64>watermarkMs;
  const lateness = <i64>latenessMs;
  let due = load<u32>(counts);
  let over = load<u32>(counts, 4);
  let next = load<i64>(control, 16);
  for (let index: u32 = 0; index < count; index++) {
    const record = records + <usize>index * stride;
    const state = load<u32>(record);
    if (state == free || state == linked) continue;
    const end = lastOf(record, keyEnd) + gap;
    if (state == touched) {
      if (end <= watermark) {
        store<u32>(outDue + (<usize>due << 2), <u32>record);
        due++;
      } else next = min<i64>(next, end);
    } else if (end + lateness <= watermark) {
      store<u32>(outOver + (<usize>over << 2), <u32>record);
      over++;
    } else next = min<i64>(next, end + lateness);
  }
  store<u32>(counts, due);
  store<u32>(counts, over, 4);
  store<i64>(control, next, 16);
}

/** Sessions of one record to `outSingles`, all records of others to `outLinked`, each with the session's bounds. */
export function divideSessions(
  list: usize, count: u32, keyEnd: u32, outSingles: usize, outLinked: usize, counts: usize,
): void {
  let singles: u32 = 0;
  let several: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const record = <usize>load<u32>(list + (<usize>index << 2));
    if (linkOf(record, keyEnd) == 0) {
      store<u32>(outSingles + (<usize>singles << 2), <u32>record);
      singles++;
      continue;
    }
    for (let part = record; part != 0; part = linkOf(part, keyEnd)) {
      store<i64>(part + keyEnd, startOf(record, keyEnd));
      store<i64>(part + keyEnd, lastOf(record, keyEnd), 8);
      store<u32>(outLinked + (<usize>several << 2), <u32>part);
      several++;
    }
  }
  store<u32>(counts, singles);
  store<u32>(counts, several, 4);
}

export function sessionBounds(
  list: usize, count: u32, keyEnd: u32, beyondMs: f64, outStarts: usize, outEnds: usize,
): void {
  const beyond = <i64>beyondMs;
  for (let index: u32 = 0; index < count; index++) {
    const record = <usize>load<u32>(list + (<usize>index << 2));
    store<i64>(outStarts + (<usize>index << 3), startOf(record, keyEnd));
    store<i64>(outEnds + (<usize>index << 3), lastOf(record, keyEnd) + beyond);
  }
}

/**
 * Sessions that have come out: those that are over are taken out of their keys' lists and are free again; others are
 * marked. `slots` are those of their keys.
 */
export function retireSessions(
  slots: usize, list: usize, count: u32, cell: u32, keyEnd: u32, overMs: f64, control: usize,
): void {
  const over = <i64>overMs;
  let freed: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const record = <usize>load<u32>(list + (<usize>index << 2));
    if (lastOf(record, keyEnd) > over) {
      store<u32>(record, fired);
      noteDue(control, lastOf(record, keyEnd) + load<i64>(control, 32));
      continue;
    }
    let place = <usize>load<u32>(slots + (<usize>index << 2)) + cell;
    while (<usize>load<u32>(place) != record) place = <usize>load<u32>(place) + keyEnd + 16;
    store<u32>(place, <u32>nextOf(record, keyEnd));
    let part = record;
    while (part != 0) {
      const link = linkOf(part, keyEnd);
      store<u32>(part, free);
      store<u32>(part, load<u32>(control), 8);
      store<u32>(control, <u32>part);
      freed++;
      part = link;
    }
  }
  store<u32>(control, load<u32>(control, 28) - freed, 28);
}

/** Records to the lists of their keys' slots in a new table, whose copies of the keys they take. */
export function relinkSessions(slots: usize, list: usize, count: u32, cell: u32, keyEnd: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const record = <usize>load<u32>(list + (<usize>index << 2));
    const slot = <usize>load<u32>(slots + (<usize>index << 2));
    for (let part = record; part != 0; part = linkOf(part, keyEnd)) {
      for (let byte: u32 = 8; byte < keyEnd; byte += 8) store<u64>(part + byte, load<u64>(slot + byte));
    }
    store<u32>(record + keyEnd, load<u32>(slot + cell), 16);
    store<u32>(slot + cell, <u32>record);
  }
}

/** The records that are in lists. */
export function openSessions(records: usize, count: u32, stride: u32, out: usize): u32 {
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const record = records + <usize>index * stride;
    const state = load<u32>(record);
    if (state != touched && state != fired) continue;
    store<u32>(out + (<usize>found << 2), <u32>record);
    found++;
  }
  return found;
}
