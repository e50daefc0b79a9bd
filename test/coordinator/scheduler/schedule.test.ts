/** Goal: each due time is fired once or left out for a reason, across failovers, long absences and shifts of the clock. */
import { expect, test } from 'vitest';
import {
  decideSchedule,
  nextDue,
  type ScheduleSpec,
} from '../../../coordinator/scheduler/schedule.ts';

const ms = (text: string) => Date.parse(`${text}Z`);
const spec = (cron: string, more: Partial<ScheduleSpec> = {}): ScheduleSpec => ({
  ...{ name: 's', cron },
  ...more,
});
const hourly = spec('0 * * * *');
const skipMissed = spec('0 * * * *', { missed: 'skip' });
const beside = spec('0 * * * *', { overlap: 'allow' });
const first = '2026-03-01T10:00:00';

test.each`
  what                       | rule                  | done                     | now                      | isRunning | decision
  ${'not yet'}               | ${hourly}             | ${first}                 | ${'2026-03-01T10:59:59'} | ${false}  | ${{ kind: 'wait', untilMs: ms('2026-03-01T11:00:00') }}
  ${'on time'}               | ${hourly}             | ${first}                 | ${'2026-03-01T11:00:00'} | ${false}  | ${{ kind: 'fire', dueMs: ms('2026-03-01T11:00:00') }}
  ${'noticed a little late'} | ${skipMissed}         | ${first}                 | ${'2026-03-01T11:00:59'} | ${false}  | ${{ kind: 'fire', dueMs: ms('2026-03-01T11:00:00') }}
  ${'done already'}          | ${hourly}             | ${'2026-03-01T11:00:00'} | ${'2026-03-01T11:00:01'} | ${false}  | ${{ kind: 'wait', untilMs: ms('2026-03-01T12:00:00') }}
  ${'one for all missed'}    | ${hourly}             | ${first}                 | ${'2027-03-01T15:20:00'} | ${false}  | ${{ kind: 'fire', dueMs: ms('2027-03-01T15:00:00') }}
  ${'none for those missed'} | ${skipMissed}         | ${first}                 | ${'2026-03-01T15:20:00'} | ${false}  | ${{ kind: 'skip', dueMs: ms('2026-03-01T15:00:00'), reason: 'missed' }}
  ${'the one before runs'}   | ${hourly}             | ${first}                 | ${'2026-03-01T11:00:00'} | ${true}   | ${{ kind: 'skip', dueMs: ms('2026-03-01T11:00:00'), reason: 'stillRunning' }}
  ${'beside the one before'} | ${beside}             | ${first}                 | ${'2026-03-01T11:00:00'} | ${true}   | ${{ kind: 'fire', dueMs: ms('2026-03-01T11:00:00') }}
  ${'never again'}           | ${spec('0 0 30 2 *')} | ${first}                 | ${'2026-03-02T11:00:00'} | ${false}  | ${{ kind: 'wait', untilMs: null }}
`('$what', ({ rule, done, now, isRunning, decision }) => {
  expect(decideSchedule(rule, { doneUntilMs: ms(done), isRunning }, ms(now))).toEqual(decision);
});

test.each`
  what                             | timeZone           | after                    | next
  ${'winter'}                      | ${'Europe/Vienna'} | ${'2026-01-15T00:00:00'} | ${'2026-01-15T01:30:00'}
  ${'summer'}                      | ${'Europe/Vienna'} | ${'2026-07-15T00:00:00'} | ${'2026-07-15T00:30:00'}
  ${'an hour that does not exist'} | ${'Europe/Vienna'} | ${'2026-03-29T00:00:00'} | ${'2026-03-29T01:00:00'}
  ${'elsewhere'}                   | ${'America/Lima'}  | ${'2026-03-29T00:00:00'} | ${'2026-03-29T07:30:00'}
`('half past two in $timeZone: $what', ({ timeZone, after, next }) => {
  expect(nextDue(spec('30 2 * * *', { timeZone }), ms(after))).toBe(ms(next));
});

test('whoever looks, and however often, each time of a day is fired once', () => {
  let state = { doneUntilMs: ms(first), isRunning: false };
  const fired: number[] = [];
  for (let nowMs = ms(first); nowMs < ms('2026-03-02T10:00:00'); nowMs += 37_123) {
    const decision = decideSchedule(spec('*/20 * * * *'), state, nowMs);
    if (decision.kind !== 'fire') continue;
    fired.push(decision.dueMs);
    state = { ...state, doneUntilMs: decision.dueMs };
  }
  expect(fired).toEqual(
    Array.from({ length: 71 }, (_, index) => ms(first) + (index + 1) * 1_200_000),
  );
});

test.each`
  cron            | timeZone    | message
  ${'nope'}       | ${'UTC'}    | ${/schedule "s" with "nope": .*five, six/}
  ${'99 * * * *'} | ${'UTC'}    | ${/Invalid value for minute: 99/}
  ${'0 3 * * *'}  | ${'Mars/X'} | ${/'Mars\/X'/}
`('$cron in $timeZone is refused', ({ cron, timeZone, message }) => {
  expect(() => nextDue(spec(cron, { timeZone }), 0)).toThrow(message);
});
