/** Goal: sums are those of the whole tree, asked for by who may read it. */
import { expect, test } from 'vitest';
import {
  setPermission,
  setQuota,
  setReplication,
} from '../../../../dfs/namenode/operations/attributes.ts';
import { getContentSummary, getListing } from '../../../../dfs/namenode/operations/look.ts';
import { WriterScene } from '../../../support/writer-scene.ts';

function scene(): WriterScene {
  const made = new WriterScene();
  made.written('/a/one', [100, 30]);
  made.written('/a/b/two', [20]);
  made.written('/a/b/empty', []);
  made.run(setReplication, { path: '/a/b/two', replication: 1 });
  return made;
}

test.each`
  path        | lengthBytes | fileCount | directoryCount | spaceConsumedBytes
  ${'/'}      | ${150}      | ${3}      | ${3}           | ${410}
  ${'/a/b'}   | ${20}       | ${2}      | ${1}           | ${20}
  ${'/a/one'} | ${130}      | ${1}      | ${0}           | ${390}
`('$path has $lengthBytes bytes in $fileCount files', ({ path, ...sums }) => {
  const summary = scene().run(getContentSummary, { path });
  expect(summary).toEqual({ ...sums, namesMax: null, spaceBytesMax: null });
});

test('a quota is in the summary of its directory', () => {
  const made = scene();
  made.run(setQuota, { path: '/a', namesMax: 9, spaceBytesMax: 5_000 });
  expect(made.run(getContentSummary, { path: '/a' })).toMatchObject({
    namesMax: 9,
    spaceBytesMax: 5_000,
  });
});

test('who may not read a directory of the tree gets no sums', () => {
  const made = scene();
  expect(made.try(getContentSummary, { path: '/' }, 'bob')).toMatchObject({ fileCount: 3 });
  made.run(setPermission, { path: '/a/b', permission: 0o700 });
  expect(made.try(getContentSummary, { path: '/' }, 'bob')).toBe('DFS_PERMISSION');
});

test('a file lists itself once, under no name', () => {
  const made = scene();
  const page = made.run(getListing, { path: '/a/one', startAfter: '' });
  expect(page.entries.map(({ pathSuffix, lengthBytes }) => [pathSuffix, lengthBytes])).toEqual([
    ['', 130],
  ]);
  expect(made.run(getListing, { path: '/a/one', startAfter: 'x' }).entries).toEqual([]);
});
