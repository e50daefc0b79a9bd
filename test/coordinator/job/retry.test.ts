/**
 * Goal: whatever tasks fail and whichever map outputs are lost, a job commits only what was made of
 * outputs that count, or fails; it never stands still, and never runs a region oftener than it may.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../base/error-codes.ts';
import type { WireError } from '../../../base/typed-error.ts';
import {
  initialJobState,
  type JobEffect,
  type JobEvent,
  type JobState,
  stepJob,
} from '../../../coordinator/job/job-state.ts';
import { type RunPlan, retriesMax, writesOf } from '../../../coordinator/job/running-job.ts';

function error(code: ErrorCode, details: Record<string, string | number> = {}): WireError {
  return { code, kind: 'external', retryable: false, message: code, details };
}

/** `a b/c`: regions of one task each, `c` reads from all that are named before it with a slash. */
function planOf(reads: Readonly<Record<string, readonly string[]>>, indeterminate = ''): RunPlan {
  const ids = Object.keys(reads);
  return {
    regions: ids.map((id) => ({
      ...{ id, stageId: 's1', taskIds: [`${id}[0]`], inputs: reads[id] ?? [] },
      readers: ids.filter((other) => reads[other]?.includes(id)),
      isIndeterminate: indeterminate.includes(id),
      isRepeatable: true,
    })),
    slotCount: 2,
    homes: {},
    adaptive: null,
  };
}

/** A job that is driven by hand; it notes what is asked of the worker. */
class Run {
  state: JobState = initialJobState;
  /** What runs or is being stopped: region → attempts. */
  readonly running = new Map<string, Set<number>>();
  readonly deployed: string[] = [];
  /** `region attempt` → which attempts of its inputs it was given. */
  readonly given = new Map<string, Readonly<Record<string, number>>>();
  readonly #plan: RunPlan;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.send({ kind: 'prepared', plan });
  }

  send(event: JobEvent): void {
    const before = this.state;
    const { state, effects } = stepJob(before, event);
    this.state = state;
    for (const effect of effects) this.#note(effect);
  }

  finish(id: string, attempt: number): void {
    this.running.get(id)?.delete(attempt);
    const write = `${id} ${attempt}`;
    const taskId = `${id}[0]`;
    this.send({ kind: 'taskFinished', taskId, attempt, write, partitionBytes: {} });
  }

  fail(id: string, attempt: number, cause: WireError = error('DISK_IO')): void {
    this.running.get(id)?.delete(attempt);
    this.send({ kind: 'taskFailed', taskId: `${id}[0]`, attempt, error: cause });
  }

  lose(id: string, attempt: number, lost: string): void {
    const ofAttempt = this.given.get(`${id} ${attempt}`)?.[lost] ?? 0;
    this.fail(id, attempt, error('SHUFFLE_LOST', { taskId: `${lost}[0]`, attempt: ofAttempt }));
  }

  slow(regionId: string): void {
    this.send({ kind: 'regionIsSlow', regionId });
  }

  stopped(regionId: string, attempt: number): void {
    this.running.get(regionId)?.delete(attempt);
    this.send({ kind: 'attemptStopped', regionId, attempt });
  }

  doneAttempt(id: string): number | null {
    return this.state.kind === 'running'
      ? (this.state.run.regions.get(id)?.done?.number ?? null)
      : null;
  }

  /** Where the region's latest attempt is. */
  slotOf(id: string): number | undefined {
    if (this.state.kind !== 'running') return undefined;
    return this.state.run.regions.get(id)?.attempts.at(-1)?.slots[`${id}[0]`];
  }

  #note(effect: JobEffect): void {
    if (effect.kind !== 'deploy' || this.state.kind !== 'running') return;
    const { regionId, attempt } = effect;
    const region = this.#plan.regions.find(({ id }) => id === regionId);
    const inputs = (region?.inputs ?? []).map((id) => [id, this.doneAttempt(id)] as const);
    expect(
      inputs.every(([, done]) => done !== null),
      'inputs are there',
    ).toBe(true);
    const { attempts = [], failureCount = 0 } = this.state.run.regions.get(regionId) ?? {};
    const isCopy = attempts.find(({ number }) => number === attempt)?.isCopy === true;
    const running = this.running.get(regionId) ?? new Set();
    expect(running.size, 'nothing of it runs any more, or one that is slow').toBe(isCopy ? 1 : 0);
    if (isCopy) expect(failureCount, 'it may fail once more').toBeLessThan(retriesMax);
    const slots = attempts.flatMap((one) => Object.values(one.slots));
    expect(new Set(slots).size, 'attempts are in slots of their own').toBe(slots.length);
    this.running.set(regionId, running.add(attempt));
    this.deployed.push(`${regionId} ${attempt}`);
    this.given.set(`${regionId} ${attempt}`, Object.fromEntries(inputs) as Record<string, number>);
  }
}

