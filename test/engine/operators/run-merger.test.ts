/** Goal: runs merged in any number of passes are one stable sort of all rows, and use up no more files. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import type { MergeSize } from '../../../engine/operators/merge-size.ts';
import { RunMerger } from '../../../engine/operators/run-merger.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { SpillFiles } from '../../../engine/spill/spill-files.ts';
import { ascending } from '../../../engine/stream/row-order.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { batchOf, type Row } from '../../support/operator-harness.ts';
import { spillSpace } from '../../support/spill-space.ts';

const schema = schemaOf(fieldOf('key', int32Type), fieldOf('text', utf8Type, true));
const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('tested');

function newFiles() {
  const disk = new MemoryDisk();
  const context = {
    ...{ name: 'tested', scope, kernels, spill: spillSpace(undefined, disk) },
    shouldYield: () => false,
  };
  return { disk, context, files: new SpillFiles(context, { blockBytes: 64 << 10 }) };
}

/** Room for so many runs at once. */
function sizeFor(runsAtOnce: number): MergeSize {
  const nothing = { reserveBytes: 0, spareBytes: 0 };
  return { ...nothing, blockBytes: 64 << 10, runBytes: 1, shareBytes: runsAtOnce };
}

function writtenRun(files: SpillFiles, rows: readonly Row[]) {
  const writer = files.create();
  const batch = batchOf(scope, schema, rows);
  writer.append(batch);
  batch.release();
  return writer.finish();
}

const keysOfRuns = fc.array(fc.array(fc.nat(5), { maxLength: 8 }), { minLength: 1, maxLength: 30 });

test('merging is sorting, whatever the runs and how many at once', () => {
  fc.assert(
    fc.property(keysOfRuns, fc.integer({ min: 2, max: 5 }), (keysByRun, runsAtOnce) => {
      const { disk, context, files } = newFiles();
      const rowsByRun = keysByRun.map((keys, run) =>
        [...keys].sort().map((key, at): Row => ({ key, text: `${run}.${at}` })),
      );
      const runs = rowsByRun.map((rows) => writtenRun(files, rows));
      const order = [ascending('key')];
      const size = sizeFor(runsAtOnce);
      const merger = new RunMerger(context, { schema, order, files, runs, size });
      while (!merger.prepare()) expect(disk.files.size).toBeLessThanOrEqual(runs.length + 1);
      expect(disk.files.size).toBe(runs.length);
      expect(runs.length).toBeLessThanOrEqual(runsAtOnce);
      const found: Row[] = [];
      for (let batch = merger.next(); batch !== null; batch = merger.next()) {
        found.push(...readRows(batch));
        batch.release();
      }
      merger.close();
      files.close();
      expect(found).toEqual(rowsByRun.flat().sort((a, b) => Number(a.key) - Number(b.key)));
      memory.assertEmpty();
      expect([disk.files.size, disk.openFiles.size]).toEqual([0, 0]);
    }),
  );
});

test('closed in the middle of a pass it leaves nothing', () => {
  const { disk, context, files } = newFiles();
  const runs = [3, 1, 2].map((key) => writtenRun(files, [{ key, text: null }]));
  const order = [ascending('key')];
  const merger = new RunMerger(context, { schema, order, files, runs, size: sizeFor(2) });
  merger.prepare();
  merger.prepare();
  merger.close();
  files.close();
  memory.assertEmpty();
  expect([disk.files.size, disk.openFiles.size]).toEqual([0, 0]);
});
