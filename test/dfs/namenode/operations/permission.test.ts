/** Goal: the first of owner, group and others that fits decides, and sticky directories protect what others put there. */
import { expect, test } from 'vitest';
import {
  setOwner,
  setPermission,
  setTimes,
} from '../../../../dfs/namenode/operations/attributes.ts';
import { checkAccess, getFileInfo, getListing } from '../../../../dfs/namenode/operations/look.ts';
import { formatMode, rights } from '../../../../dfs/namenode/operations/permission.ts';
import { remove } from '../../../../dfs/namenode/operations/remove.ts';
import { NamespaceScene } from '../../../support/namespace-scene.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';

/** /home/ann/file belongs to ann and to the group staff. */
function scene(mode: number): NamespaceScene {
  const made = new NamespaceScene();
  made.directory('/home/ann');
  made.run(setOwner, { path: '/home/ann', owner: 'ann', group: 'staff' });
  made.file('/home/ann/file', { user: 'ann' });
  made.run(setPermission, { path: '/home/ann/file', permission: mode }, 'ann');
  return made;
}

test.each`
  mode     | user      | read                | write
  ${0o644} | ${'ann'}  | ${null}             | ${null}
  ${0o644} | ${'bob'}  | ${null}             | ${'DFS_PERMISSION'}
  ${0o600} | ${'bob'}  | ${'DFS_PERMISSION'} | ${'DFS_PERMISSION'}
  ${0o620} | ${'bob'}  | ${'DFS_PERMISSION'} | ${null}
  ${0o077} | ${'ann'}  | ${'DFS_PERMISSION'} | ${'DFS_PERMISSION'}
  ${0o707} | ${'bob'}  | ${'DFS_PERMISSION'} | ${'DFS_PERMISSION'}
  ${0o000} | ${'hdfs'} | ${null}             | ${null}
`('of a file of ann:staff with mode $mode, $user gets read $read and write $write', (row) => {
  const made = scene(row.mode);
  const path = '/home/ann/file';
  expect(made.try(checkAccess, { path, wanted: rights.read }, row.user)).toBe(row.read);
  expect(made.try(checkAccess, { path, wanted: rights.write }, row.user)).toBe(row.write);
});

test('nobody passes a directory without execute, and nobody lists one without read', () => {
  const made = scene(0o777);
  made.run(setPermission, { path: '/home/ann', permission: 0o740 }, 'ann');
  expect(made.try(getFileInfo, { path: '/home/ann/file' }, 'bob')).toBe('DFS_PERMISSION');
  made.run(setPermission, { path: '/home/ann', permission: 0o710 }, 'ann');
  expect(made.try(getFileInfo, { path: '/home/ann/file' }, 'bob')).toMatchObject({ owner: 'ann' });
  const listing = { path: '/home/ann', startAfter: '' };
  expect(made.try(getListing, listing, 'bob')).toBe('DFS_PERMISSION');
});

test('in a sticky directory only the owner of the entry or of the directory removes it', () => {
  const made = new NamespaceScene();
  made.directory('/tmp');
  made.run(setPermission, { path: '/tmp', permission: 0o1777 });
  made.file('/tmp/of-ann', { user: 'ann' });
  const request = { path: '/tmp/of-ann', isRecursive: false };
  expect(made.try(remove, request, 'bob')).toBe('DFS_PERMISSION');
  expect(made.try(remove, request, 'ann')).toEqual({ isDone: true });
});

test('a tree is removed only by who has all rights on each directory with something in it', () => {
  const made = new NamespaceScene();
  made.directory('/all');
  made.run(setPermission, { path: '/all', permission: 0o777 });
  made.directory('/all/of-ann', { user: 'ann' });
  made.file('/all/of-ann/file', { user: 'ann' });
  made.directory('/all/empty-of-ann', { user: 'ann', mode: 0o700 });
  const tree = (path: string) => ({ path, isRecursive: true });
  expect(made.try(remove, tree('/all/of-ann'), 'bob')).toBe('DFS_PERMISSION');
  expect(made.try(remove, tree('/all/empty-of-ann'), 'bob')).toEqual({ isDone: true });
});

test('a file is given away by the superuser only, and to a group by an owner who is in it', () => {
  const made = scene(0o644);
  const path = '/home/ann/file';
  expect(made.try(setOwner, { path, owner: 'bob', group: null }, 'ann')).toBe('DFS_PERMISSION');
  expect(made.try(setOwner, { path, owner: null, group: 'bob' }, 'ann')).toBe('DFS_PERMISSION');
  expect(made.try(setOwner, { path, owner: null, group: 'ann' }, 'ann')).toEqual({ isDone: true });
  const times = { path, modificationTimeMs: 1, accessTimeMs: null };
  expect(made.try(setTimes, times, 'bob')).toBe('DFS_PERMISSION');
});

test('below a file: not there for the superuser, not to be looked at for others', () => {
  const made = scene(0o777);
  const path = '/home/ann/file/below';
  expect(made.try(getFileInfo, { path })).toBe('DFS_NOT_FOUND');
  expect(made.try(getFileInfo, { path }, 'bob')).toBe('DFS_PERMISSION');
});

test('the message is that of HDFS', () => {
  const made = scene(0o640);
  const path = '/home/ann/file';
  const work = () => made.run(checkAccess, { path, wanted: rights.write }, 'bob');
  expect(typedErrorOf(work)?.message).toBe(
    'Permission denied: user=bob, access=WRITE, inode="/home/ann/file":ann:staff:-rw-r-----',
  );
  expect([formatMode(true, 0o1777), formatMode(true, 0o1666)]).toEqual([
    'drwxrwxrwt',
    'drw-rw-rwT',
  ]);
});
