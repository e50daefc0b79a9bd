/**
 * NDJSON to columns. Lines of one file mostly have the same keys in the same order, with the same
 * spaces, so a line is read by a template first: the bytes from one value to the next are compared as
 * a whole, and only values are looked at.
 *
 *     {"auction":1001,"price":25}      template   {"auction":  ,"price":  }\n
 *                                      steps      int64 →  0   int64 →  1   end
 *
 * A line that differs is read again member by member, and from time to time the template is made anew
 * from such a line. Both ways accept the same lines and give the same values.
 *
 * A value that is JSON but not read here (a number with more digits than a double holds, a list, a text
 * for a number) becomes a fixup, and so does a text with escapes. A bad line becomes an error and is no row.
 */
import { plainCellAt, timeCellAt } from './cells.as';
import { hasEscapes, scalarEnd, skipSpaces, textEnd, unescapeJson, valueEnd } from './json-text.as';
import { keepBytes, storeView } from './inline.as';
import * as layout from './record-layout.as';

/** A step: column (0: none, 1: the line's end), length, count of vectors, 64 bytes, mask of the last vector. */
@inline const stepSize: usize = 96;
@inline const stepLiteral: usize = 16;
@inline const stepMask: usize = 80;
@inline const literalMax: u32 = 64;
@inline const stepsMax: u32 = 512;
@inline const endStep: u32 = 1;

/** What lines that fit the template earn, and lines that do not lose: below 0 it is made anew. */
@inline const creditMax: i32 = 64;
@inline const creditOfMiss: i32 = 4;
@inline const creditAtStart: i32 = 16;

/** Bytes in the scratch memory: bits of nested values, then the key that has escapes. */
@inline const scratchKey: usize = 128;
@inline const keyBytesMax: u32 = 1024;

/** Layout and meaning: `parseNdjson` in record-kernels.ts. */
export function parseNdjson(from: usize, end: usize, state: usize, firstRow: u32, rowsMax: u32): u32 {
  const columnCount = load<u32>(state, layout.stateColumnCount);
  const fixupsMax = load<u32>(state, layout.stateFixupsMax);
  const errorsMax = load<u32>(state, layout.stateErrorsMax);
  const rowStarts = <usize>load<u32>(state, layout.stateRowStarts);
  let row = firstRow;
  let at = from;
  while (at < end && row < rowsMax) {
    if (load<u32>(state, layout.stateFixupCount) + columnCount > fixupsMax) break;
    if (load<u32>(state, layout.stateErrorCount) == errorsMax) break;
    store<u32>(rowStarts + (<usize>row << 2), <u32>at);
    const next = lineByTemplate(at, row, state);
    if (next != 0) {
      at = next;
      row++;
    } else {
      row += lineByMembers(at, row, state);
      at = lineEnd(at) + 1;
    }
  }
  store<u32>(state, <u32>at, layout.stateConsumed);
  return row;
}

/** The address of the line break that ends the line. */
function lineEnd(at: usize): usize {
  const newline = i8x16.splat(10);
  while (true) {
    const ends = i8x16.bitmask(i8x16.eq(v128.load(at), newline));
    if (ends != 0) return at + <usize>ctz(ends);
    at += 16;
  }
}

/** Reads the line by the template; the address behind its line break, or 0 where it differs. */
@inline function lineByTemplate(start: usize, row: u32, state: usize): usize {
  let left = load<u32>(state, layout.stateStepCount);
  if (left == 0) return 0;
  let step = <usize>load<u32>(state, layout.stateSteps);
  const fixupCount = load<u32>(state, layout.stateFixupCount);
  let at = start;
  while (isLiteralAt(at, step)) {
    at += <usize>load<u32>(step, 4);
    const column = <usize>load<u32>(step);
    left--;
    step += stepSize;
    if (column == endStep) {
      for (; left > 0; left--, step += stepSize) {
        const absent = <usize>load<u32>(step);
        layout.setNull(absent, load<u32>(absent, layout.columnKind), row);
      }
      const credit = load<i32>(state, layout.stateCredit);
      store<i32>(state, credit + i32(credit < creditMax), layout.stateCredit);
      return at;
    }
    at = column == 0 ? scalarEnd(at, state) : cellAt(at, column, row, state);
    if (at == 0) break;
  }
  store<u32>(state, fixupCount, layout.stateFixupCount);
  store<i32>(state, load<i32>(state, layout.stateCredit) - creditOfMiss, layout.stateCredit);
  return 0;
}

@inline function isLiteralAt(at: usize, step: usize): bool {
  let vectors = load<u32>(step, 8);
  let literal = step + stepLiteral;
  while (vectors > 1) {
    if (v128.any_true(v128.xor(v128.load(at), v128.load(literal)))) return false;
    at += 16;
    literal += 16;
    vectors--;
  }
  const difference = v128.xor(v128.load(at), v128.load(literal));
  return !v128.any_true(v128.and(difference, v128.load(step, stepMask)));
}

