/** Goal: renames do, and refuse, what those of HDFS do. */
import { expect, test } from 'vitest';
import { setQuota } from '../../../../dfs/namenode/operations/attributes.ts';
import { getFileInfo } from '../../../../dfs/namenode/operations/look.ts';
import { rename } from '../../../../dfs/namenode/operations/rename.ts';
import type { RenameRequest } from '../../../../dfs/protocol/client-protocol.ts';
import { NamespaceScene } from '../../../support/namespace-scene.ts';

function scene(): NamespaceScene {
  const made = new NamespaceScene();
  made.directory('/full/below');
  made.directory('/empty');
  made.file('/one');
  made.file('/two');
  return made;
}

test.each`
  what                          | source      | destination        | legacy                   | none                     | overwrite
  ${'a file to a new name'}     | ${'/one'}   | ${'/new'}          | ${true}                  | ${true}                  | ${true}
  ${'what is not there'}        | ${'/none'}  | ${'/new'}          | ${false}                 | ${'DFS_NOT_FOUND'}       | ${'DFS_NOT_FOUND'}
  ${'into what is not there'}   | ${'/one'}   | ${'/none/new'}     | ${false}                 | ${'DFS_NOT_FOUND'}       | ${'DFS_NOT_FOUND'}
  ${'below a file'}             | ${'/one'}   | ${'/two/new'}      | ${'DFS_NOT_A_DIRECTORY'} | ${'DFS_NOT_A_DIRECTORY'} | ${'DFS_NOT_A_DIRECTORY'}
  ${'a file over a file'}       | ${'/one'}   | ${'/two'}          | ${false}                 | ${'DFS_EXISTS'}          | ${true}
  ${'a file to itself'}         | ${'/one'}   | ${'/one'}          | ${true}                  | ${'DFS_EXISTS'}          | ${'DFS_EXISTS'}
  ${'a file over a directory'}  | ${'/one'}   | ${'/empty'}        | ${true}                  | ${'DFS_EXISTS'}          | ${'DFS_RENAME'}
  ${'a directory over a file'}  | ${'/full'}  | ${'/one'}          | ${false}                 | ${'DFS_EXISTS'}          | ${'DFS_RENAME'}
  ${'over an empty directory'}  | ${'/full'}  | ${'/empty'}        | ${true}                  | ${'DFS_EXISTS'}          | ${true}
  ${'over a full directory'}    | ${'/empty'} | ${'/full'}         | ${true}                  | ${'DFS_EXISTS'}          | ${'DFS_RENAME'}
  ${'a directory to itself'}    | ${'/full'}  | ${'/full'}         | ${false}                 | ${'DFS_EXISTS'}          | ${'DFS_EXISTS'}
  ${'a directory below itself'} | ${'/full'}  | ${'/full/below/x'} | ${false}                 | ${'DFS_RENAME'}          | ${'DFS_RENAME'}
  ${'the root'}                 | ${'/'}      | ${'/new'}          | ${false}                 | ${'DFS_RENAME'}          | ${'DFS_RENAME'}
  ${'to the root'}              | ${'/full'}  | ${'/'}             | ${false}                 | ${'DFS_RENAME'}          | ${'DFS_RENAME'}
`('$what', ({ source, destination, ...expected }) => {
  for (const mode of ['legacy', 'none', 'overwrite'] satisfies RenameRequest['mode'][]) {
    const answer = scene().try(rename, { source, destination, mode });
    const text = typeof answer === 'string' ? answer : (answer as { isDone: boolean }).isDone;
    expect(text, mode).toBe(expected[mode]);
  }
});

test('a legacy rename goes into a directory', () => {
  const made = scene();
  made.run(rename, { source: '/one', destination: '/empty', mode: 'legacy' });
  expect(made.run(getFileInfo, { path: '/empty/one' }).type).toBe('FILE');
});

test('what is renamed keeps its id, its times and its writer; both directories are newer', () => {
  const made = scene();
  const before = made.run(getFileInfo, { path: '/one' });
  made.nowMs = 5_000;
  made.run(rename, { source: '/one', destination: '/empty/moved', mode: 'none' });
  expect(made.run(getFileInfo, { path: '/empty/moved' })).toEqual(before);
  expect(made.namespace.openFiles.get(before.fileId)?.clientName).toBe('writer');
  expect(made.run(getFileInfo, { path: '/' }).modificationTimeMs).toBe(5_000);
  expect(made.run(getFileInfo, { path: '/empty' }).modificationTimeMs).toBe(5_000);
});

test('only quotas that get more have a say, and what gives way makes room', () => {
  const made = scene();
  made.directory('/full/other');
  made.file('/full/below/file');
  made.run(setQuota, { path: '/full', namesMax: 4, spaceBytesMax: null });
  const inside = { source: '/full/below/file', destination: '/full/other/file' };
  expect(made.try(rename, { ...inside, mode: 'none' })).toEqual({ isDone: true });
  const more = { source: '/one', destination: '/full/one' };
  expect(made.try(rename, { ...more, mode: 'none' })).toBe('DFS_QUOTA');
  const over = { source: '/one', destination: '/full/other/file' };
  expect(made.try(rename, { ...over, mode: 'overwrite' })).toEqual({ isDone: true });
});
