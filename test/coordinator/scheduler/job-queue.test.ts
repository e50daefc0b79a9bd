/**
 * Goal: a job gets all its slots or none, in order, within quotas; and whatever messages are lost, doubled or
 * late, no worker ever promises more than it has, and every job gets its turn.
 */
import { describe, expect, test } from 'vitest';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import {
  type QueueEffect,
  type QueueEvent,
  type QueueStep,
  stepQueue,
} from '../../../coordinator/scheduler/job-queue.ts';
import { textOfReason, waitReasonOf } from '../../../coordinator/scheduler/queue-reasons.ts';
import {
  emptyQueue,
  type QueuedJob,
  type QueueState,
} from '../../../coordinator/scheduler/queue-state.ts';
import {
  emptyReservations,
  type ReservationCall,
  type SlotReservations,
  stepReservations,
} from '../../../worker/membership/slot-reservations.ts';

const context = { nowMs: 0, tryMs: 1_000, avoidMs: 500, draw: () => 0 };
const job = (jobId: string, slots: number, more: Partial<QueuedJob> = {}): QueuedJob => ({
  ...{ jobId, slots, namespace: 'n', priority: 0, order: Number(jobId.slice(1)) },
  ...{ memoryBytesPerSlot: 0, strategy: 'spread', local: {}, isFailFast: false },
  ...more,
});
const submit = (...args: Parameters<typeof job>): QueueEvent => ({
  kind: 'submit',
  job: job(...args),
});
const worker = (workerId: string, slots: number, incarnation = 1): QueueEvent => ({
  ...{ kind: 'workerJoined', workerId, incarnation, slots, memoryBytes: 1_000 },
});
const gone = (workerId: string): QueueEvent => ({ kind: 'workerGone', workerId });
const suspect = (workerId: string): QueueEvent => ({
  kind: 'workerTrusted',
  workerId,
  isTrusted: false,
});
const ended = (jobId: string): QueueEvent => ({ kind: 'ended', jobId });
const says = (
  kind: 'granted' | 'refused' | 'confirmed',
  jobId: string,
  workerId = 'a',
  attempt = 1,
): QueueEvent => ({
  ...{ kind, jobId, workerId, attempt },
});
const quota = (slotsMax: number): QueueEvent => ({
  ...{ kind: 'quota', namespace: 'n', quota: { slotsMax, memoryBytesMax: 1e9 } },
});
const at = (nowMs: number): QueueEvent & { nowMs: number } => ({ kind: 'tick', nowMs });

function run(events: readonly QueueEvent[], from: QueueState = emptyQueue) {
  let state = from;
  let nowMs = 0;
  const effects: QueueEffect[] = [];
  for (const event of events) {
    if ('nowMs' in event) nowMs = Number(event.nowMs);
    const step = stepQueue(state, event, { ...context, nowMs });
    state = step.state;
    effects.push(...step.effects);
  }
  const reason = (jobId: string) => {
    const found = waitReasonOf(state, jobId, nowMs);
    return found === null ? null : textOfReason(found);
  };
  return { state, effects, text: effects.map(textOf).join(' '), reason };
}

function textOf(effect: QueueEffect): string {
  if (effect.kind === 'refuse') return `refuse:${effect.jobId}`;
  const name = `${effect.kind}:${effect.jobId}.${effect.attempt}`;
  if (effect.kind === 'start') return name;
  return `${name}@${effect.workerId}${effect.kind === 'reserve' ? `:${effect.slots}` : ''}`;
}

