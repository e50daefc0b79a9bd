/**
 * Goal: a sort on disk keeps within its share, says what it needs when the share is too small, and fails
 * cleanly at whichever call the disk does.
 */
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { ExternalSorter } from '../../../engine/operators/external-sorter.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { ascending } from '../../../engine/stream/row-order.ts';
import { FaultPlan, faultySyncDisk } from '../../support/faulty-disk.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { batchOf } from '../../support/operator-harness.ts';
import { spillSpace } from '../../support/spill-space.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const schema = schemaOf(fieldOf('text', utf8Type), fieldOf('n', int64Type));
const order = [ascending('text')];
const batchRows = 2500;
const headroomBytes = 2 << 20;

/** Sorts so many batches of 250 KB in a memory of the share and a little; answers the texts. */
function sorted(batches: number, shareBytes: number, plan = new FaultPlan()) {
  const memory = new SlotMemory({ budgetBytes: shareBytes + headroomBytes });
  const kernels = instantiateKernels(memory.memory);
  const [scope, input] = [memory.scope('tested'), memory.scope('input')];
  const disk = new MemoryDisk();
  const spill = spillSpace(shareBytes, faultySyncDisk(disk, plan));
  const context = { name: 'tested', scope, kernels, spill, shouldYield: () => false };
  const sorter = new ExternalSorter(context, { schema, order });
  const texts: string[] = [];
  try {
    for (let batch = 0; batch < batches; batch++) {
      const rows = Array.from({ length: batchRows }, (_, row) => textRow(batch * batchRows + row));
      const made = batchOf(input, schema, rows);
      try {
        sorter.offer(made);
      } finally {
        made.release();
      }
    }
    while (!sorter.arrange());
    for (let batch = sorter.next(); batch !== null; batch = sorter.next()) {
      texts.push(...readRows(batch).map(({ text }) => String(text)));
      batch.release();
    }
  } finally {
    plan.heal();
    sorter.close();
    memory.assertEmpty();
    expect([disk.files.size, disk.openFiles.size]).toEqual([0, 0]);
  }
  return { texts, spilledBytes: spill.writtenBytes };
}

function textRow(at: number) {
  return { text: String((at * 7_919) % 1_000_003).padStart(80, '.'), n: BigInt(at) };
}

test('ten times the share is sorted within it, in several passes', () => {
  const shareBytes = 4 << 20;
  const { texts, spilledBytes } = sorted(160, shareBytes);
  expect(texts).toHaveLength(160 * batchRows);
  expect(texts.every((text, at) => at === 0 || (texts[at - 1] ?? '') <= text)).toBe(true);
  expect(spilledBytes).toBeGreaterThan(0);
});

test('what fits in the share goes to no disk', () => {
  expect(sorted(10, 16 << 20).spilledBytes).toBe(0);
});

test('a share that is too small: the least memory that would do, which does', () => {
  const error = typedErrorOf(() => sorted(40, 1 << 20));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  expect(error?.message).toMatch(
    /^"tested" needs [\d.]+ MB of memory to sort on disk, and has 1.0 MB$/,
  );
  expect(error?.info.hint).toMatch(/--memory \d+MB or more/);
  const least = Number(error?.info.details?.leastBytes);
  expect(sorted(40, least).texts).toHaveLength(40 * batchRows);
  expect(typedErrorOf(() => sorted(40, least - 4096))?.info.code).toBe('MEMORY_TOO_SMALL');
});

test('each call of the disk may fail: a typed error, and nothing is left', () => {
  for (let at = 0; ; at += at < 6 ? 1 : 13) {
    const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_FULL' });
    const error = typedErrorOf(() => sorted(14, 3 << 20, plan));
    if (!plan.hasFired) break;
    expect([plan.calls[at], error?.info.code]).toEqual([
      plan.calls[at],
      expect.stringMatching(/^(SPILL_)?DISK_FULL$/),
    ]);
  }
});

test('a sort that has begun ends in a run, also where putting small batches together made room', () => {
  for (let shareKilobytes = 2_500; shareKilobytes < 3_500; shareKilobytes += 97) {
    const memory = new SlotMemory({ budgetBytes: 64 << 20 });
    const kernels = instantiateKernels(memory.memory);
    const scope = memory.scope('tested');
    const spill = spillSpace(shareKilobytes << 10);
    const context = { name: 'tested', scope, kernels, spill, shouldYield: () => true };
    const sorter = new ExternalSorter(context, { schema, order: [ascending('n')] });
    for (let at = 0; at < 30_000; at += 1_500) {
      const rows = Array.from({ length: 1_500 }, (_, row) => textRow(at + row));
      const batch = batchOf(scope, schema, rows);
      while (!sorter.offer(batch));
      batch.release();
    }
    while (!sorter.arrange());
    let count = 0;
    for (let batch = sorter.next(); batch !== null; batch = sorter.next()) {
      count += batch.rowCount;
      batch.release();
    }
    expect(count).toBe(30_000);
    sorter.close();
    memory.assertEmpty();
  }
});

test('equal rows keep their order, also where a large batch comes behind small ones', () => {
  const memory = new SlotMemory({ budgetBytes: 64 << 20 });
  const kernels = instantiateKernels(memory.memory);
  const scope = memory.scope('tested');
  const context = { name: 'tested', scope, kernels, spill: spillSpace(), shouldYield: () => false };
  const sorter = new ExternalSorter(context, { schema, order });
  let at = 0;
  for (const count of [100, 3_000, 50, 2_500, 7]) {
    const rows = Array.from({ length: count }, () => ({ text: 'equal', n: BigInt(at++) }));
    const batch = batchOf(scope, schema, rows);
    sorter.offer(batch);
    batch.release();
  }
  while (!sorter.arrange());
  const found: unknown[] = [];
  for (let batch = sorter.next(); batch !== null; batch = sorter.next()) {
    found.push(...readRows(batch).map(({ n }) => n));
    batch.release();
  }
  sorter.close();
  memory.assertEmpty();
  expect(found).toEqual(Array.from({ length: at }, (_, n) => BigInt(n)));
});
