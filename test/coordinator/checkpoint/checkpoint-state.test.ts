/**
 * Goal: whatever the order of events, nothing is committed before its checkpoint is complete, all that was prepared is
 * committed once and in order, and the judge that says so notices each planted mistake.
 */
import { expect, test } from 'vitest';
import {
  type CheckpointEvent,
  type CheckpointsState,
  initialCheckpoints,
} from '../../../coordinator/checkpoint/attempt-checkpoints.ts';
import { checkpointOptions } from '../../../coordinator/checkpoint/checkpoint-options.ts';
import { stepCheckpoints, wakeAtOf } from '../../../coordinator/checkpoint/checkpoint-state.ts';
import { plants, restartPlants } from './checkpoint-plants.ts';
import { CheckpointWorld, snapshotOf } from './checkpoint-world.ts';

test('in random orders of events every row is committed once, in order, after its checkpoint', () => {
  for (let seed = 0; seed < 500; seed++) {
    const mayEnd = seed % 4 === 0;
    const world = new CheckpointWorld({ seed, mayEnd }).run();
    expect(world.problems, `seed ${seed}`).toEqual([]);
    expect(world.isDone || mayEnd, `seed ${seed}`).toBe(true);
  }
});

test('an attempt that is stopped shows what came before its savepoint, and nothing behind it', () => {
  let stopped = 0;
  for (let seed = 0; seed < 500; seed++) {
    const world = new CheckpointWorld({ seed, mayStop: true, mayEnd: seed % 4 === 0 }).run();
    expect(world.problems, `seed ${seed}`).toEqual([]);
    if (world.isStopped) stopped++;
  }
  expect(stopped).toBeGreaterThan(50);
});

test('tasks that go on alone from the newest checkpoint lose no row and double none, nor do those beside them', () => {
  let restarts = 0;
  for (let seed = 0; seed < 500; seed++) {
    const options = { seed, mayRestart: true, mayStop: seed % 2 === 0, mayEnd: seed % 4 === 0 };
    const world = new CheckpointWorld(options).run();
    expect(world.problems, `seed ${seed}`).toEqual([]);
    restarts += world.restartCount;
  }
  expect(restarts).toBeGreaterThan(500);
});

test.each(Object.entries(restartPlants))('the judge notices %s', (_, step) => {
  let noticed = 0;
  for (let seed = 0; seed < 300 && noticed === 0; seed++) {
    const world = new CheckpointWorld({ seed, step, failureShare: 0.3, mayRestart: true });
    noticed = world.run().problems.length;
  }
  expect(noticed).toBeGreaterThan(0);
});

test.each(Object.entries(plants))('the judge notices %s', (_, step) => {
  let noticed = 0;
  for (let seed = 0; seed < 300 && noticed === 0; seed++) {
    const world = new CheckpointWorld({ seed, step, failureShare: 0.3, mayStop: seed % 2 === 0 });
    noticed = world.run().problems.length;
  }
  expect(noticed).toBeGreaterThan(0);
});

const kinds = ({ effects }: { effects: readonly { kind: string }[] }) =>
  effects.map(({ kind }) => kind);

/** One attempt, step by step. */
class Walk {
  state: CheckpointsState;
  readonly options;
  effects: ReturnType<typeof stepCheckpoints>['effects'] = [];
  nowMs = 0;

  constructor(
    taskIds: readonly string[],
    options: Parameters<typeof checkpointOptions>[0] = {},
    firstTaskIds: readonly string[] = [],
  ) {
    this.options = checkpointOptions({ intervalMs: 100, timeoutMs: 1_000, ...options });
    const start = { epoch: 1, nextId: 1, taskIds, firstTaskIds, nowMs: 0 };
    this.state = initialCheckpoints(start, this.options);
  }

  take(event: { kind: CheckpointEvent['kind'] } & Record<string, unknown>, nowMs = this.nowMs) {
    this.nowMs = nowMs;
    const full = { epoch: 1, nowMs, ...event } as CheckpointEvent;
    ({ state: this.state, effects: this.effects } = stepCheckpoints(
      this.state,
      full,
      this.options,
    ));
    return this;
  }

  ack(checkpointId: number, taskId: string, prepared: string | null = null) {
    return this.take({ kind: 'ack', checkpointId, snapshot: snapshotOf(taskId, prepared) });
  }

