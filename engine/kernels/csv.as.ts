/**
 * CSV to columns, as RFC 4180 has it: fields between delimiters, in quotes where they have delimiters,
 * quotes (doubled) or line breaks in them, records that end with LF or CRLF.
 *
 *     1001,"a ""b""",2.5\n      fields   1001 → int64   a ""b"" → fixup (quotes to be single)   2.5 → float64
 *
 * The line break that ends a record is only known from its first byte on, so records are read one after
 * the other, and the last one of a span may turn out to be incomplete.
 */
import { plainCellAt, timeCellAt } from './cells.as';
import { storeView } from './inline.as';
import * as layout from './record-layout.as';
import { findInvalidUtf8 } from './text.as';

@inline const newline: u32 = 10;
@inline const carriageReturn: u32 = 13;

/** What `recordAt` answers instead of an address. */
@inline const isBad: usize = 0;
@inline const isIncomplete: usize = 1;

/** Flags of `fieldEnd` above the address. */
@inline const hasQuotes: u64 = 0x100000000;
@inline const hasHighBits: u64 = 0x200000000;

/** Layout and meaning: `parseCsv` in record-kernels.ts. */
export function parseCsv(from: usize, end: usize, isLast: u32, state: usize, firstRow: u32, rowsMax: u32): u32 {
  const columnCount = load<u32>(state, layout.stateColumnCount);
  const fixupsMax = load<u32>(state, layout.stateFixupsMax);
  const errorsMax = load<u32>(state, layout.stateErrorsMax);
  const rowStarts = <usize>load<u32>(state, layout.stateRowStarts);
  const limit = <usize>load<u32>(state, layout.stateLastStart);
  const skipsEmpty = load<u32>(state, layout.stateStepCount) > 1;
  let row = firstRow;
  let at = from;
  while (at < end && at < limit && row < rowsMax) {
    if (load<u32>(state, layout.stateFixupCount) + columnCount > fixupsMax) break;
    if (load<u32>(state, layout.stateErrorCount) == errorsMax) break;
    if (skipsEmpty) {
      const first = at + usize(load<u8>(at) == carriageReturn);
      if (first < end && load<u8>(first) == newline) {
        at = first + 1;
        continue;
      }
    }
    store<u32>(rowStarts + (<usize>row << 2), <u32>at);
    const fixupCount = load<u32>(state, layout.stateFixupCount);
    let next = recordAt(at, end, row, state);
    if (next > isIncomplete) {
      at = next;
      row++;
      continue;
    }
    layout.resetRow(state, row);
    store<u32>(state, fixupCount, layout.stateFixupCount);
    if (next == isIncomplete) {
      if (!isLast) break;
      layout.fail(state, layout.reasonOpenQuote, at);
      store<u32>(state, 0, layout.stateColumn);
    }
    next = badRecordEnd(at, end, state);
    if (next == isIncomplete) {
      if (!isLast) break;
      next = lineEnd(at, end);
    }
    layout.addError(state, at, next - usize(load<u8>(next - 1) == newline), <usize>load<u32>(state, layout.stateColumn));
    at = next;
  }
  store<u32>(state, <u32>at, layout.stateConsumed);
  return row;
}

/** Reads the record at `at` to the row; the address behind it, or `isBad`, or `isIncomplete`. */
function recordAt(at: usize, end: usize, row: u32, state: usize): usize {
  const fields = <usize>load<u32>(state, layout.stateSteps);
  const fieldCount = load<u32>(state, layout.stateStepCount);
  const delimiter = load<u32>(state, layout.stateDelimiter);
  const quote = load<u32>(state, layout.stateQuote);
  store<u32>(state, 0, layout.stateColumn);
  let field: u32 = 0;
  while (true) {
    const isQuoted = load<u8>(at) == quote;
    const start = at + usize(isQuoted);
    const found = isQuoted ? quotedEnd(start, end, quote) : plainEnd(start, end, delimiter, quote);
    let stop = <usize><u32>found;
    if (stop >= end) return isIncomplete;
    at = stop + usize(isQuoted);
    if (at >= end) return isIncomplete;
    let byte = <u32>load<u8>(at);
    if (byte == carriageReturn && isQuoted) {
      if (at + 1 >= end) return isIncomplete;
      byte = <u32>load<u8>(++at);
      if (byte != newline) return layout.fail(state, layout.reasonQuote, stop);
    }
    if (byte != delimiter && byte != newline) return layout.fail(state, layout.reasonQuote, stop);
    if (!isQuoted && byte == newline) stop -= usize(stop > start && load<u8>(stop - 1) == carriageReturn);
    if (field >= fieldCount) return layout.fail(state, layout.reasonTooManyFields, start);
    const column = <usize>load<u32>(fields + (<usize>field << 2));
    if (column != 0 && !fieldToCell(start, stop, column, row, state, isQuoted, found)) return isBad;
    at++;
    field++;
    if (byte == newline) break;
  }
  return addAbsent(field, fieldCount, at, row, state) ? at : isBad;
}

/** The address of the first delimiter, line break or quote; `end` or more where there is none. */
@inline function plainEnd(at: usize, end: usize, delimiter: u32, quote: u32): u64 {
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>newline);
  const quotes = i8x16.splat(<i8>quote);
  let high: u32 = 0;
  while (at < end) {
    const bytes = v128.load(at);
    const ends = v128.or(v128.or(i8x16.eq(bytes, delimiters), i8x16.eq(bytes, newlines)), i8x16.eq(bytes, quotes));
    const stops = <u32>i8x16.bitmask(ends);
    const highs = <u32>i8x16.bitmask(bytes);
    if (stops != 0) {
      high |= highs & (stops - 1) & ~stops;
      at += <usize>ctz(stops);
      break;
    }
    high |= highs;
    at += 16;
  }
  return <u64>at | (high != 0 ? hasHighBits : 0);
}

