/**
 * Micro benchmark of the kernels: `node bench/micro/kernels.ts [TEXT_FILE]`. No test: it prints.
 *
 * Expectation, one thread. A word of English text has 7.5 bytes with what is between; tokenising it
 * costs some 10 instructions and half a mispredicted branch (5 ns), finding its group a hash, a load
 * from the second or third cache and a mispredicted length now and then (10 ns), counting 1 ns: some
 * 16 ns per word, 0.4 GB/s; the goal is 0.25. A million distinct int64 keys do not fit any cache: one
 * miss per row, several at a time, 15 to 25 ns. Sorting a million rows is 20 passes of 3 to 5 ns.
 */
import { readFileSync } from 'node:fs';
import { GroupTable } from '../../engine/kernels/group-table.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { RadixBuffer } from '../../engine/kernels/radix-buffer.ts';
import { SortBuffer } from '../../engine/kernels/sort-buffer.ts';
import { tokeniseLayout } from '../../engine/kernels/text-kernels.ts';
import { addressOf, type MemoryScope, SlotMemory } from '../../engine/memory/slot-memory.ts';

const batchRows = 8192;
const runs = 5;
const textBytes = 64 * 1024 * 1024;

/** CPU time of this thread: other processes on the machine disturb it least. */
function cpuNanoseconds(): number {
  return process.threadCpuUsage().user * 1000;
}

/** One run's nanoseconds, by part. */
type Parts = Record<string, number>;

