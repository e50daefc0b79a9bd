/** Goal: the disks, real and simulated, blocking or not, keep one contract, errors included. */
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert } from '../../../base/assert.ts';
import type { Disk, SyncDisk } from '../../../base/env/disk.ts';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../../base/env/real-sync-disk.ts';
import { codeOf, TypedError } from '../../../base/typed-error.ts';
import { SimSyncDisk } from '../../../simulation/sim-sync-disk.ts';
import { runOnNode } from '../../support/run-on-node.ts';

/** Runs a piece of work on a disk below a folder that exists and is empty. */
type OnDisk = <T>(work: (disk: Disk, root: string) => Promise<T>) => Promise<T>;

let root = '';
let rootCount = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const onReal =
  (disk: Disk): OnDisk =>
  async (work) => {
    const folder = join(root, String(rootCount++));
    await disk.makeDir(folder);
    return await work(disk, folder);
  };

/** A blocking disk with promises around it: the same words, so the same tests. */
const promised = (blocking: SyncDisk): Disk =>
  new Proxy(blocking, {
    get(target, name) {
      const method = target[name as keyof SyncDisk] as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => method.apply(target, args);
    },
  }) as unknown as Disk;

const onSimulated: OnDisk = (work) =>
  runOnNode(async (env) => {
    await env.disk.makeDir('/node/files');
    return await work(env.disk, '/node/files');
  });

const onSimulatedBlocking: OnDisk = (work) =>
  runOnNode(async (env, { diskState, incarnation }) => {
    assert(incarnation !== null, 'the program of a node runs while it is up');
    await env.disk.makeDir('/node/files');
    return await work(promised(new SimSyncDisk(incarnation, diskState)), '/node/files');
  });

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function put(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'replace');
  await disk.write(file, bytes(text), 0);
  await disk.fsync(file);
  await disk.close(file);
}

async function get(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, 'read');
  const into = new Uint8Array(64);
  const count = await disk.read(file, into, 0);
  await disk.close(file);
  return new TextDecoder().decode(into.subarray(0, count));
}

async function codeFrom(work: Promise<unknown>): Promise<string | null> {
  return await work.then(
    () => null,
    (error: unknown) => codeOf(error),
  );
}

