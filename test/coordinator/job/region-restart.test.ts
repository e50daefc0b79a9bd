/**
 * Goal: where tasks of a stream fail, the regions that they are in run again, once all of them are gone, the delay is over and
 * no checkpoint is under way; no other region is touched; and what an attempt says that is gone changes nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  initialJobState,
  type JobEffect,
  type JobEvent,
  type JobState,
  stepJob,
} from '../../../coordinator/job/job-state.ts';
import type { RunPlan } from '../../../coordinator/job/running-job.ts';
import { homesOf, slotWeightsOf } from '../../../coordinator/scheduler/placement.ts';
import { regionsOf } from '../../../coordinator/scheduler/regions.ts';
import { graphOf } from '../../support/graph-text.ts';

/** Two regions of four tasks each, in the same two slots. */
const graph = graphOf('a*b c*d');

function planOf(): RunPlan {
  const regions = regionsOf(graph, () => false);
  return { regions, slotCount: 2, homes: homesOf(graph, 2), adaptive: null, runsTogether: true };
}

function textOf(effect: JobEffect): string {
  if (effect.kind === 'prepareRegions') return `prepare ${effect.regionIds.join(' ')}`;
  return 'regionId' in effect ? `${effect.kind} ${effect.regionId} ${effect.attempt}` : effect.kind;
}

class Run {
  state: JobState = initialJobState;
  effects: readonly string[] = [];

  constructor() {
    this.take({ kind: 'prepared', plan: planOf() });
  }

  take(event: JobEvent): readonly string[] {
    const { state, effects } = stepJob(this.state, event);
    this.state = state;
    this.effects = effects.map(textOf);
    return this.effects;
  }

  fail(taskId: string, attempt = 1) {
    return this.take({ kind: 'restartRegion', taskId, attempt });
  }

  gone(regionId: string, attempt = 1) {
    return this.take({ kind: 'attemptStopped', regionId, attempt });
  }
}

const due: JobEvent = { kind: 'restartDue' };
const quiet: JobEvent = { kind: 'checkpointsQuiet' };
const prepared = (...regionIds: string[]): JobEvent => ({ kind: 'regionsPrepared', regionIds });

test('all regions of a stream start at once, though they share slots', () => {
  expect(new Run().effects).toEqual(['deploy r1 1', 'deploy r2 1']);
  const kinds = { a: ['process'], c: ['filter'] } as const;
  const weighed = graphOf('a>b c>d', {
    a: [...kinds.a],
    c: [...kinds.c],
    d: ['process', 'process'],
  });
  const weights = slotWeightsOf(weighed, homesOf(weighed, 2));
  expect(Object.values(weights)).toEqual(Object.values(weights).map(() => weights['a[0]']));
});

test('a region runs again from what was made ready, and the other one is never asked to stop', () => {
  const run = new Run();
  expect(run.fail('b[1]')).toEqual(['stopAttempt r1 1']);
  expect(run.fail('a[0]')).toEqual([]); // With it, and it counts no more.
  expect([run.take(due), run.take(quiet)]).toEqual([[], []]);
  expect(run.gone('r1')).toEqual(['prepare r1']);
  expect(run.take(prepared('r1'))).toEqual(['deploy r1 2']);
  expect(run.fail('b[1]', 1)).toEqual([]);
  expect(run.fail('d[0]', 1)).toEqual(['stopAttempt r2 1']);
});

test('one that fails meanwhile goes on with the first, and all is made ready anew', () => {
  const run = new Run();
  run.fail('a[0]');
  run.gone('r1');
  run.take(due);
  expect(run.take(quiet)).toEqual(['prepare r1']);
  expect(run.fail('c[0]')).toEqual(['stopAttempt r2 1']);
  expect(run.take(prepared('r1'))).toEqual([]);
  expect([run.take(quiet), run.gone('r2')]).toEqual([[], ['prepare r1 r2']]);
  expect(run.take(prepared('r1', 'r2'))).toEqual(['deploy r1 2', 'deploy r2 2']);
});

test('a region that fails while the other has ended runs again, and then the job ends', () => {
  const run = new Run();
  for (const taskId of ['c[0]', 'c[1]', 'd[0]', 'd[1]']) {
    run.take({ kind: 'taskFinished', taskId, attempt: 1, write: null, partitionBytes: {} });
  }
  run.fail('a[0]');
  for (const event of [due, quiet]) run.take(event);
  run.gone('r1');
  expect(run.take(prepared('r1'))).toEqual(['deploy r1 2']);
  for (const taskId of ['a[0]', 'a[1]', 'b[0]', 'b[1]']) {
    run.take({ kind: 'taskFinished', taskId, attempt: 2, write: null, partitionBytes: {} });
  }
  expect([run.state.kind, run.effects]).toEqual(['committing', ['commit']]);
});

test("what is left to be prepared when the job is stopped is nobody's", () => {
  const run = new Run();
  run.fail('a[0]');
  expect(run.take({ kind: 'cancel', reason: 'enough' })).toEqual(['stopAndAbort']);
  for (const event of [due, quiet, prepared('r1')]) expect(run.take(event)).toEqual([]);
  expect(run.gone('r1')).toEqual([]);
});

/** A job that chance drives, under a judge. */
class Play {
  readonly run = new Run();
  readonly live = new Map([
    ['r1', 1],
    ['r2', 1],
  ]);
  readonly #leaving = new Map<string, number>();
  #preparing: readonly string[] = [];

  fail(region: string): void {
    const attempt = this.live.get(region);
    const others = [...this.live].filter(([id]) => id !== region);
    // Of one that is gone it is said too late.
    this.#note(this.run.fail(region === 'r1' ? 'a[0]' : 'c[0]', attempt ?? 99));
    for (const [id, number] of others) expect(this.live.get(id)).toBe(number);
  }

  gone(region: string): void {
    const number = this.#leaving.get(region);
    if (number === undefined) return;
    this.#leaving.delete(region);
    this.#note(this.run.gone(region, number));
  }

  prepared(): void {
    const ids = this.#preparing;
    this.#preparing = [];
    this.#note(this.run.take(prepared(...ids)));
  }

  /** Also when nothing waits for it. */
  tell(event: JobEvent): void {
    this.#note(this.run.take(event));
  }

  #note(effects: readonly string[]): void {
    for (const effect of effects) {
      const [kind, region = '', ...rest] = effect.split(' ');
      if (kind === 'deploy') {
        expect([this.live.has(region), this.#leaving.has(region)]).toEqual([false, false]);
        this.live.set(region, Number(rest[0]));
      } else if (kind === 'stopAttempt') {
        this.#leaving.set(region, Number(rest[0]));
        this.live.delete(region);
      } else {
        this.#preparing = [region, ...rest];
        for (const one of this.#preparing) expect(this.live.has(one)).toBe(false);
      }
    }
  }
}

test('whatever fails in whatever order, a region never runs twice at once, and none that is well is stopped', () => {
  const move = fc.constantFrom<(play: Play) => void>(
    (play) => play.fail('r1'),
    (play) => play.fail('r2'),
    (play) => play.gone('r1'),
    (play) => play.gone('r2'),
    (play) => play.tell(due),
    (play) => play.tell(quiet),
    (play) => play.prepared(),
  );
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const play = new Play();
      for (const one of moves) one(play);
      // Whatever is left to happen, in the end both run.
      for (let round = 0; round < 4; round++) {
        for (const id of ['r1', 'r2']) play.gone(id);
        for (const event of [due, quiet]) play.tell(event);
        play.prepared();
      }
      expect([...play.live.keys()].sort()).toEqual(['r1', 'r2']);
    }),
  );
});
