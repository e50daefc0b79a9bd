/** Partition kernel: a stable counting sort of row numbers by the partition of their key group. */

export function partitionRows(
  hashes: usize, rowCount: u32, partitionOfKeyGroup: usize, partitionCount: u32, outRows: usize, outStarts: usize,
): void {
  memory.fill(outStarts, 0, <usize>(partitionCount + 1) << 2);
  for (let row: u32 = 0; row < rowCount; row++) {
    const counter = outStarts + (<usize>partitionOf(hashes, row, partitionOfKeyGroup) << 2);
    store<u32>(counter, load<u32>(counter, 4) + 1, 4);
  }
  for (let partition: u32 = 1; partition <= partitionCount; partition++) {
    const counter = outStarts + (<usize>partition << 2);
    store<u32>(counter, load<u32>(counter) + load<u32>(counter - 4));
  }
  // Each start walks to its end while rows are placed; afterwards all move up by one place.
  for (let row: u32 = 0; row < rowCount; row++) {
    const counter = outStarts + (<usize>partitionOf(hashes, row, partitionOfKeyGroup) << 2);
    const place = load<u32>(counter);
    store<u32>(counter, place + 1);
    store<u32>(outRows + (<usize>place << 2), row);
  }
  memory.copy(outStarts + 4, outStarts, <usize>partitionCount << 2);
  store<u32>(outStarts, 0);
}

@inline function partitionOf(hashes: usize, row: u32, partitionOfKeyGroup: usize): u32 {
  const keyGroup = load<u32>(hashes + (<usize>row << 2)) >>> 25;
  return load<u16>(partitionOfKeyGroup + (<usize>keyGroup << 1));
}
