/** Goal: what is said to hold a job back is what two looks at it have in common, and names who is to blame. */
import { expect, test } from 'vitest';
import { findingText } from '../../../cli/control/why-text.ts';
import { findingsOf } from '../../../coordinator/job/job-findings.ts';
import type {
  JobInspection,
  OperatorInspection,
  TaskInspection,
} from '../../../coordinator/job/job-inspection.ts';

function operator(name: string, counters: Partial<OperatorInspection> = {}): OperatorInspection {
  return {
    ...{ id: name, name, kind: 'project', rowsIn: 0, rowsOut: 0, busyMs: 0, tells: null },
    ...{ waitsForTime: false, watermarkMs: null, watermarkAtMs: null },
    ...counters,
  };
}

function task(taskId: string, facts: Partial<TaskInspection> = {}): TaskInspection {
  return {
    ...{ taskId, vertexId: taskId.slice(0, 2), attempt: 1, slotIndex: 0, hasAnswered: true },
    ...{
      error: null,
      running: null,
      runningSinceMs: 0,
      source: null,
      operators: [],
      waitsFor: [],
      senders: [],
    },
    ...facts,
  };
}

function look(atMs: number, tasks: readonly TaskInspection[]): JobInspection {
  const skipped = { rows: 0, rowGroups: 0, pages: 0 };
  const totals = { rowsIn: 0, bytesIn: 0, rowsOut: 0, deadLetters: 0, skipped };
  return { jobId: 'job-1', phase: 'running', atMs, ...totals, tasks };
}

const waits = (...taskIds: string[]) => taskIds.map((taskId) => ({ edgeId: 'e1', taskId }));

test('a channel that is full both times blames the last task of the chain of who waits for whom', () => {
  const tasks = (busyMs: number) => [
    task('v1[0]', { waitsFor: waits('v2[0]') }),
    task('v1[1]', { waitsFor: waits('v2[0]', 'v2[1]') }),
    task('v2[0]', { waitsFor: [{ edgeId: 'e2', taskId: 'v3[0]' }] }),
    task('v2[1]'),
    task('v3[0]', { operators: [operator('quick', { busyMs: 1 }), operator('slow', { busyMs })] }),
  ];
  const findings = findingsOf(look(0, tasks(0)), look(200, tasks(100)));
  expect(findings).toEqual([
    {
      ...{ kind: 'backpressure', slowTask: 'v3[0]', waiting: ['v1[0]', 'v1[1]', 'v2[0]'] },
      ...{ edgeIds: ['e1', 'e2'], operator: 'slow', busyShare: 0.5 },
    },
    {
      ...{ kind: 'backpressure', slowTask: 'v2[1]', waiting: ['v1[1]'], edgeIds: ['e1'] },
      ...{ operator: null, busyShare: 0 },
    },
  ]);
});

test('a channel that is full once is how a stream flows', () => {
  const before = look(0, [task('v1[0]', { waitsFor: waits('v2[0]') }), task('v2[0]')]);
  const other = look(200, [task('v1[0]', { waitsFor: waits('v2[1]') }), task('v2[0]')]);
  expect(findingsOf(before, other)).toEqual([]);
  expect(findingsOf(other, before)).toEqual([]);
});

test('tasks that wait for each other in a circle are looked at once', () => {
  const tasks = [
    task('v1[0]', { waitsFor: waits('v2[0]') }),
    task('v2[0]', { waitsFor: waits('v1[0]') }),
  ];
  expect(findingsOf(look(0, tasks), look(200, tasks))).toEqual([]);
});

test('a thread that does not answer is stuck when it is in the same call both times', () => {
  const silent = (runningSinceMs: number) =>
    task('v1[0]', { hasAnswered: false, running: 'spin', runningSinceMs });
  const one = { kind: 'notAnswering', taskId: 'v1[0]', operator: 'spin' };
  expect(findingsOf(look(0, [silent(7)]), look(200, [silent(7)]))).toEqual([
    { ...one, isStuck: true },
  ]);
  expect(findingsOf(look(0, [silent(7)]), look(200, [silent(9)]))).toEqual([
    { ...one, isStuck: false },
  ]);
});

test('an operator that takes most of the time of tasks that wait for nobody is named once', () => {
  const tasks = (busyMs: number) => [
    task('v1[0]', {
      operators: [operator('read', { busyMs: busyMs / 10 }), operator('spin', { busyMs })],
    }),
    task('v1[1]', { operators: [operator('read'), operator('spin', { busyMs: busyMs * 0.8 })] }),
    task('v1[2]', { operators: [operator('read'), operator('spin', { busyMs: busyMs / 2 })] }),
  ];
  expect(findingsOf(look(0, tasks(0)), look(200, tasks(200)))).toEqual([
    { kind: 'busy', operatorId: 'spin', operator: 'spin', tasks: ['v1[0]', 'v1[1]'], share: 0.9 },
  ]);
});

test.each(['waiting', 'asking'] as const)(
  'a source that is %s both times has no input',
  (state) => {
    const source = { splits: ['a'], position: 'row 7', state, rowCount: 7 };
    const idle = [task('v1[0]', { source, operators: [operator('read')] })];
    expect(findingsOf(look(0, idle), look(200, idle))).toEqual([
      {
        kind: 'noInput',
        taskId: 'v1[0]',
        operator: 'read',
        splits: ['a'],
        position: 'row 7',
        state,
      },
    ]);
    const earlier = [
      task('v1[0]', { source: { ...source, rowCount: 5 }, operators: [operator('read')] }),
    ];
    expect(findingsOf(look(0, earlier), look(200, idle))).toEqual([]);
  },
);

