/** Goal: a job goes on from a checkpoint only where its state can be found by key group. */
import { expect, test } from 'vitest';
import { checkRestore } from '../../../coordinator/checkpoint/restore-check.ts';
import { graphOf } from '../../support/graph-text.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { snapshotOf } from './checkpoint-world.ts';
import { manifestWith } from './store/checkpoint-scene.ts';

const manifest = manifestWith(snapshotOf('count-0'), { epoch: 1, id: 7 });
const about = { manifest, path: 'chk/count/chk-7-1', graph: graphOf('a*b') };

test('a checkpoint with as many key groups as this version has is taken', () => {
  checkRestore(about);
});

test('another number of key groups is refused, and named', () => {
  const other = { ...about, manifest: { ...manifest, keyGroupCount: 64 } };
  const error = typedErrorOf(() => checkRestore(other));
  expect([error?.info.code, error?.message]).toEqual([
    'CHECKPOINT_KEY_GROUPS',
    'the checkpoint in "chk/count/chk-7-1" has its state in 64 key groups, and this job has 128',
  ]);
});
