/** Goal: a job has exactly one outcome, the first reason to stop counts, and no commit is torn. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../base/error-codes.ts';
import type { WireError } from '../../../base/typed-error.ts';
import {
  initialJobState,
  type JobEvent,
  type JobState,
  stepJob,
} from '../../../coordinator/job/job-state.ts';
import { type RunPlan, writesOf } from '../../../coordinator/job/running-job.ts';

const error = (code: ErrorCode, message: string): WireError => ({
  ...{ code, kind: 'internal', retryable: false, message },
});
/** Tasks that share nothing. */
const planOf = (...ids: string[]): RunPlan => ({
  regions: ids.map((id) => ({
    ...{ id: `r-${id}`, stageId: 's1', taskIds: [id], inputs: [], readers: [] },
    ...{ isIndeterminate: false, isRepeatable: true },
  })),
  slotCount: 2,
  homes: {},
  adaptive: null,
});
const prepared = (...ids: string[]): JobEvent => ({ kind: 'prepared', plan: planOf(...ids) });
const running = (...ids: string[]): JobState => stepJob(initialJobState, prepared(...ids)).state;
const finished = (taskId: string, write: string | null = null): JobEvent => {
  return { kind: 'taskFinished', taskId, attempt: 1, write, partitionBytes: {} };
};
const failed: JobEvent = { kind: 'failed', error: error('THREAD_DIED', 'first') };
const taskFails = (code: ErrorCode): JobEvent => {
  return { kind: 'taskFailed', taskId: 'b', attempt: 1, error: error(code, 'first') };
};
const cancel: JobEvent = { kind: 'cancel', reason: 'interrupted' };
const stopping: JobState = {
  kind: 'stopping',
  reason: { kind: 'failed', error: error('THREAD_DIED', 'first') },
};
const committing: JobState = stepJob(running('b'), finished('b')).state;

test.each`
  state                   | event                         | kind            | effects
  ${initialJobState}      | ${prepared('a')}              | ${'running'}    | ${['deploy']}
  ${initialJobState}      | ${failed}                     | ${'stopping'}   | ${['stopAndAbort']}
  ${initialJobState}      | ${cancel}                     | ${'stopping'}   | ${['stopAndAbort']}
  ${running('a', 'b')}    | ${finished('a')}              | ${'running'}    | ${[]}
  ${running('b')}         | ${finished('b')}              | ${'committing'} | ${['commit']}
  ${running('b')}         | ${failed}                     | ${'stopping'}   | ${['stopAndAbort']}
  ${running('b')}         | ${taskFails('EXPR_OVERFLOW')} | ${'stopping'}   | ${['stopAndAbort']}
  ${running('b')}         | ${taskFails('DISK_IO')}       | ${'running'}    | ${['stopAttempt']}
  ${running('b')}         | ${cancel}                     | ${'stopping'}   | ${['stopAndAbort']}
  ${committing}           | ${{ kind: 'committed' }}      | ${'finished'}   | ${['report']}
  ${committing}           | ${failed}                     | ${'stopping'}   | ${['stopAndAbort']}
  ${committing}           | ${cancel}                     | ${'committing'} | ${[]}
  ${stopping}             | ${cancel}                     | ${'stopping'}   | ${[]}
  ${stopping}             | ${{ kind: 'stopped' }}        | ${'failed'}     | ${['report']}
  ${{ kind: 'finished' }} | ${failed}                     | ${'finished'}   | ${[]}
`('$state.kind on $event.kind is $kind with $effects', ({ state, event, kind, effects }) => {
  const next = stepJob(state, event);
  expect([next.state.kind, next.effects.map((one) => one.kind)]).toEqual([kind, effects]);
});

test('the writes of all sink tasks reach the commit', () => {
  const first = stepJob(running('a', 'b', 'c'), finished('a', 'part 0')).state;
  const second = stepJob(first, finished('b')).state;
  const { state } = stepJob(second, finished('c', 'part 1'));
  expect(state.kind === 'committing' && writesOf(state.run)).toEqual([
    { taskId: 'a', write: 'part 0' },
    { taskId: 'c', write: 'part 1' },
  ]);
});

test('whatever happens in whatever order, a job is reported at most once', () => {
  const event = fc.constantFrom<JobEvent>(
    prepared('a', 'b'),
    finished('a', 'x'),
    finished('b'),
    taskFails('DISK_IO'),
    taskFails('EXPR_OVERFLOW'),
    { kind: 'attemptStopped', regionId: 'r-b', attempt: 1 },
    failed,
    cancel,
    { kind: 'committed' },
    { kind: 'stopped' },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      let state = initialJobState;
      const effects: string[] = [];
      for (const next of events) {
        const step = stepJob(state, next);
        state = step.state;
        effects.push(...step.effects.map(({ kind }) => kind));
      }
      expect(effects.filter((effect) => effect === 'report').length).toBeLessThanOrEqual(1);
      expect(effects.filter((effect) => effect === 'commit').length).toBeLessThanOrEqual(1);
      const last = effects.filter((effect) => effect === 'commit' || effect === 'report');
      if (state.kind === 'finished') expect(last).toEqual(['commit', 'report']);
    }),
  );
});
