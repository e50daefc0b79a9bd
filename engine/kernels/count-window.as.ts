/**
 * Kernels of windows by count: rows to the panes of their keys. A pane is a record as a session is
 * (engine/kernels/session.as.ts), with its number among those of its key in place of a start, and how many rows it has
 * in place of an end; a key's slot has the list of its panes, the newest first.
 *
 * A pane that is full gets no more rows, so it can be read later. Where windows are of one pane it leaves the list.
 */
import { rowAt } from './inline.as';
import { beginSession, takeRecord } from './session.as';

/** Panes that were on disk, in the order of their numbers, become the newest of their keys again. */
export function restorePanes(
  slots: usize, count: u32, cell: u32, numbers: usize, rows: usize, selection: usize, fromRow: u32, control: usize,
  keyEnd: u32, stride: u32, outRecords: usize,
): u32 {
  let index: u32 = 0;
  for (; index < count; index++) {
    const row = <usize>rowAt(selection, fromRow + index) << 3;
    const slot = <usize>load<u32>(slots + (<usize>index << 2));
    const record = takeRecord(control, stride);
    if (record == 0) break;
    const before = <usize>load<u32>(slot + cell);
    beginSession(record, slot, before, load<i64>(numbers + row), load<i64>(rows + row), keyEnd, stride);
    store<u32>(slot + cell, <u32>record);
    store<u32>(outRecords + (<usize>index << 2), <u32>record);
  }
  return index;
}

export function assignCounts(
  slots: usize, count: u32, cell: u32, paneRows: u32, isAlone: u32, control: usize, keyEnd: u32, stride: u32,
  outRecords: usize, outFull: usize,
): u32 {
  let full = load<u32>(outFull);
  let index: u32 = 0;
  for (; index < count; index++) {
    const slot = <usize>load<u32>(slots + (<usize>index << 2));
    let record = <usize>load<u32>(slot + cell);
    if (record == 0 || load<i64>(record + keyEnd, 8) == <i64>paneRows) {
      const last = record;
      record = takeRecord(control, stride);
      if (record == 0) break;
      const number = last == 0 ? 0 : load<i64>(last + keyEnd) + 1;
      beginSession(record, slot, last, number, 0, keyEnd, stride);
      store<u32>(slot + cell, <u32>record);
    }
    const rows = load<i64>(record + keyEnd, 8) + 1;
    store<i64>(record + keyEnd, rows, 8);
    if (rows == <i64>paneRows) {
      full++;
      store<u32>(outFull + (<usize>full << 2), <u32>record);
      if (isAlone) store<u32>(slot + cell, 0);
    }
    store<u32>(outRecords + (<usize>index << 2), <u32>record);
  }
  store<u32>(outFull, full);
  return index;
}
