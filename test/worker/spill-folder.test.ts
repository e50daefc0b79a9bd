/**
 * Goal: of all folders of spill files only those go whose process has surely ended, and those of the attempt or
 * worker that ends itself; and nothing that goes wrong there leaves this class.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Env } from '../../base/env/env.ts';
import { createRealEnv } from '../../base/env/real-env.ts';
import { SpillFolder } from '../../worker/spill-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = { jobId: 'sort-1', epoch: 2 };

function newFolder(spillDir: string, env: Env = createRealEnv()) {
  const folder = new SpillFolder(env, spillDir);
  const path = folder.ofJob(job);
  mkdirSync(join(path, 'v1[0]'), { recursive: true });
  writeFileSync(join(path, 'v1[0]', '0-0.spill'), 'rows');
  return folder;
}

test('an attempt goes alone, a worker with all of its attempts', async () => {
  const spillDir = tempFolder();
  const [one, other] = [newFolder(spillDir), newFolder(spillDir)];
  await one.removeJob(job);
  expect(readdirSync(join(one.ofJob(job), '..'))).toEqual([]);
  await one.removeAll();
  expect(readdirSync(spillDir)).toHaveLength(1);
  expect(readdirSync(other.ofJob(job))).toEqual(['v1[0]']);
});

test('of the others only those go whose process has ended', async () => {
  const spillDir = tempFolder();
  const { identity } = createRealEnv().process;
  const dead = identity.replace(/_\d+_(\d+)$/, '_99999999_$1');
  const reused = identity.replace(/_\d+$/, '_1');
  const kept = [`${identity}~12ab`, `elsewhere_4_7_1~12ab`, 'no-owner', 'notes~'];
  for (const name of [...kept, `${dead}~12ab`, `${reused}~12ab`]) mkdirSync(join(spillDir, name));
  writeFileSync(join(spillDir, `${dead}~file`), '');
  await newFolder(spillDir).removeStale();
  const left = readdirSync(spillDir);
  expect(left).toEqual(expect.arrayContaining([...kept, `${dead}~file`]));
  expect(left).not.toContain(`${dead}~12ab`);
  if (process.platform === 'linux') expect(left).not.toContain(`${reused}~12ab`);
});

test('a folder that is not there, and one that is a file, fail nothing', async () => {
  const events: string[] = [];
  const observe = { event: (name: string) => events.push(name) };
  const spillDir = join(tempFolder(), 'none');
  const folder = new SpillFolder({ ...createRealEnv(), observe }, spillDir);
  await folder.removeStale();
  await folder.removeAll();
  expect(events).toEqual([]);
  writeFileSync(spillDir, 'a file');
  await folder.removeStale();
  expect(events).toEqual(['spill.cleanup-failed']);
});
