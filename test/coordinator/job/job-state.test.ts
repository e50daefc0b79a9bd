/** Goal: a job has exactly one outcome, the first reason to stop counts, and no commit is torn. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WireError } from '../../../base/typed-error.ts';
import {
  initialJobState,
  type JobEvent,
  type JobState,
  stepJob,
} from '../../../coordinator/job/job-state.ts';

const error = (message: string): WireError => ({
  code: 'INTERNAL_UNEXPECTED',
  kind: 'internal',
  retryable: false,
  message,
});
const running = (...ids: string[]): JobState => ({
  kind: 'running',
  unfinished: new Set(ids),
  writes: [],
});
const finished = (taskId: string, write: string | null = null): JobEvent => ({
  kind: 'taskFinished',
  taskId,
  write,
});
const failed: JobEvent = { kind: 'failed', error: error('first') };
const cancel: JobEvent = { kind: 'cancel', reason: 'interrupted' };
const stopping: JobState = { kind: 'stopping', reason: { kind: 'failed', error: error('first') } };
const committing: JobState = { kind: 'committing', writes: [] };

test.each`
  state                   | event                                   | kind            | effect
  ${initialJobState}      | ${{ kind: 'prepared', taskIds: ['a'] }} | ${'running'}    | ${'deploy'}
  ${initialJobState}      | ${failed}                               | ${'stopping'}   | ${'stopAndAbort'}
  ${initialJobState}      | ${cancel}                               | ${'stopping'}   | ${'stopAndAbort'}
  ${running('a', 'b')}    | ${finished('a')}                        | ${'running'}    | ${'none'}
  ${running('b')}         | ${finished('b')}                        | ${'committing'} | ${'commit'}
  ${running('b')}         | ${finished('stranger')}                 | ${'running'}    | ${'none'}
  ${running('b')}         | ${failed}                               | ${'stopping'}   | ${'stopAndAbort'}
  ${running('b')}         | ${cancel}                               | ${'stopping'}   | ${'stopAndAbort'}
  ${committing}           | ${{ kind: 'committed' }}                | ${'finished'}   | ${'report'}
  ${committing}           | ${failed}                               | ${'stopping'}   | ${'stopAndAbort'}
  ${committing}           | ${cancel}                               | ${'committing'} | ${'none'}
  ${stopping}             | ${cancel}                               | ${'stopping'}   | ${'none'}
  ${stopping}             | ${{ kind: 'stopped' }}                  | ${'failed'}     | ${'report'}
  ${{ kind: 'finished' }} | ${failed}                               | ${'finished'}   | ${'none'}
`('$state.kind on $event.kind is $kind with $effect', ({ state, event, kind, effect }) => {
  const next = stepJob(state, event);
  expect([next.state.kind, next.effect]).toEqual([kind, effect]);
});

test('the writes of all sink tasks reach the commit', () => {
  const first = stepJob(running('a', 'b', 'c'), finished('a', 'part 0')).state;
  const second = stepJob(first, finished('b')).state;
  expect(stepJob(second, finished('c', 'part 1')).state).toEqual({
    kind: 'committing',
    writes: [
      { taskId: 'a', write: 'part 0' },
      { taskId: 'c', write: 'part 1' },
    ],
  });
});

test('whatever happens in whatever order, a job is reported at most once', () => {
  const event = fc.constantFrom<JobEvent>(
    { kind: 'prepared', taskIds: ['a', 'b'] },
    finished('a', 'x'),
    finished('b'),
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
        if (step.effect !== 'none') effects.push(step.effect);
      }
      expect(effects.filter((effect) => effect === 'report').length).toBeLessThanOrEqual(1);
      expect(effects.filter((effect) => effect === 'commit').length).toBeLessThanOrEqual(1);
      if (state.kind === 'finished') expect(effects).toEqual(['deploy', 'commit', 'report']);
    }),
  );
});
