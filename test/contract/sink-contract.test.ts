/**
 * Goal: whatever call of the disk fails, and wherever the process dies, a sink's target has the old
 * content or the new; nothing shows before the commit, and nothing is left after an abort.
 *
 * The suite is the contract of engine/contracts/sink.ts; each row of `kinds` is one implementation's
 * way to write. Every call of a run is made to fail in turn.
 */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FaultPlan } from '../support/faulty-disk.ts';
import { SinkScene, sceneCsv } from '../support/sink-scene.ts';
import { contentsOf, tempFolder } from '../support/temp-folder.ts';

interface Kind {
  readonly name: string;
  readonly taskCount: number;
  readonly path: string;
  readonly overwrite: boolean;
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

const parts = {
  'out/part-00000.csv': sceneCsv(0),
  'out/part-00001.csv': sceneCsv(1),
};
const other = { 'other.csv': 'other' };
const kinds: readonly Kind[] = [
  {
    name: 'a new file',
    ...{ taskCount: 1, path: 'out.csv', overwrite: false },
    ...{ before: other, after: { ...other, 'out.csv': sceneCsv(0) } },
  },
  {
    name: 'a file that exists',
    ...{ taskCount: 1, path: 'out.csv', overwrite: false },
    ...{ before: { 'out.csv': 'old' }, after: { 'out.csv': sceneCsv(0) } },
  },
  {
    name: 'a new folder',
    ...{ taskCount: 2, path: 'out/', overwrite: false },
    ...{ before: other, after: { ...other, ...parts } },
  },
  {
    name: 'a folder that exists',
    ...{ taskCount: 2, path: 'out', overwrite: true },
    ...{ before: { 'out/old-1': '1', 'out/old-2': '2' }, after: parts },
  },
];

function sceneOf(kind: Kind, plan = new FaultPlan()) {
  const folder = tempFolder(kind.before);
  const target = path.join(folder, kind.path) + (kind.path.endsWith('/') ? '/' : '');
  const { overwrite, taskCount } = kind;
  const make = (attemptId: string, faults: FaultPlan) =>
    new SinkScene({ path: target, overwrite }, { plan: faults, taskCount, attemptId });
  return { folder, scene: make('attempt-1', plan), another: make('attempt-2', new FaultPlan()) };
}

function visible(folder: string): Record<string, string> {
  const entries = Object.entries(contentsOf(folder));
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('.')));
}

async function callsOf(kind: Kind): Promise<number> {
  const { scene } = sceneOf(kind);
  await scene.run();
  return scene.plan.calls.length;
}

describe.each(kinds)('$name', (kind) => {
  test('shows nothing before the commit, and all of it after; twice does no harm', async () => {
    const { folder, scene } = sceneOf(kind);
    const prepared = await scene.committer.prepare();
    expect(visible(folder)).toEqual(kind.before);
    scene.write(prepared);
    expect(visible(folder)).toEqual(kind.before);
    await scene.committer.commit(scene.writes);
    expect(contentsOf(folder)).toEqual(kind.after);
    await scene.newCommitter().commit(structuredClone(scene.writes));
    await scene.newCommitter().abort();
    expect(contentsOf(folder)).toEqual(kind.after);
  });

  test('an abort at any point leaves nothing, and may be repeated', async () => {
    const { folder, scene } = sceneOf(kind);
    await scene.committer.abort();
    const prepared = await scene.committer.prepare();
    await scene.committer.abort();
    expect(contentsOf(folder)).toEqual(kind.before);
    await scene.committer.prepare();
    scene.write(prepared);
    await scene.newCommitter().abort();
    await scene.newCommitter().abort();
    expect(contentsOf(folder)).toEqual(kind.before);
  });

  test.each(['error', 'late'] as const)('any call fails (%s), then abort', async (fault) => {
    const callCount = await callsOf(kind);
    expect(callCount).toBeGreaterThan(10);
    for (let at = 0; at < callCount; at++) {
      const { folder, scene } = sceneOf(
        kind,
        new FaultPlan({ kind: fault, at, code: 'DISK_FULL' }),
      );
      const where = `call ${at}: `;
      await expect(scene.run(), where).rejects.toThrow(
        expect.objectContaining({ info: expect.objectContaining({ code: 'DISK_FULL' }) }),
      );
      expect(scene.plan.openFiles.size, where).toBe(0);
      await scene.committer.abort();
      const left = contentsOf(folder);
      const isNew = JSON.stringify(left) === JSON.stringify(kind.after);
      expect(left, `${where}${scene.plan.calls[at]}`).toEqual(isNew ? kind.after : kind.before);
    }
  });

  test('any call of a commit fails, then the commit is repeated', async () => {
    const callCount = await callsOf(kind);
    for (const fault of ['error', 'late', 'crash'] as const) {
      for (let at = 0; at < callCount; at++) {
        const { folder, scene } = sceneOf(kind, new FaultPlan({ kind: fault, at }));
        await expect(scene.run()).rejects.toThrow();
        if (scene.writes.length === 0) continue;
        scene.plan.heal();
        await scene.newCommitter().commit(scene.writes);
        expect(contentsOf(folder), `${fault} at ${scene.plan.calls[at]}`).toEqual(kind.after);
      }
    }
  });

  test('death at any call, then the next attempt', async () => {
    const callCount = await callsOf(kind);
    for (let at = 0; at < callCount; at++) {
      const { folder, scene, another } = sceneOf(kind, new FaultPlan({ kind: 'crash', at }));
      await expect(scene.run()).rejects.toThrow();
      const where = `dead at ${scene.plan.calls[at]}`;
      const left = visible(folder);
      const isNew = JSON.stringify(left) === JSON.stringify(kind.after);
      const isBetween = fs.readdirSync(folder).some((name) => name.endsWith('.old'));
      if (!isNew && !isBetween) expect(left, where).toEqual(kind.before);
      if (isNew && kind.path === 'out/') continue; // Done, and a folder is not overwritten unasked.
      await another.committer.prepare();
      const restored = visible(folder);
      expect(restored, where).toEqual(isNew ? kind.after : kind.before);
      await another.committer.abort();
      await another.run();
      expect(visible(folder), where).toEqual(kind.after);
      // The dead attempt is cleaned up late: it must not touch what its successor wrote.
      scene.plan.heal();
      await scene.newCommitter().abort();
      expect(contentsOf(folder), where).toEqual(kind.after);
    }
  });

  test('an abort that fails anywhere is repeated, and then nothing is left', async () => {
    const { folder, scene } = sceneOf(kind);
    scene.write(await scene.committer.prepare());
    const before = scene.plan.calls.length;
    await scene.committer.abort();
    expect(contentsOf(folder)).toEqual(kind.before);
    const abortCalls = scene.plan.calls.length - before;
    for (let at = 0; at < abortCalls; at++) {
      const plan = new FaultPlan({ kind: 'crash', at: before + at });
      const failing = sceneOf(kind, plan);
      failing.scene.write(await failing.scene.committer.prepare());
      await expect(failing.scene.committer.abort()).rejects.toThrow();
      plan.heal();
      await failing.scene.newCommitter().abort();
      expect(contentsOf(failing.folder)).toEqual(kind.before);
    }
  });
});