  finish(taskId: string, prepared: string | null = null) {
    return this.take({ kind: 'taskFinished', snapshot: snapshotOf(taskId, prepared) });
  }

  get writes() {
    const effect = this.effects.find(({ kind }) => kind === 'writeManifest' || kind === 'commit');
    return effect !== undefined && 'writes' in effect
      ? effect.writes.map(({ write }) => write)
      : [];
  }
}

test('the part of tasks that fail is given up, that of the others goes on', () => {
  const walk = new Walk(['a-0', 'b-0'], { inFlightMax: 3 });
  walk.take({ kind: 'tick' }, 100).ack(1, 'a-0', 'a1').ack(1, 'b-0', 'b1');
  walk.take({ kind: 'tick' }, 200).ack(2, 'a-0', 'a2').ack(2, 'b-0', 'b2');
  walk.take({ kind: 'tick' }, 300).ack(3, 'a-0', 'a3');
  // 1 is being written, 2 waits for that, 3 for the answer of b.
  const failed = walk.take({ kind: 'tasksFailed', taskIds: ['b-0'], reason: 'gone' });
  expect(kinds(failed)).toEqual(['discard', 'discard']);
  expect(walk.state.failureCount).toBe(0);
  expect(kinds(walk.take({ kind: 'tick' }, 400))).toEqual([]);
  walk.take({ kind: 'written', checkpointId: 1 });
  expect(walk.writes).toEqual(['a1', 'b1']);
  expect(kinds(walk.take({ kind: 'committed', checkpointId: 1 }))).toEqual(['quiet']);
  expect(kinds(walk.ack(3, 'b-0', 'b3'))).toEqual([]);
  expect(kinds(walk.take({ kind: 'tasksRestarted', taskIds: ['b-0'] }))).toEqual(['trigger']);
  expect(kinds(walk.ack(4, 'a-0').ack(4, 'b-0', 'b4'))).toEqual(['writeManifest']);
  expect(walk.writes).toEqual(['a2', 'a3', 'b4']);
});

test('a savepoint is refused while tasks are gone', () => {
  const walk = new Walk(['a-0', 'b-0']);
  walk.take({ kind: 'tasksFailed', taskIds: ['b-0'], reason: 'gone' });
  walk.take({ kind: 'savepoint', request: 'r', halts: false });
  expect(walk.effects).toMatchObject([{ kind: 'answer', request: 'r', checkpointId: 0 }]);
});

test('the interval triggers, the last answer writes, the log commits, the commit ends it', () => {
  const walk = new Walk(['a-0', 'b-0']);
  expect(wakeAtOf(walk.state, walk.options)).toBe(100);
  expect(kinds(walk.take({ kind: 'tick' }, 99))).toEqual([]);
  expect(walk.take({ kind: 'tick' }, 100).effects).toEqual([
    {
      kind: 'trigger',
      checkpointId: 1,
      checkpointKind: 'checkpoint',
      taskIds: ['a-0', 'b-0'],
      halts: false,
    },
  ]);
  expect(wakeAtOf(walk.state, walk.options)).toBe(1_100); // Nothing to do but to give it up.
  expect(kinds(walk.ack(1, 'b-0', 'rows'))).toEqual([]);
  expect(kinds(walk.ack(1, 'a-0'))).toEqual(['writeManifest']);
  expect(kinds(walk.take({ kind: 'written', checkpointId: 1 }))).toEqual(['commit']);
  expect(walk.writes).toEqual(['rows']);
  expect(kinds(walk.take({ kind: 'committed', checkpointId: 1 }, 150))).toEqual([]);
  expect(walk.state.history.ended[0]).toMatchObject({ outcome: 'committed', durationMs: 50 });
  expect(wakeAtOf(walk.state, walk.options)).toBe(200);
});

test('nothing is triggered before what is read first has ended; who asks meanwhile is told', () => {
  const walk = new Walk(['rates-0', 'bids-0'], {}, ['rates-0']);
  expect(wakeAtOf(walk.state, walk.options)).toBe(Number.POSITIVE_INFINITY);
  expect(kinds(walk.take({ kind: 'tick' }, 250))).toEqual([]);
  walk.take({ kind: 'savepoint', request: 'one', halts: false });
  expect(walk.effects).toMatchObject([
    { kind: 'answer', request: 'one', failure: expect.stringContaining('still being read') },
  ]);
  expect(walk.finish('rates-0').effects).toMatchObject([
    { kind: 'trigger', checkpointId: 1, taskIds: ['bids-0'] },
  ]);
});

