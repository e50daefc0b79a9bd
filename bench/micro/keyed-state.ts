/**
 * Micro benchmark of keyed state: `node bench/micro/keyed-state.ts`. No test: it prints.
 *
 * One operator counts rows by an int64 key: a `get` and a `set` per row, keys at random. Beside it a Map of numbers
 * does the same from the same column, as a floor that nobody can snapshot. Expectation, one thread: the user's call and
 * its row view 30 ns, the key and its hash 20 ns, two look-ups of some 20 ns in the caches; with ten million keys
 * a slot and a record are far memory, 100 ns each, once per row.
 */

import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { ProcessOperator } from '../../engine/operators/process-operator.ts';
import type { ProcessFunctions } from '../../engine/plan/user-functions.ts';
import { fieldOf } from '../../engine/schema/schema.ts';

const batchRows = 8192;
const number = { kind: 'int64', js: 'number' } as const;
const schema = { fields: [fieldOf('key', number)] };
const states = [
  { name: 'count', kind: 'value', value: fieldOf('value', number), key: null, ttl: null },
] as const;

interface Count {
  get(): number | null;
  set(value: number): void;
}

const functions = {
  ...{ kind: 'process', states: {}, onTimer: null, onControl: null },
  onRow(_: unknown, { state: { count } }: { state: { count: Count } }) {
    count.set((count.get() ?? 0) + 1);
  },
} as unknown as ProcessFunctions;

function measure(keyCount: number, rowCount: number, shareBytes: number): void {
  const memory = new SlotMemory({ budgetBytes: 3.5 * 1024 ** 3 });
  const scope = memory.scope('bench');
  const kernels = instantiateKernels(memory.memory);
  let spilledBytes = 0;
  const spill = {
    disk: createRealSyncDisk(),
    ...{ folder: '.cache/bench-state', prefix: '0' },
    share: new MemoryShare({ budgetBytes: (shareBytes * 4) / 3, weight: 1, slotCount: 1 }),
    onWritten: (bytes: number) => {
      spilledBytes += bytes;
    },
  };
  const context = { name: 'bench', scope, kernels, spill, shouldYield: () => false };
  const operator = new ProcessOperator(context, {
    ...{ input: schema, output: schema, fieldCount: 1, timeColumn: null, states, functions },
    keys: [{ name: 'key', column: 'key' }],
    clock: { mono: () => 0, wall: () => 0 },
  });
  const outbox = { offer: () => true };
  const map = new Map<number, number>();
  let seed = 12_345;
  const next = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 4_294_967_296) * keyCount);
  };
  const passes: [string, number][] = [];
  for (const pass of ['first', 'second']) {
    let [ownNs, mapNs] = [0, 0];
    for (let row = 0; row < rowCount; row += batchRows) {
      const builder = new BatchBuilder(scope, schema);
      const keys = Array.from({ length: batchRows }, next);
      for (const key of keys) builder.appendRow([key]);
      const batch = builder.build();
      const begin = process.threadCpuUsage().user;
      for (let done = 0; done < batchRows; ) done = operator.process(batch, done, outbox);
      const middle = process.threadCpuUsage().user;
      if (keyCount <= 1_000_000) for (const key of keys) map.set(key, (map.get(key) ?? 0) + 1);
      mapNs += (process.threadCpuUsage().user - middle) * 1000;
      ownNs += (middle - begin) * 1000;
      batch.release();
    }
    passes.push([`${pass} pass, state`, ownNs / rowCount], [`${pass} pass, Map`, mapNs / rowCount]);
  }
  const text = passes.map(([name, ns]) => `${name} ${ns.toFixed(0)} ns`).join(', ');
  const held = (memory.usedBytes / 2 ** 20).toFixed(0);
  const spilled = (spilledBytes / 2 ** 20).toFixed(0);
  console.log(`${keyCount} keys: ${text}; ${held} MB held, ${spilled} MB to disk`);
  operator.close();
  memory.assertEmpty();
}

const share = 2.5 * 1024 ** 3;
measure(100_000, 4_000_000, share);
measure(1_000_000, 8_000_000, share);
measure(10_000_000, 30_000_000, share);
measure(1_000_000, 2_000_000, 32 * 1024 ** 2);
