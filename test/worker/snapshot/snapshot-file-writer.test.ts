/** Goal: rows that operators hand out are read back the same by the tasks they belong to, or the file is refused. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import type { SyncDisk } from '../../../base/env/disk.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { OperatorSnapshot, TaskSnapshot } from '../../../engine/checkpoint/task-snapshot.ts';
import type { SnapshotRows } from '../../../engine/contracts/snapshot.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { SnapshotFileReader } from '../../../worker/snapshot/snapshot-file-reader.ts';
import {
  SnapshotFileWriter,
  type SnapshotFileWriterOptions,
  type SnapshotOutcome,
} from '../../../worker/snapshot/snapshot-file-writer.ts';
import { type BatchCase, batchCases, expectedRows, makeBatch } from '../../support/batches.ts';
import { FaultPlan, faultySyncDisk } from '../../support/faulty-disk.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('test');
const folder = '/checkpoints';
const path = '7/task.arrow';
const clock = { mono: () => 0 };

afterEach(() => memory.assertEmpty());

/** Rows of batches, which counts how often it was closed. */
class CaseRows implements SnapshotRows {
  closeCount = 0;
  readonly #specs: readonly BatchCase[];
  #next = 0;

  constructor(specs: readonly BatchCase[]) {
    this.#specs = specs;
  }

  next() {
    const spec = this.#specs[this.#next++];
    return spec === undefined ? null : makeBatch(scope, spec);
  }

  close(): void {
    this.closeCount++;
  }
}

type Parts = Readonly<Record<string, readonly BatchCase[]>>;

interface Written {
  readonly outcome: SnapshotOutcome;
  readonly rows: readonly CaseRows[];
}

/** Writes the parts of one operator. */
function write(
  disk: SyncDisk,
  parts: Parts,
  options: Partial<SnapshotFileWriterOptions> = {},
): Written {
  const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock, ...options });
  writer.begin(7, path);
  const own = writer.writerOf('counts', 'process');
  own.note({ watermark: 3 });
  const rows = Object.entries(parts).map(([part, specs]) => {
    const found = new CaseRows(specs);
    own.rows(part, specs[0]?.schema ?? schemaOf(fieldOf('a', utf8Type)), found);
    return found;
  });
  for (let steps = 0; !writer.step(); steps++) expect(steps).toBeLessThan(1000);
  return { outcome: writer.finish(), rows };
}

function operatorsOf({ outcome }: Written): readonly OperatorSnapshot[] {
  if (outcome.kind === 'failed') throw outcome.error;
  return outcome.operators;
}

function taskOf(
  operators: readonly OperatorSnapshot[],
  taskIndex = 0,
  parallelism = 1,
): TaskSnapshot {
  const statistics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 };
  const task = { taskId: `t${taskIndex}`, vertexId: 'v', taskIndex, parallelism, operators };
  return { ...task, source: null, prepared: null, statistics };
}

function readerOf(
  disk: SyncDisk,
  tasks: readonly TaskSnapshot[],
  options: { taskIndex?: number; parallelism?: number; readsAll?: boolean } = {},
): SnapshotFileReader {
  return new SnapshotFileReader({
    ...{ disk, scope, kernels, folder, operatorId: 'counts', kind: 'process', tasks },
    ...{ taskIndex: 0, parallelism: 1, ...options },
  });
}

function rowsOf(reader: SnapshotFileReader, part: string): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = [];
  for (let batch = reader.read(part); batch !== null; batch = reader.read(part)) {
    try {
      rows.push(...readRows(batch));
    } finally {
      batch.release();
    }
  }
  return rows;
}

const cases = fc
  .array(batchCases(), { maxLength: 3 })
  .map((specs): Parts => Object.fromEntries(specs.map((spec, at) => [`p${at}`, [spec, spec]])));

test('parts of any types are read back the same, whatever the sizes of parts and buffers', () => {
  const sizes = fc.record({ partBytesMax: fc.integer({ min: 1, max: 4000 }) });
  fc.assert(
    fc.property(cases, sizes, fc.constantFrom(64, 1000), (parts, size, bufferBytes) => {
      const disk = new MemoryDisk();
      const written = write(disk, parts, { ...size, bufferBytes });
      const [operator, ...others] = operatorsOf(written);
      expect(others).toEqual([]);
      expect(written.rows.map(({ closeCount }) => closeCount)).toEqual(
        Object.keys(parts).map(() => 1),
      );
      const fileSize = disk.files.get(`${folder}/${path}`)?.length ?? 0;
      expect(written.outcome).toMatchObject({ sizeBytes: fileSize });
      const reader = readerOf(disk, [taskOf(JSON.parse(JSON.stringify([operator])))]);
      expect(reader.notes).toEqual([{ watermark: 3 }]);
      // Two parts are read in turns.
      const first = reader.read('p0');
      for (const [part, specs] of Object.entries(parts).toReversed()) {
        const found = rowsOf(reader, part);
        const before = part === 'p0' && first !== null ? readRows(first) : [];
        expect([...before, ...found]).toEqual(specs.flatMap(expectedRows));
      }
      expect(first === null || first.schema).toEqual(first === null || parts.p0?.[0]?.schema);
      first?.release();
      expect(reader.read('p0')).toBeNull();
      expect(reader.read('unknown')).toBeNull();
      reader.close();
      expect(disk.openFiles.size).toBe(0);
    }),
    { numRuns: 150 },
  );
});

