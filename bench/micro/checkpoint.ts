/**
 * Micro benchmark of checkpoints of keyed state: `node bench/micro/checkpoint.ts [keys]`. No test: it prints
 * milliseconds of the thread's time.
 *
 * One operator keeps 48 bytes by an int64 key, ten million keys, 1 GB. A first snapshot writes all of it, a second one what a
 * million changed keys have left, beside work on random keys. Expectation, one thread: to take a snapshot is to swap
 * pointers, whatever there is: below a millisecond. A row is 48 bytes and some 60 around them, taken in 150 ns, laid out as
 * Arrow in 50, checked and written in 100: a million rows in 0.3 s, 110 MB.
 */
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { keyGroupCount } from '../../engine/keys/key-group.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { ProcessOperator } from '../../engine/operators/process-operator.ts';
import type { ProcessFunctions } from '../../engine/plan/user-functions.ts';
import { binaryType } from '../../engine/schema/field-type.ts';
import { fieldOf } from '../../engine/schema/schema.ts';
import { SnapshotFileReader } from '../../worker/snapshot/snapshot-file-reader.ts';
import { SnapshotFileWriter } from '../../worker/snapshot/snapshot-file-writer.ts';

const batchRows = 8192;
const keyCount = Number(process.argv[2] ?? 10_000_000);
const changedKeys = Math.min(1_000_000, keyCount);
const folder = '.cache/bench-checkpoint';
const schema = { fields: [fieldOf('key', { kind: 'int64', js: 'number' })] };
const states = [
  { name: 'bytes', kind: 'value', value: fieldOf('value', binaryType), key: null, ttl: null },
] as const;
const value = new Uint8Array(48).fill(7);

interface Bytes {
  set(value: Uint8Array): void;
}

const functions = {
  ...{ kind: 'process', states: {}, onTimer: null, onControl: null },
  onRow(_: unknown, { state: { bytes } }: { state: { bytes: Bytes } }) {
    bytes.set(value);
  },
} as unknown as ProcessFunctions;

const memory = new SlotMemory({ budgetBytes: 3.9 * 1024 ** 3 });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('bench');
const disk = createRealSyncDisk();
const clock = { mono: () => performance.now() };
const outbox = { offer: () => true };

/** Milliseconds of the thread's own: what other processes do meanwhile does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Until when a call of the operator may last. */
let sliceEnd = 0;

function newOperator(): ProcessOperator {
  const spill = {
    ...{ disk, folder: '.cache/bench-state', prefix: '0', onWritten: () => undefined },
    share: new MemoryShare({ budgetBytes: 4 * 1024 ** 3, weight: 1, slotCount: 1 }),
  };
  const context = {
    name: 'bench',
    scope,
    kernels,
    spill,
    shouldYield: () => performance.now() > sliceEnd,
  };
  return new ProcessOperator(context, {
    ...{ input: schema, output: schema, fieldCount: 1, timeColumn: null, states, functions },
    keys: [{ name: 'key', column: 'key' }],
    clock: { mono: () => 0, wall: () => 0 },
  });
}

function batchOf(keyAt: (row: number) => number) {
  const builder = new BatchBuilder(scope, schema);
  for (let row = 0; row < batchRows; row++) builder.appendRow([keyAt(row)]);
  return builder.build();
}

let seed = 12_345;
function randomKey(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 4_294_967_296) * keyCount);
}

/** Milliseconds that the operator takes for a batch; to make one is not counted. */
function work(
  operator: ProcessOperator,
  keyAt: (row: number) => number,
  meanwhile?: () => void,
): number {
  const batch = batchOf(keyAt);
  let spent = 0;
  for (let row = 0; row < batchRows; ) {
    const begin = cpuMs();
    sliceEnd = performance.now() + 2;
    row = operator.process(batch, row, outbox);
    spent += cpuMs() - begin;
    // Room may wait for a snapshot that is being written.
    meanwhile?.();
  }
  batch.release();
  return spent;
}

function rate(rows: number, ms: number): string {
  return `${(rows / ms / 1000).toFixed(2)} M rows/s`;
}

const writer = new SnapshotFileWriter({ disk, scope, kernels, clock, folder });

/** Writes a snapshot, beside work if there is any: two milliseconds of the operator, a step, two milliseconds … */
function checkpoint(operator: ProcessOperator, id: number, hasWork: boolean) {
  writer.begin(id, `${id}/0`);
  const begin = cpuMs();
  operator.snapshot(writer.writerOf('bench', 'process'), outbox);
  const syncMs = cpuMs() - begin;
  let [writeMs, workMs, rows, isDone, longestMs] = [0, 0, 0, false, 0];
  const step = () => {
    if (isDone) return;
    const from = cpuMs();
    isDone = writer.step();
    const took = cpuMs() - from;
    writeMs += took;
    longestMs = Math.max(longestMs, took);
  };
  while (!isDone) {
    if (!hasWork) step();
    else workMs += work(operator, randomKey, step);
    if (hasWork) rows += batchRows;
  }
  const from = cpuMs();
  const outcome = writer.finish();
  const finishMs = cpuMs() - from;
  if (outcome.kind === 'failed') throw outcome.error;
  const size = `${(outcome.sizeBytes / 2 ** 20).toFixed(0)} MB`;
  const times = `sync ${syncMs.toFixed(2)} ms, writing ${writeMs.toFixed(0)} ms, fsync ${finishMs.toFixed(0)} ms`;
  console.log(`snapshot ${id}: ${size}, ${times}, longest step ${longestMs.toFixed(1)} ms`);
  if (hasWork) console.log(`  beside it ${rate(rows, workMs)}, ${rows} rows`);
  return outcome.operators;
}

disk.removeTree(folder);
const operator = newOperator();
const filling = cpuMs();
for (let first = 0; first < keyCount; first += batchRows) {
  work(operator, (row) => Math.min(keyCount - 1, first + row));
}
const filledMs = cpuMs() - filling;
console.log(
  `${keyCount} keys, ${(memory.usedBytes / 2 ** 20).toFixed(0)} MB, in ${filledMs.toFixed(0)} ms`,
);
let aloneMs = 0;
for (let rows = 0; rows < changedKeys; rows += batchRows) aloneMs += work(operator, randomKey);
console.log(`alone ${rate(changedKeys, aloneMs)}`);
checkpoint(operator, 1, false);
aloneMs = 0;
for (let rows = 0; rows < changedKeys; rows += batchRows) aloneMs += work(operator, randomKey);
console.log(`between ${rate(changedKeys, aloneMs)}`);
const operators = checkpoint(operator, 2, true);
operator.close();

const restored = newOperator();
const statistics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 };
const task = { taskId: 't', vertexId: 'v', taskIndex: 0, parallelism: 1, operators };
const reader = new SnapshotFileReader({
  ...{ disk, scope, kernels, folder, operatorId: 'bench', kind: 'process' },
  ...{ taskIndex: 0, parallelism: 1 },
  tasks: [{ ...task, source: null, prepared: null, statistics }],
});
const restoring = cpuMs();
while (!restored.restore(reader));
console.log(`restored in ${(cpuMs() - restoring).toFixed(0)} ms, ${keyGroupCount} key groups`);
reader.close();
restored.close();
memory.assertEmpty();
disk.removeTree(folder);
