/** Goal: what is made has the owner, group, mode and layout that HDFS gives it, within limits that the message names. */
import { expect, test } from 'vitest';
import {
  setPermission,
  setQuota,
  setReplication,
} from '../../../../dfs/namenode/operations/attributes.ts';
import { getFileInfo, getListing } from '../../../../dfs/namenode/operations/look.ts';
import { create, mkdirs } from '../../../../dfs/namenode/operations/make.ts';
import { NamespaceScene } from '../../../support/namespace-scene.ts';

const file = {
  ...{ clientName: 'writer', permission: 0o640, overwrite: false, createParent: true },
  ...{ replication: null, blockSizeBytes: null },
};

test('directories on the way belong to who asks, and he may go on in them', () => {
  const made = new NamespaceScene();
  made.run(setPermission, { path: '/', permission: 0o777 });
  made.run(mkdirs, { path: '/a/b/c', permission: 0o055 }, 'ann');
  const modes = ['/a', '/a/b', '/a/b/c'].map((path) => made.run(getFileInfo, { path }));
  expect(modes.map(({ permission }) => permission)).toEqual([0o355, 0o355, 0o055]);
  expect(modes.map(({ owner, group }) => `${owner}:${group}`)).toEqual(
    Array(3).fill('ann:supergroup'),
  );
});

test('directories on the way to a file are like the one that they are in, whatever the mode of the file', () => {
  const made = new NamespaceScene();
  made.directory('/shared', { mode: 0o1775 });
  made.run(create, { ...file, path: '/shared/a/b/f', permission: 0o600 });
  const modes = ['/shared/a', '/shared/a/b', '/shared/a/b/f'].map((path) => {
    return made.run(getFileInfo, { path }).permission;
  });
  expect(modes).toEqual([0o775, 0o775, 0o600]);
});

test('a new file has what the cluster gives where its writer says nothing', () => {
  const made = new NamespaceScene();
  const { status } = made.run(create, { ...file, path: '/f' });
  expect(status).toEqual({
    ...{ fileId: 16_386, pathSuffix: '', type: 'FILE', lengthBytes: 0, replication: 3 },
    ...{ blockSizeBytes: 128 * 1024 ** 2, owner: 'hdfs', group: 'supergroup', permission: 0o640 },
    ...{ modificationTimeMs: 1_000, accessTimeMs: 1_000, childrenCount: 0 },
  });
});

test.each`
  what                      | request                                  | outcome
  ${'over a file'}          | ${{ path: '/f' }}                        | ${'DFS_EXISTS'}
  ${'over a directory'}     | ${{ path: '/d', overwrite: true }}       | ${'DFS_EXISTS'}
  ${'over the root'}        | ${{ path: '/', overwrite: true }}        | ${'DFS_EXISTS'}
  ${'below a file'}         | ${{ path: '/f/g' }}                      | ${'DFS_NOT_A_DIRECTORY'}
  ${'without its parent'}   | ${{ path: '/x/y', createParent: false }} | ${'DFS_NOT_FOUND'}
  ${'with no replicas'}     | ${{ path: '/x', replication: 0 }}        | ${'DFS_ARGUMENT'}
  ${'with 513 replicas'}    | ${{ path: '/x', replication: 513 }}      | ${'DFS_ARGUMENT'}
  ${'with tiny blocks'}     | ${{ path: '/x', blockSizeBytes: 10 }}    | ${'DFS_ARGUMENT'}
  ${'with ".."'}            | ${{ path: '/d/../x' }}                   | ${'DFS_PATH'}
  ${'with a relative path'} | ${{ path: 'x' }}                         | ${'DFS_PATH'}
`('a file $what ends with $outcome', ({ request, outcome }) => {
  const made = new NamespaceScene({ blockSizeBytesMin: 1_024 });
  made.directory('/d');
  made.run(create, { ...file, path: '/f' });
  const before = made.namespace.nextInodeId;
  expect(made.try(create, { ...file, ...request })).toBe(outcome);
  expect(made.namespace.nextInodeId).toBe(before);
});

test('a file that gives way is another one afterwards', () => {
  const made = new NamespaceScene();
  const first = made.run(create, { ...file, path: '/f' }).status;
  const second = made.run(create, { ...file, path: '/f', overwrite: true }).status;
  expect(second.fileId).toBeGreaterThan(first.fileId);
  expect([...made.namespace.openFiles.keys()]).toEqual([second.fileId]);
});

test('quotas of names hold for what is made on the way, too, and free what is not there', () => {
  const made = new NamespaceScene();
  made.directory('/q');
  made.run(setQuota, { path: '/q', namesMax: 3, spaceBytesMax: null });
  expect(made.try(mkdirs, { path: '/q/a/b/c', permission: 0o755 })).toBe('DFS_QUOTA');
  expect(made.try(mkdirs, { path: '/q/a/b', permission: 0o755 })).toEqual({ isDone: true });
  expect(made.try(create, { ...file, path: '/q/f' })).toBe('DFS_QUOTA');
  made.run(setQuota, { path: '/q', namesMax: null, spaceBytesMax: null });
  expect(made.run(create, { ...file, path: '/q/f' }).status.type).toBe('FILE');
});

test('a directory takes as many entries as the limit says', () => {
  const made = new NamespaceScene({ directoryEntriesMax: 2 });
  made.directory('/a');
  made.directory('/b');
  expect(made.try(mkdirs, { path: '/c', permission: 0o755 })).toBe('DFS_ARGUMENT');
});

test('setReplication says no of a directory and of nothing', () => {
  const made = new NamespaceScene();
  made.file('/f');
  const answers = ['/f', '/', '/none'].map((path) =>
    made.run(setReplication, { path, replication: 2 }),
  );
  expect(answers.map(({ isDone }) => isDone)).toEqual([true, false, false]);
  expect(made.run(getFileInfo, { path: '/f' }).replication).toBe(2);
});

test('a listing goes on behind any name, one that is gone included', () => {
  const made = new NamespaceScene();
  for (let index = 0; index < 2_500; index++)
    made.directory(`/d/${String(index).padStart(5, '0')}`);
  const names: string[] = [];
  for (let startAfter = ''; ; ) {
    const page = made.run(getListing, { path: '/d', startAfter });
    names.push(...page.entries.map(({ pathSuffix }) => pathSuffix));
    startAfter = names.at(-1) ?? '';
    expect(page.remainingCount).toBe(2_500 - names.length);
    if (page.remainingCount === 0) break;
  }
  expect(names).toEqual([...new Set(names)].sort());
  expect(names.length).toBe(2_500);
  const behind = made.run(getListing, { path: '/d', startAfter: '01234x' });
  expect(behind.entries[0]?.pathSuffix).toBe('01235');
});