test('a snapshot without rows has no file, and one without words no operator', () => {
  const disk = new MemoryDisk();
  expect(operatorsOf(write(disk, { empty: [] }))).toEqual([
    { operatorId: 'counts', kind: 'process', note: { watermark: 3 }, parts: [] },
  ]);
  expect(disk.files.size).toBe(0);
  const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock });
  writer.begin(1, path);
  writer.writerOf('counts', 'process');
  expect(writer.step()).toBe(true);
  expect(writer.finish()).toEqual({ kind: 'written', operators: [], sizeBytes: 0 });
});

const words = schemaOf(fieldOf('word', utf8Type));
const wordsOf = (...texts: string[]): BatchCase => ({
  schema: words,
  rows: texts.map((text) => [text]),
  selected: null,
});

test.each`
  from | to   | task | readsAll | texts
  ${2} | ${1} | ${0} | ${false} | ${['w0', 'w1']}
  ${1} | ${2} | ${1} | ${false} | ${['w0']}
  ${2} | ${2} | ${1} | ${false} | ${['w1']}
  ${3} | ${2} | ${0} | ${false} | ${['w0', 'w1']}
  ${3} | ${7} | ${6} | ${false} | ${['w2']}
  ${3} | ${7} | ${6} | ${true}  | ${['w0', 'w1', 'w2']}
`('$from tasks to $to: task $task reads $texts', ({ from, to, task, readsAll, texts }) => {
  const disk = new MemoryDisk();
  const tasks = Array.from({ length: from }, (_, taskIndex) => {
    const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock });
    writer.begin(1, `task-${taskIndex}`);
    const own = writer.writerOf('counts', 'process');
    own.note(taskIndex);
    own.rows('words', words, new CaseRows([wordsOf(`w${taskIndex}`)]));
    writer.writerOf('counts', 'other').rows('words', words, new CaseRows([wordsOf('other')]));
    writer.step();
    const outcome = writer.finish();
    return taskOf(operatorsOf({ outcome, rows: [] }), taskIndex, from);
  });
  const reader = readerOf(disk, tasks.toReversed(), {
    ...{ taskIndex: task, parallelism: to, readsAll },
  });
  expect(rowsOf(reader, 'words').map(({ word }) => word)).toEqual(texts);
  expect(reader.notes).toEqual(tasks.map(({ taskIndex }) => taskIndex));
  reader.close();
});

test('a flipped bit in any byte, a file that is cut anywhere or gone: refused, by file and part', () => {
  const disk = new MemoryDisk();
  const operators = operatorsOf(write(disk, { words: [wordsOf('one', 'two'), wordsOf('three')] }));
  const name = `${folder}/${path}`;
  const whole = disk.files.get(name) ?? new Uint8Array();
  const read = () => {
    const reader = readerOf(disk, [taskOf(operators)]);
    try {
      rowsOf(reader, 'words');
    } finally {
      reader.close();
    }
  };
  const refused = () => {
    const error = typedErrorOf(read);
    expect(error?.info.code).toBe('SNAPSHOT_DAMAGED');
    expect(error?.message).toContain(
      `part "words" of snapshot file "${name}" is damaged at byte 0`,
    );
  };
  read();
  for (let at = 0; at < whole.length; at++) {
    const flipped = whole.slice();
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    disk.files.set(name, flipped);
    refused();
    disk.files.set(name, whole.slice(0, at));
    refused();
  }
  disk.files.delete(name);
  refused();
});

