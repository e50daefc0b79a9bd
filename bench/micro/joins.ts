/**
 * Micro benchmark of joins: `npm run bench:joins`. No test: it prints.
 *
 * Expectation, one thread. A probe row with an int64 key is a hash (1 ns), a slot of 32 MB, which misses the
 * caches, several rows at a time (10 to 15 ns), then a value gathered from the build side (3 ns): some 20 ns a row. A build row is copied once, and put in with the same misses: 30 ns.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { Batch } from '../../engine/batch/batch.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { addressOf, type MemoryScope, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { HashJoinOperator } from '../../engine/operators/hash-join-operator.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../engine/schema/schema.ts';

const batchRows = 8192;
const runs = 5;
const buildRows = 1_000_000;
const probeRows = 10_000_000;

/** CPU time of this thread: other processes on the machine disturb it least. */
function cpuNanoseconds(): number {
  return process.threadCpuUsage().user * 1000;
}

/** Numbers that look random and are the same every time. */
function makeRandom(): () => number {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

const buildSchema = schemaOf(fieldOf('id', int64Type), fieldOf('value', int64Type));
const probeSchema = schemaOf(fieldOf('key', int64Type), fieldOf('other', int64Type));

/** Batches of two columns: keys as `keyOf` says, and the row. */
function batchesOf(
  scope: MemoryScope,
  schema: Schema,
  rowCount: number,
  keyOf: (row: number) => number,
): Batch[] {
  const { int32 } = scope.memory;
  return Array.from({ length: Math.ceil(rowCount / batchRows) }, (_, at) => {
    const count = Math.min(batchRows, rowCount - at * batchRows);
    const blocks = [scope.allocate(count * 8), scope.allocate(count * 8)];
    const columns = blocks.map((block, column) => {
      const values = addressOf(block);
      for (let index = 0; index < count; index++) {
        const row = at * batchRows + index;
        int32[(values >>> 2) + index * 2] = column === 0 ? keyOf(row) : row;
        int32[(values >>> 2) + index * 2 + 1] = 0;
      }
      return { type: int64Type, values, validity: 0 };
    });
    return new Batch(scope.memory, { schema, rowCount: count, columns, blocks });
  });
}

interface Times {
  readonly build: number;
  readonly probe: number;
  readonly rows: number;
}

function joinOnce(
  scope: MemoryScope,
  { build, probe, columns }: { build: readonly Batch[]; probe: readonly Batch[]; columns: Schema },
): Times {
  const kernels = instantiateKernels(scope.memory.memory);
  const share = new MemoryShare({
    budgetBytes: scope.memory.budgetBytes,
    weight: 1,
    slotCount: 1,
  });
  const files = {
    disk: createRealSyncDisk(),
    folder: join(tmpdir(), 'millrace-bench'),
    prefix: '0',
  };
  const spill = { ...files, share, onWritten: () => undefined };
  const context = { name: 'join', scope, kernels, shouldYield: () => false, spill };
  const operator = new HashJoinOperator(context, {
    ...{ type: 'inner', buildSide: 'right', condition: null, output: columns },
    ...{ probe: probeSchema, build: buildSchema, probeKeys: ['key'], buildKeys: ['id'] },
  });
  let rows = 0;
  const outbox = {
    offer(batch: Batch) {
      rows += batch.rowCount;
      batch.release();
      return true;
    },
  };
  const start = cpuNanoseconds();
  for (const batch of build) operator.build(batch, 0);
  while (!operator.buildEnded());
  const built = cpuNanoseconds();
  for (const batch of probe) {
    for (let row = 0; row < batch.rowCount; ) row = operator.process(batch, row, outbox);
  }
  const times = { build: built - start, probe: cpuNanoseconds() - built, rows };
  operator.close();
  return times;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function main(): void {
  const memory = new SlotMemory({ budgetBytes: 1024 * 1024 * 1024 });
  const scope = memory.scope('bench');
  const random = makeRandom();
  const probe = batchesOf(scope, probeSchema, probeRows, () => random() % buildRows);
  const columns = { fields: [...probeSchema.fields, ...buildSchema.fields.slice(1)] };
  const cases = {
    'unique keys, every row finds one': (row: number) => row,
    'each key twice': (row: number) => row >>> 1,
    'one row in ten finds a partner': (row: number) => row * 10,
  };
  for (const [name, keyOf] of Object.entries(cases)) {
    const build = batchesOf(scope, buildSchema, buildRows, keyOf);
    const all = Array.from({ length: runs }, () => joinOnce(scope, { build, probe, columns }));
    const perBuildRow = medianOf(all.map((times) => times.build)) / buildRows;
    const perProbeRow = medianOf(all.map((times) => times.probe)) / probeRows;
    process.stdout.write(
      `${name.padEnd(36)} ${perBuildRow.toFixed(1)} ns/build row   ` +
        `${perProbeRow.toFixed(1)} ns/probe row   ${all[0]?.rows} rows out\n`,
    );
    for (const batch of build) batch.release();
  }
}

main();