test('a source that is held both times waits for another one, which is named', () => {
  const bids = (watermarkMs: number | null) => {
    const waitsFor = { taskId: 'v2[0]', watermarkMs, reachedMs: 9_000, driftMs: 1_000 };
    const source = {
      splits: ['a'],
      position: 'row 7',
      state: 'held',
      rowCount: 7,
      waitsFor,
    } as const;
    return task('v1[0]', { source, operators: [operator('bids')] });
  };
  const reading = { splits: [], position: null, state: 'reading', rowCount: 3 } as const;
  const auctions = task('v2[0]', { source: reading, operators: [operator('auctions')] });
  const others = [auctions, task('v3[0]')];
  const held = {
    ...{ kind: 'held', taskId: 'v1[0]', operator: 'bids', behind: 'v2[0]', source: 'auctions' },
    ...{ watermarkMs: 500, reachedMs: 9_000, driftMs: 1_000 },
  };
  const findings = findingsOf(look(0, [bids(null), ...others]), look(200, [bids(500), ...others]));
  expect(findings).toEqual([held]);
  expect(findings.map(findingText)).toEqual([
    'source "bids" (v1[0]), at 1970-01-01T00:00:09.000Z, waits for source "auctions" (v2[0]), which is at ' +
      '1970-01-01T00:00:00.500Z: it may be 1.0 s ahead',
  ]);
  const alone = findingsOf(look(0, [bids(null)]), look(200, [bids(null)]));
  expect(alone.map(findingText)).toEqual([
    'source "bids" (v1[0]), at 1970-01-01T00:00:09.000Z, waits for task v2[0], which has not begun in event ' +
      'time: it may be 1.0 s ahead',
  ]);
  const free = task('v1[0]', { source: reading, operators: [operator('bids')] });
  expect(findingsOf(look(0, [free, ...others]), look(200, [bids(500), ...others]))).toEqual([]);
});

test('an operator that needs all its input is named until its first row is out', () => {
  const sort = (rowsOut: number) =>
    [3, 4].map((rowsIn, index) =>
      task(`v1[${index}]`, { operators: [operator('sort', { kind: 'sort', rowsIn, rowsOut })] }),
    );
  expect(findingsOf(look(0, sort(0)), look(200, sort(0)))).toEqual([
    { kind: 'needsAllInput', operatorId: 'sort', operator: 'sort', rowsIn: 7 },
  ]);
  expect(findingsOf(look(0, sort(0)), look(200, sort(1)))).toEqual([]);
});

test('event time is followed from the task that is behind to the split that holds it back', () => {
  const timed = (watermarkMs: number | null, watermarkAtMs: number | null) =>
    operator('count', { waitsForTime: true, watermarkMs, watermarkAtMs, tells: { windows: 2 } });
  const sender = (taskId: string, watermarkMs: number | null, isIdle = false) => ({
    ...{ taskId, watermarkMs, isIdle },
  });
  const lane = (splitId: string, newestMs: number | null) => ({
    ...{ splitId, newestMs, emptySinceMs: null },
  });
  const read = { splits: [], position: null, state: 'reading', rowCount: 1 } as const;
  const tasks = [
    task('v1[0]', { source: { ...read, lanes: [lane('a', 900), lane('b', 800)] } }),
    task('v1[1]', { source: { ...read, lanes: [lane('c', 500), lane('d', 400)] } }),
    task('v2[0]', {
      operators: [timed(700, 150)],
      senders: [sender('v1[0]', 700), sender('v1[1]', 100, true)],
    }),
    task('v2[1]', {
      operators: [timed(400, 50)],
      senders: [sender('v1[0]', 700), sender('v1[1]', 400)],
    }),
  ];
  expect(findingsOf(look(0, tasks), look(200, tasks))).toEqual([
    {
      ...{ kind: 'eventTime', operatorId: 'count', operator: 'count', taskId: 'v2[1]' },
      ...{ watermarkMs: 400, forMs: 150, path: ['v2[1]', 'v1[1]'], tells: { windows: 2 } },
      split: { id: 'd', newestMs: 400 },
    },
  ]);
});

test('where nothing is known of event time yet, a split without a row is to blame', () => {
  const lanes = [
    { splitId: 'a', newestMs: 9, emptySinceMs: null },
    { splitId: 'b', newestMs: null, emptySinceMs: 3 },
  ];
  const source = { splits: [], position: null, state: 'reading', rowCount: 1, lanes } as const;
  const only = task('v1[0]', { source, operators: [operator('count', { waitsForTime: true })] });
  expect(findingsOf(look(0, [only]), look(200, [only]))).toMatchObject([
    { watermarkMs: null, forMs: null, path: ['v1[0]'], split: { id: 'b', newestMs: null } },
  ]);
});

test('another attempt of a task is another task', () => {
  const then = task('v1[0]', { attempt: 1, waitsFor: waits('v2[0]') });
  expect(findingsOf(look(0, [then]), look(200, [{ ...then, attempt: 2 }]))).toEqual([]);
});
