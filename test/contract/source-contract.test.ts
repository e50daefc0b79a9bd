/**
 * Goal: a source gives every row once, however its splits are cut and handed out, counts its bytes,
 * and gives memory and files back whatever call of the disk fails.
 *
 * The suite is the contract of engine/contracts/source.ts for the files connector.
 */
import path from 'node:path';
import { expect, test } from 'vitest';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { connectors } from '../../connectors/registry.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { Connector, SlotContext } from '../../engine/contracts/connector.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { FaultPlan, faultySyncDisk } from '../support/faulty-disk.ts';
import { tempFolder } from '../support/temp-folder.ts';

const schema = schemaOf(fieldOf('line', utf8Type));
const connector = connectors.get('files') as Required<Connector>;
const optionsOf = (where: string) => ({
  path: where,
  format: { kind: 'text', invalidUtf8: 'fail' },
  extensions: null,
});

function contextOf(plan: FaultPlan): SlotContext {
  const memory = new SlotMemory({ budgetBytes: 32 << 20 });
  const kernels = instantiateKernels(memory.memory);
  const disk = faultySyncDisk(createRealSyncDisk(), plan);
  return { disk, scope: memory.scope('source'), kernels, schema, taskIndex: 0, hasDeadLetters: false };
}

/** Reads the splits in the order given, one reader for each task. */
function readWith(options: ReturnType<typeof optionsOf>, tasks: readonly (readonly Split[])[]) {
  const lines: string[] = [];
  let bytesRead = 0;
  for (const splits of tasks) {
    const context = contextOf(new FaultPlan());
    const reader = connector.reader(options, context);
    for (const split of splits) {
      reader.open(structuredClone(split));
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        if (typeof batch === 'string') continue;
        for (const row of readRows(batch)) lines.push(String(row.line));
        batch.release();
      }
    }
    bytesRead += reader.bytesRead;
    reader.close();
    context.scope.memory.assertEmpty();
  }
  return { lines, bytesRead };
}

function lineTexts(count: number, seed: number): string[] {
  return Array.from(
    { length: count },
    (_, row) => `${seed}:${row} ${'é'.repeat((row * 7919) % 90)}`,
  );
}

const folderLines = [...lineTexts(30_000, 1), ...lineTexts(3, 2), ...lineTexts(9_000, 3)].sort();
const folderFiles = {
  'large.txt': `${lineTexts(30_000, 1).join('\n')}\n`,
  'small.txt': lineTexts(3, 2).join('\r\n'),
  'empty.txt': '',
  'sub/middle.txt': lineTexts(9_000, 3).join('\n'),
};

test('every row once, whatever the parallelism and the order of the splits', async () => {
  const folder = tempFolder(folderFiles);
  const options = optionsOf(folder);
  const context = { disk: createRealDisk(), attemptId: 'attempt' };
  for (const parallelism of [1, 2, 7]) {
    const discovery = await connector.enumerator(options, context).discover(parallelism);
    expect(discovery.inputCount).toBe(4);
    const { splits } = discovery;
    const inTurns = Array.from({ length: parallelism }, (_, task) =>
      splits.filter((_split, index) => index % parallelism === task),
    );
    for (const tasks of [[splits], [splits.toReversed()], inTurns]) {
      const { lines, bytesRead } = readWith(options, tasks);
      expect(bytesRead).toBe(discovery.sizeBytes);
      expect(lines.sort()).toEqual(folderLines);
    }
  }
});

test('a file of a few megabytes makes work for many tasks', async () => {
  const folder = tempFolder({ text: 'words on a line\n'.repeat(500_000) });
  const options = optionsOf(path.join(folder, 'text'));
  const context = { disk: createRealDisk(), attemptId: 'attempt' };
  const { splits } = await connector.enumerator(options, context).discover(8);
  expect(splits).toHaveLength(8);
});

test('whatever call fails, the reader can be closed and holds nothing', async () => {
  const folder = tempFolder(folderFiles);
  const options = optionsOf(folder);
  const discovery = await connector
    .enumerator(options, { disk: createRealDisk(), attemptId: 'attempt' })
    .discover(2);
  const readAll = (plan: FaultPlan) => {
    const context = contextOf(plan);
    const reader = connector.reader(options, context);
    try {
      for (const split of discovery.splits) {
        reader.open(split);
        for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
          if (typeof batch !== 'string') batch.release();
        }
      }
    } finally {
      reader.close();
      context.scope.memory.assertEmpty();
      expect(plan.openFiles.size).toBe(0);
    }
  };
  const counting = new FaultPlan();
  readAll(counting);
  for (const at of counting.calls.keys()) {
    const plan = new FaultPlan({ kind: 'error', at });
    expect(() => readAll(plan), counting.calls[at]).toThrow(/planned failure|cannot be read/);
  }
});
