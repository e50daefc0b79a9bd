/** Goal: what a task says is on disk is there after a power cut at any later moment, names of folders included. */
import { expect, test } from 'vitest';
import { assert } from '../../base/assert.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { OperatorSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import { SimSyncDisk } from '../../simulation/sim-sync-disk.ts';
import { SnapshotFileReader } from '../../worker/snapshot/snapshot-file-reader.ts';
import { SnapshotFileWriter } from '../../worker/snapshot/snapshot-file-writer.ts';
import { makeBatch } from '../support/batches.ts';

const memory = new SlotMemory({ budgetBytes: 8 << 20 });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('test');
const folder = '/jobs/1/checkpoints';
const words = schemaOf(fieldOf('word', utf8Type));
const texts = ['one', 'two', 'three'];

function write(disk: SyncDisk): readonly OperatorSnapshot[] {
  const clock = { mono: () => 0 };
  const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock, bufferBytes: 64 });
  writer.begin(1, '1/task-0');
  let next = 0;
  writer.writerOf('counts', 'process').rows('words', words, {
    next: () => {
      const text = texts[next++];
      if (text === undefined) return null;
      return makeBatch(scope, { schema: words, rows: [[text]], selected: null });
    },
    close: () => undefined,
  });
  try {
    while (!writer.step());
    const outcome = writer.finish();
    assert(outcome.kind === 'written', 'the disk is whole');
    return outcome.operators;
  } finally {
    writer.abort();
  }
}

function read(disk: SyncDisk, operators: readonly OperatorSnapshot[]): unknown[] {
  const statistics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 };
  const own = { taskId: 't', vertexId: 'v', taskIndex: 0, parallelism: 1, operators };
  const reader = new SnapshotFileReader({
    ...{ disk, scope, kernels, folder, operatorId: 'counts', kind: 'process' },
    ...{ taskIndex: 0, parallelism: 1 },
    tasks: [{ ...own, source: null, prepared: null, statistics }],
  });
  const found: unknown[] = [];
  for (let batch = reader.read('words'); batch !== null; batch = reader.read('words')) {
    found.push(...readRows(batch).map(({ word }) => word));
    batch.release();
  }
  reader.close();
  return found;
}

/** Answers whether the snapshot was said to be there, and what is read after the power cut. */
async function cutAt(call: number, seed: number) {
  let written: readonly OperatorSnapshot[] | null = null;
  let found: unknown[] | null = null;
  let calls = 0;
  const cluster = new Cluster({ seed });
  await inMacrotask(() => {
    let lives = 0;
    const node = cluster.addNode('node', { clocks: {}, faults: [] }, () => {
      const { incarnation, diskState } = node;
      assert(incarnation !== null, 'the program of a node runs while it is up');
      const disk = new SimSyncDisk(incarnation, diskState);
      if (lives++ === 0) {
        written = write(disk);
        calls = diskState.callCount;
        disk.stat(folder);
      } else if (written !== null) found = read(disk, written);
    });
    const crash = { kind: 'crashAtDiskCall', node: 'node', call, downMs: 100 } as const;
    cluster.armFaults([{ ...crash, when: 'before', cause: 'powerCut' }], 5_000);
    cluster.world.run(10_000);
  });
  expect(cluster.world.failure).toBeNull();
  memory.assertEmpty();
  return { isWritten: written !== null, found, calls };
}

test('a power cut before any call: what was said to be on disk is there, whole', async () => {
  const { calls } = await cutAt(1_000, 1);
  expect(calls).toBeGreaterThan(10);
  for (let call = 0; call <= calls; call++) {
    for (let seed = 1; seed <= 5; seed++) {
      const { isWritten, found } = await cutAt(call, seed);
      expect(isWritten).toBe(call === calls);
      expect(found).toEqual(isWritten ? texts : null);
    }
  }
});
