/**
 * Goal: each partition of map outputs is read as it was written, in order; what a disk lost or changed is
 * never taken for rows, and names the task that has to run again.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TypedError } from '../../../base/typed-error.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import type { MapOutputFile } from '../../../engine/shuffle/map-output.ts';
import { MapOutputReader } from '../../../engine/shuffle/map-output-reader.ts';
import { SpillBlocks } from '../../../engine/spill/spill-blocks.ts';
import { buildChannelWriter, type WriterContext } from '../../../engine/task/task-exchanges.ts';
import { FaultPlan, faultySyncDisk } from '../../support/faulty-disk.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { batchOf, type Row } from '../../support/operator-harness.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('tested');
const schema = schemaOf(fieldOf('n', int32Type), fieldOf('text', utf8Type));

function fileOf(index: number): MapOutputFile {
  return { path: `shuffle/e1-${index}-1.map`, taskId: `v1[${index}]`, attempt: 1 };
}

interface Surroundings {
  readonly disk: WriterContext['disk'];
  readonly blocks: SpillBlocks;
}

/** Runs `work` with what a task has; afterwards no memory and no open file may be left. */
function withTask<T>(disk: MemoryDisk, work: (task: Surroundings) => T, plan = new FaultPlan()): T {
  const faulty = faultySyncDisk(disk, plan);
  const blocks = new SpillBlocks({ scope, kernels, disk: faulty, payloadBytes: 64 << 10 });
  try {
    return work({ disk: faulty, blocks });
  } finally {
    blocks.close();
    memory.assertEmpty();
  }
}

/** Rows to the partition that `n` names, in small batches; rebalanced where there is none to name. */
function write(
  { disk, blocks }: Surroundings,
  rows: readonly Row[],
  { file = fileOf(0), partitionCount = 3 } = {},
): readonly number[] {
  const exchange = { kind: 'hash', columns: ['n'] } as const;
  const output = { output: 0, exchange, schema, rings: [], file, partitionCount };
  const context = { scope, kernels, disk, blocks: () => blocks, onWritten: () => {} };
  const writer = buildChannelWriter(output, {
    ...context,
    mono: () => 0,
    functions: new Map(),
    sender: { taskIndex: 0, taskCount: 1 },
    onRange: () => {},
  });
  try {
    for (let at = 0; at < rows.length; at += 7) {
      const batch = batchOf(scope, schema, rows.slice(at, at + 7));
      expect(writer.offer(batch)).toBe(true);
      writer.flush(true);
    }
    expect(writer.finish()).toBe(true);
    return writer.partitionBytes ?? [];
  } finally {
    writer.close();
  }
}

function read(
  { disk, blocks }: Surroundings,
  partition: number,
  files: readonly MapOutputFile[] = [fileOf(0)],
  to = partition + 1,
): Row[] {
  const partitions = { from: partition, to };
  const options = { files, partitions, disk, scope, kernels, schema, blocks };
  const reader = new MapOutputReader(options);
  const rows: Row[] = [];
  try {
    for (let element = reader.read(); element !== 'end'; element = reader.read()) {
      if (typeof element !== 'object') throw new Error('a file has rows, and an end');
      rows.push(...readRows(element));
      element.release();
    }
    expect(reader.read()).toBe('end');
  } finally {
    reader.close();
  }
  return rows;
}

function rowsOf(count: number, textLength = 20): Row[] {
  return Array.from({ length: count }, (_, n) => ({ n, text: `${n} `.repeat(textLength) }));
}

