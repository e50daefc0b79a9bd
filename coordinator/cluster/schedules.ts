/**
 * Jobs that begin at times: kept in the metadata log, fired by who leads.
 *
 *     wait ──due──▶ plan ──▶ job and scheduleFired, in one append ──▶ wait …
 *       └──due: missed, the one before runs, can't be planned──▶ scheduleSkipped ──▶ wait …
 *
 * A time is fired once: the id of its job is made of the schedule's name and that time, so that a coordinator which finds
 * the job without the note, behind an append that a crash has torn, notes it and does nothing else. What can pass, such as a
 * store that does not answer, is tried again until it works or the next time is due.
 *
 * Before: coordinator/cluster/client-service.ts. After: coordinator/scheduler/schedule.ts, coordinator/cluster/cluster-jobs.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { CancelTimer } from '../../base/env/timers.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { codeOf, toWire, typedError } from '../../base/typed-error.ts';
import type { MetadataEvent } from '../metadata/metadata-event.ts';
import type { KnownSchedule, MetadataState } from '../metadata/metadata-state.ts';
import type { Decision, MetadataStore } from '../metadata/metadata-store.ts';
import type {
  OfSchedule,
  SchedulesAnswer,
  ScheduleView,
  SetScheduleRequest,
  SubmitRequest,
} from '../protocol/clients.ts';
import { decideSchedule, nextDue, type ScheduleDecision } from '../scheduler/schedule.ts';
import { missingError } from './bundle-store.ts';
import { isClusterName } from './cluster-name.ts';

export interface SchedulesOptions {
  readonly store: MetadataStore;
  readonly term: number;
  readonly hasBundle: (hash: string) => Promise<boolean>;
  /** Takes the job, and notes with it what is decided beside it; null there: it is not wanted any more. */
  readonly submit: (request: SubmitRequest, beside: Decision) => Promise<unknown>;
}

/** What is behind the cron pattern in the log. */
type Spec = Omit<SetScheduleRequest, 'name' | 'cron'>;
type Due = Exclude<ScheduleDecision, { kind: 'wait' }>;

/** Wall clocks jump: no wait trusts one for longer. */
const lookMs = 30_000;
const againMs = 5_000;
const reasons = {
  missed: 'nobody led at that time',
  stillRunning: 'the job of an earlier time was still running',
};

export class Schedules {
  readonly #env: Pick<Env, 'clock' | 'timers' | 'observe'>;
  readonly #options: SchedulesOptions;
  /** By name. */
  readonly #timers = new Map<string, CancelTimer>();
  readonly #acting = new Set<string>();
  #isClosed = false;

