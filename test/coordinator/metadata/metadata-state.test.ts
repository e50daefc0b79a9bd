/** Goal: the state is a fold: the same events make the same state, with or without a snapshot between. */
import { expect, test } from 'vitest';
import type { MetadataEvent } from '../../../coordinator/metadata/metadata-event.ts';
import {
  applyEvent,
  emptyMetadata,
  type MetadataState,
  metadataSnapshot,
  restoreMetadata,
} from '../../../coordinator/metadata/metadata-state.ts';
import { metadataEvents } from './metadata-events.ts';

const fold = (events: readonly MetadataEvent[], from: MetadataState = emptyMetadata) =>
  events.reduce((state, event, index) => applyEvent(state, event, 100 + index), from);
const upTo = (kind: MetadataEvent['kind']) =>
  metadataEvents.slice(0, metadataEvents.findIndex((event) => event.kind === kind) + 1);

test.each`
  kind                     | path                               | value
  ${'termBegan'}           | ${'leader.coordinatorId'}          | ${'c1'}
  ${'workerRegistered'}    | ${'workers.w1.isThere'}            | ${true}
  ${'namespaceSet'}        | ${'namespaces.team.slotsMax'}      | ${8}
  ${'jobSubmitted'}        | ${'jobs.j1.submittedAtMs'}         | ${103}
  ${'jobSubmitted'}        | ${'jobs.j1.attempt'}               | ${null}
  ${'attemptStarted'}      | ${'jobs.j1.attempt'}               | ${{ epoch: 1, placement: { w1: { incarnation: 1, slots: 2 } } }}
  ${'checkpointCompleted'} | ${'jobs.j1.checkpoint'}            | ${{ checkpointId: 3, path: 'chk-3-1' }}
  ${'attemptEnded'}        | ${'jobs.j1.attempt'}               | ${null}
  ${'attemptEnded'}        | ${'jobs.j1.epoch'}                 | ${1}
  ${'workerGone'}          | ${'workers.w1.isThere'}            | ${false}
  ${'workerGone'}          | ${'workers.w1.incarnation'}        | ${1}
  ${'jobEnded'}            | ${'jobs.j1.end'}                   | ${{ status: 'cancelled', reason: 'by ada', rowsIn: 7, rowsOut: 3, error: null, atMs: 108 }}
  ${'scheduleFired'}       | ${'schedules.nightly.firedForMs'}  | ${99}
  ${'scheduleSet'}         | ${'schedules.nightly.doneUntilMs'} | ${109}
  ${'scheduleSkipped'}     | ${'schedules.nightly.skipped'}     | ${{ dueAtMs: 199, reason: 'its job still runs' }}
  ${'scheduleSkipped'}     | ${'schedules.nightly.doneUntilMs'} | ${199}
  ${'scheduleRemoved'}     | ${'schedules'}                     | ${{}}
`('after $kind $path is $value', ({ kind, path, value }) => {
  const found = (path as string)
    .split('.')
    .reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], fold(upTo(kind)));
  expect(found).toEqual(value);
});

test('a snapshot anywhere between changes nothing', () => {
  const whole = fold(metadataEvents);
  let state = emptyMetadata;
  metadataEvents.forEach((event, index) => {
    state = applyEvent(state, event, 100 + index);
    state = restoreMetadata(JSON.parse(JSON.stringify(metadataSnapshot(state))));
  });
  expect(state).toEqual(whole);
  expect(restoreMetadata(null)).toEqual(emptyMetadata);
});

const started = upTo('attemptStarted');
test.each<[string, readonly MetadataEvent[], RegExp]>([
  ['a job twice', [...started, ...started.slice(3, 4)], /submitted once/],
  [
    'an attempt of no job',
    [{ kind: 'attemptEnded', jobId: 'x', epoch: 1, reason: '' }],
    /knows the job/,
  ],
  ['an epoch again', [...started, ...started.slice(4, 5)], /epochs of a job grow/],
  ['a term again', [...started, ...started.slice(0, 1)], /terms grow/],
  ['a life again', [...started, ...started.slice(1, 2)], /incarnations of a worker grow/],
  [
    'a checkpoint of an older attempt',
    [...started, { kind: 'checkpointCompleted', jobId: 'j1', epoch: 0, checkpointId: 1, path: '' }],
    /of the attempt that runs/,
  ],
])('%s does not fit', (_, events, message) => {
  expect(() => fold(events)).toThrow(message);
});

test('the oldest of jobs that have ended are forgotten, those that run are not', () => {
  let state = fold(started);
  for (let count = 0; count < 1_100; count++) {
    const jobId = `short-${count}`;
    const job = { ...metadataEvents[3], jobId } as MetadataEvent;
    const end = { status: 'finished', reason: '', rowsIn: 0, rowsOut: 0, error: null } as const;
    state = fold([job, { kind: 'jobEnded', jobId, ...end }], state);
  }
  expect(Object.keys(state.jobs)).toHaveLength(1_001);
  expect(state.jobs.j1?.attempt?.epoch).toBe(1);
  expect(state.jobs['short-99']).toBeUndefined();
  expect(state.jobs['short-100']?.end?.status).toBe('finished');
});