test('partitions of several files hold all rows, each where its key belongs, in order', () => {
  const tables = fc.array(fc.array(fc.nat({ max: 40 }), { maxLength: 60 }), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(tables, fc.integer({ min: 1, max: 5 }), (tables, partitionCount) => {
      const disk = new MemoryDisk();
      withTask(disk, (task) => {
        const all = tables.map((keys, table) =>
          keys.map((n, at) => ({ n, text: `${table}:${at}` })),
        );
        for (const [index, rows] of all.entries())
          write(task, rows, { file: fileOf(index), partitionCount });
        const files = all.map((_, index) => fileOf(index));
        const found = Array.from({ length: partitionCount }, (_, partition) =>
          read(task, partition, files),
        );
        // The reference: rows by key in the order of the files, and one partition for a key.
        for (const key of new Set(tables.flat())) {
          const places = found.map((rows) => rows.filter(({ n }) => n === key));
          const filled = places.filter((rows) => rows.length > 0);
          expect(filled).toEqual([all.flat().filter(({ n }) => n === key)]);
        }
        expect(found.flat().length).toBe(all.flat().length);
      });
      expect([...disk.files.keys()].every((name) => name.endsWith('.map'))).toBe(true);
      expect(disk.openFiles.size).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('neighbouring partitions are read one after the other, file by file', () => {
  withTask(new MemoryDisk(), (task) => {
    const files = [0, 1].map(fileOf);
    for (const file of files) write(task, rowsOf(30), { file, partitionCount: 5 });
    const apart = files.flatMap((file) => [1, 2, 3].flatMap((at) => read(task, at, [file])));
    expect(apart.length).toBeGreaterThan(10);
    expect(read(task, 1, files, 4)).toEqual(apart);
    expect(read(task, 2, files, 2)).toEqual([]);
    expect(read(task, 0, files, 5).length).toBe(60);
  });
});

test('what each partition has on disk is told', () => {
  const disk = new MemoryDisk();
  withTask(disk, (task) => {
    const few = write(task, rowsOf(1), { file: fileOf(1) });
    expect(few.filter((bytes) => bytes > 0)).toHaveLength(1);
    const many = write(task, rowsOf(500));
    const length = disk.files.get(fileOf(0).path)?.length ?? 0;
    const sum = many.reduce((total, bytes) => total + bytes, 0);
    expect(Math.min(...many)).toBeGreaterThan(Math.max(...few));
    // Behind the blocks there are the index and the footer.
    expect(sum).toBeLessThan(length);
    expect(length - sum).toBeLessThan(200);
  });
});

test('a file without rows is a file', () => {
  withTask(new MemoryDisk(), (task) => {
    write(task, []);
    expect(read(task, 2)).toEqual([]);
  });
});

test('a file has no name before it is whole', () => {
  const disk = new MemoryDisk();
  const counting = new FaultPlan();
  withTask(new MemoryDisk(), (task) => write(task, rowsOf(30)), counting);
  for (let at = 0; at < counting.calls.length; at++) {
    const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_IO' });
    expect(
      () => withTask(disk, (task) => write(task, rowsOf(30)), plan),
      counting.calls[at],
    ).toThrow();
    expect([...disk.files.keys()]).toEqual([]);
  }
});

test('a full disk says so', () => {
  const plan = new FaultPlan({ kind: 'error', at: 2, code: 'DISK_FULL' });
  expect(() => withTask(new MemoryDisk(), (task) => write(task, rowsOf(5)), plan)).toThrow(
    expect.objectContaining({ info: expect.objectContaining({ code: 'SPILL_DISK_FULL' }) }),
  );
});

/** Null: all rows are there. */
function damageOf(disk: MemoryDisk, expected: readonly Row[][]): TypedError['info'] | null {
  try {
    withTask(disk, (task) => {
      expect([0, 1, 2].map((partition) => read(task, partition))).toEqual(expected);
    });
    return null;
  } catch (error) {
    if (error instanceof TypedError) return error.info;
    throw error;
  }
}

test('a file that was cut or changed anywhere is lost, and names its task', () => {
  const disk = new MemoryDisk();
  const { path } = fileOf(0);
  const expected = withTask(disk, (task) => {
    write(task, rowsOf(40, 3));
    return [0, 1, 2].map((partition) => read(task, partition));
  });
  const whole = disk.files.get(path) ?? new Uint8Array();
  expect(damageOf(disk, expected)).toBeNull();
  const lost = {
    code: 'SHUFFLE_LOST',
    retryable: true,
    details: { path, taskId: 'v1[0]', attempt: 1 },
  };
  for (let at = 0; at < whole.length; at++) {
    disk.files.set(path, whole.slice(0, at));
    expect(damageOf(disk, expected), `cut at ${at}`).toMatchObject(lost);
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    disk.files.set(path, changed);
    expect(damageOf(disk, expected), `changed at ${at}`).toMatchObject(lost);
  }
  disk.files.delete(path);
  expect(damageOf(disk, expected)).toMatchObject(lost);
});
