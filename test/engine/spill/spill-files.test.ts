/**
 * Goal: rows come back from disk as they went there, whatever their types and however they were appended;
 * what a disk loses or refuses is a typed error; and no file, open file or memory is left.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SyncDisk } from '../../../base/env/disk.ts';
import { TypedError } from '../../../base/typed-error.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { SpillFiles } from '../../../engine/spill/spill-files.ts';
import type { SpillRun } from '../../../engine/spill/spill-writer.ts';
import { batchCases, expectedRows, makeBatch } from '../../support/batches.ts';
import { FaultPlan, faultySyncDisk } from '../../support/faulty-disk.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { batchOf, type Row } from '../../support/operator-harness.ts';
import { spillSpace } from '../../support/spill-space.ts';

const blockBytes = 64 << 10;
const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('tested');
const textSchema = schemaOf(fieldOf('id', int32Type), fieldOf('text', utf8Type));

/** Files of an operator on a disk in memory; afterwards nothing must be left anywhere. */
function withFiles<T>(
  work: (files: SpillFiles, disk: MemoryDisk) => T,
  wrap: (disk: SyncDisk) => SyncDisk = (disk) => disk,
): T {
  const disk = new MemoryDisk();
  const spill = spillSpace(undefined, wrap(disk));
  const files = new SpillFiles({ name: 'tested', scope, kernels, spill }, { blockBytes });
  let result: T;
  try {
    result = work(files, disk);
  } finally {
    files.close();
  }
  expect([...disk.files.keys()]).toEqual([]);
  expect(disk.openFiles.size).toBe(0);
  memory.assertEmpty();
  return result;
}

function rowsOf(files: SpillFiles, run: SpillRun, schema: Schema): Row[] {
  const reader = files.open(run, schema);
  const rows: Row[] = [];
  for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
    rows.push(...readRows(batch));
    batch.release();
  }
  expect(reader.read()).toBe('end');
  reader.close();
  return rows;
}

function writtenRun(files: SpillFiles, rows: readonly Row[], batchRows = 8192): SpillRun {
  const writer = files.create();
  for (let row = 0; row < rows.length; row += batchRows) {
    const batch = batchOf(scope, textSchema, rows.slice(row, row + batchRows));
    try {
      writer.append(batch);
    } finally {
      batch.release();
    }
  }
  return writer.finish();
}

function textRows(count: number, textOf: (id: number) => string): Row[] {
  return Array.from({ length: count }, (_, id) => ({ id, text: textOf(id) }));
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof TypedError ? error.info.code : String(error);
  }
  return 'no error';
}

test('batches of every type read as they were appended', () => {
  fc.assert(
    fc.property(batchCases(), fc.integer({ min: 1, max: 5 }), (spec, times) => {
      withFiles((files) => {
        const writer = files.create();
        for (let time = 0; time < times; time++) {
          const batch = makeBatch(scope, spec);
          writer.append(batch);
          batch.release();
        }
        const run = writer.finish();
        const once = expectedRows(spec);
        expect(run.rowCount).toBe(once.length * times);
        const all = Array.from({ length: times }, () => once).flat();
        expect(rowsOf(files, run, spec.schema)).toEqual(all);
      });
    }),
  );
});

test.each`
  what                                | count   | textOf
  ${'texts that compress'}            | ${8192} | ${(id: number) => `row ${id % 10} `.repeat(20)}
  ${'texts that do not'}              | ${8192} | ${randomText}
  ${'rows larger than a block'}       | ${5}    | ${(id: number) => String(id).repeat(150_000)}
  ${'rows of every size in one file'} | ${400}  | ${(id: number) => 'x'.repeat((id * id) % 140_000)}
`('$what come back, in order', ({ count, textOf }) => {
  withFiles((files) => {
    const rows = textRows(count, textOf);
    const batchRows = count < 1000 ? 6 : 8192; // A builder takes a megabyte.
    expect(rowsOf(files, writtenRun(files, rows, batchRows), textSchema)).toEqual(rows);
  });
});

test('what compresses takes less room', () => {
  withFiles((files) => {
    writtenRun(
      files,
      textRows(8192, (id) => `row ${id % 10} `.repeat(20)),
    );
    expect(files.writtenBytes).toBeLessThan(200_000);
  });
});

