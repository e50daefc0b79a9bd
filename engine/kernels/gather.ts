/** References of gather.as.ts: the same over plain arrays, one per batch. */

const batchRows = 8192;

/** Values of the rows with these numbers; a batch that is null has ones only. */
export function gatherAcross<Value>(
  batches: readonly (readonly Value[] | null)[],
  numbers: readonly number[],
  one: Value,
): Value[] {
  return numbers.map((number) => {
    const batch = batches[Math.floor(number / batchRows)] ?? null;
    return batch === null ? one : batch[number % batchRows]!;
  });
}

/** Rows before the first whose texts, with all before it, pass `bytesMax`. */
export function rowsWithTexts(sizes: readonly number[], bytesMax: number): number {
  let size = 0;
  const row = sizes.findIndex((each) => {
    size += each;
    return size > bytesMax;
  });
  return row < 0 ? sizes.length : row;
}
