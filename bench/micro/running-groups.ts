/**
 * Running groups on one thread, in memory and beyond it: rows of random keys through a running aggregate, whose changes
 * are due every 100 ms of its clock, which is that of the machine.
 *
 *     even         each of two million keys as likely as any other
 *     skewed       nine rows of ten are of a hundredth of the keys
 *     first rows   of each key, of even ones: looked for with each batch, for what is first goes on at once
 *     new rows     the same where no key comes twice
 *
 * Expectation: in memory a row costs a probe of the recent groups and its part of a merge. With a quarter of the room, each
 * update looks for most of its keys in files: read, unpacked, and found by hash, some hundred ns for each row that is read.
 * Run: `node bench/micro/running-groups.ts`, with the millions of rows behind it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { Batch } from '../../engine/batch/batch.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { FirstRowsOperator } from '../../engine/operators/changes/first-rows-operator.ts';
import {
  RunningAggregateOperator,
  type RunningAggregateOptions,
} from '../../engine/operators/changes/running-aggregate-operator.ts';
import type { Operator, OperatorContext } from '../../engine/operators/operator.ts';
import { rowKindType } from '../../engine/plan/row-kind.ts';
import { float64Type, int64Type } from '../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../engine/schema/schema.ts';

const batchRows = 8192;
const keyCount = 2_000_000;
const rowCount = Number(process.argv[2] ?? 10) * 1_000_000;
const input: Schema = { fields: [fieldOf('key', int64Type), fieldOf('value', float64Type)] };
const options: RunningAggregateOptions = {
  ...{ input, phase: 'whole', keys: ['key'], weight: null, kindColumn: 'kind' },
  output: {
    fields: [
      fieldOf('key', int64Type),
      fieldOf('rows', int64Type),
      fieldOf('sum', float64Type),
      fieldOf('kind', rowKindType),
    ],
  },
  aggregates: [
    { name: 'rows', function: 'count', columns: [] },
    { name: 'sum', function: 'sum', columns: ['value'] },
  ],
  ...{ givesBefore: true, extremes: [], everyMs: 100, ttlMs: null },
};

/** Slots of two million groups take 4 million times 48 bytes, and half of that beside them while they grow. */
const wholeBytes = 512 << 20;

const aggregate = (context: OperatorContext) => new RunningAggregateOperator(context, options);
const first = (context: OperatorContext) =>
  new FirstRowsOperator(context, { input, keys: ['key'] });

for (const { name, keys, build } of [
  { name: 'even', keys: 'even', build: aggregate },
  { name: 'skewed', keys: 'skewed', build: aggregate },
  { name: 'first rows', keys: 'even', build: first },
  { name: 'new rows', keys: 'new', build: first },
] as const) {
  const inMemory = measure(wholeBytes, keys, build);
  console.log(told(`${name}, in memory`, inMemory));
  for (const shareBytes of [48 << 20, 24 << 20]) {
    const beyond = measure(shareBytes, keys, build);
    const ratio = (beyond.seconds / inMemory.seconds).toFixed(1);
    console.log(told(`${name}, ${shareBytes >> 20} MB`, beyond), `${ratio} times as long`);
  }
}

function told(name: string, { seconds, rowsOut, writtenBytes, peakBytes }: Measured): string {
  const rate = (rowCount / seconds / 1e6).toFixed(2);
  const written = `${writtenBytes >> 20} MB written, ${peakBytes >> 20} MB of memory`;
  return `${name.padEnd(20)} ${rate.padStart(6)} M rows/s of CPU time, ${rowsOut} rows out, ${written}`;
}

type Keys = 'even' | 'skewed' | 'new';

interface Measured {
  readonly seconds: number;
  readonly rowsOut: number;
  readonly writtenBytes: number;
  readonly peakBytes: number;
}

/** Seconds of CPU time, of the operator alone. */
function measure(
  shareBytes: number,
  keys: Keys,
  build: (context: OperatorContext) => Operator,
): Measured {
  const memory = new SlotMemory({ budgetBytes: shareBytes + (32 << 20) });
  const kernels = instantiateKernels(memory.memory);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  let writtenBytes = 0;
  const onWritten = (bytes: number) => {
    writtenBytes += bytes;
  };
  const spill = {
    disk: createRealSyncDisk(),
    folder,
    prefix: '0',
    share: { bytes: shareBytes },
    onWritten,
  };
  const nowMs = () => performance.now();
  const context = { name: 'groups', scope: memory.scope('groups'), kernels, spill, nowMs };
  const operator = build({ ...context, shouldYield: () => false } as unknown as OperatorContext);
  let rowsOut = 0;
  const outbox = {
    offer: (batch: Batch) => {
      rowsOut += batch.rowCount;
      batch.release();
      return true;
    },
  };
  let seconds = 0;
  const timed = (work: () => void) => {
    const { user, system } = process.threadCpuUsage();
    work();
    const end = process.threadCpuUsage();
    seconds += (end.user - user + end.system - system) / 1e6;
  };
  const keyOf = keysOf(keys);
  for (let row = 0; row < rowCount; row += batchRows) {
    const batch = batchOf(memory, keyOf);
    timed(() => {
      for (let from = 0; from < batchRows; ) from = operator.process(batch, from, outbox);
      const { wakeAtMs = Number.POSITIVE_INFINITY } = operator;
      if (nowMs() >= wakeAtMs) operator.wake?.(nowMs(), outbox);
    });
    batch.release();
  }
  timed(() => operator.finish(outbox));
  operator.close();
  rmSync(folder, { recursive: true, force: true });
  return { seconds, rowsOut, writtenBytes, peakBytes: memory.peakBytes };
}

function batchOf(memory: SlotMemory, keyOf: () => number): Batch {
  const block = memory.scope('input').allocate(batchRows * 16);
  const [keys, values] = [addressOf(block), addressOf(block) + batchRows * 8];
  for (let row = 0; row < batchRows; row++) {
    memory.uint32[(keys >>> 2) + row * 2] = keyOf();
    memory.uint32[(keys >>> 2) + row * 2 + 1] = 0;
    memory.float64[(values >>> 3) + row] = row;
  }
  const columns = [
    { type: int64Type, values: keys, validity: 0 },
    { type: float64Type, values, validity: 0 },
  ];
  return new Batch(memory, { schema: input, rowCount: batchRows, columns, blocks: [block] });
}

function keysOf(keys: Keys): () => number {
  const random = xorshift();
  let next = 0;
  if (keys === 'new') return () => next++;
  if (keys === 'even') return () => random() % keyCount;
  return () => random() % (random() % 10 !== 0 ? keyCount / 100 : keyCount);
}

function xorshift(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
