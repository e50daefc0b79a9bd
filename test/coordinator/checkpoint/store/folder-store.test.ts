/**
 * Goal: what was complete is found again and is whole; what is not whole is named and the one before is taken; nothing
 * that a kept checkpoint needs is removed, and nothing else stays.
 */
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodeChecked } from '../../../../base/checked-text.ts';
import { createRealEnv } from '../../../../base/env/real-env.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import type { CheckpointManifest } from '../../../../coordinator/checkpoint/checkpoint-manifest.ts';
import { checkpointAt } from '../../../../coordinator/checkpoint/store/find-checkpoint.ts';
import { folderStore } from '../../../../coordinator/checkpoint/store/folder-store.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { checkpoint, manifestWith, partsIn, taskSnapshot } from './checkpoint-scene.ts';

/** A store in a folder of its own, and what it says of damage. */
function scene(keptMax = 2) {
  const folder = tempFolder();
  const events: string[] = [];
  const real = createRealEnv();
  const observe = { event: (name: string) => void events.push(name) };
  const env = { ...real, observe };
  const root = join(folder, 'count%20it');
  const store = folderStore(env, { folder, jobName: 'count it', keptMax });
  const files = () => readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return { folder, root, env, disk: real.disk, store, events, files };
}

const code = (work: Promise<unknown>) => work.then(() => null, codeOf);