/** Numbers that look random and are the same every time. */
function makeRandom(): () => number {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** Lines of words whose frequencies fall as their rank grows, as in English. */
function makeText(bytes: Uint8Array): void {
  const random = makeRandom();
  const vocabulary = Array.from({ length: 100_000 }, (_, rank) => {
    const length = rank < 200 ? 1 + (rank % 5) : 3 + Math.floor(random() * 9);
    const letters = Array.from({ length }, () => 97 + Math.floor(random() * 26));
    return Uint8Array.from(letters);
  });
  let at = 0;
  for (let words = 1; at < bytes.length - 16; words++) {
    const word = vocabulary[Math.floor(vocabulary.length ** random())] ?? vocabulary[0];
    if (word === undefined) return;
    bytes.set(word, at);
    at += word.length;
    if (random() < 0.06) bytes[at++] = 44;
    bytes[at++] = words % 12 === 0 ? 10 : 32;
  }
  bytes.fill(10, at);
}

/** Splits, tokenises, groups and counts a text in batches, and says what each part took. */
function countWords(scope: MemoryScope, kernels: Kernels, from: number, end: number): Parts {
  const parts: Parts = { 'check utf8': 0, 'split lines': 0, tokenise: 0, 'group and count': 0 };
  const room = scope.allocate(batchRows * 16 * 2 + 4096 + 256 * 1024);
  const lines = addressOf(room);
  const words = lines + batchRows * 16;
  const state = words + batchRows * 16;
  const result = state + 64;
  const bytesOut = state + 4096;
  const accumulators = [{ function: 'count', type: 'int64' }] as const;
  const table = new GroupTable(scope, kernels, { keyForm: 'view', accumulators });
  const { uint32 } = scope.memory;
  const time = <Result>(part: string, work: () => Result): Result => {
    const start = cpuNanoseconds();
    const value = work();
    parts[part] = (parts[part] ?? 0) + cpuNanoseconds() - start;
    return value;
  };
  let wordCount = 0;
  for (let piece = from; piece < end; piece += 1 << 20) {
    time('check utf8', () =>
      kernels.findInvalidUtf8(piece, Math.min(piece + (1 << 20), end), result),
    );
  }
  for (let at = from; at < end; ) {
    const rows = time('split lines', () =>
      kernels.splitLines(at, end, 1, lines, batchRows, result),
    );
    at = uint32[result >>> 2] ?? end;
    uint32.fill(0, state >>> 2, (state + tokeniseLayout.size) >>> 2);
    while ((uint32[state >>> 2] ?? rows) < rows) {
      const found = time('tokenise', () =>
        kernels.tokeniseWords(
          lines,
          0,
          0,
          rows,
          state,
          words,
          0,
          batchRows,
          bytesOut,
          bytesOut + 256 * 1024,
        ),
      );
      wordCount += found;
      time('group and count', () => {
        const input = {
          key: { values: words, validity: 0 },
          inputs: [],
          selection: 0,
          rowCount: found,
        };
        for (let row = 0; row < found; ) {
          row = table.addRows(input, row);
          while (!table.grow());
        }
      });
    }
  }
  parts.words = wordCount;
  parts.distinct = table.groupCount;
  table.close();
  scope.memory.release(room);
  return parts;
}

function benchText(scope: MemoryScope, kernels: Kernels, from: number, end: number): void {
  const all = Array.from({ length: runs }, () => countWords(scope, kernels, from, end));
  const words = all[0]?.words ?? 1;
  print(`text: ${end - from} bytes, ${words} words, ${all[0]?.distinct} distinct`);
  const median = (part: string) => medianOf(all.map((parts) => parts[part] ?? 0));
  for (const part of ['check utf8', 'split lines', 'tokenise', 'group and count']) {
    const nanoseconds = median(part);
    const speed = ((end - from) / nanoseconds).toFixed(2);
    print(`  ${part.padEnd(16)} ${(nanoseconds / words).toFixed(2)} ns/word   ${speed} GB/s`);
  }
  const total = median('tokenise') + median('group and count');
  print(`  tokenise, group and count together: ${((end - from) / total).toFixed(3)} GB/s`);
}

/** A million distinct keys, and the same again once they are in the table. */
function benchKeys(
  scope: MemoryScope,
  kernels: Kernels,
  name: string,
  keyOf: (row: bigint) => bigint,
): void {
  const total = 1_000_000;
  const block = scope.allocate(total * 8);
  const keys = scope.memory.bigInt64.subarray(
    addressOf(block) >>> 3,
    (addressOf(block) >>> 3) + total,
  );
  for (let row = 0; row < total; row++) keys[row] = BigInt.asIntN(64, keyOf(BigInt(row)));
  const onesBlock = scope.allocate(batchRows * 8);
  const ones = { values: addressOf(onesBlock), validity: 0 };
  scope.memory.bigInt64.fill(1n, ones.values >>> 3, (ones.values >>> 3) + batchRows);
  const rounds: number[][] = [[], []];
  for (let run = 0; run < runs; run++) {
    const accumulators = [
      { function: 'count', type: 'int64' },
      { function: 'sum', type: 'int64' },
    ] as const;
    const table = new GroupTable(scope, kernels, { keyForm: 'int64', accumulators });
    for (const times of rounds) {
      const start = cpuNanoseconds();
      for (let first = 0; first < total; first += batchRows) {
        const key = { values: addressOf(block) + first * 8, validity: 0 };
        const rowCount = Math.min(batchRows, total - first);
        const input = {
          key,
          inputs: [key, ones],
          selection: 0,
          rowCount,
        };
        for (let row = 0; row < rowCount; ) {
          row = table.addRows(input, row);
          while (!table.grow());
        }
      }
      times.push((cpuNanoseconds() - start) / total);
    }
    table.close();
  }
  scope.memory.release(block);
  scope.memory.release(onesBlock);
  const [inserted, found] = rounds.map((times) => medianOf(times).toFixed(1));
  print(`${name} keys, 1 M distinct, count and sum: ${inserted} ns/row new, ${found} ns/row found`);
}

function benchSort(scope: MemoryScope, kernels: Kernels): void {
  const total = 5_000_000;
  const random = makeRandom();
  const block = scope.allocate(total * 8);
  const first64 = addressOf(block) >>> 3;
  for (let row = 0; row < total; row++) scope.memory.float64[first64 + row] = random();
  const key = { type: 'float64', isDescending: true, areNullsLast: true } as const;
  const buffers = {
    'by digits': () => new RadixBuffer(scope, kernels, [key]),
    'by merging': () => new SortBuffer(scope, kernels, { keys: [key] }),
  };
  for (const [name, make] of Object.entries(buffers)) {
    const times = Array.from({ length: 3 }, () => {
      const buffer = make();
      const start = cpuNanoseconds();
      for (let first = 0; first < total; first += batchRows) {
        const columns = [{ values: addressOf(block) + first * 8, validity: 0 }];
        const rowCount = Math.min(batchRows, total - first);
        buffer.addRows({ columns, selection: 0, rowCount, firstNumber: first }, 0);
      }
      while (!buffer.sortSlice());
      const nanoseconds = cpuNanoseconds() - start;
      buffer.close();
      return nanoseconds / total;
    });
    print(`sort of 5 M float64 ${name}: ${medianOf(times).toFixed(1)} ns/row`);
  }
  scope.memory.release(block);
}

/** Words by count, most of which tie, then by name: the end of a word count. */
function benchSortWords(scope: MemoryScope, kernels: Kernels): void {
  const total = 262_144;
  const random = makeRandom();
  const room = scope.allocate(total * 24 + 64);
  const counts = addressOf(room);
  const views = counts + total * 8;
  const { bytes, bigInt64, uint32 } = scope.memory;
  for (let row = 0; row < total; row++) {
    bigInt64[(counts >>> 3) + row] = BigInt(Math.floor(random() ** -0.7));
    const length = 3 + Math.floor(random() * 6);
    const view = views + row * 16;
    bytes.fill(0, view, view + 16);
    uint32[view >>> 2] = length;
    for (let index = 0; index < length; index++) bytes[view + 8 + index] = 97 + random() * 26;
  }
  const times = Array.from({ length: runs }, () => {
    const keys = [
      { type: 'int64', isDescending: true, areNullsLast: true },
      { type: 'utf8', isDescending: false, areNullsLast: true },
    ] as const;
    const buffer = new SortBuffer(scope, kernels, { keys });
    const start = cpuNanoseconds();
    for (let first = 0; first < total; first += batchRows) {
      const columns = [
        { values: counts + first * 8, validity: 0 },
        { values: views + first * 16, validity: 0 },
      ];
      buffer.addRows({ columns, selection: 0, rowCount: batchRows, firstNumber: first }, 0);
    }
    while (!buffer.sortSlice());
    const nanoseconds = cpuNanoseconds() - start;
    buffer.close();
    return nanoseconds / total;
  });
  scope.memory.release(room);
  print(`sort of 262,144 words by count, then name: ${medianOf(times).toFixed(1)} ns/row`);
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function main(path: string | undefined): void {
  const slot = new SlotMemory({ budgetBytes: 1024 * 1024 * 1024 });
  const scope = slot.scope('bench');
  const kernels = instantiateKernels(slot.memory);
  const text = path === undefined ? null : readFileSync(path);
  const block = scope.allocate(text?.length ?? textBytes);
  const from = addressOf(block);
  const end = from + (text?.length ?? textBytes);
  if (text === null) makeText(slot.bytes.subarray(from, end));
  else slot.bytes.set(text, from);
  benchText(scope, kernels, from, end);
  slot.release(block);
  benchKeys(scope, kernels, 'sequential', (row) => row);
  benchKeys(scope, kernels, 'strided', (row) => row * 4096n);
  benchKeys(scope, kernels, 'scattered', (row) => row * 0x9e3779b97f4a7c15n);
  benchSort(scope, kernels);
  benchSortWords(scope, kernels);
  slot.assertEmpty();
}

main(process.argv[2]);