test.each`
  what                                   | events                                                                                                                           | effects
  ${'try and confirm'}                   | ${[worker('a', 4), submit('j1', 2), says('granted', 'j1'), says('confirmed', 'j1')]}                                             | ${'reserve:j1.1@a:2 confirm:j1.1@a start:j1.1'}
  ${'a worker that comes later'}         | ${[submit('j1', 2), worker('a', 1), worker('b', 1)]}                                                                             | ${'reserve:j1.1@a:1 reserve:j1.1@b:1'}
  ${'no start before all have granted'}  | ${[worker('a', 1), worker('b', 1), submit('j1', 2), says('granted', 'j1')]}                                                      | ${'reserve:j1.1@a:1 reserve:j1.1@b:1'}
  ${'an answer twice'}                   | ${[worker('a', 2), submit('j1', 2), says('granted', 'j1'), says('granted', 'j1')]}                                               | ${'reserve:j1.1@a:2 confirm:j1.1@a'}
  ${'one refuses: all are released'}     | ${[worker('a', 1), worker('b', 1), submit('j1', 2), says('refused', 'j1')]}                                                      | ${'reserve:j1.1@a:1 reserve:j1.1@b:1 release:j1.1@a release:j1.1@b'}
  ${'tried again after a while'}         | ${[worker('a', 2), submit('j1', 2), says('refused', 'j1'), at(499), at(500)]}                                                    | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j1.2@a:2'}
  ${'elsewhere at once'}                 | ${[worker('a', 2), submit('j1', 2), worker('b', 2), says('refused', 'j1')]}                                                      | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j1.2@b:2'}
  ${'an answer to an earlier try'}       | ${[worker('a', 2), submit('j1', 2), worker('b', 2), says('refused', 'j1'), says('granted', 'j1')]}                               | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j1.2@b:2'}
  ${'no answer in time'}                 | ${[worker('a', 2), submit('j1', 2), worker('b', 2), at(999), at(1_000)]}                                                         | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j1.2@b:2'}
  ${'no confirmation in time'}           | ${[worker('a', 2), submit('j1', 2), worker('b', 2), says('granted', 'j1'), at(1_000)]}                                           | ${'reserve:j1.1@a:2 confirm:j1.1@a release:j1.1@a reserve:j1.2@b:2'}
  ${'the worker of a try is gone'}       | ${[worker('a', 2), submit('j1', 2), worker('b', 2), gone('a')]}                                                                  | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j1.2@b:2'}
  ${'a new life of it'}                  | ${[worker('a', 2), submit('j1', 2), worker('a', 2, 2)]}                                                                          | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j1.2@a:2'}
  ${'the same life again'}               | ${[worker('a', 2), submit('j1', 2), worker('a', 2)]}                                                                             | ${'reserve:j1.1@a:2'}
  ${'nothing new for a suspect'}         | ${[worker('a', 2), suspect('a'), submit('j1', 2)]}                                                                               | ${''}
  ${'the end makes room'}                | ${[worker('a', 2), submit('j1', 2), submit('j2', 1), ended('j1')]}                                                               | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j2.1@a:1'}
  ${'the end of one that waits'}         | ${[worker('a', 2), submit('j1', 2), submit('j2', 1), submit('j3', 1), ended('j2'), ended('j1')]}                                 | ${'reserve:j1.1@a:2 release:j1.1@a reserve:j3.1@a:1'}
  ${'priority before order'}             | ${[submit('j1', 1), submit('j2', 1, { priority: 5 }), submit('j3', 1, { priority: 5 }), worker('a', 2)]}                         | ${'reserve:j2.1@a:1 reserve:j3.1@a:1'}
  ${'nobody overtakes one that waits'}   | ${[worker('a', 3), submit('j1', 2), submit('j2', 2), submit('j3', 1)]}                                                           | ${'reserve:j1.1@a:2'}
  ${'what needs too much blocks nobody'} | ${[worker('a', 3), submit('j1', 9), submit('j2', 2)]}                                                                            | ${'reserve:j2.1@a:2'}
  ${'a quota blocks its own'}            | ${[quota(2), worker('a', 9), submit('j1', 2), submit('j2', 1), submit('j3', 1, { namespace: 'm' })]}                             | ${'reserve:j1.1@a:2 reserve:j3.1@a:1'}
  ${'a larger quota'}                    | ${[quota(2), worker('a', 9), submit('j1', 2), submit('j2', 1), quota(3)]}                                                        | ${'reserve:j1.1@a:2 reserve:j2.1@a:1'}
  ${'fail fast: more than there is'}     | ${[worker('a', 3), submit('j1', 4, { isFailFast: true })]}                                                                       | ${'refuse:j1'}
  ${'fail fast: in use is no failure'}   | ${[worker('a', 3), submit('j1', 3), submit('j2', 3, { isFailFast: true })]}                                                      | ${'reserve:j1.1@a:3'}
  ${'fail fast: more than the quota'}    | ${[quota(2), worker('a', 9), submit('j1', 3, { isFailFast: true })]}                                                             | ${'refuse:j1'}
  ${'back in the queue, and smaller'}    | ${[worker('a', 2), submit('j1', 2), says('granted', 'j1'), says('confirmed', 'j1'), { kind: 'requeue', jobId: 'j1', slots: 1 }]} | ${'reserve:j1.1@a:2 confirm:j1.1@a start:j1.1 release:j1.1@a reserve:j1.2@a:1'}
`('$what', ({ events, effects }) => {
  expect(run(events).text).toBe(effects);
});

