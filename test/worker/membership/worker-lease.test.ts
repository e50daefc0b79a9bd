/** Goal: a worker runs tasks only while the coordinator can not think that they have ended. */
import { expect, test } from 'vitest';
import {
  initialWorkerLease,
  mayRun,
  stepWorkerLease,
  type WorkerLeaseEvent,
  type WorkerLeaseState,
} from '../../../worker/membership/worker-lease.ts';

const config = { leaseMs: 1_000, driftMax: 0.1 };
const member = (incarnation: number, trustedUntilMs: number): WorkerLeaseState => ({
  ...{ kind: 'member', incarnation, trustedUntilMs },
});
const outside = initialWorkerLease;

const registered = (nowMs: number, sentAtMs: number, incarnation = 1): WorkerLeaseEvent => ({
  ...{ kind: 'registered', nowMs, sentAtMs, incarnation },
});
const answered = (nowMs: number, sentAtMs: number, incarnation = 1): WorkerLeaseEvent => ({
  ...{ kind: 'answered', nowMs, sentAtMs, incarnation },
});
const fenced = (incarnation: number): WorkerLeaseEvent => ({
  kind: 'fenced',
  nowMs: 0,
  incarnation,
});
const tick = (nowMs: number): WorkerLeaseEvent => ({ kind: 'tick', nowMs });

test.each`
  what                             | state               | event                      | next                | effects
  ${'trust counts from sending'}   | ${outside}          | ${registered(400, 100)}    | ${member(1, 1_000)} | ${''}
  ${'an answer that took a lease'} | ${outside}          | ${registered(1_000, 100)}  | ${outside}          | ${'register'}
  ${'an answer'}                   | ${member(1, 1_000)} | ${answered(900, 300)}      | ${member(1, 1_200)} | ${''}
  ${'answers in the wrong order'}  | ${member(1, 1_200)} | ${answered(950, 200)}      | ${member(1, 1_200)} | ${''}
  ${'an answer to another life'}   | ${member(2, 1_000)} | ${answered(900, 800)}      | ${member(2, 1_000)} | ${''}
  ${'an answer when all is over'}  | ${member(1, 1_000)} | ${answered(1_000, 990)}    | ${outside}          | ${'endTasks:1:expired register'}
  ${'time runs out'}               | ${member(1, 1_000)} | ${tick(1_000)}             | ${outside}          | ${'endTasks:1:expired register'}
  ${'time does not run out yet'}   | ${member(1, 1_000)} | ${tick(999)}               | ${member(1, 1_000)} | ${''}
  ${'the life was given up'}       | ${member(1, 1_000)} | ${fenced(1)}               | ${outside}          | ${'endTasks:1:fenced register'}
  ${'an older life was given up'}  | ${member(2, 1_000)} | ${fenced(1)}               | ${member(2, 1_000)} | ${''}
  ${'registered again, the same'}  | ${member(1, 1_000)} | ${registered(900, 800)}    | ${member(1, 1_700)} | ${''}
  ${'registered again, another'}   | ${member(1, 1_000)} | ${registered(900, 800, 2)} | ${member(2, 1_700)} | ${'endTasks:1:replaced'}
  ${'an old registration'}         | ${member(2, 1_000)} | ${registered(900, 800, 1)} | ${member(2, 1_000)} | ${''}
`('$what', ({ state, event, next, effects }) => {
  const step = stepWorkerLease(state, event, config);
  const text = step.effects.map((effect) =>
    effect.kind === 'endTasks' ? `endTasks:${effect.incarnation}:${effect.reason}` : effect.kind,
  );
  expect({ next: step.state, effects: text.join(' ') }).toEqual({ next, effects });
});

test('tasks run until trust ends', () => {
  expect(mayRun(member(1, 1_000), 999)).toBe(true);
  expect(mayRun(member(1, 1_000), 1_000)).toBe(false);
  expect(mayRun(outside, 0)).toBe(false);
});
