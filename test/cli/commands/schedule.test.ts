/** Goal: a schedule sends the job as `submit` does, with its times; what can't be one is refused before anything is sent. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  clientMethods,
  type OfSchedule,
  type ScheduleView,
  type SetScheduleRequest,
} from '../../../coordinator/protocol/clients.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { fakeCluster } from '../../support/fake-coordinator.ts';
import { nativeImport } from '../../support/native-import.ts';
import { tempFolder } from '../../support/temp-folder.ts';

// The bundle of the job is loaded by Node, and so is the engine that builds its graph.
const { scheduleCommand } = nativeImport<typeof import('../../../cli/commands/schedule.ts')>(
  'cli/commands/schedule.ts',
);
const { schedulesCommand } = nativeImport<typeof import('../../../cli/commands/schedules.ts')>(
  'cli/commands/schedules.ts',
);
const { unscheduleCommand } = nativeImport<typeof import('../../../cli/commands/unschedule.ts')>(
  'cli/commands/unschedule.ts',
);

const address = 'memory:c1';
const jobText = `
import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';
export default defineJob({
  name: 'copy',
  params: { input: t.path(), output: t.path().default('out.csv') },
  build: ({ read, params }) =>
    read(files.source({ path: params.input, format: text() })).writeTo(files.sink({ path: params.output })),
});
`;
const view: ScheduleView = {
  ...{ name: 'nightly', cron: '0 3 * * *', timeZone: 'UTC', missed: 'once', overlap: 'skip' },
  ...{ jobName: 'copy', nextMs: Date.parse('2026-03-02T03:00:00Z') },
  fired: { dueMs: Date.parse('2026-03-01T03:00:00Z'), jobId: 'nightly-20260301T030000Z' },
  skipped: null,
};

async function scene() {
  const folder = tempFolder({ 'job.ts': jobText });
  const { reach, start } = fakeCluster();
  const coordinator = await start(address);
  const set: SetScheduleRequest[] = [];
  coordinator.on(clientMethods.setSchedule, (request: SetScheduleRequest) => {
    set.push(request);
    return view;
  });
  const variables = { MILLRACE_CLUSTER: address };
  const env = fakeCliEnv({ workingFolder: folder, columns: 200, variables });
  const schedule = (...args: string[]) => scheduleCommand(env, args, reach);
  return { folder, coordinator, set, env, reach, schedule };
}

const submitted = ['--', 'job.ts', '--input', 'in.txt'];

test('the job goes there with its bundle, whole paths and times', async () => {
  const { folder, coordinator, set, env, schedule } = await scene();
  const times = ['--cron', '0 3 * * *', '--time-zone', 'Europe/Vienna', '--overlap', 'allow'];
  expect(await schedule('nightly', ...times, ...submitted, '--priority', '3')).toBe(0);
  expect(set).toMatchObject([
    {
      ...{ name: 'nightly', cron: '0 3 * * *', timeZone: 'Europe/Vienna' },
      ...{ missed: 'once', overlap: 'allow' },
      job: {
        ...{ priority: 3, parallelism: 4 },
        params: { input: join(folder, 'in.txt'), output: join(folder, 'out.csv') },
      },
    },
  ]);
  expect([...coordinator.bundles.keys()]).toEqual([set[0]?.job.bundle]);
  expect(env.stderr.text).toContain(
    'schedule "nightly": job "copy" begins next at 2026-03-02T03:00:00Z; millrace unschedule nightly ends that',
  );
});

test.each`
  what                  | args                                                                   | code
  ${'no name'}          | ${['--cron', '* * * * *', ...submitted]}                               | ${'ARGUMENT_MISSING'}
  ${'no times'}         | ${['nightly', ...submitted]}                                           | ${'ARGUMENT_MISSING'}
  ${'no job'}           | ${['nightly', '--cron', '* * * * *']}                                  | ${'ARGUMENT_MISSING'}
  ${'no such rule'}     | ${['nightly', '--cron', '* * * * *', '--missed', 'all', ...submitted]} | ${'FLAG_VALUE'}
  ${'somebody to wait'} | ${['nightly', '--cron', '* * * * *', ...submitted, '--wait']}          | ${'FLAG_VALUE'}
  ${'a flag behind --'} | ${['nightly', '--cron', '* * * * *', ...submitted, '--cron', 'x']}     | ${'FLAG_NOT_FOUND'}
`('refused before anything is sent: $what', async ({ args, code }) => {
  const { coordinator, schedule } = await scene();
  await expect(schedule(...args)).rejects.toMatchObject({ info: { code } });
  expect(coordinator.calls).toEqual([]);
});

test('schedules are shown with what came of them, and ended', async () => {
  const { coordinator, env, reach } = await scene();
  const skipped = { dueMs: Date.parse('2026-03-01T04:00:00Z'), reason: 'nobody led at that time' };
  coordinator.on(clientMethods.schedules, () => ({ schedules: [{ ...view, skipped }] }));
  coordinator.on(clientMethods.removeSchedule, ({ name }: OfSchedule) => ({ ...view, name }));
  expect(await schedulesCommand(env, [], reach)).toBe(0);
  expect(env.stdout.text.replaceAll('│', '')).toMatch(
    /nightly +copy +0 3 \* \* \* +UTC +2026-03-02T03:00:00Z +nightly-20260301T030000Z +2026-03-01T04:00:00Z: nobody led/,
  );
  const asJson = fakeCliEnv({ variables: { MILLRACE_CLUSTER: address } });
  expect(await schedulesCommand(asJson, ['--json'], reach)).toBe(0);
  expect(JSON.parse(asJson.stdout.text)).toMatchObject({
    schedules: [
      {
        ...{ name: 'nightly', next: '2026-03-02T03:00:00Z' },
        fired: { due: '2026-03-01T03:00:00Z', job: 'nightly-20260301T030000Z' },
        skipped: { due: '2026-03-01T04:00:00Z', reason: 'nobody led at that time' },
      },
    ],
  });
  expect(await unscheduleCommand(env, ['nightly'], reach)).toBe(0);
  expect(env.stderr.text).toContain('schedule "nightly" is no more');
});