test('a job without checkpoints begins anew, and looking makes nothing', async () => {
  const { store, folder } = scene();
  expect(await store.latest()).toEqual({ found: null, damaged: [] });
  expect(await store.list()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

test('the next attempt finds the newest complete checkpoint, with all that was in it', async () => {
  const { store, disk, root } = scene();
  const first = await store.beginAttempt({ kind: 'latest' });
  expect([first.epoch, first.nextId, first.root]).toEqual([1, 1, root]);
  await checkpoint(disk, first, 1);
  const manifest = await checkpoint(disk, first, 2);
  await taskSnapshot(disk, first, { id: 3 });
  const second = await store.beginAttempt({ kind: 'latest' });
  expect([second.epoch, second.nextId]).toEqual([2, 3]);
  const path = join(root, 'chk-2-1');
  expect(await second.latest()).toEqual({ found: { manifest, root, path }, damaged: [] });
  expect(await code(first.end('finished'))).toBe('CHECKPOINT_FENCED');
});

test('an attempt knows that another one has taken over; its own entries are none of another', async () => {
  const { store, disk } = scene();
  const first = await store.beginAttempt({ kind: 'latest' });
  expect(await code(first.checkCurrent())).toBe(null);
  const work = checkpoint(disk, first, 1);
  expect(await code(first.checkCurrent())).toBe(null);
  await work;
  expect(await code(first.checkCurrent())).toBe(null);
  const second = await store.beginAttempt({ kind: 'latest' });
  expect(await code(first.checkCurrent())).toBe('CHECKPOINT_FENCED');
  expect(await code(second.checkCurrent())).toBe(null);
});

/** A store of a process that falls asleep before it reads its first manifest, while others go on. */
function sleeper({ env, folder }: ReturnType<typeof scene>, meanwhile: () => Promise<unknown>) {
  let isAsleep = true;
  const disk = new Proxy(env.disk, {
    get:
      (real, name) =>
      async (...args: readonly unknown[]) => {
        const isManifest = name === 'open' && String(args[0]).endsWith('manifest.json');
        if (isAsleep && isManifest) {
          isAsleep = false;
          await meanwhile();
        }
        return Reflect.apply(Reflect.get(real, name), real, args);
      },
  });
  return folderStore({ ...env, disk }, { folder, jobName: 'count it', keptMax: 1 });
}

test('who only looks, and finds that it was removed meanwhile, looks again', async () => {
  const made = scene(1);
  const first = await made.store.beginAttempt({ kind: 'latest' });
  await checkpoint(made.disk, first, 1);
  let manifest: CheckpointManifest | undefined;
  const looking = sleeper(made, async () => {
    manifest = await checkpoint(made.disk, first, 2);
  });
  expect((await looking.find({ kind: 'latest' }))?.manifest).toEqual(manifest);
  expect(manifest?.checkpointId).toBe(2);
});

test('an attempt whose checkpoint was removed by its successor is told that there is one', async () => {
  const made = scene(1);
  await checkpoint(made.disk, await made.store.beginAttempt({ kind: 'latest' }), 1);
  const sleeping = sleeper(made, async () => {
    await checkpoint(made.disk, await made.store.beginAttempt({ kind: 'latest' }), 2);
  });
  const attempt = await sleeping.beginAttempt({ kind: 'latest' });
  expect(await code(attempt.latest())).toBe('CHECKPOINT_FENCED');
});

test('as many are kept as was said, with the files of older ones that they are built on', async () => {
  const { store, disk, files } = scene();
  const attempt = await store.beginAttempt({ kind: 'latest' });
  const one = await checkpoint(disk, attempt, 1);
  const shared = partsIn(one).slice(0, 1);
  await checkpoint(disk, attempt, 2, { shared });
  await checkpoint(disk, attempt, 3, { shared });
  expect(files()).toEqual([
    ...['chk-1-1', 'chk-1-1/count[0].arrow'],
    ...['chk-2-1', 'chk-2-1/count[0].arrow', 'chk-2-1/manifest.json'],
    ...['chk-3-1', 'chk-3-1/count[0].arrow', 'chk-3-1/manifest.json'],
    ...['log', 'log/0000000003', 'log/0000000004'],
  ]);
  await checkpoint(disk, attempt, 4);
  await checkpoint(disk, attempt, 5);
  expect(files().filter((name) => /^chk-\d-1$/.test(name))).toEqual(['chk-4-1', 'chk-5-1']);
});

test('files of checkpoints under way stay; what a dead attempt left behind goes', async () => {
  const { store, disk, files } = scene();
  const first = await store.beginAttempt({ kind: 'latest' });
  await checkpoint(disk, first, 1);
  const task = await taskSnapshot(disk, first, { id: 3 });
  await first.writeManifest(manifestWith(task, { epoch: 1, id: 3 }));
  await first.removeUnneeded();
  expect(files()).toContain('chk-3-1/count[0].arrow');
  const second = await store.beginAttempt({ kind: 'latest' });
  await taskSnapshot(disk, second, { id: 2 });
  await second.removeUnneeded();
  expect(files().filter((name) => /^chk-\d-\d$/.test(name))).toEqual(['chk-1-1', 'chk-2-2']);
  // The first one, which was only asleep, removes nothing of its successor's.
  await first.removeUnneeded();
  expect(files()).toContain('chk-2-2/count[0].arrow');
});

const damages: Record<string, (root: string) => void> = {
  'is missing': (root) => rmSync(join(root, 'chk-2-1/count[0].arrow')),
  'ends at byte 19 of 20': (root) => truncateSync(join(root, 'chk-2-1/count[0].arrow'), 19),
  'has another checksum than it should from byte 10 to 20': (root) => {
    const path = join(root, 'chk-2-1/count[0].arrow');
    const bytes = readFileSync(path);
    bytes[12] = (bytes[12] ?? 0) ^ 4;
    writeFileSync(path, bytes);
  },
  'is not as it was written': (root) => truncateSync(join(root, 'chk-2-1/manifest.json'), 500),
  'is not the one that the log names': (root) => {
    const text = readFileSync(join(root, 'chk-1-1/manifest.json'));
    writeFileSync(join(root, 'chk-2-1/manifest.json'), text);
  },
};

test.each(Object.entries(damages))(
  'where a file %s the one before is taken',
  async (problem, damage) => {
    const { store, disk, root, events, files } = scene();
    const first = await store.beginAttempt({ kind: 'latest' });
    const one = await checkpoint(disk, first, 1);
    await checkpoint(disk, first, 2);
    damage(root);
    const second = await store.beginAttempt({ kind: 'latest' });
    const { found, damaged } = await second.latest();
    expect(found?.manifest).toEqual(one);
    expect(damaged).toMatchObject([{ checkpointId: 2, problem }]);
    expect(events).toEqual(['checkpoint.damaged']);
    // It does not count as one that is kept: the one that was taken stays until there are two newer ones.
    await checkpoint(disk, second, 3);
    expect(files()).toContain('chk-1-1/manifest.json');
    await checkpoint(disk, second, 4);
    expect(files().filter((name) => /^chk-\d-\d$/.test(name))).toEqual(['chk-3-2', 'chk-4-2']);
  },
);

test('where none is whole the job does not begin anew by itself', async () => {
  const { store, disk, root } = scene();
  await checkpoint(disk, await store.beginAttempt({ kind: 'latest' }), 1);
  rmSync(join(root, 'chk-1-1/count[0].arrow'));
  expect(await code(store.latest())).toBe('CHECKPOINT_DAMAGED');
  const anew = await store.beginAttempt({ kind: 'nothing' });
  expect(await anew.latest()).toEqual({ found: null, damaged: [] });
});

test('an attempt that begins anew leaves out all before it, and its successors do', async () => {
  const { store, disk } = scene();
  await checkpoint(disk, await store.beginAttempt({ kind: 'latest' }), 1);
  await store.beginAttempt({ kind: 'nothing' });
  const third = await store.beginAttempt({ kind: 'latest' });
  expect((await third.latest()).found).toBeNull();
  expect(third.nextId).toBe(2);
  const two = await checkpoint(disk, third, 2);
  expect((await store.latest()).found?.manifest).toEqual(two);
});

test('a savepoint stands alone: its job may be gone, and its folder moved', async () => {
  const { store, disk, root, folder } = scene();
  const attempt = await store.beginAttempt({ kind: 'latest' });
  const one = await checkpoint(disk, attempt, 1);
  await checkpoint(disk, attempt, 2, { kind: 'savepoint', shared: partsIn(one) });
  for (const id of [3, 4, 5]) await checkpoint(disk, attempt, id);
  const target = join(folder, 'saved');
  await attempt.copyTo(2, target);
  expect(await code(attempt.copyTo(5, target))).toBe('SAVEPOINT_TARGET_TAKEN');
  rmSync(root, { recursive: true });
  const found = await checkpointAt(disk, `${target}/`);
  expect(found).toMatchObject({ root: target, path: target, manifest: { kind: 'savepoint' } });
  const texts = partsIn(found.manifest).map(({ path, byteOffset, sizeBytes }) =>
    readFileSync(join(target, path))
      .subarray(byteOffset, byteOffset + sizeBytes)
      .toString(),
  );
  expect(texts).toEqual(['base of 1;', 'delta of 1', 'base of 2;', 'delta of 2']);
  // Until the job has a checkpoint of its own, its attempts go on from there.
  const from = { kind: 'savepoint', path: target } as const;
  await store.beginAttempt(from);
  const next = await store.beginAttempt({ kind: 'latest' });
  expect((await next.latest()).found?.path).toBe(target);
  const own = await checkpoint(disk, next, next.nextId);
  expect((await store.latest()).found?.manifest).toEqual(own);
});

test('what an attempt would go on from is found without taking over', async () => {
  const { store, disk, folder } = scene();
  expect(await store.find({ kind: 'latest' })).toBe(null);
  const attempt = await store.beginAttempt({ kind: 'latest' });
  await checkpoint(disk, attempt, 1, { kind: 'savepoint' });
  const target = join(folder, 'kept');
  await attempt.copyTo(1, target);
  expect(await store.find({ kind: 'nothing' })).toBe(null);
  expect((await store.find({ kind: 'latest' }))?.path).toMatch(/chk-1-1$/);
  expect((await store.find({ kind: 'savepoint', path: target }))?.path).toBe(target);
  expect(await code(store.find({ kind: 'savepoint', path: folder }))).toBe('CHECKPOINT_NOT_FOUND');
  await checkpoint(disk, attempt, 2); // It is still the one that goes on.
});

test('a savepoint may be what a job begins with, and its own checkpoints count from then on', async () => {
  const { folder, env, disk, store } = scene();
  const first = await store.beginAttempt({ kind: 'nothing' });
  await checkpoint(disk, first, 1, { kind: 'savepoint' });
  const target = join(folder, 'kept');
  await first.copyTo(1, target);
  const other = folderStore(env, { folder: join(folder, 'other'), jobName: 'count it' });
  const from = { kind: 'latest', otherwise: target } as const;
  expect((await other.find(from))?.path).toBe(target);
  const attempts = [await other.beginAttempt(from), await other.beginAttempt(from)];
  for (const attempt of attempts) expect((await attempt.latest()).found?.path).toBe(target);
  await checkpoint(disk, attempts[1] ?? first, 1);
  expect((await other.find(from))?.path).toMatch(/other\/count%20it\/chk-1-2$/);
  const last = await other.beginAttempt(from);
  expect((await last.latest()).found?.path).toMatch(/other\/count%20it\/chk-1-2$/);
});

test('a savepoint that can not be copied leaves nothing behind', async () => {
  const { store, disk, root, folder } = scene();
  const attempt = await store.beginAttempt({ kind: 'latest' });
  await checkpoint(disk, attempt, 1, { kind: 'savepoint' });
  const path = join(root, 'chk-1-1/count[0].arrow');
  writeFileSync(path, readFileSync(path).toReversed());
  const target = join(folder, 'saved');
  expect(await code(attempt.copyTo(1, target))).toBe('CHECKPOINT_DAMAGED');
  expect(readdirSync(target)).toEqual([]);
});

test('a checkpoint that is named is refused for what it is', async () => {
  const { store, disk, root } = scene();
  const attempt = await store.beginAttempt({ kind: 'latest' });
  await checkpoint(disk, attempt, 1);
  expect((await checkpointAt(disk, join(root, 'chk-1-1'))).manifest.checkpointId).toBe(1);
  const ofJob = await checkpointAt(disk, root).catch((error: unknown) => error);
  expect(ofJob).toMatchObject({
    info: { code: 'CHECKPOINT_NOT_FOUND', hint: expect.stringContaining('chk-1-1') },
  });
  expect(await code(checkpointAt(disk, join(root, 'nothing')))).toBe('CHECKPOINT_NOT_FOUND');
  const newer = encodeChecked('millrace-checkpoint-2', '{"version":2}');
  writeFileSync(join(root, 'chk-1-1/manifest.json'), newer);
  expect(await code(checkpointAt(disk, join(root, 'chk-1-1')))).toBe('CHECKPOINT_VERSION');
  expect(await code(store.latest())).toBe('CHECKPOINT_VERSION');
});

test('a manifest leads to no file outside of its folder', async () => {
  const { store, disk, root } = scene();
  const attempt = await store.beginAttempt({ kind: 'latest' });
  const task = await taskSnapshot(disk, attempt, { id: 1 });
  const text = JSON.stringify(manifestWith(task, { epoch: 1, id: 1 }));
  const moved = JSON.parse(text.replaceAll('chk-1-1/', '../../chk-1-1/'));
  await attempt.complete(await attempt.writeManifest(moved));
  const error = await checkpointAt(disk, join(root, 'chk-1-1')).catch((one: Error) => one.message);
  expect(error).toMatch(/file "..\/..\/chk-1-1\/count\[0\].arrow" is outside of the folder/);
});

test('the list says of each what it is, and which are under way', async () => {
  const { store, disk, root } = scene();
  const attempt = await store.beginAttempt({ kind: 'latest' });
  await checkpoint(disk, attempt, 1);
  await checkpoint(disk, attempt, 2, { kind: 'savepoint' });
  await taskSnapshot(disk, attempt, { id: 3 });
  truncateSync(join(root, 'chk-1-1/count[0].arrow'), 3);
  const facts = { createdMs: 2_000, durationMs: 7, sizeBytes: 20, epoch: 1 };
  expect(await store.list()).toMatchObject([
    { checkpointId: 1, state: 'damaged', problem: expect.stringContaining('ends at byte 3 of 20') },
    { checkpointId: 2, state: 'complete', kind: 'savepoint', problem: '', ...facts },
    { checkpointId: 3, state: 'unfinished', kind: null, createdMs: null },
  ]);
});