/** The value of a column to its row; the address behind it, 0 where it is not read here. */
function cellAt(at: usize, column: usize, row: u32, state: usize): usize {
  const kind = load<u32>(column, layout.columnKind);
  const byte = <u32>load<u8>(at);
  if (byte == 34) {
    if (kind == layout.kindUtf8) return textCellAt(at + 1, column, row, state);
    const end = timeCellAt(at + 1, column, row);
    return end != 0 && load<u8>(end) == 34 ? end + 1 : 0;
  }
  const end = plainCellAt(at, column, row, state + layout.stateValue, true);
  if (end != 0) return end;
  if (load<u32>(at) != 0x6c6c756e || load<u32>(column, layout.columnValidity) == 0) return 0;
  layout.setNull(column, kind, row);
  return at + 4;
}

@inline function textCellAt(start: usize, column: usize, row: u32, state: usize): usize {
  const found = textEnd(start, state);
  if (found == 0) return 0;
  const end = <usize><u32>found;
  const length = <u32>(end - start);
  if (found & hasEscapes) {
    layout.addFixup(state, column, layout.fixupJsonText, row, start, length);
  } else {
    storeView(<usize>load<u32>(column, layout.columnValues) + (<usize>row << 4), start, length);
  }
  return end + 1;
}

/** Reads the line member by member; 1, or 0 where it is empty, or bad and an error was added. */
function lineByMembers(start: usize, row: u32, state: usize): u32 {
  const at = skipSpaces(start);
  if (load<u8>(at) == 10) return 0;
  const isLearning = load<i32>(state, layout.stateCredit) < 0;
  if (isLearning) store<u32>(state, 0, layout.stateStepCount);
  const fixupCount = load<u32>(state, layout.stateFixupCount);
  store<u32>(state, load<u32>(state, layout.stateStamp) + 1, layout.stateStamp);
  store<u32>(state, 0, layout.stateColumn);
  layout.resetRow(state, row);
  const end = load<u8>(at) == 123 ? membersAt(at, start, row, state, isLearning) : layout.fail(state, layout.reasonNotAnObject, at);
  if (end != 0 && addAbsent(start, row, state)) return 1;
  layout.resetRow(state, row);
  store<u32>(state, fixupCount, layout.stateFixupCount);
  if (isLearning) store<u32>(state, 0, layout.stateStepCount);
  layout.addError(state, start, lineEnd(start), <usize>load<u32>(state, layout.stateColumn));
  return 0;
}

/** The members of the object that begins at `at`, up to the line break; its address, or 0. */
function membersAt(at: usize, start: usize, row: u32, state: usize, isLearning: bool): usize {
  let column: usize = 0;
  let literal = start;
  at = skipSpaces(at + 1);
  let hasMore = load<u8>(at) != 125;
  while (hasMore) {
    if (load<u8>(at) != 34) return layout.fail(state, layout.reasonSyntax, at);
    const key = textEnd(at + 1, state);
    if (key == 0) return 0;
    column = columnOf(at + 1, key, column, state);
    at = skipSpaces(<usize><u32>key + 1);
    if (load<u8>(at) != 58) return layout.fail(state, layout.reasonSyntax, at);
    at = skipSpaces(at + 1);
    if (isLearning) isLearning = learnStep(state, column, literal, at);
    if (column != 0) {
      if (isSeen(column, row, state) && isLearning) {
        // Of two members the last counts, which a template does not know.
        store<u32>(state, 0, layout.stateStepCount);
        isLearning = false;
      }
      at = memberAt(at, column, row, state);
    } else {
      at = valueEnd(at, state, <usize>load<u32>(state, layout.stateScratch));
    }
    if (at == 0) return 0;
    literal = at;
    at = skipSpaces(at);
    hasMore = load<u8>(at) == 44;
    if (hasMore) at = skipSpaces(at + 1);
    else if (load<u8>(at) != 125) return layout.fail(state, layout.reasonSyntax, at);
  }
  at = skipSpaces(at + 1);
  if (load<u8>(at) != 10) return layout.fail(state, layout.reasonAfterEnd, at);
  if (isLearning && learnStep(state, endStep, literal, at + 1)) store<i32>(state, creditAtStart, layout.stateCredit);
  return at;
}

/** The column of a key, 0 where there is none; after `before` comes, as a rule, the next. */
function columnOf(from: usize, key: u64, before: usize, state: usize): usize {
  let length = <u32>(<usize><u32>key - from);
  if (key & hasEscapes) {
    if (length > keyBytesMax) return 0;
    const copy = <usize>load<u32>(state, layout.stateScratch) + scratchKey;
    memory.copy(copy, from, length);
    length = unescapeJson(copy, length);
    from = copy;
  }
  const first = <usize>load<u32>(state, layout.stateColumns);
  const last = first + <usize>load<u32>(state, layout.stateColumnCount) * layout.columnSize;
  let column = before == 0 ? first : before + layout.columnSize;
  for (let turn = first; turn < last; turn += layout.columnSize) {
    if (column == last) column = first;
    if (load<u32>(column, layout.columnNameLength) == length) {
      if (isSameName(from, <usize>load<u32>(column, layout.columnName), length)) return column;
    }
    column += layout.columnSize;
  }
  return 0;
}