test('stages run one after the other, few tasks at a time', () => {
  const run = new Run(planOf({ a: [], b: [], c: [], d: ['a', 'b', 'c'] }));
  expect(run.deployed).toEqual(['a 1', 'b 1']);
  run.finish('b', 1);
  expect(run.deployed).toEqual(['a 1', 'b 1', 'c 1']);
  run.finish('a', 1);
  run.finish('c', 1);
  expect(run.deployed.slice(3)).toEqual(['d 1']);
  run.finish('d', 1);
  expect(run.state.kind).toBe('committing');
});

test('a task that fails runs again when it is gone, and not for ever', () => {
  const run = new Run(planOf({ a: [] }));
  for (let attempt = 1; attempt <= retriesMax; attempt++) {
    const failedSlot = run.slotOf('a');
    run.fail('a', attempt);
    expect(run.deployed.at(-1)).toBe(`a ${attempt}`);
    run.stopped('a', attempt);
    expect(run.deployed.at(-1)).toBe(`a ${attempt + 1}`);
    expect(run.slotOf('a'), 'another slot first').not.toBe(failedSlot);
  }
  run.fail('a', retriesMax + 1);
  const message = 'task "a[0]" failed in attempt 5, the last one: DISK_IO';
  expect(run.state).toMatchObject({
    kind: 'stopping',
    reason: { error: { code: 'DISK_IO', message } },
  });
});

test('a task that ends two threads ends the job, whatever else has failed', () => {
  const run = new Run(planOf({ a: [] }));
  run.fail('a', 1, error('THREAD_DIED'));
  run.stopped('a', 1);
  run.fail('a', 2);
  run.stopped('a', 2);
  expect(run.deployed).toEqual(['a 1', 'a 2', 'a 3']);
  run.fail('a', 3, error('THREAD_DIED'));
  const message = 'task "a[0]" failed in attempt 3, the last one: THREAD_DIED';
  expect(run.state).toMatchObject({ kind: 'stopping', reason: { error: { message } } });
});

test('an error of the user ends the job at once', () => {
  const run = new Run(planOf({ a: [] }));
  run.fail('a', 1, error('EXPR_OVERFLOW'));
  expect(run.state.kind).toBe('stopping');
});

test('a lost output is made again by its task alone, and the reader is not blamed', () => {
  const run = new Run(planOf({ a: [], b: [], c: ['a', 'b'] }));
  run.finish('a', 1);
  run.finish('b', 1);
  for (let attempt = 1; attempt <= retriesMax; attempt++) {
    run.lose('c', attempt, 'a');
    run.stopped('c', attempt);
    run.finish('a', attempt + 1);
  }
  expect(run.deployed.filter((one) => one.startsWith('b'))).toEqual(['b 1']);
  run.finish('c', retriesMax + 1);
  expect(run.state.kind).toBe('committing');
});

test('readers that report an output that was made anew already just run again', () => {
  const run = new Run(planOf({ a: [], c: ['a'], d: ['a'] }));
  run.finish('a', 1);
  run.lose('c', 1, 'a');
  run.lose('d', 1, 'a');
  run.stopped('c', 1);
  run.stopped('d', 1);
  run.finish('a', 2);
  expect(run.deployed.slice(-3)).toEqual(['a 2', 'c 2', 'd 2']);
});

test('readers that are done stay so, unless the rows may be other ones', () => {
  const reads = { a: [], c: ['a'], d: ['a'], e: ['c'] };
  const lose = (indeterminate: string) => {
    const run = new Run(planOf(reads, indeterminate));
    run.finish('a', 1);
    run.finish('c', 1);
    run.finish('e', 1);
    run.lose('d', 1, 'a');
    return ['a', 'c', 'e'].map((id) => run.doneAttempt(id));
  };
  expect(lose('')).toEqual([null, 1, 1]);
  expect(lose('a')).toEqual([null, null, null]);
});

test('a slow region gets one copy at a time, the first to finish counts, and the other is stopped', () => {
  const run = new Run(planOf({ a: [], b: [], c: ['a', 'b'] }));
  run.slow('a');
  expect(run.deployed, 'no slot is idle').toEqual(['a 1', 'b 1']);
  run.finish('b', 1);
  run.slow('a');
  run.slow('a');
  expect(run.deployed).toEqual(['a 1', 'b 1', 'a 2']);
  run.finish('a', 2);
  expect(run.doneAttempt('a')).toBe(2);
  run.finish('a', 1);
  expect(run.doneAttempt('a'), 'the late one changes nothing').toBe(2);
  run.finish('c', 1);
  expect(run.state.kind, 'the loser may still run').toBe('running');
  run.stopped('a', 1);
  expect(run.state.kind).toBe('committing');
});

