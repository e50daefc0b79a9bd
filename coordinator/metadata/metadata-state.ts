/**
 * What the events of the metadata log come to: a pure fold. Any coordinator that reads the log has the same
 * state, and a snapshot of it may take the place of the events.
 *
 * Plain data, so that it is its own snapshot. An event that does not fit the state it comes behind was
 * decided by another one, which compare-and-swap rules out: an assertion. Jobs that have ended are kept for
 * the history, the last `endedJobsMax` of them.
 *
 * Before: coordinator/metadata/metadata-event.ts. After: coordinator/metadata/metadata-store.ts.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import type { MetadataEvent, Placement } from './metadata-event.ts';

type Told<K extends MetadataEvent['kind']> = Omit<Extract<MetadataEvent, { kind: K }>, 'kind'>;

export interface KnownAttempt {
  readonly epoch: number;
  readonly placement: Placement;
}

export type KnownEnd = Omit<Told<'jobEnded'>, 'jobId'> & { readonly atMs: number };

export type KnownJob = Told<'jobSubmitted'> & {
  /** Order of submission. */
  readonly order: number;
  readonly submittedAtMs: number;
  /** Of the last attempt that was started; 0 before the first. */
  readonly epoch: number;
  /** The one that runs. */
  readonly attempt: KnownAttempt | null;
  readonly checkpoint: { readonly checkpointId: number; readonly path: string } | null;
  readonly end: KnownEnd | null;
};

export type KnownWorker = Told<'workerRegistered'> & {
  /** False once that life is over; the number is kept, for the next one is greater. */
  readonly isThere: boolean;
};

export type KnownSchedule = Told<'scheduleSet'> & {
  readonly setAtMs: number;
  /** The newest time that was fired or left out; that of its making, before the first. */
  readonly doneUntilMs: number;
  readonly firedForMs: number | null;
  /** The newest time that was left out, and why. */
  readonly skipped: { readonly dueAtMs: number; readonly reason: string } | null;
};

export interface MetadataState {
  readonly leader: Told<'termBegan'> | null;
  readonly workers: Readonly<Record<string, KnownWorker>>;
  readonly jobs: Readonly<Record<string, KnownJob>>;
  readonly jobCount: number;
  readonly namespaces: Readonly<Record<string, Told<'namespaceSet'>>>;
  readonly schedules: Readonly<Record<string, KnownSchedule>>;
}

export const emptyMetadata: MetadataState = {
  leader: null,
  workers: {},
  jobs: {},
  jobCount: 0,
  namespaces: {},
  schedules: {},
};

const endedJobsMax = 1_000;

export function applyEvent(
  state: MetadataState,
  event: MetadataEvent,
  atMs: number,
): MetadataState {
  switch (event.kind) {
    case 'termBegan':
      assert(event.term > (state.leader?.term ?? 0), 'terms grow');
      return { ...state, leader: told(event) };
    case 'workerRegistered':
    case 'workerGone':
      return { ...state, workers: withWorker(state.workers, event) };
    case 'namespaceSet':
      return { ...state, namespaces: { ...state.namespaces, [event.namespace]: told(event) } };
    case 'jobSubmitted':
      return submit(state, event, atMs);
    case 'attemptStarted':
    case 'attemptEnded':
    case 'checkpointCompleted':
    case 'jobEnded': {
      const jobs = {
        ...state.jobs,
        [event.jobId]: nextOfJob(jobOf(state, event.jobId), event, atMs),
      };
      return { ...state, jobs: event.kind === 'jobEnded' ? forgetOldest(jobs) : jobs };
    }
    case 'scheduleSet':
    case 'scheduleRemoved':
    case 'scheduleFired':
    case 'scheduleSkipped':
      return { ...state, schedules: withSchedule(state.schedules, event, atMs) };
    default:
      return assertNever(event);
  }
}

/** The state as a snapshot keeps it; `restoreMetadata` takes it back. */
export function metadataSnapshot(state: MetadataState): JsonValue {
  return { v: 1, ...state } as unknown as JsonValue;
}

/** The state of a snapshot; that of an empty log is the empty one. */
export function restoreMetadata(stored: JsonValue): MetadataState {
  if (stored === null) return emptyMetadata;
  const { v, ...state } = stored as unknown as MetadataState & { readonly v: number };
  assert(v === 1, 'a snapshot has the version of its log');
  return state;
}