/** Names lie in memory with zeros up to a multiple of 8 bytes. */
@inline function isSameName(at: usize, name: usize, length: u32): bool {
  for (; length >= 8; length -= 8, at += 8, name += 8) {
    if (load<u64>(at) != load<u64>(name)) return false;
  }
  return length == 0 || keepBytes(load<u64>(at), length) == load<u64>(name);
}

/** Marks the column as seen in this line. If it was, what its earlier member left is taken back. */
function isSeen(column: usize, row: u32, state: usize): bool {
  const stamp = load<u32>(state, layout.stateStamp);
  if (load<u32>(column, layout.columnSeen) != stamp) {
    store<u32>(column, stamp, layout.columnSeen);
    return false;
  }
  layout.resetCell(column, row);
  const fixups = <usize>load<u32>(state, layout.stateFixups);
  let count = load<u32>(state, layout.stateFixupCount);
  for (let index = count; index > 0; index--) {
    const fixup = fixups + (<usize>(index - 1) << 4);
    if (load<u32>(fixup) != row) break;
    if (<usize>(load<u32>(fixup, 4) & ~63) != column) continue;
    // The last one takes its place; their order is nothing.
    count--;
    v128.store(fixup, v128.load(fixups + (<usize>count << 4)));
  }
  store<u32>(state, count, layout.stateFixupCount);
  return true;
}

/** The value of a column, whatever it is; the address behind it, or 0. */
function memberAt(at: usize, column: usize, row: u32, state: usize): usize {
  const fixupCount = load<u32>(state, layout.stateFixupCount);
  const isNull = load<u32>(at) == 0x6c6c756e;
  const end = cellAt(at, column, row, state);
  if (end != 0 && isDelimiter(load<u8>(end))) return end;
  store<u32>(state, fixupCount, layout.stateFixupCount);
  layout.resetCell(column, row);
  const whole = valueEnd(at, state, <usize>load<u32>(state, layout.stateScratch));
  if (whole == 0) return 0;
  if (isNull) {
    store<u32>(state, <u32>column, layout.stateColumn);
    return layout.fail(state, layout.reasonNull, at);
  }
  layout.addFixup(state, column, layout.fixupCell, row, at, <u32>(whole - at));
  return whole;
}

/** What may stand behind a value. */
@inline function isDelimiter(byte: u32): bool {
  return byte == 44 || byte == 125 || byte == 10 || byte == 32 || byte == 9 || byte == 13;
}

/** Columns that the line has no member for become null; false where one may not be. */
function addAbsent(start: usize, row: u32, state: usize): bool {
  const stamp = load<u32>(state, layout.stateStamp);
  const steps = load<u32>(state, layout.stateStepCount);
  const isLearnt = steps > 0 && load<u32>(state, layout.stateLearnt) == stamp;
  let column = <usize>load<u32>(state, layout.stateColumns);
  const last = column + <usize>load<u32>(state, layout.stateColumnCount) * layout.columnSize;
  for (; column < last; column += layout.columnSize) {
    if (load<u32>(column, layout.columnSeen) == stamp) continue;
    if (load<u32>(column, layout.columnValidity) == 0) {
      store<u32>(state, <u32>column, layout.stateColumn);
      layout.fail(state, layout.reasonMissing, start);
      return false;
    }
    layout.setNull(column, load<u32>(column, layout.columnKind), row);
    if (isLearnt) learnStep(state, column, start, start);
  }
  return true;
}

/** Adds a step to the template; false, and there is no template, where it would be too long. */
function learnStep(state: usize, column: usize, from: usize, to: usize): bool {
  const count = load<u32>(state, layout.stateStepCount);
  const length = <u32>(to - from);
  if (count == stepsMax || length > literalMax) {
    store<u32>(state, 0, layout.stateStepCount);
    return false;
  }
  const step = <usize>load<u32>(state, layout.stateSteps) + <usize>count * stepSize;
  const vectors = (length + 15) >> 4;
  store<u32>(step, <u32>column);
  store<u32>(step, length, 4);
  store<u32>(step, vectors, 8);
  for (let byte: usize = 0; byte < 64; byte += 16) v128.store(step + stepLiteral + byte, v128.load(from + byte));
  const inLast = length - ((vectors - 1) << 4);
  for (let byte: u32 = 0; byte < 16; byte++) store<u8>(step + stepMask + <usize>byte, byte < inLast ? 255 : 0);
  store<u32>(state, count + 1, layout.stateStepCount);
  store<u32>(state, load<u32>(state, layout.stateStamp), layout.stateLearnt);
  return true;
}
