/** Goal: a job goes on from a checkpoint only where its state can be found, by key group and by what the job declares. */
import { expect, test } from 'vitest';
import {
  checkRestore,
  type OfferedCheckpoint,
  type RestoringPlan,
} from '../../../coordinator/checkpoint/restore-check.ts';
import type { Finding } from '../../../coordinator/compatibility/finding.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { snapshotOf } from './checkpoint-world.ts';
import { manifestWith } from './store/checkpoint-scene.ts';

const manifest = manifestWith(snapshotOf('count-0'), { epoch: 1, id: 7 });
const offered: OfferedCheckpoint = { manifest, path: 'chk/count/chk-7-1' };
const plan: RestoringPlan = {
  graph: { jobName: 'count it', parallelism: 1, vertices: [], edges: [] },
  declared: [],
  allowsDropped: true,
};

test('a checkpoint with as many key groups as this version has is taken', () => {
  checkRestore(offered, plan);
});

test('another number of key groups is refused, and named', () => {
  const other = { ...offered, manifest: { ...manifest, keyGroupCount: 64 } };
  const error = typedErrorOf(() => checkRestore(other, plan));
  expect([error?.info.code, error?.message]).toEqual([
    'CHECKPOINT_KEY_GROUPS',
    'the checkpoint in "chk/count/chk-7-1" has its state in 64 key groups, and this job has 128',
  ]);
});

test('state of an operator that is no more is left out only where that is said, and is told of before', () => {
  const told: Finding[] = [];
  const strict = { ...plan, allowsDropped: false };
  const error = typedErrorOf(() =>
    checkRestore(offered, { ...strict, onFindings: (all) => told.push(...all) }),
  );
  expect(error?.info.code).toBe('STATE_NOT_RESTORED');
  expect(error?.message).toContain('the job has no operator with this id');
  expect(error?.info.hint).toContain('--allow-non-restored-state');
  expect(told.map(({ verdict }) => verdict)).toContain('dropped');
});
