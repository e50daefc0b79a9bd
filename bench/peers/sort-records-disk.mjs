/**
 * `sort-records-disk.mjs SORTED OUT`: what any sort on disk can't do without. The records are read, written
 * to a file, read back and written to the answer, a megabyte at a time; the answer is synced.
 */
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';

const [, , sortedPath, outPath] = process.argv;
const piece = new Uint8Array(1 << 20);

function copy(from, to, isSynced) {
  const input = openSync(from, 'r');
  const output = openSync(to, 'w');
  for (let size = readSync(input, piece); size > 0; size = readSync(input, piece)) {
    writeSync(output, piece, 0, size);
  }
  if (isSynced) fsyncSync(output);
  closeSync(output);
  closeSync(input);
}

copy(sortedPath, `${outPath}.spill`, false);
copy(`${outPath}.spill`, outPath, true);
rmSync(`${outPath}.spill`);