test('a stop with a savepoint waits for what is read first', () => {
  const walk = new Walk(['rates-0', 'bids-0'], { intervalMs: null }, ['rates-0']);
  expect(kinds(walk.take({ kind: 'savepoint', request: 'stop', halts: true }))).toEqual([]);
  expect(walk.finish('rates-0').effects).toMatchObject([
    { kind: 'trigger', checkpointKind: 'savepoint', halts: true },
  ]);
});

test('a checkpoint that is due while there is no room begins when there is', () => {
  const walk = new Walk(['a-0']).take({ kind: 'tick' }, 100).take({ kind: 'tick' }, 250);
  expect(walk.effects).toEqual([]);
  walk.ack(1, 'a-0').take({ kind: 'written', checkpointId: 1 });
  expect(kinds(walk.take({ kind: 'committed', checkpointId: 1 }))).toEqual(['trigger']);
});

test('a pause counts from completion, and with one there is one at a time', () => {
  const walk = new Walk(['a-0'], { minPauseMs: 500, inFlightMax: 4 });
  walk.take({ kind: 'tick' }, 100).take({ kind: 'tick' }, 250);
  expect(walk.effects).toEqual([]);
  walk.ack(1, 'a-0').take({ kind: 'written', checkpointId: 1 }, 300);
  walk.take({ kind: 'committed', checkpointId: 1 }, 310);
  expect(wakeAtOf(walk.state, walk.options)).toBe(800);
  expect(kinds(walk.take({ kind: 'tick' }, 799))).toEqual([]);
  expect(kinds(walk.take({ kind: 'tick' }, 800))).toEqual(['trigger']);
});

test('several are under way up to the limit, and a later one that completes subsumes the earlier', () => {
  const walk = new Walk(['a-0', 'b-0'], { inFlightMax: 2 });
  walk.take({ kind: 'tick' }, 100).take({ kind: 'tick' }, 200);
  expect(kinds(walk.take({ kind: 'tick' }, 300))).toEqual([]);
  walk.ack(1, 'a-0', 'a1').ack(2, 'a-0', 'a2').ack(2, 'b-0', 'b2'); // b-0 never saw barrier 1.
  expect(walk.writes).toEqual(['a1', 'a2', 'b2']);
  walk.take({ kind: 'written', checkpointId: 2 });
  expect(kinds(walk)).toEqual(['discard', 'trigger', 'commit']);
  expect(walk.state.history.counts.subsumed).toBe(1);
});

test('a task that ended before the trigger is not waited for, and is in every manifest', () => {
  const walk = new Walk(['a-0', 'b-0']).finish('a-0', 'last of a').take({ kind: 'tick' }, 100);
  expect(walk.effects).toMatchObject([{ kind: 'trigger', taskIds: ['b-0'] }]);
  walk.ack(1, 'b-0', 'b1');
  const [manifest] = walk.effects;
  expect(walk.writes).toEqual(['last of a', 'b1']);
  expect(manifest?.kind === 'writeManifest' && manifest.snapshots.map((one) => one.taskId)).toEqual(
    ['a-0', 'b-0'],
  );
});

test('the final checkpoint comes after the last task, and the job ends when it is committed', () => {
  const walk = new Walk(['a-0', 'b-0'], { intervalMs: null });
  expect(wakeAtOf(walk.state, walk.options)).toBe(Number.POSITIVE_INFINITY);
  walk.finish('a-0', 'all of a').finish('b-0', 'all of b');
  expect(walk.effects).toMatchObject([{ kind: 'writeManifest', checkpointKind: 'final' }]);
  expect(kinds(walk.take({ kind: 'written', checkpointId: 1 }))).toEqual(['commit']);
  expect(walk.writes).toEqual(['all of a', 'all of b']);
  expect(kinds(walk.take({ kind: 'committed', checkpointId: 1 }))).toEqual(['end']);
  walk.take({ kind: 'savepoint', request: 'r', halts: false });
  expect(walk.effects).toMatchObject([{ kind: 'answer', failure: 'the job has ended' }]);
});

