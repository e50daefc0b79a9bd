/**
 * The rows of the checkpoint bench: keys as Arrow files, the same on every machine.
 *
 *     fill-…     each key once
 *     steady-…   keys drawn from a window that has moved on by all of itself after 20 million rows: whatever the speed, some
 *                more keys change in a second than the window has
 *
 * Two files one behind the other have the same window, for two tasks read two files at once. Keys of a window lie anywhere among
 * all of them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeVector, Table, tableToIPC } from 'apache-arrow';
import { prepareFolder } from './prepare-streams.ts';

export const checkpointSizes = {
  '1GB': { keys: 15_000_000, changed: 1_000_000, steadyFiles: 24, seconds: 20 },
  '100MB': { keys: 1_500_000, changed: 100_000, steadyFiles: 16, seconds: 10 },
  '10MB': { keys: 150_000, changed: 10_000, steadyFiles: 8, seconds: 5 },
} as const;
export type CheckpointSize = keyof typeof checkpointSizes;

const rowsPerFile = 5_000_000;
const rowsPerBatch = 65_536;
/** Rows until a window has no key that it had. */
const rowsPerWindow = 20_000_000;
/** Odd, and no factor of a count of keys. */
const scatter = 7_368_787;

/** The folder of the files. */
export function prepareKeys(size: CheckpointSize, say: (line: string) => void): string {
  const { keys, changed, steadyFiles } = checkpointSizes[size];
  return prepareFolder(`checkpoint-${size}`, (folder) => {
    say(`Making ${steadyFiles * rowsPerFile + keys} keys (once) …`);
    mkdirSync(folder, { recursive: true });
    for (let from = 0, file = 0; from < keys; from += rowsPerFile, file++) {
      const count = Math.min(rowsPerFile, keys - from);
      writeKeys(join(folder, nameOf('fill', file)), count, (row) => from + row);
    }
    let seed = 12_345;
    for (let file = 0; file < steadyFiles; file++) {
      const first = (file >> 1) * rowsPerFile;
      writeKeys(join(folder, nameOf('steady', file)), rowsPerFile, (row) => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        const inWindow = Math.floor((seed / 4_294_967_296) * changed);
        const window = Math.floor(((first + row) * 2 * changed) / rowsPerWindow);
        return (((window + inWindow) % keys) * scatter) % keys;
      });
    }
  });
}

function nameOf(kind: string, file: number): string {
  return `${kind}-${String(file).padStart(3, '0')}.arrow`;
}

function writeKeys(path: string, count: number, keyAt: (row: number) => number): void {
  const words = new Int32Array(count * 2);
  for (let row = 0; row < count; row++) words[row * 2] = keyAt(row);
  const keys = new BigInt64Array(words.buffer);
  const parts = Array.from({ length: Math.ceil(count / rowsPerBatch) }, (_, part) => {
    return new Table({
      key: makeVector(keys.subarray(part * rowsPerBatch, (part + 1) * rowsPerBatch)),
    });
  });
  const [first = new Table(), ...others] = parts;
  writeFileSync(path, tableToIPC(first.concat(...others), 'file'));
}
