/**
 * Micro benchmark of checkpoints of keyed state: `node bench/micro/checkpoint.ts [keys] [intervals]`. No test: it prints.
 *
 * Two operators keep a running sum by an int64 key, 15 million keys, 1 GB each. Both work on the same rows, in turns:
 *
 *     interval   1 s of the thread's own time; its rows are of a million keys of its own, drawn at random
 *     alone      no snapshot, ever: what is written lies in one table, and nothing is merged
 *     beside     an incremental snapshot at the beginning of each interval, written in steps between slices of work; all that
 *                it takes is the interval's time. What is frozen in one is merged in the next, so each does as much as it owes
 *
 * Milliseconds are of the thread: what other processes do meanwhile does not count. `per changed key` is what rows do not
 * explain, at the price that they have alone: what a job loses, whatever else it does with its rows.
 *
 * Expectation: a row is 150 ns: the user's call, a slot and a record in far memory that are loaded ahead. A changed key costs a
 * second insertion (100 ns), a row of the snapshot (50 ns to lay it out, 40 to check and write 42 bytes), a merge (80 ns, most of
 * which it waits for memory). With a million of them a second, one thread that does nothing else loses a quarter.
 */
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import type { OperatorSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { ProcessOperator } from '../../engine/operators/process-operator.ts';
import type { ProcessFunctions } from '../../engine/plan/user-functions.ts';
import { fieldOf } from '../../engine/schema/schema.ts';
import { SnapshotFileReader } from '../../worker/snapshot/snapshot-file-reader.ts';
import {
  SnapshotFileWriter,
  type SnapshotOutcome,
} from '../../worker/snapshot/snapshot-file-writer.ts';

const batchRows = 8192;
const keyCount = Number(process.argv[2] ?? 15_000_000);
const intervals = Number(process.argv[3] ?? 5);
const intervalMs = 1000;
const changedKeys = Math.min(1_000_000, keyCount);
const sliceMs = 2;
const folder = '.cache/bench-checkpoint';
const number = { kind: 'int64', js: 'number' } as const;
const schema = { fields: [fieldOf('key', number)] };
const states = [
  { name: 'sum', kind: 'value', value: fieldOf('value', number), key: null, ttl: null },
] as const;

interface Sum {
  get(): number | null;
  set(value: number): void;
}

const functions = {
  ...{ kind: 'process', states: {}, onTimer: null, onControl: null },
  onRow(_: unknown, { state: { sum } }: { state: { sum: Sum } }) {
    sum.set((sum.get() ?? 0) + 1);
  },
} as unknown as ProcessFunctions;

const memory = new SlotMemory({ budgetBytes: 3.9 * 1024 ** 3 });
const kernels = instantiateKernels(memory.memory);
const disk = createRealSyncDisk();
const clock = { mono: () => performance.now() };
const outbox = { offer: () => true };

/** Milliseconds of the thread's own: what other processes do meanwhile does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Until when a call of an operator may last. */
let sliceEnd = 0;

class Contestant {
  readonly scope;
  readonly operator: ProcessOperator;
  #seed = 12_345;

  constructor(name: string) {
    this.scope = memory.scope(name);
    const spill = {
      ...{ disk, folder: '.cache/bench-state', prefix: name, onWritten: () => undefined },
      share: new MemoryShare({ budgetBytes: 4 * 1024 ** 3, weight: 1, slotCount: 1 }),
    };
    const shouldYield = () => performance.now() > sliceEnd;
    const context = { name, scope: this.scope, kernels, spill, shouldYield };
    this.operator = new ProcessOperator(context, {
      ...{ input: schema, output: schema, fieldCount: 1, timeColumn: null, states, functions },
      keys: [{ name: 'key', column: 'key' }],
      clock: { mono: () => 0, wall: () => 0 },
    });
  }

  fill(): void {
    for (let first = 0; first < keyCount; first += batchRows) {
      this.work((row) => Math.min(keyCount - 1, first + row));
    }
  }

  /** A batch of keys of the interval; answers milliseconds of the operator and of what is done meanwhile. */
  workAt(interval: number, meanwhile?: () => void): number {
    // Those of an interval lie anywhere among the keys, which came in order.
    return this.work(() => {
      this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
      const index = Math.floor((this.#seed / 4_294_967_296) * changedKeys);
      return ((interval * changedKeys + index) * 7_368_787) % keyCount;
    }, meanwhile);
  }

  work(keyAt: (row: number) => number, meanwhile?: () => void): number {
    const builder = new BatchBuilder(this.scope, schema);
    for (let row = 0; row < batchRows; row++) builder.appendRow([keyAt(row)]);
    const batch = builder.build();
    const begin = cpuMs();
    for (let row = 0; row < batchRows; ) {
      sliceEnd = performance.now() + sliceMs;
      row = this.operator.process(batch, row, outbox);
      meanwhile?.();
    }
    const spent = cpuMs() - begin;
    batch.release();
    return spent;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}

function quantile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((left, right) => left - right);
  return (sorted[Math.floor(part * sorted.length)] ?? 0).toFixed(2);
}

disk.removeTree(folder);
const [alone, beside] = [new Contestant('alone'), new Contestant('beside')];
const writer = new SnapshotFileWriter({ disk, scope: beside.scope, kernels, clock, folder });
const syncMs: number[] = [];
const stepMs: number[] = [];

/** Begins a snapshot; answers what does a step of it, null until the last one has been done. */
function begin(id: number): () => SnapshotOutcome | null {
  writer.begin(id, `${id}/0`);
  const from = performance.now();
  beside.operator.snapshot(writer.writerOf('bench', 'process'), outbox);
  syncMs.push(performance.now() - from);
  return () => {
    const stepFrom = performance.now();
    const isDone = writer.step();
    stepMs.push(performance.now() - stepFrom);
    return isDone ? writer.finish() : null;
  };
}

/** @throws What has failed. */
function operatorsOf(outcome: SnapshotOutcome): readonly OperatorSnapshot[] {
  if (outcome.kind === 'failed') throw outcome.error;
  return outcome.operators;
}

function wholeSnapshot(): string {
  const from = cpuMs();
  const step = begin(1);
  let outcome = step();
  while (outcome === null) outcome = step();
  operatorsOf(outcome);
  const size = outcome.kind === 'written' ? outcome.sizeBytes : 0;
  return `everything: ${megabytes(size)} in ${(cpuMs() - from).toFixed(0)} ms`;
}

interface Interval {
  rows: number;
  ms: number;
}

function intervalAlone(interval: number): Interval {
  let [rows, ms] = [0, 0];
  for (; ms < intervalMs; rows += batchRows) ms += alone.workAt(interval);
  return { rows, ms };
}

interface IntervalBeside extends Interval {
  changed: number;
  readonly durationMs: number;
  readonly operators: readonly OperatorSnapshot[];
}

function intervalBeside(interval: number): IntervalBeside {
  const checkpointId = interval + 2;
  const [startMs, from] = [performance.now(), cpuMs()];
  const step = begin(checkpointId);
  let [rows, ms, durationMs] = [0, cpuMs() - from, 0];
  let outcome: SnapshotOutcome | null = null;
  const meanwhile = () => {
    if (outcome !== null) return;
    outcome = step();
    durationMs = performance.now() - startMs;
  };
  for (; ms < intervalMs || outcome === null; rows += batchRows) {
    ms += beside.workAt(interval, meanwhile);
  }
  const operators = operatorsOf(outcome);
  const own = operators
    .flatMap(({ parts }) => parts)
    .filter(({ path }) => path === `${checkpointId}/0`);
  const changed = own.reduce((sum, { rowCount }) => sum + rowCount, 0);
  return { rows, ms, changed, durationMs, operators };
}

function rate({ rows, ms }: Interval): string {
  return `${(rows / ms / 1000).toFixed(2)} M rows/s`;
}

/** The ratio of both, and what a changed key has taken. */
function comparison(left: Interval, right: Interval & { readonly changed: number }): string {
  const rowMs = left.ms / left.rows;
  const changedNs = ((right.ms - right.rows * rowMs) / right.changed) * 1e6;
  const ratio = (right.rows / right.ms) * rowMs;
  return `alone ${rate(left)}, beside ${rate(right)}, ratio ${ratio.toFixed(3)}, ${changedNs.toFixed(0)} ns per changed key`;
}

for (const one of [alone, beside]) one.fill();
console.log(`${keyCount} keys each, ${megabytes(memory.usedBytes / 2)}`);
console.log(wholeSnapshot());
const sums = { alone: { rows: 0, ms: 0 }, beside: { rows: 0, ms: 0, changed: 0 } };
let operators: readonly OperatorSnapshot[] = [];
// The first one has no changes to write, and is not counted.
for (let interval = 0; interval <= intervals; interval++) {
  const left = intervalAlone(interval);
  const right = intervalBeside(interval);
  operators = right.operators;
  if (interval === 0) continue;
  const done = `${right.changed} written in ${right.durationMs.toFixed(0)} ms, ${megabytes(memory.usedBytes)} held`;
  console.log(`interval ${interval}: ${comparison(left, right)}; ${done}`);
  sums.alone.rows += left.rows;
  sums.alone.ms += left.ms;
  sums.beside.rows += right.rows;
  sums.beside.ms += right.ms;
  sums.beside.changed += right.changed;
}
console.log(`all intervals: ${comparison(sums.alone, sums.beside)}`);
console.log(
  `pause: p50 ${quantile(syncMs, 0.5)} ms, p99 ${quantile(syncMs, 0.99)} ms; ` +
    `step: p50 ${quantile(stepMs, 0.5)} ms, p99 ${quantile(stepMs, 0.99)} ms`,
);
beside.operator.close();
alone.operator.close();

const restored = new Contestant('restored').operator;
const statistics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 };
const task = { taskId: 't', vertexId: 'v', taskIndex: 0, parallelism: 1, operators };
const reader = new SnapshotFileReader({
  ...{ disk, scope: beside.scope, kernels, folder, operatorId: 'bench', kind: 'process' },
  ...{ taskIndex: 0, parallelism: 1 },
  tasks: [{ ...task, source: null, prepared: null, statistics }],
});
const restoring = cpuMs();
while (!restored.restore(reader));
console.log(`restored in ${(cpuMs() - restoring).toFixed(0)} ms`);
reader.close();
restored.close();
memory.assertEmpty();
disk.removeTree(folder);