test('failures in a row are counted, a success starts the count anew', () => {
  const walk = new Walk(['a-0'], { failuresMax: 1 });
  const decline = (checkpointId: number) =>
    walk.take({
      ...{ kind: 'decline', checkpointId, taskId: 'a-0', vertexId: 'a' },
      ...{ reason: 'no space', prepared: null },
    });
  walk.take({ kind: 'tick' }, 100);
  expect(kinds(decline(1))).toEqual(['discard']);
  walk.take({ kind: 'tick' }, 200).ack(2, 'a-0').take({ kind: 'written', checkpointId: 2 });
  walk.take({ kind: 'committed', checkpointId: 2 }).take({ kind: 'tick' }, 300);
  expect(kinds(decline(3))).toEqual(['discard']);
  walk.take({ kind: 'tick' }, 400);
  expect(decline(4).effects.at(-1)).toEqual({
    kind: 'failAttempt',
    reason: 'checkpoint 4 failed, after 1 before it: task "a-0": no space',
  });
  expect(kinds(walk.take({ kind: 'tick' }, 500))).toEqual([]);
});

test('a savepoint waits for nobody, its failure is its own, and it is answered when committed', () => {
  const walk = new Walk(['a-0'], { failuresMax: 0 }).take({ kind: 'tick' }, 100);
  expect(kinds(walk.take({ kind: 'savepoint', request: 'mine', halts: false }))).toEqual([
    'trigger',
  ]);
  walk.ack(1, 'a-0').take({ kind: 'written', checkpointId: 1 }).ack(2, 'a-0');
  expect(walk.effects).toMatchObject([{ kind: 'writeManifest', checkpointKind: 'savepoint' }]);
  const failed = {
    kind: 'writeFailed',
    checkpointId: 2,
    reason: 'full',
    isInDoubt: false,
  } as const;
  expect(walk.take(failed).effects).toMatchObject([
    { kind: 'discard' },
    { kind: 'answer', request: 'mine', failure: 'full' },
  ]);
  expect(walk.state.isOver).toBe(false);
});

test.each([
  { kind: 'writeFailed', checkpointId: 1, reason: 'fenced', isInDoubt: true } as const,
  { kind: 'stop', reason: 'cancelled' } as const,
])('the attempt ends with $kind $reason, and who waits is told', (event) => {
  const walk = new Walk(['a-0'], { failuresMax: 9 }).take({
    kind: 'savepoint',
    request: 'mine',
    halts: false,
  });
  walk.ack(1, 'a-0').take(event);
  expect(walk.effects[0]).toMatchObject({ kind: 'answer', failure: event.reason });
  expect(kinds(walk).includes('failAttempt')).toBe(event.kind === 'writeFailed');
  expect(walk.state.history.counts.abandoned).toBe(1);
});

test('behind a savepoint that halts none is triggered; where it fails, sources go on', () => {
  const walk = new Walk(['a-0']).take({ kind: 'savepoint', request: 'stop', halts: true }, 50);
  expect(walk.effects).toMatchObject([{ kind: 'trigger', checkpointId: 1, halts: true }]);
  expect(kinds(walk.take({ kind: 'tick' }, 500))).toEqual([]);
  expect(walk.take({ kind: 'drain', request: 'too' }).effects).toMatchObject([
    { kind: 'answer', request: 'too', failure: 'the job is being stopped' },
  ]);
  expect(walk.take({ kind: 'tick' }, 1_050).effects).toMatchObject([
    { kind: 'discard' },
    { kind: 'answer', request: 'stop', failure: expect.stringContaining('1 tasks did not answer') },
    { kind: 'orderSources', order: 'goOn' },
    { kind: 'trigger', checkpointId: 2, halts: false },
  ]);
});