  constructor(env: Pick<Env, 'clock' | 'timers' | 'observe'>, options: SchedulesOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** From now on times are met. */
  begin(): void {
    for (const name of Object.keys(this.#options.store.state.schedules)) this.#look(name);
  }

  /**
   * Sets a schedule, or replaces that of the name. The job is not planned before its time: its inputs may not be there yet.
   * @throws SCHEDULE_INVALID, BUNDLE_MISSING, errors of the log
   */
  async set({ name, cron, ...spec }: SetScheduleRequest): Promise<ScheduleView> {
    const { store, term, hasBundle } = this.#options;
    const { timeZone, job } = spec;
    if (!isClusterName(name)) throw badNameError(name);
    if (nextDue({ name, cron, timeZone }, this.#env.clock.wall()) === null) {
      throw neverError(name, cron);
    }
    if (!(await hasBundle(job.bundle))) throw missingError(job.bundle);
    const event: MetadataEvent = {
      ...{ kind: 'scheduleSet', name, cron },
      spec: spec as unknown as JsonValue,
    };
    await store.propose(term, () => [event]);
    this.#look(name);
    return this.#view(scheduleOf(store.state, name));
  }

  /** What it has begun goes on. @throws SCHEDULE_NOT_FOUND, errors of the log */
  async remove({ name }: OfSchedule): Promise<ScheduleView> {
    const { store, term } = this.#options;
    const view = this.#view(scheduleOf(store.state, name));
    await store.propose(term, ({ schedules }) => {
      return Object.hasOwn(schedules, name) ? [{ kind: 'scheduleRemoved', name }] : null;
    });
    this.#look(name);
    return view;
  }

  all(): SchedulesAnswer {
    const known = Object.values(this.#options.store.state.schedules);
    const byName = known.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return { schedules: byName.map((schedule) => this.#view(schedule)) };
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Does what is due, or waits for it. */
  #look(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
    const { state } = this.#options.store;
    const schedule = Object.hasOwn(state.schedules, name) ? state.schedules[name] : undefined;
    if (this.#isClosed || this.#acting.has(name) || schedule === undefined) return;
    const { clock } = this.#env;
    const { doneUntilMs } = schedule;
    const isRunning = runsJobOf(state, name);
    const nowMs = clock.wall();
    const decision = decideSchedule(rulesOf(schedule), { doneUntilMs, isRunning }, nowMs);
    if (decision.kind !== 'wait') void this.#act(schedule, decision);
    else if (decision.untilMs !== null) this.#lookIn(name, decision.untilMs - nowMs);
  }

  #lookIn(name: string, delayMs: number): void {
    if (this.#isClosed) return;
    const soon = Math.min(lookMs, Math.max(1, delayMs));
    this.#timers.set(
      name,
      this.#env.timers.after(soon, () => this.#look(name)),
    );
  }

  /** One thing at a time for each schedule; never rejects. */
  async #act(schedule: KnownSchedule, due: Due): Promise<void> {
    const { name } = schedule;
    this.#acting.add(name);
    let error: unknown = null;
    try {
      await this.#meet(schedule, due);
    } catch (thrown) {
      error = thrown;
    }
    this.#acting.delete(name);
    if (error !== null) this.#env.observe.event('schedule.not-met', { name, code: codeOf(error) });
    this.#lookIn(name, error === null ? 0 : againMs);
  }

  async #meet(schedule: KnownSchedule, due: Due): Promise<void> {
    const { store, submit } = this.#options;
    const { name } = schedule;
    const { dueMs } = due;
    const jobId = jobIdOf(name, dueMs);
    const fired: MetadataEvent = { kind: 'scheduleFired', name, dueAtMs: dueMs };
    if (Object.hasOwn(store.state.jobs, jobId)) await this.#note(schedule, fired);
    else if (due.kind === 'skip') await this.#skip(schedule, dueMs, reasons[due.reason]);
    else {
      try {
        await submit({ jobId, job: specOf(schedule).job }, noteOnce(schedule, fired));
      } catch (thrown) {
        const { code, message, retryable } = toWire(thrown);
        if (retryable) throw thrown;
        await this.#skip(schedule, dueMs, `${code}: ${message}`);
      }
    }
  }

  #skip(schedule: KnownSchedule, dueAtMs: number, reason: string) {
    const { name } = schedule;
    return this.#note(schedule, { kind: 'scheduleSkipped', name, dueAtMs, reason });
  }

  async #note(schedule: KnownSchedule, event: Met): Promise<void> {
    const { store, term } = this.#options;
    await store.propose(term, noteOnce(schedule, event));
  }

  #view(schedule: KnownSchedule): ScheduleView {
    const { firedForMs, skipped, doneUntilMs } = schedule;
    const { job, ...spec } = specOf(schedule);
    const rules = rulesOf(schedule);
    const { name, cron } = rules;
    return {
      ...{ name, cron, ...spec, jobName: job.graph.jobName },
      nextMs: nextDue(rules, Math.max(doneUntilMs, this.#env.clock.wall())),
      fired: firedForMs === null ? null : { dueMs: firedForMs, jobId: jobIdOf(name, firedForMs) },
      skipped: skipped === null ? null : { dueMs: skipped.dueAtMs, reason: skipped.reason },
    };
  }
}

type Met = Extract<MetadataEvent, { kind: 'scheduleFired' | 'scheduleSkipped' }>;

/** Only of the schedule that was looked at: meanwhile it may be gone, or be another one. */
function noteOnce({ name, setAtMs }: KnownSchedule, event: Met): Decision {
  return ({ schedules }) => {
    const known = schedules[name];
    const isOpen = known?.setAtMs === setAtMs && known.doneUntilMs < event.dueAtMs;
    return isOpen ? [event] : null;
  };
}

function specOf({ spec }: KnownSchedule): Spec {
  return spec as unknown as Spec;
}

function rulesOf(schedule: KnownSchedule) {
  const { name, cron } = schedule;
  const { timeZone, missed, overlap } = specOf(schedule);
  return { name, cron, timeZone, missed, overlap };
}

/** `nightly-20261128T030000Z`: times are whole seconds. */
function jobIdOf(name: string, dueMs: number): string {
  const stamp = new Date(dueMs).toISOString().replace(/\.\d+|[-:]/g, '');
  return `${name}-${stamp}`;
}

const stampForm = /^-\d{8}T\d{6}Z$/;

/** Also one that a schedule of this name began which was replaced. */
function runsJobOf({ jobs }: MetadataState, name: string): boolean {
  return Object.values(jobs).some(({ jobId, end }) => {
    return end === null && jobId.startsWith(name) && stampForm.test(jobId.slice(name.length));
  });
}

function scheduleOf({ schedules }: MetadataState, name: string): KnownSchedule {
  const schedule = Object.hasOwn(schedules, name) ? schedules[name] : undefined;
  if (schedule !== undefined) return schedule;
  throw typedError('SCHEDULE_NOT_FOUND', `the cluster has no schedule "${name}"`, {
    hint: 'millrace schedules --cluster HOST:PORT shows their names.',
  });
}

function badNameError(name: string) {
  return typedError('SCHEDULE_INVALID', `"${name}" can't be the name of a schedule`, {
    hint: 'Letters, digits, "-", "_" and "." only, at most 64, the first of which is a letter or a digit.',
  });
}

function neverError(name: string, cron: string) {
  return typedError('SCHEDULE_INVALID', `schedule "${name}" with "${cron}" is never due`, {
    hint: 'Write a day that exists, such as "0 3 28 2 *".',
  });
}
