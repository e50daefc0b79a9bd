/** One event of each kind, in an order in which they fit, for tests of the metadata log. */
import type { MetadataEvent } from '../../../coordinator/metadata/metadata-event.ts';

export const metadataEvents: readonly MetadataEvent[] = [
  { kind: 'termBegan', term: 1, coordinatorId: 'c1', address: '127.0.0.1:7070' },
  {
    ...{ kind: 'workerRegistered', workerId: 'w1', incarnation: 1, instance: 'a1' },
    ...{ address: '127.0.0.1:7071', slots: 4, memoryBytes: 1024 },
  },
  { kind: 'namespaceSet', namespace: 'team', slotsMax: 8, memoryBytesMax: 4096 },
  {
    ...{ kind: 'jobSubmitted', jobId: 'j1', name: 'words', namespace: 'team', priority: 2 },
    ...{ slots: 2, memoryBytes: 64, bundle: 'abc', spec: { input: ['a', null] } },
  },
  {
    ...{ kind: 'attemptStarted', jobId: 'j1', epoch: 1 },
    placement: { w1: { incarnation: 1, slots: 2 } },
  },
  { kind: 'checkpointCompleted', jobId: 'j1', epoch: 1, checkpointId: 3, path: 'chk-3-1' },
  { kind: 'attemptEnded', jobId: 'j1', epoch: 1, reason: 'worker w1 is lost' },
  { kind: 'workerGone', workerId: 'w1', incarnation: 1, reason: 'silent' },
  {
    ...{ kind: 'jobEnded', jobId: 'j1', status: 'cancelled', reason: 'by ada' },
    ...{ rowsIn: 7, rowsOut: 3, error: null },
  },
  { kind: 'scheduleSet', name: 'nightly', cron: '0 3 * * *', spec: { file: 'job.ts' } },
  { kind: 'scheduleFired', name: 'nightly', dueAtMs: 99 },
  { kind: 'scheduleSkipped', name: 'nightly', dueAtMs: 199, reason: 'its job still runs' },
  { kind: 'scheduleRemoved', name: 'nightly' },
];