describe.each<[string, OnDisk]>([
  ['real', onReal(createRealDisk())],
  ['real and blocking', onReal(promised(createRealSyncDisk()))],
  ['simulated', onSimulated],
  ['simulated and blocking', onSimulatedBlocking],
])('%s disk', (_, onDisk) => {
  test('what was written is read, at any position, to the end and not beyond', () =>
    onDisk(async (disk, folder) => {
      const path = `${folder}/a`;
      const file = await disk.open(path, 'update');
      await disk.write(file, bytes('hello'), 3);
      await disk.write(file, bytes('abc'), 0);
      const into = new Uint8Array(100);
      expect(await disk.read(file, into, 0)).toBe(8);
      expect(new TextDecoder().decode(into.subarray(0, 8))).toBe('abchello');
      expect(await disk.read(file, into, 6)).toBe(2);
      expect(await disk.read(file, into, 8)).toBe(0);
      expect(await disk.read(file, into, 80)).toBe(0);
      await disk.close(file);
    }));

  test('replace empties, createNew refuses what exists, update keeps', () =>
    onDisk(async (disk, folder) => {
      const path = `${folder}/a`;
      await put(disk, path, 'long text');
      await put(disk, path, 'short');
      expect(await get(disk, path)).toBe('short');
      expect(await codeFrom(disk.open(path, 'createNew'))).toBe('DISK_EXISTS');
      await disk.close(await disk.open(path, 'update'));
      expect(await get(disk, path)).toBe('short');
      await disk.close(await disk.open(`${folder}/b`, 'createNew'));
      expect((await disk.stat(`${folder}/b`))?.sizeBytes).toBe(0);
    }));

  test('truncate cuts, and makes longer with zeros', () =>
    onDisk(async (disk, folder) => {
      const path = `${folder}/a`;
      const file = await disk.open(path, 'update');
      await disk.write(file, bytes('hello'), 0);
      await disk.truncate(file, 2);
      expect(await get(disk, path)).toBe('he');
      await disk.truncate(file, 4);
      await disk.write(file, bytes('!'), 4);
      await disk.fsync(file);
      await disk.close(file);
      expect(await get(disk, path)).toBe('he\0\0!');
    }));

  test('a disk says what it has room for', () =>
    onDisk(async (disk, folder) => {
      const { capacityBytes, freeBytes } = await disk.space(folder);
      expect(freeBytes).toBeGreaterThan(0);
      expect(freeBytes).toBeLessThanOrEqual(capacityBytes);
      expect(await codeFrom(disk.space(`${folder}/none`))).toBe('DISK_NOT_FOUND');
    }));

  test('rename replaces, and the old name is gone', () =>
    onDisk(async (disk, folder) => {
      await put(disk, `${folder}/next`, 'new');
      await put(disk, `${folder}/now`, 'old');
      await disk.rename(`${folder}/next`, `${folder}/now`);
      await disk.syncDir(folder);
      expect(await get(disk, `${folder}/now`)).toBe('new');
      expect(await disk.stat(`${folder}/next`)).toBeNull();
    }));

  test('a folder lists its own entries, sorted by code unit', () =>
    onDisk(async (disk, folder) => {
      for (const name of ['b', 'a', 'Z', 'ä']) await put(disk, `${folder}/${name}`, name);
      await disk.makeDir(`${folder}/c/deep`);
      const entries = await disk.list(folder);
      expect(entries.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
        'Z file',
        'a file',
        'b file',
        'c folder',
        'ä file',
      ]);
    }));

  test('removing is quiet about what is not there, and removes all below', () =>
    onDisk(async (disk, folder) => {
      await disk.unlink(`${folder}/nothing`);
      await disk.removeTree(`${folder}/nothing`);
      await disk.makeDir(`${folder}/c/deep`);
      await put(disk, `${folder}/c/deep/a`, 'a');
      await put(disk, `${folder}/cc`, 'stays');
      await disk.removeTree(`${folder}/c`);
      expect((await disk.list(folder)).map(({ name }) => name)).toEqual(['cc']);
      await disk.unlink(`${folder}/cc`);
      expect(await disk.list(folder)).toEqual([]);
    }));

  test('stat tells kinds and sizes, and null for nothing', () =>
    onDisk(async (disk, folder) => {
      await put(disk, `${folder}/a`, 'four');
      expect(await disk.stat(`${folder}/a`)).toMatchObject({ kind: 'file', sizeBytes: 4 });
      expect(await disk.stat(folder)).toMatchObject({ kind: 'folder' });
      expect(await disk.stat(`${folder}/nothing`)).toBeNull();
      expect(await disk.stat(`${folder}/a/below`)).toBeNull();
    }));

  test('errors are typed and name the path and the system code', () =>
    onDisk(async (disk, folder) => {
      await put(disk, `${folder}/a`, 'a');
      const codes = await Promise.all([
        codeFrom(disk.open(`${folder}/nothing`, 'read')),
        codeFrom(disk.open(`${folder}/nothing/a`, 'replace')),
        codeFrom(disk.open(`${folder}/a/b`, 'replace')),
        codeFrom(disk.open(folder, 'replace')),
        codeFrom(disk.list(`${folder}/nothing`)),
        codeFrom(disk.list(`${folder}/a`)),
        codeFrom(disk.rename(`${folder}/nothing`, `${folder}/b`)),
        codeFrom(disk.makeDir(`${folder}/a`)),
        codeFrom(disk.syncDir(`${folder}/nothing`)),
      ]);
      expect(codes).toEqual([
        'DISK_NOT_FOUND',
        'DISK_NOT_FOUND',
        'DISK_NOT_A_FOLDER',
        'DISK_IS_A_FOLDER',
        'DISK_NOT_FOUND',
        'DISK_NOT_A_FOLDER',
        'DISK_NOT_FOUND',
        'DISK_EXISTS',
        'DISK_NOT_FOUND',
      ]);
      const error = await disk.open(`${folder}/nothing`, 'read').catch((reason: unknown) => reason);
      expect(error instanceof TypedError && error.info.details).toEqual({
        path: `${folder}/nothing`,
        systemCode: 'ENOENT',
      });
    }));
});

test('a full disk is DISK_FULL', async () => {
  const disk = createRealDisk();
  const file = await disk.open('/dev/full', 'update');
  expect(await codeFrom(disk.write(file, bytes('x'), 0))).toBe('DISK_FULL');
  await disk.close(file);
});

test('a link is listed as one and followed by stat; a long read goes on after short ones', () =>
  onReal(createRealDisk())(async (disk, folder) => {
    await put(disk, `${folder}/a`, 'four');
    symlinkSync(`${folder}/a`, `${folder}/link`);
    expect((await disk.list(folder))[1]).toEqual({ name: 'link', kind: 'link' });
    expect((await disk.stat(`${folder}/link`))?.kind).toBe('file');
    // The system gives random bytes in pieces of at most 32 MiB.
    const file = await disk.open('/dev/urandom', 'read');
    const into = new Uint8Array(40 * 1024 * 1024);
    expect(await disk.read(file, into, 0)).toBe(into.length);
    await disk.close(file);
  }));

test.skipIf(process.platform === 'win32')(
  'a private folder is seen by this user alone',
  async () => {
    for (const disk of [createRealDisk(), createRealSyncDisk()]) {
      const folder = join(root, `private-${rootCount++}`);
      await disk.makeDir(join(folder, 'deep'), true);
      const modes = [folder, join(folder, 'deep')].map((path) => statSync(path).mode & 0o777);
      expect(modes).toEqual([0o700, 0o700]);
    }
  },
);