type EventOf<K extends MetadataEvent['kind']> = Extract<MetadataEvent, { kind: K }>;

function told<E extends MetadataEvent>(event: E): Omit<E, 'kind'> {
  const { kind: _, ...rest } = event;
  return rest;
}

function jobOf(state: MetadataState, jobId: string): KnownJob {
  const job = state.jobs[jobId];
  assert(job !== undefined, 'the log knows the job that an event is about');
  assert(job.end === null, 'nothing befalls a job that has ended');
  return job;
}

function submit(state: MetadataState, event: EventOf<'jobSubmitted'>, atMs: number): MetadataState {
  assert(!Object.hasOwn(state.jobs, event.jobId), 'a job is submitted once');
  const job: KnownJob = {
    ...told(event),
    ...{ order: state.jobCount, submittedAtMs: atMs, epoch: 0 },
    ...{ attempt: null, checkpoint: null, end: null },
  };
  const jobs = { ...state.jobs, [event.jobId]: job };
  return { ...state, jobs, jobCount: state.jobCount + 1 };
}

function nextOfJob(
  job: KnownJob,
  event: EventOf<'attemptStarted' | 'attemptEnded' | 'checkpointCompleted' | 'jobEnded'>,
  atMs: number,
): KnownJob {
  switch (event.kind) {
    case 'attemptStarted': {
      assert(event.epoch > job.epoch, 'epochs of a job grow');
      const { epoch, placement } = event;
      return { ...job, epoch, attempt: { epoch, placement } };
    }
    case 'attemptEnded':
      return event.epoch === job.epoch ? { ...job, attempt: null } : job;
    case 'checkpointCompleted': {
      assert(event.epoch === job.epoch, 'a checkpoint is of the attempt that runs');
      const { checkpointId, path } = event;
      return { ...job, checkpoint: { checkpointId, path } };
    }
    case 'jobEnded': {
      const { jobId: _, ...end } = told(event);
      return { ...job, attempt: null, end: { ...end, atMs } };
    }
    default:
      return assertNever(event);
  }
}

function forgetOldest(
  jobs: Readonly<Record<string, KnownJob>>,
): Readonly<Record<string, KnownJob>> {
  const ended = Object.values(jobs).filter(({ end }) => end !== null);
  if (ended.length <= endedJobsMax) return jobs;
  const oldest = ended.reduce((one, other) => (one.order < other.order ? one : other));
  const { [oldest.jobId]: _, ...rest } = jobs;
  return rest;
}

function withWorker(
  workers: MetadataState['workers'],
  event: EventOf<'workerRegistered' | 'workerGone'>,
): MetadataState['workers'] {
  const { workerId, incarnation } = event;
  const known = workers[workerId];
  if (event.kind === 'workerRegistered') {
    assert(incarnation > (known?.incarnation ?? 0), 'incarnations of a worker grow');
    return { ...workers, [workerId]: { ...told(event), isThere: true } };
  }
  // A life that another one has replaced goes without a word.
  if (known?.incarnation !== incarnation) return workers;
  return { ...workers, [workerId]: { ...known, isThere: false } };
}

function withSchedule(
  schedules: MetadataState['schedules'],
  event: EventOf<'scheduleSet' | 'scheduleRemoved' | 'scheduleFired' | 'scheduleSkipped'>,
  atMs: number,
): MetadataState['schedules'] {
  const { [event.name]: known, ...others } = schedules;
  if (event.kind === 'scheduleSet') {
    const isNew = { setAtMs: atMs, doneUntilMs: atMs, firedForMs: null, skipped: null };
    return { ...others, [event.name]: { ...told(event), ...isNew } };
  }
  if (event.kind === 'scheduleRemoved' || known === undefined) return others;
  const { dueAtMs } = event;
  const done = { ...known, doneUntilMs: Math.max(known.doneUntilMs, dueAtMs) };
  if (event.kind === 'scheduleFired') {
    return { ...others, [event.name]: { ...done, firedForMs: dueAtMs } };
  }
  const { reason } = event;
  return { ...others, [event.name]: { ...done, skipped: { dueAtMs, reason } } };
}