/** The address of the quote that closes the field; `end` or more where there is none. */
function quotedEnd(at: usize, end: usize, quote: u32): u64 {
  const quotes = i8x16.splat(<i8>quote);
  let high: u32 = 0;
  let flags: u64 = 0;
  while (at < end) {
    const bytes = v128.load(at);
    const stops = <u32>i8x16.bitmask(i8x16.eq(bytes, quotes));
    const highs = <u32>i8x16.bitmask(bytes);
    if (stops == 0) {
      high |= highs;
      at += 16;
      continue;
    }
    high |= highs & (stops - 1) & ~stops;
    at += <usize>ctz(stops);
    // Whether it is doubled is not known before the next byte is there.
    if (at + 1 >= end || load<u8>(at, 1) != quote) break;
    flags = hasQuotes;
    at += 2;
  }
  return <u64>at | flags | (high != 0 ? hasHighBits : 0);
}

/** Puts the field in [start, stop) into the column; false, and a reason, where it can't be. */
@inline function fieldToCell(start: usize, stop: usize, column: usize, row: u32, state: usize, isQuoted: bool, flags: u64): bool {
  const length = <u32>(stop - start);
  const kind = load<u32>(column, layout.columnKind);
  if (flags & hasHighBits) {
    const invalid = findInvalidUtf8(start, stop, state + layout.stateValue);
    if (invalid != 0) return layout.fail(state, layout.reasonNotUtf8, invalid) != 0;
  }
  if (!isQuoted && length == load<u32>(state, layout.stateNullLength) && isNullText(start, length, state)) {
    if (load<u32>(column, layout.columnValidity) != 0) {
      layout.setNull(column, kind, row);
      return true;
    }
    if (kind != layout.kindUtf8) {
      store<u32>(state, <u32>column, layout.stateColumn);
      return layout.fail(state, layout.reasonNull, start) != 0;
    }
  }
  if (kind == layout.kindUtf8) {
    if (flags & hasQuotes) layout.addFixup(state, column, layout.fixupCsvText, row, start, length);
    else storeView(<usize>load<u32>(column, layout.columnValues) + (<usize>row << 4), start, length);
    return true;
  }
  if (length > 0) {
    if (plainCellAt(start, column, row, state + layout.stateValue, false) == stop) return true;
    if (timeCellAt(start, column, row) == stop) return true;
  }
  // What a failed attempt left of a bool.
  layout.resetCell(column, row);
  const fixup = flags & hasQuotes ? layout.fixupCsvCell : layout.fixupCell;
  layout.addFixup(state, column, fixup, row, start, length);
  return true;
}

@inline function isNullText(at: usize, length: u32, state: usize): bool {
  const text = <usize>load<u32>(state, layout.stateNullText);
  for (let byte: usize = 0; byte < <usize>length; byte++) {
    if (load<u8>(at + byte) != load<u8>(text + byte)) return false;
  }
  return true;
}

/** Columns of fields that the record lacks become null; false where one may not be. */
@inline function addAbsent(field: u32, fieldCount: u32, at: usize, row: u32, state: usize): bool {
  const fields = <usize>load<u32>(state, layout.stateSteps);
  for (; field < fieldCount; field++) {
    const column = <usize>load<u32>(fields + (<usize>field << 2));
    if (column == 0) continue;
    if (load<u32>(column, layout.columnValidity) == 0) {
      store<u32>(state, <u32>column, layout.stateColumn);
      return layout.fail(state, layout.reasonMissing, at - 1) != 0;
    }
    layout.setNull(column, load<u32>(column, layout.columnKind), row);
  }
  return true;
}

/**
 * Behind the record that is bad. One whose quotes are wrong ends with its first line, for what comes
 * after it can't be told; of any other the quotes are right.
 */
function badRecordEnd(at: usize, end: usize, state: usize): usize {
  const reason = load<u32>(state, layout.stateReason);
  if (reason == layout.reasonQuote || reason == layout.reasonOpenQuote) return lineEnd(at, end);
  const delimiter = load<u32>(state, layout.stateDelimiter);
  const quote = load<u32>(state, layout.stateQuote);
  while (at < end) {
    const isQuoted = load<u8>(at) == quote;
    const start = at + usize(isQuoted);
    const found = isQuoted ? quotedEnd(start, end, quote) : plainEnd(start, end, delimiter, quote);
    at = <usize><u32>found + usize(isQuoted);
    if (at >= end) break;
    at += usize(isQuoted && load<u8>(at) == carriageReturn);
    if (at >= end) break;
    const byte = load<u8>(at);
    if (byte == newline) return at + 1;
    if (byte != delimiter) return lineEnd(at, end);
    at++;
  }
  return isIncomplete;
}

/** Behind the next line break, or `end`. */
function lineEnd(at: usize, end: usize): usize {
  const newlines = i8x16.splat(<i8>newline);
  while (at < end) {
    const ends = i8x16.bitmask(i8x16.eq(v128.load(at), newlines));
    if (ends != 0) return min<usize>(at + <usize>ctz(ends) + 1, end);
    at += 16;
  }
  return end;
}

/** Makes doubled quotes in [from, from + length) single, in place; the new length. */
export function undoubleQuotes(from: usize, length: u32, quote: u32): u32 {
  const end = from + length;
  let out = from;
  for (let at = from; at < end; at++) {
    const byte = load<u8>(at);
    store<u8>(out++, byte);
    at += usize(byte == quote);
  }
  return <u32>(out - from);
}