const busy = [worker('a', 8), submit('j1', 8)];
test.each`
  what                      | events                                                                                                          | jobId   | reason
  ${'slots in use'}         | ${[worker('a', 8), submit('j1', 6), submit('j2', 4)]}                                                           | ${'j2'} | ${'waiting for 2 slots'}
  ${'one slot in use'}      | ${[...busy, submit('j2', 1)]}                                                                                   | ${'j2'} | ${'waiting for 1 slot'}
  ${'another one is first'} | ${[...busy, submit('j2', 3), submit('j3', 1)]}                                                                  | ${'j3'} | ${'behind job j2, which waits for 3 slots'}
  ${'they do not exist'}    | ${[...busy, submit('j2', 3), submit('j3', 10)]}                                                                 | ${'j3'} | ${'needs 10 slots with 0 B of memory each, the workers have room for 8'}
  ${'no workers'}           | ${[submit('j1', 2)]}                                                                                            | ${'j1'} | ${'needs 2 slots with 0 B of memory each, the workers have room for 0'}
  ${'a suspect may return'} | ${[worker('a', 8), suspect('a'), submit('j1', 2)]}                                                              | ${'j1'} | ${'waiting for 2 slots'}
  ${'memory'}               | ${[worker('a', 8), submit('j1', 1, { memoryBytesPerSlot: 900 }), submit('j2', 1, { memoryBytesPerSlot: 200 })]} | ${'j2'} | ${'waiting for slots with 200 B of memory each'}
  ${'a quota'}              | ${[quota(2), worker('a', 8), submit('j1', 2), submit('j2', 1)]}                                                 | ${'j2'} | ${'waiting for others of namespace "n", which has used its quota'}
  ${'a quota that is less'} | ${[quota(2), worker('a', 8), submit('j1', 3)]}                                                                  | ${'j1'} | ${'needs more than the quota of namespace "n"'}
  ${'on its way'}           | ${[worker('a', 1), worker('b', 1), submit('j1', 2), says('granted', 'j1')]}                                     | ${'j1'} | ${'slots are being reserved on b'}
  ${'running'}              | ${[...busy, says('granted', 'j1'), says('confirmed', 'j1')]}                                                    | ${'j1'} | ${null}
  ${'not known'}            | ${busy}                                                                                                         | ${'j9'} | ${null}
`('the reason says it: $what', ({ events, jobId, reason }) => {
  expect(run(events).reason(jobId)).toBe(reason);
});

test('a new leader takes over what runs, and promises none of it again', () => {
  const held = { job: job('j1', 3), attempt: 4, placement: { a: { incarnation: 1, slots: 3 } } };
  const adopted = run([worker('a', 4), { kind: 'adopt', ...held }, submit('j2', 2)]);
  expect(adopted.text).toBe('');
  expect(adopted.reason('j2')).toBe('waiting for 1 slot');
  const after = run([ended('j1')], adopted.state);
  expect(after.text).toBe('release:j1.4@a reserve:j2.1@a:2');
});

