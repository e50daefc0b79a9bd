/**
 * Goal: files of every version of the format are read, what is written has not changed unnoticed, and a file that is cut
 * off or changed at any byte is named: then the one before is taken, or a typed error says so.
 *
 * `UPDATE_FIXTURES=1` writes the files of the present version anew: only while no release has written that version.
 */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRealEnv } from '../../../../base/env/real-env.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import type { LatestCheckpoint } from '../../../../coordinator/checkpoint/store/checkpoint-store.ts';
import { checkpointAt } from '../../../../coordinator/checkpoint/store/find-checkpoint.ts';
import { folderStore } from '../../../../coordinator/checkpoint/store/folder-store.ts';
import { readOnlyDisk } from '../../../support/read-only-disk.ts';
import { tempFolder } from '../../../support/temp-folder.ts';
import { checkpoint, partsIn } from './checkpoint-scene.ts';

const fixtures = resolve(import.meta.dirname, '../../../fixtures/formats');

/** Two attempts with three checkpoints and a torn entry between them, and a savepoint: what this version writes. */
async function writeAll(folder: string): Promise<void> {
  const real = createRealEnv();
  const env = { ...real, clock: { ...real.clock, wall: () => 1_700_000_000_000 } };
  const { disk } = env;
  const store = folderStore(env, { folder, jobName: 'count it', keptMax: 3 });
  const first = await store.beginAttempt({ kind: 'nothing' });
  const one = await checkpoint(disk, first, 1);
  await checkpoint(disk, first, 2, { shared: partsIn(one).slice(0, 1) });
  writeFileSync(join(first.root, 'log/0000000004'), 'millrace-checkpoint-log-1 0000');
  const second = await store.beginAttempt({ kind: 'latest' });
  await checkpoint(disk, second, 3, { kind: 'savepoint', shared: partsIn(one).slice(0, 1) });
  await second.copyTo(3, join(folder, 'savepoint'));
  await second.end('cancelled');
}

function filesBelow(folder: string): Map<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(
    files.map((name) => [`/${name}`, new Uint8Array(readFileSync(join(folder, name)))]),
  );
}

test('this version writes what its files have', async () => {
  const folder = tempFolder();
  await writeAll(folder);
  const present = join(fixtures, 'v1/checkpoint');
  if (process.env.UPDATE_FIXTURES === '1') {
    rmSync(present, { recursive: true, force: true });
    cpSync(folder, present, { recursive: true });
  }
  const text = (files: Map<string, Uint8Array>) =>
    Object.fromEntries([...files].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]));
  expect(text(filesBelow(folder))).toEqual(text(filesBelow(present)));
});

/** What is made of files, those of the job or of the savepoint. */
async function read(
  files: ReadonlyMap<string, Uint8Array>,
  name: string,
): Promise<LatestCheckpoint> {
  const disk = readOnlyDisk(files);
  if (name.startsWith('/savepoint')) {
    return { found: await checkpointAt(disk, '/savepoint'), damaged: [] };
  }
  const store = folderStore({ ...createRealEnv(), disk }, { folder: '', jobName: 'count it' });
  return store.latest();
}

describe.each(readdirSync(fixtures).map((version) => [version]))('files of %s', (version) => {
  const files = filesBelow(join(fixtures, version, 'checkpoint'));

  test('are read', async () => {
    const latest = await read(files, '/count%20it');
    expect(latest).toMatchObject({
      found: { path: '/count%20it/chk-3-3', root: '/count%20it', manifest: { checkpointId: 3 } },
      damaged: [],
    });
    expect(latest.found?.manifest).toMatchObject({
      ...{ jobName: 'count it', epoch: 3, kind: 'savepoint', keyGroupCount: 128 },
      splits: { lines: ['a.txt', 'b.txt', 'c.txt'] },
      writes: { count: [{ checkpointId: 3, taskId: 'count[0]', write: 'rows of 3' }] },
    });
    expect(await read(files, '/savepoint')).toMatchObject({
      found: { root: '/savepoint', manifest: { pathsFrom: 'manifest' } },
    });
  });

  test.each([...files.keys()])(
    '%s: every cut and every changed byte is noticed or harmless',
    async (name) => {
      const whole = files.get(name) ?? new Uint8Array();
      const sound = await read(files, name);
      for (let at = 0; at < whole.length; at++) {
        const flipped = whole.slice();
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
        for (const damaged of [whole.subarray(0, at), flipped]) {
          const found = await read(new Map(files).set(name, damaged), name).catch(codeOf);
          expect(outcomeOf(found, sound), `byte ${at} of ${name}`).toMatch(expectedFor(name));
        }
      }
    },
  );
});

function outcomeOf(latest: LatestCheckpoint | string | null, sound: LatestCheckpoint): string {
  if (latest === null || typeof latest === 'string') return `error ${latest}`;
  const { found, damaged } = latest;
  if (found?.manifest.checkpointId === 3) expect(found).toEqual(sound.found);
  const names = damaged.map(({ path }) => path).join(' ');
  return `found ${found?.manifest.checkpointId ?? 'none'}, damaged ${names}`.trim();
}

/** What damage to a file comes to. */
function expectedFor(name: string): RegExp {
  if (name.startsWith('/savepoint/')) return /^error CHECKPOINT_(DAMAGED|NOT_FOUND)$/;
  // Part of the base that all checkpoints are built on.
  if (name === '/count%20it/chk-1-1/count[0].arrow') {
    return /^(error CHECKPOINT_DAMAGED|found 3, damaged)$/;
  }
  if (name.startsWith('/count%20it/chk-3-3/'))
    return /^found 2, damaged \/count%20it\/chk-3-3\/.*$/;
  // The entry that makes the third one complete: without it there are two.
  if (name === '/count%20it/log/0000000007') return /^found 2, damaged$/;
  return /^found 3, damaged$/;
}
