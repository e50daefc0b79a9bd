/**
 * Where the record kernels find columns, state, fixups and errors in memory: the AssemblyScript side of
 * the layouts in record-kernels.ts. Only inlined functions and constants.
 */

/** A column's entry: 64 bytes, 64-byte aligned. */
@inline export const columnSize: usize = 64;
@inline export const columnKind: usize = 0;
@inline export const columnValues: usize = 4;
@inline export const columnValidity: usize = 8;
@inline export const columnName: usize = 12;
@inline export const columnNameLength: usize = 16;
/** Stamp of the line in which the column was seen last. */
@inline export const columnSeen: usize = 20;
@inline export const columnNulls: usize = 24;
@inline export const columnUnit: usize = 28;

@inline export const stateColumns: usize = 0;
@inline export const stateColumnCount: usize = 4;
@inline export const stateSteps: usize = 8;
@inline export const stateStepCount: usize = 12;
@inline export const stateFixups: usize = 16;
@inline export const stateFixupCount: usize = 20;
@inline export const stateFixupsMax: usize = 24;
@inline export const stateErrors: usize = 28;
@inline export const stateErrorCount: usize = 32;
@inline export const stateErrorsMax: usize = 36;
@inline export const stateStamp: usize = 40;
@inline export const stateCredit: usize = 44;
@inline export const stateConsumed: usize = 48;
@inline export const stateScratch: usize = 52;
@inline export const stateReason: usize = 56;
@inline export const stateAt: usize = 60;
@inline export const stateLastStart: usize = 64;
@inline export const stateDelimiter: usize = 68;
@inline export const stateNullText: usize = 72;
@inline export const stateNullLength: usize = 76;
@inline export const stateValue: usize = 80;
/** The column that the error is about, or 0. */
@inline export const stateColumn: usize = 88;
/** Stamp of the line of which the template was made. */
@inline export const stateLearnt: usize = 92;
@inline export const stateQuote: usize = 100;
/** Where each row's record begins: u32 by row. */
@inline export const stateRowStarts: usize = 96;

/** Kinds of columns. */
@inline export const kindUtf8: u32 = 1;
@inline export const kindInt64: u32 = 2;
@inline export const kindInt32: u32 = 3;
@inline export const kindFloat64: u32 = 4;
@inline export const kindBool: u32 = 5;
@inline export const kindTimestamp: u32 = 6;
@inline export const kindInt8: u32 = 7;
@inline export const kindInt16: u32 = 8;
@inline export const kindUint8: u32 = 9;
@inline export const kindUint16: u32 = 10;
@inline export const kindUint32: u32 = 11;
@inline export const kindFloat32: u32 = 12;
@inline export const kindDate: u32 = 13;
@inline export const kindDecimal: u32 = 14;
/** Bytes, lists, structs: left to fixups. */
@inline export const kindOther: u32 = 15;

/** What remains to be done with a value: the low bits of a fixup's column address. */
@inline export const fixupCell: u32 = 1;
@inline export const fixupJsonText: u32 = 2;
@inline export const fixupCsvText: u32 = 3;
@inline export const fixupCsvCell: u32 = 4;

/** Why a record is bad. */
@inline export const reasonSyntax: u32 = 1;
@inline export const reasonNotAnObject: u32 = 2;
@inline export const reasonMissing: u32 = 3;
@inline export const reasonNull: u32 = 4;
@inline export const reasonNotUtf8: u32 = 5;
@inline export const reasonTooDeep: u32 = 6;
@inline export const reasonAfterEnd: u32 = 7;
@inline export const reasonQuote: u32 = 8;
@inline export const reasonTooManyFields: u32 = 9;
@inline export const reasonOpenQuote: u32 = 10;

/** Notes why and where a record is bad; 0, so that callers can return it as "no address". */
@inline export function fail(state: usize, reason: u32, at: usize): usize {
  store<u32>(state, reason, stateReason);
  store<u32>(state, <u32>at, stateAt);
  return 0;
}

/** Notes what remains to be done with the value in [at, at + length). */
@inline export function addFixup(state: usize, column: usize, kind: u32, row: u32, at: usize, length: u32): void {
  const count = load<u32>(state, stateFixupCount);
  const fixup = <usize>load<u32>(state, stateFixups) + (<usize>count << 4);
  store<u32>(fixup, row);
  store<u32>(fixup, <u32>column | kind, 4);
  store<u32>(fixup, <u32>at, 8);
  store<u32>(fixup, length, 12);
  store<u32>(state, count + 1, stateFixupCount);
}

/** Notes a bad record; `column` 0 when it is about none. */
@inline export function addError(state: usize, start: usize, end: usize, column: usize): void {
  const count = load<u32>(state, stateErrorCount);
  const error = <usize>load<u32>(state, stateErrors) + (<usize>count << 4);
  store<u32>(error, <u32>start);
  store<u32>(error, <u32>end, 4);
  store<u32>(error, load<u32>(state, stateAt), 8);
  store<u32>(error, <u32>column | load<u32>(state, stateReason), 12);
  store<u32>(state, count + 1, stateErrorCount);
}

/** Makes the value null; the column is nullable. */
@inline export function setNull(column: usize, kind: u32, row: u32): void {
  const byte = <usize>load<u32>(column, columnValidity) + (row >> 3);
  store<u8>(byte, load<u8>(byte) & ~(<u8>1 << <u8>(row & 7)));
  store<u32>(column, load<u32>(column, columnNulls) + 1, columnNulls);
  if (kind == kindUtf8 || kind >= kindDecimal) {
    v128.store(<usize>load<u32>(column, columnValues) + (<usize>row << 4), i64x2.splat(0));
  }
}

/** A value that was not written yet: not null, and false. */
@inline export function resetCell(column: usize, row: u32): void {
  const bit = <u8>1 << <u8>(row & 7);
  const validity = <usize>load<u32>(column, columnValidity);
  if (validity != 0) store<u8>(validity + (row >> 3), load<u8>(validity + (row >> 3)) | bit);
  if (load<u32>(column, columnKind) == kindBool) {
    const byte = <usize>load<u32>(column, columnValues) + (row >> 3);
    store<u8>(byte, load<u8>(byte) & ~bit);
  }
}

export function resetRow(state: usize, row: u32): void {
  let column = <usize>load<u32>(state, stateColumns);
  const last = column + <usize>load<u32>(state, stateColumnCount) * columnSize;
  for (; column < last; column += columnSize) resetCell(column, row);
}
