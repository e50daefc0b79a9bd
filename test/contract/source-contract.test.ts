/**
 * Goal: a source gives every row once, however its splits are cut and handed out, counts its bytes,
 * and gives memory and files back whatever call of the disk fails.
 *
 * The suite is the contract of engine/contracts/source.ts; test/support/source-cases.ts has a case
 * for each connector and format.
 */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import type { FileSourceOptions } from '../../connectors/filesystem/file-options.ts';
import { rangesOf } from '../../connectors/filesystem/file-range.ts';
import { fileFormatOf } from '../../connectors/formats/file-formats.ts';
import { connectors } from '../../connectors/registry.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { Connector, SlotContext } from '../../engine/contracts/connector.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { FaultPlan, faultySyncDisk } from '../support/faulty-disk.ts';
import { rowText, type SourceCase, sourceKinds } from '../support/source-cases.ts';

function connectorOf({ source }: SourceCase): Required<Connector> {
  return connectors.get(source.connector) as Required<Connector>;
}

function enumeratorOf(one: SourceCase) {
  const context = { disk: createRealDisk(), attemptId: 'attempt' };
  return connectorOf(one).enumerator(one.source.options, context);
}

function discover(one: SourceCase, parallelism: number) {
  return enumeratorOf(one).discover(parallelism);
}

/** The same files with other options. */
function withOptions(one: SourceCase, options: Partial<FileSourceOptions>): SourceCase {
  const { source } = one;
  const all = { ...(source.options as FileSourceOptions), ...options };
  return { ...one, source: { ...source, options: all } };
}

/** The files that each split has rows of. */
function filesOf({ source }: SourceCase, splits: readonly Split[]): readonly string[][] {
  const { pathsOf } = fileFormatOf((source.options as FileSourceOptions).format);
  return splits.map(({ payload }) => {
    const paths = pathsOf?.(payload) ?? rangesOf(payload).map(({ path }) => path);
    return [...new Set(paths)];
  });
}

async function contextOf(
  { source, programRing }: SourceCase,
  plan: FaultPlan,
): Promise<SlotContext> {
  const memory = new SlotMemory({ budgetBytes: 32 << 20 });
  const kernels = instantiateKernels(memory.memory);
  const disk = faultySyncDisk(createRealSyncDisk(), plan);
  const ring = programRing === undefined ? null : await programRing(memory);
  return {
    disk,
    scope: memory.scope('source'),
    kernels,
    schema: source.schema,
    taskIndex: 0,
    attempt: 1,
    hasDeadLetters: false,
    programRing: ring,
  };
}

/** Reads the splits in the order given, one reader for each task. */
async function readWith(one: SourceCase, tasks: readonly (readonly Split[])[]) {
  const rows: string[] = [];
  let bytesRead = 0;
  for (const splits of tasks) {
    const context = await contextOf(one, new FaultPlan());
    const reader = connectorOf(one).reader(one.source.options, context);
    for (const split of splits) {
      reader.open(structuredClone(split));
      for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
        if (typeof batch === 'string') continue;
        for (const row of readRows(batch)) rows.push(rowText(row));
        batch.release();
      }
    }
    bytesRead += reader.bytesRead;
    reader.close();
    context.scope.memory.assertEmpty();
  }
  return { rows, bytesRead };
}

describe.each(sourceKinds)('$name', ({ make }) => {
  test('every row once, whatever the parallelism and the order of the splits', async () => {
    const one = make();
    for (const parallelism of [1, 2, 7]) {
      const discovery = await discover(one, parallelism);
      expect(discovery.inputCount).toBe(one.inputCount);
      const { splits } = discovery;
      const inTurns = Array.from({ length: parallelism }, (_, task) =>
        splits.filter((_split, index) => index % parallelism === task),
      );
      for (const tasks of [[splits], [splits.toReversed()], inTurns]) {
        const { rows, bytesRead } = await readWith(one, tasks);
        expect(bytesRead).toBe(discovery.sizeBytes);
        expect(rows.sort()).toEqual(one.rows);
      }
    }
  });

  test('a large input makes work for many tasks', async () => {
    const one = make();
    const { splits } = await discover(one, 8);
    expect(splits.length).toBeGreaterThanOrEqual(one.splitsMin);
  });

  test('whatever call fails, the reader can be closed and holds nothing', async () => {
    const one = make();
    const { splits } = await discover(one, 2);
    const readAll = async (plan: FaultPlan) => {
      const context = await contextOf(one, plan);
      const reader = connectorOf(one).reader(one.source.options, context);
      try {
        for (const split of splits) {
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
    await readAll(counting);
    expect(counting.calls.length > 0).toBe(one.usesDisk);
    for (const at of counting.calls.keys()) {
      const plan = new FaultPlan({ kind: 'error', at });
      await expect(readAll(plan), counting.calls[at]).rejects.toThrow(
        /planned failure|cannot be read/,
      );
    }
  });

  test('a reader that is closed in the middle of a split holds nothing', async () => {
    const one = make();
    const [split] = (await discover(one, 2)).splits;
    const plan = new FaultPlan();
    const context = await contextOf(one, plan);
    const reader = connectorOf(one).reader(one.source.options, context);
    if (split !== undefined) reader.open(split);
    const batch = reader.read();
    if (typeof batch !== 'string') batch.release();
    reader.close();
    context.scope.memory.assertEmpty();
    expect(plan.openFiles.size).toBe(0);
  });
});

const fileKinds = sourceKinds.filter(({ name }) => name.includes('of a folder'));

describe.each(fileKinds)('$name', ({ make }) => {
  test('files that are not to be cut are in one split each, and read whole', async () => {
    const one = withOptions(make(), { split: false });
    const { splits } = await discover(one, 8);
    const files = filesOf(one, splits).flat();
    expect(files.length).toBeGreaterThanOrEqual(2);
    expect(new Set(files).size).toBe(files.length);
    expect((await readWith(one, [splits])).rows.sort()).toEqual(one.rows);
  });

  test('what has been found before is not found again, what has come since is', async () => {
    const one = withOptions(make(), { discoveryIntervalMs: 1_000 });
    const { splits } = await discover(one, 2);
    const [[seen = ''] = []] = filesOf(one, splits);
    const enumerator = enumeratorOf(one);
    enumerator.restore?.(splits);
    expect((await enumerator.discoverMore?.())?.splits).toEqual([]);
    const copy = `${path.dirname(seen)}/new-${path.basename(seen)}`;
    fs.copyFileSync(seen, copy);
    const found = (await enumerator.discoverMore?.())?.splits ?? [];
    expect(new Set(filesOf(one, found).flat())).toEqual(new Set([copy]));
    expect((await enumerator.discoverMore?.())?.splits).toEqual([]);
  });
});
