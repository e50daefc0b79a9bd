/** Goal: each time of a schedule makes one job, whoever leads and whenever it stops; what makes none is said why. */
import { expect, onTestFinished, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { typedError } from '../../../base/typed-error.ts';
import { Schedules } from '../../../coordinator/cluster/schedules.ts';
import { openFileLog } from '../../../coordinator/metadata/file-log.ts';
import type { MetadataEvent } from '../../../coordinator/metadata/metadata-event.ts';
import type { MetadataLog } from '../../../coordinator/metadata/metadata-log.ts';
import { MetadataStore } from '../../../coordinator/metadata/metadata-store.ts';
import type { SetScheduleRequest } from '../../../coordinator/protocol/clients.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const ms = (text: string) => Date.parse(`${text}Z`);
const bundle = 'b'.repeat(64);
const hourly = {
  ...{ name: 'tidy', cron: '0 * * * *', timeZone: 'UTC', missed: 'once', overlap: 'skip' },
  job: { bundle, graph: { jobName: 'copy' } },
} as unknown as SetScheduleRequest;

/** Leaders one after the other over one log, and a clock that goes where the test says. */
function scene() {
  const folder = tempFolder({});
  const real = createRealEnv();
  let nowMs = ms('2026-03-01T10:30:00');
  let term = 0;
  const waits = new Map<() => void, number>();
  const timers = {
    ...real.timers,
    after: (delayMs: number, fire: () => void) => {
      waits.set(fire, nowMs + delayMs);
      return () => waits.delete(fire);
    },
  };
  const env = { ...real, timers, clock: { ...real.clock, wall: () => nowMs } };
  const submitted: string[] = [];
  /** Each is thrown by the next submission. */
  const failures: unknown[] = [];
  let settled = 0;
  /** Nothing that was begun is under way any more, however slow the disk is. */
  const settle = async () => {
    for (let quiet = 0, seen = settled; quiet < 5; quiet++) {
      await real.timers.sleep(5);
      if (underWay > 0 || seen !== settled) quiet = 0;
      seen = settled;
    }
  };
  let underWay = 0;
  /** A log whose appends are counted while they last. */
  const watched = (log: MetadataLog): MetadataLog => ({
    append: async (request) => {
      underWay++;
      try {
        return await log.append(request);
      } finally {
        underWay--;
        settled++;
      }
    },
    head: () => log.head(),
    read: (after) => log.read(after),
    watch: (after, hear) => log.watch(after, hear),
    compact: (snapshot) => log.compact(snapshot),
    close: () => log.close(),
  });

  const lead = async ({ begins = true } = {}) => {
    term++;
    const log = await openFileLog(env, `${folder}/log`);
    const store = await MetadataStore.open(watched(log), { wallMs: () => nowMs });
    const began = { kind: 'termBegan', term, coordinatorId: 'c', address: 'a' } as const;
    await store.propose(term, () => [began]);
    const schedules = new Schedules(env, {
      ...{ store, term, hasBundle: async (hash) => hash === bundle },
      submit: async ({ jobId }, beside) => {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        const events = await store.propose(term, (state) => {
          const others = beside(state);
          return others === null ? null : [submittedEvent(jobId), ...others];
        });
        if (events !== null) submitted.push(jobId);
      },
    });
    if (begins) schedules.begin();
    let isStopped = false;
    const stop = async () => {
      if (isStopped) return;
      isStopped = true;
      schedules.close();
      await store.close();
    };
    const end = (jobId: string) => store.propose(term, () => [endedEvent(jobId)]);
    onTestFinished(stop);
    return { schedules, store, term, stop, end };
  };
  /** Goes on to a moment, meeting each timer at its time. */
  const goTo = async (text: string) => {
    const untilMs = ms(text);
    for (;;) {
      await settle();
      const [first] = [...waits].toSorted((a, b) => a[1] - b[1]);
      if (first === undefined || first[1] > untilMs) break;
      nowMs = Math.max(nowMs, first[1]);
      waits.delete(first[0]);
      first[0]();
    }
    nowMs = untilMs;
  };
  const jumpTo = (text: string) => {
    nowMs = ms(text);
  };
  return { lead, goTo, jumpTo, settle, submitted, failures };
}

const submittedEvent = (jobId: string): MetadataEvent => ({
  ...{ kind: 'jobSubmitted', jobId, name: 'copy', namespace: 'default', priority: 0 },
  ...{ slots: 1, memoryBytes: 1, bundle, spec: {} },
});
const endedEvent = (jobId: string): MetadataEvent => ({
  ...{ kind: 'jobEnded', jobId, status: 'finished', reason: '' },
  ...{ rowsIn: 0, rowsOut: 0, error: null },
});

test('a time makes one job, noted with it in one step, and the next leader makes none again', async () => {
  const { lead, goTo, jumpTo, settle, submitted } = scene();
  const first = await lead();
  expect(await first.schedules.set(hourly)).toMatchObject({
    ...{ name: 'tidy', jobName: 'copy', nextMs: ms('2026-03-01T11:00:00'), fired: null },
  });
  jumpTo('2026-03-01T10:59:50');
  await goTo('2026-03-01T11:00:20');
  expect(submitted).toEqual(['tidy-20260301T110000Z']);
  await first.end('tidy-20260301T110000Z');
  await first.stop();
  const second = await lead();
  await settle();
  expect(submitted.length).toBe(1);
  // Nobody led at twelve and at one: one job for both.
  await second.stop();
  jumpTo('2026-03-01T13:20:00');
  const third = await lead();
  await settle();
  expect(submitted.slice(1)).toEqual(['tidy-20260301T130000Z']);
  expect(third.schedules.all().schedules).toMatchObject([
    {
      nextMs: ms('2026-03-01T14:00:00'),
      fired: { dueMs: ms('2026-03-01T13:00:00'), jobId: 'tidy-20260301T130000Z' },
    },
  ]);
});

test('a job without its note, as a torn append leaves it, is noted and not made again', async () => {
  const { lead, jumpTo, settle, submitted } = scene();
  const first = await lead();
  await first.schedules.set(hourly);
  await first.stop();
  jumpTo('2026-03-01T11:00:01');
  const torn = await lead({ begins: false });
  await torn.store.propose(torn.term, () => [submittedEvent('tidy-20260301T110000Z')]);
  await torn.stop();
  const next = await lead();
  await settle();
  expect(submitted).toEqual([]);
  expect(next.schedules.all().schedules).toMatchObject([
    { fired: { jobId: 'tidy-20260301T110000Z' }, skipped: null },
  ]);
});

test.each`
  what                          | more                    | before    | now                      | reason
  ${'the one before runs'}      | ${{}}                   | ${'runs'} | ${'2026-03-01T12:00:00'} | ${/still running/}
  ${'it may run beside'}        | ${{ overlap: 'allow' }} | ${'runs'} | ${'2026-03-01T12:00:00'} | ${null}
  ${'nobody led, and no other'} | ${{ missed: 'skip' }}   | ${'ends'} | ${'2026-03-01T12:20:00'} | ${/nobody led/}
`('$what', async ({ more, before, now, reason }) => {
  const { lead, jumpTo, settle, submitted } = scene();
  const first = await lead();
  await first.schedules.set({ ...hourly, ...more });
  await first.stop();
  jumpTo('2026-03-01T11:00:00');
  const second = await lead();
  await settle();
  expect(submitted).toEqual(['tidy-20260301T110000Z']);
  if (before === 'ends') await second.end('tidy-20260301T110000Z');
  await second.stop();
  jumpTo(now);
  const third = await lead();
  await settle();
  const [view] = third.schedules.all().schedules;
  expect(submitted.length).toBe(reason === null ? 2 : 1);
  if (reason === null) expect(view?.skipped).toBeNull();
  else expect(view?.skipped).toMatchObject({ dueMs: ms('2026-03-01T12:00:00') });
  if (reason !== null) expect(view?.skipped?.reason).toMatch(reason);
});

test('what passes is tried again; a job that can not be planned is left out with its reason', async () => {
  const { lead, goTo, jumpTo, settle, submitted, failures } = scene();
  const { schedules } = await lead();
  await schedules.set(hourly);
  failures.push(typedError('METADATA_UNAVAILABLE', 'no disk', { retryable: true }));
  jumpTo('2026-03-01T10:59:59');
  await goTo('2026-03-01T11:00:10');
  await settle();
  expect(submitted).toEqual(['tidy-20260301T110000Z']);
  await schedules.set({ ...hourly, name: 'other' });
  failures.push(typedError('SOURCE_NOT_FOUND', 'there is no "in.txt"'));
  jumpTo('2026-03-01T11:59:59');
  await schedules.remove({ name: 'tidy' });
  await goTo('2026-03-01T12:00:10');
  expect(submitted.length).toBe(1);
  expect(schedules.all().schedules).toMatchObject([
    { name: 'other', skipped: { reason: 'SOURCE_NOT_FOUND: there is no "in.txt"' } },
  ]);
});

test.each`
  what            | more                           | code
  ${'a name'}     | ${{ name: '../x' }}            | ${'SCHEDULE_INVALID'}
  ${'times'}      | ${{ cron: 'at three' }}        | ${'SCHEDULE_INVALID'}
  ${'a zone'}     | ${{ timeZone: 'Mars/X' }}      | ${'SCHEDULE_INVALID'}
  ${'a day'}      | ${{ cron: '0 0 30 2 *' }}      | ${'SCHEDULE_INVALID'}
  ${'its bundle'} | ${{ job: { bundle: 'none' } }} | ${'BUNDLE_MISSING'}
`('what is refused: $what', async ({ more, code }) => {
  const { lead } = scene();
  const { schedules } = await lead();
  await expect(schedules.set({ ...hourly, ...more })).rejects.toMatchObject({ info: { code } });
  expect(schedules.all()).toEqual({ schedules: [] });
  await expect(schedules.remove({ name: 'constructor' })).rejects.toMatchObject({
    info: { code: 'SCHEDULE_NOT_FOUND' },
  });
});
