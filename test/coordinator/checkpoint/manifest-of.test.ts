/** Goal: a manifest has all that its tasks said, what is to be committed by sink, and the keys of operators by name. */
import { expect, test } from 'vitest';
import type { CheckpointStatistics } from '../../../coordinator/checkpoint/checkpoint-history.ts';
import { describeOperators, manifestOf } from '../../../coordinator/checkpoint/manifest-of.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { snapshotOf } from './checkpoint-world.ts';

const rows = schemaOf(fieldOf('user', utf8Type), fieldOf('key 0', int64Type));

const process = (fieldCount: number): OperatorSpec => ({
  ...{ kind: 'process', id: 'limits', name: 'check limits', output: rows, states: [], fieldCount },
  keys: [
    { name: 'user', column: 'user' },
    { name: 'day', column: 'key 0' },
  ],
  ...{ timeColumn: null, control: null, isProbeBuffered: false },
});

const graphWith = (fieldCount: number): PhysicalGraph => ({
  ...{ jobName: 'fraud', parallelism: 2 },
  vertices: [
    { id: 'v1', name: 'read', parallelism: 1, chain: [] },
    {
      ...{ id: 'v2', name: 'check', parallelism: 2 },
      chain: [
        process(fieldCount),
        { kind: 'firstRows', id: 'once', name: 'once', keys: ['user'], output: rows },
      ],
    },
  ],
  edges: [
    {
      ...{ id: 'e1', from: 'v1', output: 0, to: 'v2', port: 0, schema: rows, isBlocking: false },
      exchange: { kind: 'hash', columns: ['user'] },
    },
  ],
});

test('operators are described with the keys of their state, as users name them', () => {
  const [limits, once] = describeOperators(graphWith(1));
  expect(limits).toMatchObject({ operatorId: 'limits', name: 'check limits', kind: 'process' });
  expect(limits?.keys).toEqual([fieldOf('user', utf8Type), fieldOf('day', int64Type)]);
  expect(once?.keys).toEqual([fieldOf('user', utf8Type)]);
});

test('a fingerprint is of what an operator does and not of its name', () => {
  const fingerprintsOf = (graph: PhysicalGraph) =>
    describeOperators(graph).map(({ fingerprint }) => fingerprint);
  const [limits, once] = fingerprintsOf(graphWith(1));
  expect(limits).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprintsOf(graphWith(1))).toEqual([limits, once]);
  const [changed, same] = fingerprintsOf(graphWith(2));
  expect([changed === limits, same === once]).toEqual([false, true]);
});

test('the manifest says what tasks, plan and sinks were', () => {
  const writes = ['sink-1', 'sink-0', 'other-0'].map((taskId, index) => {
    const vertexId = taskId.split('-')[0] ?? '';
    return { checkpointId: 4, taskId, vertexId, write: index };
  });
  const statistics: CheckpointStatistics = {
    ...{ checkpointId: 4, kind: 'final', durationMs: 9, sizeBytes: 3, missing: [], tasks: [] },
  };
  const manifest = manifestOf(
    {
      ...{ checkpointId: 4, checkpointKind: 'final', statistics, writes },
      snapshots: [snapshotOf('sink-0')],
    },
    {
      ...{ graph: graphWith(1), jobFingerprint: 'ab', writtenBy: '1.2.3', epoch: 2, nowMs: 77 },
      ...{ declared: [], keyGroupCount: 128, splits: { read: ['a'] } },
    },
  );
  expect(manifest).toMatchObject({
    ...{ jobName: 'fraud', jobFingerprint: 'ab', writtenBy: '1.2.3', epoch: 2, createdMs: 77 },
    ...{ checkpointId: 4, kind: 'final', parallelism: { v1: 1, v2: 2 }, splits: { read: ['a'] } },
    ...{ keyGroupCount: 128, statistics, pathsFrom: 'job', tasks: [{ taskId: 'sink-0' }] },
    writes: { sink: [{ write: 0 }, { write: 1 }], other: [{ write: 2 }] },
  });
  expect('graph' in manifest).toBe(false);
});