describe('with workers that messages may not reach', () => {
  const workers = { a: 3, b: 5, c: 2 };
  const tryMs = 40;
  interface Plant {
    readonly queue?: typeof stepQueue;
    readonly reservations?: typeof stepReservations;
  }

  /** One run: messages take a while, are lost or come twice; a release is repeated until it arrives. */
  function simulate(
    seed: number,
    chance: { readonly lost: number; readonly twice: number },
    { queue = stepQueue, reservations = stepReservations }: Plant = {},
  ) {
    const rng = createSeededRngSource(seed).stream('messages');
    const rooms = new Map<string, SlotReservations>();
    let step: QueueStep = { state: emptyQueue, effects: [] };
    const underWay: { readonly dueMs: number; readonly act: (nowMs: number) => void }[] = [];
    const started: string[] = [];
    const post = (nowMs: number, act: (nowMs: number) => void, isSure = false): void => {
      const copies = rng.float() < chance.twice ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (!isSure && rng.float() < chance.lost) continue;
        // A second copy may come long after the first.
        underWay.push({ dueMs: nowMs + rng.int(1, copy === 0 ? 30 : 300), act });
      }
    };
    const take = (event: QueueEvent, nowMs: number): void => {
      const draw = (count: number) => rng.int(0, count);
      step = queue(step.state, event, { nowMs, tryMs, avoidMs: 20, draw });
      for (const effect of step.effects) carryOut(effect, nowMs);
    };
    const carryOut = (effect: QueueEffect, nowMs: number): void => {
      if (effect.kind === 'refuse') throw new Error('nothing was to be refused');
      if (effect.kind === 'start') {
        started.push(effect.jobId);
        underWay.push({
          dueMs: nowMs + rng.int(50, 300),
          act: (endMs) => take(ended(effect.jobId), endMs),
        });
        for (const [workerId, { slots }] of Object.entries(effect.placement)) {
          const { reserved } = rooms.get(workerId) as SlotReservations;
          const one = reserved.get(`${effect.jobId} ${effect.attempt}`);
          expect(one, 'who starts has what it was given').toMatchObject({
            slots,
            untilMs: Number.POSITIVE_INFINITY,
          });
        }
        return;
      }
      const { workerId, jobId, attempt } = effect;
      const reach = (callMs: number): void => {
        const call = { ...effect, nowMs: callMs } as ReservationCall;
        const { state, answer } = reservations(rooms.get(workerId) as SlotReservations, call);
        rooms.set(workerId, state);
        const used = [...state.reserved.values()].reduce((sum, { slots }) => sum + slots, 0);
        expect(used, 'a worker never promises more than it has').toBeLessThanOrEqual(state.slots);
        if (answer === 'released') return;
        post(callMs, (backMs) => take({ kind: answer, jobId, attempt, workerId }, backMs));
      };
      post(nowMs, reach, effect.kind === 'release');
    };
    for (const [workerId, slots] of Object.entries(workers)) {
      rooms.set(workerId, emptyReservations(slots, 1_000));
      take(worker(workerId, slots), 0);
    }
    for (let index = 0; index < 30; index++) take(submit(`j${index}`, rng.int(1, 11)), 0);
    let endMs = 90_000;
    for (let nowMs = 1; nowMs < endMs; nowMs++) {
      // Long enough for the last ones to end, and for what nobody confirmed to come back.
      if (started.length === 30) endMs = Math.min(endMs, nowMs + 1_000);
      for (const { act } of underWay.splice(0, underWay.length).filter((one) => {
        if (one.dueMs <= nowMs) return true;
        underWay.push(one);
        return false;
      }))
        act(nowMs);
      if (nowMs % 10 === 0) take({ kind: 'tick' }, nowMs);
    }
    for (const [workerId, room] of rooms) {
      const call = { kind: 'release', nowMs: endMs, jobId: 'none', attempt: 0 } as const;
      const left = reservations(room, call).state.reserved.size;
      expect(left, `nothing is left on ${workerId}`).toBe(0);
    }
    return started;
  }

  test.each([
    ['none of them lost', { lost: 0, twice: 0 }],
    ['some lost and some twice', { lost: 0.15, twice: 0.1 }],
  ])('%s: every job starts once', (_, chance) => {
    for (let seed = 0; seed < 15; seed++) {
      const started = simulate(seed, chance);
      expect(new Set(started).size, `seed ${seed}`).toBe(30);
      expect(started, `seed ${seed}`).toHaveLength(30);
    }
  });

  const plants: Record<string, Plant> = {
    'a worker that grants what it has not': {
      reservations: (state, call) =>
        stepReservations(
          state,
          call.kind === 'reserve' ? { ...call, slots: Math.min(1, call.slots) } : call,
        ),
    },
    'a worker that forgets what was released': {
      reservations: (state, call) => stepReservations({ ...state, released: new Map() }, call),
    },
    'a worker that forgets what was confirmed': {
      reservations: (state, call) =>
        call.kind === 'confirm' ? { state, answer: 'confirmed' } : stepReservations(state, call),
    },
    'a start before all have confirmed': {
      queue: (state, event, rules) => {
        const step = stepQueue(state, event, rules);
        const confirms = step.effects.filter(({ kind }) => kind === 'confirm');
        return confirms.reduce<QueueStep>((next, effect) => {
          const confirmed = { ...effect, kind: 'confirmed' } as QueueEvent;
          const more = stepQueue(next.state, confirmed, rules);
          return { state: more.state, effects: [...next.effects, ...more.effects] };
        }, step);
      },
    },
    'answers to an earlier try count': {
      queue: (state, event, rules) => {
        const known =
          'attempt' in event && 'jobId' in event ? state.reservations.get(event.jobId) : undefined;
        const asked =
          known === undefined ? event : ({ ...event, attempt: known.attempt } as QueueEvent);
        return stepQueue(state, asked, rules);
      },
    },
    'a try that is given up without a release': {
      queue: (state, event, rules) => {
        const step = stepQueue(state, event, rules);
        if (event.kind === 'ended') return step;
        return { ...step, effects: step.effects.filter(({ kind }) => kind !== 'release') };
      },
    },
  };

  test.each(Object.keys(plants))('planted mistake is found: %s', (name) => {
    const findsIt = (seed: number): boolean => {
      try {
        return simulate(seed, { lost: 0.15, twice: 0.1 }, plants[name]).length !== 30;
      } catch {
        return true; // One of the judges objects.
      }
    };
    expect(Array.from({ length: 15 }, (_, seed) => seed).some(findsIt)).toBe(true);
  });
});