test('rows by number, and runs of one file read by themselves', () => {
  withFiles((files) => {
    const rows = textRows(9, String);
    const batch = batchOf(scope, textSchema, rows);
    const writer = files.create();
    const [list] = [scope.allocate(64)];
    memory.uint32.set([7, 3, 3], (list * 64) >>> 2);
    writer.append(batch, list * 64, 3);
    const first = writer.cut();
    const empty = writer.cut();
    writer.append(batch);
    const last = writer.finish();
    memory.release(list);
    batch.release();
    expect(rowsOf(files, last, textSchema)).toEqual(rows);
    expect(rowsOf(files, first, textSchema)).toEqual([rows[7], rows[3], rows[3]]);
    expect(rowsOf(files, empty, textSchema)).toEqual([]);
  });
});

test('two readers of a run, and a batch that lives longer than both', () => {
  withFiles((files) => {
    const run = writtenRun(files, textRows(3, String));
    const [one, other] = [files.open(run, textSchema), files.open(run, textSchema)];
    const batches = [one.read(), other.read()].filter((batch) => batch !== 'end');
    other.close();
    one.close();
    expect(batches.map(readRows)).toEqual([textRows(3, String), textRows(3, String)]);
    for (const batch of batches) batch.release();
  });
});

test('a removed file is gone; the others stay until the end', () => {
  withFiles((files, disk) => {
    const [one] = [writtenRun(files, textRows(3, String)), writtenRun(files, textRows(3, String))];
    files.remove(one);
    expect([...disk.files.keys()]).toEqual(['spill/job/task/0-1.spill']);
  });
});

describe('a damaged file', () => {
  const rows = textRows(300, (id) => `some text of row ${id}`);

  test.each`
    what                 | damage
    ${'cut off'}         | ${(bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1)}
    ${'cut in a header'} | ${(bytes: Uint8Array) => bytes.subarray(0, 7)}
    ${'emptied'}         | ${() => new Uint8Array()}
    ${'zeroed'}          | ${(bytes: Uint8Array) => new Uint8Array(bytes.length)}
  `('that is $what is told with its name and place', ({ damage }) => {
    withFiles((files, disk) => {
      const run = writtenRun(files, rows);
      disk.files.set(run.path, damage(disk.files.get(run.path)));
      const message = `spill file "${run.path}" is damaged at byte 0`;
      expect(() => rowsOf(files, run, textSchema)).toThrow(message);
    });
  });

  test('with any bit flipped is told', () => {
    withFiles((files, disk) => {
      const run = writtenRun(files, rows);
      const good = disk.files.get(run.path) ?? new Uint8Array();
      for (let at = 0; at < good.length; at += at < 16 ? 1 : 97) {
        const bad = good.slice();
        bad[at] = (bad[at] ?? 0) ^ (1 << (at & 7));
        disk.files.set(run.path, bad);
        expect([at, codeOf(() => rowsOf(files, run, textSchema))]).toEqual([at, 'SPILL_DAMAGED']);
      }
    });
  });
});

test('each call of the disk may fail: a typed error, and nothing is left', () => {
  const rows = textRows(3000, randomText);
  for (let at = 0; ; at++) {
    const plan = new FaultPlan({ kind: 'error', at, code: 'DISK_FULL' });
    const code = codeOf(() =>
      withFiles(
        (files) => {
          try {
            rowsOf(files, writtenRun(files, rows), textSchema);
          } finally {
            plan.heal();
          }
        },
        (disk) => faultySyncDisk(disk, plan),
      ),
    );
    if (!plan.hasFired) break;
    // The writer's file is closed before anything is read.
    const isWriting = !plan.calls.slice(0, at + 1).some((call) => call.startsWith('close'));
    expect([plan.calls[at], code]).toEqual([
      plan.calls[at],
      isWriting ? 'SPILL_DISK_FULL' : 'DISK_FULL',
    ]);
  }
});

/** Letters that do not compress, the same for the same number. */
function randomText(id: number): string {
  let state = id + 1;
  const letters = Array.from({ length: 60 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return String.fromCharCode(32 + ((state >>> 16) % 94));
  });
  return letters.join('');
}
