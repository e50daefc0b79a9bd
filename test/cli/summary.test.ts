/** Goal: the outcome of a job maps to the documented exit code, and to one JSON object. */
import { expect, test } from 'vitest';
import { toWire, typedError } from '../../base/typed-error.ts';
import { exitCodeOf, failureJson, targetsOf } from '../../cli/summary.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import { schemaOf } from '../../engine/schema/schema.ts';

const unreachable = toWire(typedError('NET_UNREACHABLE', 'nobody answers'));
const outOfMemory = toWire(typedError('MEMORY_EXHAUSTED', 'full'));

test.each`
  status         | error          | exitCode
  ${'finished'}  | ${undefined}   | ${0}
  ${'failed'}    | ${outOfMemory} | ${1}
  ${'failed'}    | ${undefined}   | ${1}
  ${'failed'}    | ${unreachable} | ${3}
  ${'cancelled'} | ${undefined}   | ${130}
`('$status is exit code $exitCode', ({ status, error, exitCode }) => {
  expect(exitCodeOf({ status, error })).toBe(exitCode);
});

test('causes are a list of messages in the JSON', () => {
  const cause = new Error('outer', { cause: new Error('inner') });
  const json = failureJson('job.ts', toWire(typedError('JOB_FILE_THREW', 'threw', { cause })));
  expect(JSON.parse(json).error).toEqual({
    code: 'JOB_FILE_THREW',
    kind: 'user',
    message: 'threw',
    causes: ['outer', 'inner'],
  });
  expect(json.endsWith('}\n')).toBe(true);
});

test('a sink is named by its path, or by its connector', () => {
  const sink = (options: Record<string, string>): LogicalGraph['nodes'][number] => ({
    ...{ id: 's', name: 'sink', inputs: [], schema: schemaOf(), kind: 'sink' },
    sink: { connector: 'files', options, isParallel: false },
  });
  expect(targetsOf({ jobName: 'j', nodes: [sink({ path: 'a.csv' }), sink({})] })).toEqual([
    'a.csv',
    'files',
  ]);
});