test('of two attempts one may fail, whatever the reason, and the other goes on', () => {
  const run = new Run(planOf({ a: [], b: [], c: ['a', 'b'] }));
  run.finish('b', 1);
  run.slow('a');
  run.fail('a', 1, error('SPILL_DISK_FULL'));
  run.stopped('a', 1);
  expect(run.deployed).toEqual(['a 1', 'b 1', 'a 2']);
  run.fail('a', 2, error('SPILL_DISK_FULL'));
  expect(run.state.kind, 'nothing runs beside it now').toBe('stopping');
});

test('what can run only once is not copied', () => {
  const plan = planOf({ a: [] });
  const run = new Run({
    ...plan,
    regions: plan.regions.map((one) => ({ ...one, isRepeatable: false })),
  });
  run.slow('a');
  expect(run.deployed).toEqual(['a 1']);
});

test('what can run only once is not run again', () => {
  const plan = planOf({ a: [], b: ['a'] });
  const once = { ...plan, regions: plan.regions.map((one) => ({ ...one, isRepeatable: false })) };
  const run = new Run(once);
  run.finish('a', 1);
  run.lose('b', 1, 'a');
  expect(run.state.kind).toBe('stopping');
});

test('counters of lost attempts do not come back: late messages change nothing', () => {
  const run = new Run(planOf({ a: [], b: ['a'] }));
  run.fail('a', 1);
  const { state } = run;
  run.finish('a', 1);
  run.fail('a', 1);
  expect(run.state).toEqual(state);
});

const layers = fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
});
const what = fc.constantFrom('finish', 'finish', 'finish', 'fail', 'lose', 'stopped', 'slow');
const move = fc.record({ what, pick: fc.nat(), input: fc.nat() });

test('any order of failures and losses ends in a commit of what counts, or in a failed job', () => {
  fc.assert(
    fc.property(layers, fc.array(move, { maxLength: 60 }), (shape, moves) => {
      const reads: Record<string, string[]> = {};
      let before: string[] = [];
      let indeterminate = '';
      for (const [depth, layer] of shape.entries()) {
        const ids = layer.map((_, index) => 'abcdefghijklmnop'[depth * 3 + index] ?? '');
        for (const [at, id] of ids.entries()) {
          reads[id] = before;
          if (layer[at]) indeterminate += id;
        }
        before = ids;
      }
      const run = new Run(planOf(reads, indeterminate));
      const finishAll = Array.from({ length: 400 }, (_, pick) => {
        return { what: pick % 2 === 0 ? 'finish' : 'stopped', pick: 0, input: 0 };
      });
      for (const { what: name, pick, input } of [...moves, ...finishAll]) {
        if (run.state.kind !== 'running') break;
        step(run, reads, { name, pick, input });
      }
      expect(['committing', 'stopping']).toContain(run.state.kind);
      if (run.state.kind === 'committing') checkCommit(run, reads, indeterminate);
    }),
    { numRuns: 300 },
  );
});

interface Move {
  readonly name: string;
  readonly pick: number;
  readonly input: number;
}

function step(
  run: Run,
  reads: Readonly<Record<string, string[]>>,
  { name, pick, input }: Move,
): void {
  if (run.state.kind !== 'running') return;
  const attempts = [...run.state.run.regions].flatMap(([id, { attempts: found }]) =>
    found.map(({ number, isStopping }) => ({ id, number, isStopping })),
  );
  const fitting = attempts.filter(({ isStopping }) => isStopping === (name === 'stopped'));
  const chosen = fitting[pick % Math.max(1, fitting.length)];
  if (chosen === undefined) return;
  const { id, number } = chosen;
  const inputs = reads[id] ?? [];
  const lost = inputs[input % Math.max(1, inputs.length)];
  if (name === 'finish') run.finish(id, number);
  else if (name === 'stopped') run.stopped(id, number);
  else if (name === 'slow') run.slow(id);
  else if (name === 'lose' && lost !== undefined) run.lose(id, number, lost);
  else run.fail(id, number);
}

/** The reference: of what may be other rows, all that is committed has read the same attempt. */
function checkCommit(
  run: Run,
  reads: Readonly<Record<string, string[]>>,
  indeterminate: string,
): void {
  if (run.state.kind !== 'committing') return;
  const done = new Map(
    writesOf(run.state.run).map(({ write }) => String(write).split(' ') as [string, string]),
  );
  expect([...done.keys()].sort()).toEqual(Object.keys(reads).sort());
  for (const [id, attempt] of done) {
    const given = run.given.get(`${id} ${attempt}`) ?? {};
    for (const input of reads[id] ?? []) {
      if (indeterminate.includes(input)) expect(given[input]).toBe(Number(done.get(input)));
    }
  }
  for (const id of Object.keys(reads)) {
    const count = run.deployed.filter((one) => one.startsWith(`${id} `)).length;
    expect(count).toBeLessThan(100);
  }
}