test('a savepoint that halts begins when no other one is under way, and is answered though the job ends first', () => {
  const walk = new Walk(['a-0']).take({ kind: 'tick' }, 100);
  expect(kinds(walk.take({ kind: 'savepoint', request: 'stop', halts: true }))).toEqual([]);
  walk.ack(1, 'a-0').take({ kind: 'written', checkpointId: 1 }, 300);
  const begun = { kind: 'trigger', checkpointId: 2, halts: true };
  expect(walk.take({ kind: 'committed', checkpointId: 1 }).effects).toMatchObject([begun]);
  const other = new Walk(['a-0']).take({ kind: 'tick' }, 100);
  other.take({ kind: 'savepoint', request: 'stop', halts: true }).finish('a-0');
  for (const checkpointId of [1, 2]) {
    other.take({ kind: 'written', checkpointId }).take({ kind: 'committed', checkpointId });
  }
  expect(kinds(other)).toEqual(['answer', 'end']);
  expect(other.effects).toMatchObject([{ request: 'stop', failure: 'the job has ended' }, {}]);
});

test('a savepoint that halted sources stays the last one, unless the attempt is to go on', () => {
  const walk = new Walk(['a-0']).take({ kind: 'savepoint', request: 'stop', halts: true }, 50);
  walk.ack(1, 'a-0', 'rows').take({ kind: 'written', checkpointId: 1 });
  expect(walk.writes).toEqual(['rows']);
  const answer = { kind: 'answer', request: 'stop', checkpointId: 1, failure: null };
  expect(walk.take({ kind: 'committed', checkpointId: 1 }).effects).toEqual([answer]);
  expect(kinds(walk.take({ kind: 'tick' }, 500))).toEqual([]);
  expect(kinds(walk.take({ kind: 'goOn' }))).toEqual(['orderSources', 'trigger']);
});

test('a job that is drained answers with its final checkpoint, or with why there is none', () => {
  const walk = new Walk(['a-0']).take({ kind: 'drain', request: 'drain' }, 50);
  expect(walk.effects).toEqual([{ kind: 'orderSources', order: 'end' }]);
  expect(kinds(walk.take({ kind: 'tick' }, 500))).toEqual([]);
  expect(walk.finish('a-0', 'the rest').effects).toMatchObject([{ checkpointKind: 'final' }]);
  walk.take({ kind: 'written', checkpointId: 1 }).take({ kind: 'committed', checkpointId: 1 });
  expect(walk.effects).toEqual([
    { kind: 'answer', request: 'drain', checkpointId: 1, failure: null },
    { kind: 'end' },
  ]);
  const other = new Walk(['a-0']).take({ kind: 'drain', request: 'drain' });
  expect(other.take({ kind: 'stop', reason: 'cancelled' }).effects).toMatchObject([
    { kind: 'answer', request: 'drain', failure: 'cancelled' },
  ]);
});

test('a write that comes too late for its order fails the attempt rather than being lost', () => {
  const walk = new Walk(['a-0', 'b-0'], { inFlightMax: 2 });
  walk.take({ kind: 'tick' }, 100).take({ kind: 'tick' }, 200).ack(2, 'a-0');
  expect(walk.ack(1, 'a-0', 'late').effects).toEqual([
    { kind: 'failAttempt', reason: 'task "a-0" answered checkpoint 1 after a later one' },
  ]);
});

const times = { alignmentMs: 0, syncMs: 1, asyncMs: 2, fullBytes: 0 };

test('statistics say what each task took and wrote, and the history is bounded', () => {
  const walk = new Walk(['a-0', 'b-0']).finish('b-0').take({ kind: 'tick' }, 100);
  walk.nowMs = 130;
  walk.ack(1, 'a-0').take({ kind: 'written', checkpointId: 1 }, 140);
  walk.take({ kind: 'committed', checkpointId: 1 }, 150);
  expect(walk.state.history.ended[0]).toEqual({
    ...{ checkpointId: 1, kind: 'checkpoint', outcome: 'committed', reason: '' },
    ...{ triggeredMs: 100, durationMs: 50, sizeBytes: 10, missing: [] },
    tasks: [
      { ...times, taskId: 'a-0', durationMs: 30, startDelayMs: 27, sizeBytes: 10 },
      { ...times, taskId: 'b-0', durationMs: 0, startDelayMs: 0, sizeBytes: 0 },
    ],
  });
  const many = new Walk(['a-0'], { failuresMax: 100, timeoutMs: 10 });
  for (let round = 1; round <= 100; round++) many.take({ kind: 'tick' }, round * 100);
  const { ended, counts } = many.state.history;
  expect([ended.length, counts.expired]).toEqual([32, 99]);
  expect(ended.at(-1)?.reason).toBe('1 tasks did not answer within 10 ms, among them a-0');
});
