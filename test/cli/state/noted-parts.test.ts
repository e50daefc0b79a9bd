/** Goal: what a manifest has of sources, sinks and notes is shown as rows. */
import { expect, test } from 'vitest';
import { notedParts } from '../../../cli/state/noted-parts.ts';
import type { CheckpointManifest } from '../../../coordinator/checkpoint/checkpoint-manifest.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import { snapshotOf } from '../../coordinator/checkpoint/checkpoint-world.ts';
import { manifestWith } from '../../coordinator/checkpoint/store/checkpoint-scene.ts';

const task = snapshotOf('read-0');
const base = manifestWith(task, { epoch: 1, id: 3 });
const split = (id: string, more: object = {}): Json => ({
  id,
  sizeBytes: 1,
  payload: null,
  ...more,
});
const part = { part: 'panes', path: 'a', byteOffset: 0, sizeBytes: 1, checksum: 0, rowCount: 1 };
const manifest: CheckpointManifest = {
  ...base,
  splits: { read: ['a', 'b', 'c'].map((id) => split(id)).concat(split('d', { isRead: true })) },
  writes: { out: [{ checkpointId: 3, taskId: 'out-0', vertexId: 'out', write: { file: 'x' } }] },
  tasks: [
    {
      ...task,
      source: { operatorId: 'read', finished: ['a'], open: [{ splitId: 'b', position: 70 }] },
      operators: [
        { operatorId: 'first', kind: 'limit', note: { passed: 4 }, parts: [] },
        { operatorId: 'counts', kind: 'windowAggregate', note: { round: 1 }, parts: [part] },
      ],
    },
  ],
};

const rowsOf = (id: string) => notedParts(manifest, id).map(({ name, rows }) => [name, rows]);

test('where a source is, split by split', () => {
  expect(rowsOf('read')).toEqual([
    [
      'positions',
      [
        ['a', 'finished', null],
        ['b', 'open', '70'],
        ['c', 'waiting', null],
        ['d', 'finished', null],
      ],
    ],
  ]);
});

test('what a sink has prepared, and what an operator without rows has noted', () => {
  expect(rowsOf('out')).toEqual([['writes', [[3n, 'out-0', '{"file":"x"}']]]]);
  expect(rowsOf('first')).toEqual([['note', [[task.taskId, '{"passed":4}']]]]);
  expect(rowsOf('counts')).toEqual([]);
});
