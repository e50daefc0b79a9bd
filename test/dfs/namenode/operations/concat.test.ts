/** Goal: joined files have all blocks in order, the sources are gone, and what does not fit is refused as a whole. */
import { expect, test } from 'vitest';
import { setQuota, setReplication } from '../../../../dfs/namenode/operations/attributes.ts';
import { concat } from '../../../../dfs/namenode/operations/concat.ts';
import { WriterScene } from '../../../support/writer-scene.ts';

function scene(): WriterScene {
  const made = new WriterScene();
  made.written('/a', [100, 30]);
  made.written('/b', [20]);
  made.written('/c', [100]);
  made.written('/empty', []);
  made.written('/d/other', [5]);
  made.file('/open');
  made.directory('/dir');
  return made;
}

test('blocks are in the order of the sources', () => {
  const made = scene();
  made.run(concat, { path: '/a', sources: ['/c', '/b'] });
  expect(
    made.blocksOf('/a').map(({ offsetBytes, block }) => [offsetBytes, block.lengthBytes]),
  ).toEqual([
    [0, 100],
    [100, 30],
    [130, 100],
    [230, 20],
  ]);
  expect(made.try(concat, { path: '/a', sources: ['/b'] })).toBe('DFS_NOT_FOUND');
});

test.each`
  what                    | path       | sources            | code
  ${'no sources'}         | ${'/a'}    | ${[]}              | ${'DFS_ARGUMENT'}
  ${'the file itself'}    | ${'/a'}    | ${['/b', '/a']}    | ${'DFS_ARGUMENT'}
  ${'a source twice'}     | ${'/a'}    | ${['/b', '/b']}    | ${'DFS_ARGUMENT'}
  ${'an empty source'}    | ${'/a'}    | ${['/empty']}      | ${'DFS_ARGUMENT'}
  ${'an open source'}     | ${'/a'}    | ${['/open']}       | ${'DFS_ARGUMENT'}
  ${'an open file'}       | ${'/open'} | ${['/a']}          | ${'DFS_ARGUMENT'}
  ${'from elsewhere'}     | ${'/a'}    | ${['/d/other']}    | ${'DFS_ARGUMENT'}
  ${'a source not there'} | ${'/a'}    | ${['/b', '/none']} | ${'DFS_NOT_FOUND'}
  ${'a directory'}        | ${'/a'}    | ${['/dir']}        | ${'DFS_NOT_A_FILE'}
  ${'into a directory'}   | ${'/dir'}  | ${['/a']}          | ${'DFS_NOT_A_FILE'}
`('$what: $code, and nothing is done', ({ path, sources, code }) => {
  const made = scene();
  expect(made.try(concat, { path, sources })).toBe(code);
  expect(made.blocksOf('/b').length).toBe(1);
});

test('bytes that get more replicas count against the quota', () => {
  const made = scene();
  for (const path of ['/b', '/c']) made.run(setReplication, { path, replication: 1 });
  made.run(setQuota, { path: '/', namesMax: null, spaceBytesMax: 700 });
  expect(made.try(concat, { path: '/a', sources: ['/b', '/c'] })).toBe('DFS_QUOTA');
  expect(made.try(concat, { path: '/a', sources: ['/b'] })).toEqual({ isDone: true });
  const quota = made.namespace.quotas.at(0);
  expect(quota?.used).toEqual(made.namespace.countsOf(0));
});