test('whatever call of the disk fails, the snapshot fails, nothing is left, and the next one is whole', () => {
  const parts = { first: [wordsOf('one')], second: [wordsOf('two'), wordsOf('three')] };
  const counted = new FaultPlan();
  write(faultySyncDisk(new MemoryDisk(), counted), parts, { bufferBytes: 64 });
  expect(counted.calls.length).toBeGreaterThan(10);
  for (const code of ['DISK_FULL', 'DISK_IO'] as const) {
    for (let at = 0; at < counted.calls.length; at++) {
      const plan = new FaultPlan({ kind: 'error', at, code });
      const inner = new MemoryDisk();
      const disk = faultySyncDisk(inner, plan);
      const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock });
      const rows = new CaseRows(parts.second);
      writer.begin(7, path);
      writer.writerOf('counts', 'process').rows('second', words, rows);
      while (!writer.step());
      const outcome = writer.finish();
      expect(rows.closeCount).toBe(1);
      expect(plan.openFiles.size).toBe(0);
      if (!plan.hasFired) continue;
      expect(outcome.kind === 'failed' && codeOf(outcome.error)).toBe(code);
      expect([...inner.files.keys()]).toEqual([]);
      memory.assertEmpty();
      expect(operatorsOf(write(disk, parts))).toHaveLength(1);
    }
  }
});

test('memory that is used up fails the snapshot and not the task', () => {
  const small = new SlotMemory({ budgetBytes: 2 << 20 });
  const held = small.scope('work').allocate(1_900_000);
  const disk = new MemoryDisk();
  const writer = new SnapshotFileWriter({
    ...{ disk, folder, clock, scope: small.scope('snapshot') },
    kernels: instantiateKernels(small.memory),
  });
  writer.begin(1, path);
  const rows = new CaseRows([wordsOf('one')]);
  writer.writerOf('counts', 'process').rows('words', words, rows);
  expect(writer.step()).toBe(true);
  const outcome = writer.finish();
  expect(outcome.kind === 'failed' && codeOf(outcome.error)).toBe('MEMORY_EXHAUSTED');
  expect(rows.closeCount).toBe(1);
  small.release(held);
  small.assertEmpty();
});

test('an error that is no fault of disk or memory is the task’s, and nothing is left', () => {
  const disk = new MemoryDisk();
  const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock });
  writer.begin(1, path);
  const own = writer.writerOf('counts', 'process');
  own.rows('words', words, new CaseRows([wordsOf('one')]));
  const broken = {
    next: () => {
      throw new RangeError('a bug');
    },
    close: () => undefined,
  };
  own.rows('more', words, broken);
  expect(() => writer.step()).toThrow('a bug');
  writer.abort();
  expect(disk.files.size + disk.openFiles.size).toBe(0);
});

test('a step takes rows for a while only; abort closes and removes what there is', () => {
  const disk = new MemoryDisk();
  let now = 0;
  const ticking = { mono: () => now++ };
  const rows = new CaseRows(Array.from({ length: 5 }, () => wordsOf('one')));
  const waiting = new CaseRows([wordsOf('two')]);
  const writer = new SnapshotFileWriter({
    ...{ disk, scope, kernels, folder, clock: ticking, stepMs: 2, bufferBytes: 64 },
  });
  writer.begin(1, path);
  writer.writerOf('counts', 'process').rows('words', words, rows);
  writer.writerOf('other', 'process').rows('words', words, waiting);
  expect(writer.step()).toBe(false);
  expect(writer.isWriting).toBe(true);
  expect(disk.files.size).toBe(1);
  writer.abort();
  expect(writer.isWriting).toBe(false);
  expect([rows.closeCount, waiting.closeCount]).toEqual([1, 1]);
  expect(disk.files.size + disk.openFiles.size).toBe(0);
});

test('rows that are added go into a new file, and are read behind those they come on top of', () => {
  const disk = new MemoryDisk();
  const written = { operators: [] };
  const snapshots = [['one'], ['two', 'three'], ['four']].map((texts, at) => {
    const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock }, written);
    writer.begin(at + 1, `${at + 1}/task`);
    const own = writer.writerOf('counts', 'process');
    const before = own.written?.('words') ?? null;
    expect(before && [before.checkpointId, before.snapshotCount]).toEqual(
      at === 0 ? null : [at, at],
    );
    own.rows('words', words, new CaseRows([wordsOf(...texts)]), at > 0);
    while (!writer.step());
    return operatorsOf({ outcome: writer.finish(), rows: [] });
  });
  for (const [at, operators] of snapshots.entries()) {
    const reader = readerOf(disk, [taskOf(operators)]);
    const found = rowsOf(reader, 'words').map(({ word }) => word);
    expect(found).toEqual(['one', 'two', 'three', 'four'].slice(0, [1, 3, 4][at]));
    reader.close();
  }
  expect([...disk.files.keys()]).toEqual(['1', '2', '3'].map((name) => `${folder}/${name}/task`));
});
