/** Goal: the outcome of a job maps to the documented exit code, and to one JSON object. */
import { expect, test } from 'vitest';
import { toWire, typedError } from '../../base/typed-error.ts';
import type { JobSummary } from '../../cli/job-summary.ts';
import { exitCodeOf, failureJson, summaryText, targetOf } from '../../cli/summary.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
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

const sink = (id: string, options: Record<string, string>, from = 'read'): LogicalNode => ({
  ...{ id, name: 'sink', inputs: [from], schema: schemaOf(), kind: 'sink' },
  sink: { connector: 'files', options, isParallel: false },
});

test('a sink is named by its path, or by its connector', () => {
  const { sink: named } = sink('s', { path: 'a.csv' }) as LogicalNode & { kind: 'sink' };
  expect([targetOf(named), targetOf({ ...named, options: {} })]).toEqual(['a.csv', 'files']);
});

test('each sink has its line, dead letters by their name', () => {
  const letters: LogicalNode = {
    ...{ id: 'letters', name: 'deadLetters', inputs: ['read'], schema: schemaOf() },
    kind: 'deadLetters',
  };
  const nodes = [
    ...[sink('a', { path: 'a.csv' }), sink('b', { path: 'b.csv' })],
    ...[letters, sink('c', { path: 'bad.ndjson' }, 'letters')],
  ];
  const counters = {
    name: 'sink',
    kind: 'sink',
    rowsOut: 0,
    busySeconds: 0,
    bytesSpilled: 0,
  } as const;
  const rows = { a: 1200, b: 7, c: 1 };
  const summary: JobSummary = {
    ...{ job: 'j', status: 'finished', inputCount: 2, rowsIn: 1207, bytesIn: 4096, rowsOut: 1207 },
    ...{ deadLetters: 1, seconds: 2, peakMemoryBytes: 1024 },
    operators: Object.entries(rows).map(([id, rowsIn]) => ({ ...counters, id, rowsIn })),
    stages: [],
  };
  expect(summaryText(summary, { jobName: 'j', nodes })).toBe(
    [
      'job "j" finished in 2.0 s',
      '  read     1,207 rows, 4.0 KB of 2 inputs, 2.0 KB/s',
      '  written  1,200 rows to a.csv',
      '           7 rows to b.csv',
      '           1 dead letter to bad.ndjson',
      '  memory   1.0 KB at the peak',
      '',
    ].join('\n'),
  );
});

test('what was left out has a line', () => {
  const summary: JobSummary = {
    ...{ job: 'j', status: 'finished', inputCount: 1, rowsIn: 8, bytesIn: 1024, rowsOut: 8 },
    ...{ deadLetters: 0, seconds: 1, peakMemoryBytes: 1024, operators: [], stages: [] },
    skipped: { rows: 120_000, rowGroups: 3, pages: 1 },
  };
  expect(summaryText(summary, { jobName: 'j', nodes: [sink('a', { path: 'a.csv' })] })).toContain(
    '\n  skipped  120,000 rows, 3 row groups and 1 page among them\n',
  );
});

test('rows that were late, or the like, have a line for each operator and reason', () => {
  const operator = {
    ...{ id: 'w', name: 'windows', kind: 'limit' as const, rowsIn: 9, rowsOut: 3 },
    ...{ busySeconds: 0, bytesSpilled: 0 },
  } as const;
  const summary: JobSummary = {
    ...{ job: 'j', status: 'finished', inputCount: 1, rowsIn: 8, bytesIn: 1024, rowsOut: 8 },
    ...{ deadLetters: 0, seconds: 1, peakMemoryBytes: 1024, stages: [] },
    operators: [{ ...operator, notedRows: { future: 1, late: 1_200 } }, operator],
  };
  expect(summaryText(summary, { jobName: 'j', nodes: [sink('a', { path: 'a.csv' })] })).toContain(
    '\n  future   1 row in "windows"\n  late     1,200 rows in "windows"\n  written  ',
  );
});

test('a job of several stages has a line for each, with the skew', () => {
  const stage = {
    ...{ bytesIn: 0, bytesShuffled: 0, bytesSpilled: 0, failedCount: 0, runningCount: 0 },
    ...{ speculativeCount: 0, speculativeWonCount: 0, adaptations: [] },
  };
  const summary: JobSummary = {
    ...{ job: 'j', status: 'finished', inputCount: 1, rowsIn: 8, bytesIn: 1024, rowsOut: 8 },
    ...{ deadLetters: 0, seconds: 1, peakMemoryBytes: 1024, operators: [] },
    stages: [
      {
        ...stage,
        id: '1',
        taskCount: 2,
        doneCount: 2,
        busySeconds: 3,
        skew: 1.24,
        bytesShuffled: 2048,
      },
      { ...stage, id: '2', taskCount: 1, doneCount: 1, busySeconds: 1, skew: null, failedCount: 1 },
      {
        ...{ ...stage, id: '3', taskCount: 2, doneCount: 2, busySeconds: 1, skew: null },
        ...{ speculativeCount: 2, speculativeWonCount: 1 },
        adaptations: [
          { kind: 'joined', vertexIds: ['v3'], partitionCount: 12, taskCount: 3 },
          { kind: 'split', vertexIds: ['v3'], partition: 5, taskCount: 4 },
          { kind: 'broadcast', vertexIds: ['v3'], bytes: 2048 },
        ],
      },
    ],
  };
  const text = summaryText(summary, { jobName: 'j', nodes: [sink('a', { path: 'a.csv' })] });
  expect(text).toContain(
    '\n  stage 1  2 tasks busy for 3.0 s, 2.0 KB shuffled, slowest task 1.2 times the median\n' +
      '  stage 2  1 task busy for 1.0 s, 1 run again\n' +
      '  stage 3  2 tasks busy for 1.0 s, 2 speculative, 1 of them first, 12 partitions read by 3 tasks, ' +
      'partition 5 split in 4, build side of 2.0 KB read whole by each\n',
  );
});
