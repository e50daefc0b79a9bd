/** Goal: what a job's work asks for is measured between two looks, said with its reason, and done only where it may be. */
import { expect, test } from 'vitest';
import { autoscaleCommand } from '../../../cli/commands/autoscale.ts';
import type { TaskInspection } from '../../../coordinator/job/job-inspection.ts';
import { type JobDescription, jobMethods } from '../../../coordinator/protocol/jobs.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { fakeCluster } from '../../support/fake-coordinator.ts';

const address = 'memory:c1';
const counted = (name: string, rowsIn: number, rowsOut: number, busyMs: number) => ({
  ...{ id: name, name, kind: 'project' as const, rowsIn, rowsOut, busyMs, tells: null },
  ...{ waitsForTime: false, watermarkMs: null, watermarkAtMs: null },
});
const reads = { splits: [], position: null, state: 'reading' as const, rowCount: 0 };
const task = (taskId: string, facts: Partial<TaskInspection>): TaskInspection => ({
  ...{ taskId, vertexId: taskId.slice(0, 2), attempt: 1, slotIndex: 0, hasAnswered: true },
  ...{ error: null, running: null, runningSinceMs: 0, source: null, operators: [] },
  ...{ waitsFor: [], senders: [], ...facts },
});
const from = (taskId: string) => ({ taskId, watermarkMs: null, isIdle: false });

/** Of two slots, `seconds` after they began: 1,000 rows/s come in; a task maps `perTask` rows in a second of its time. */
function tasksAt(seconds: number, perTask: number): TaskInspection[] {
  const rows = seconds * 500;
  const senders = [from('v1[0]'), from('v1[1]')];
  // What was before the first look is of no account.
  const mapped = counted('map', 77 + rows, rows, 5 + (rows / perTask) * 1_000);
  return [0, 1].flatMap((index) => [
    task(`v2[${index}]`, { senders, operators: [mapped] }),
    task(`v1[${index}]`, { source: reads, operators: [counted('in', 0, rows, seconds)] }),
  ]);
}

async function scene(perTask: number, attempts: readonly number[] = [1, 1]) {
  const { reach, start } = fakeCluster();
  const coordinator = await start(address);
  let looks = 0;
  coordinator.on(jobMethods.why, () => {
    const attempt = attempts[looks];
    const seconds = looks++ * 10;
    const tasks = tasksAt(seconds, perTask).map((one) => ({ ...one, attempt }));
    return { findings: [], inspection: { atMs: seconds * 1_000, tasks } };
  });
  const rescaled: unknown[] = [];
  coordinator.on(jobMethods.rescale, (body: JobDescription & { parallelism: number }) => {
    rescaled.push(body.parallelism);
    return { from: 2, to: body.parallelism, pausedMs: 5 };
  });
  const env = fakeCliEnv({ variables: { MILLRACE_CLUSTER: address } });
  const autoscale = (...args: string[]) =>
    autoscaleCommand(env, ['words', '--for', '1ms', ...args], reach);
  return { env, autoscale, rescaled, coordinator };
}

test.each`
  what                    | perTask | flags             | text                                                                                                                                               | to
  ${'it would'}           | ${400}  | ${['--dry-run']}  | ${'has 2 slots, and would get 4: "map" has to handle 1,000 rows/s at 400 a task, all operators are 2.50 slots\' work: 4 slots'}                    | ${[]}
  ${'it does'}            | ${400}  | ${['--max', '8']} | ${'runs with parallelism 4, before 2: "map" has to handle 1,000 rows/s at 400 a task, all operators are 2.50 slots\' work: 4 slots'}               | ${[4]}
  ${'it is bounded'}      | ${400}  | ${['--max', '3']} | ${'runs with parallelism 3, before 2: "map" has to handle 1,000 rows/s at 400 a task, all operators are 2.50 slots\' work: 4 slots, bounded to 3'} | ${[3]}
  ${'fewer are enough'}   | ${5000} | ${['--max', '8']} | ${'runs with parallelism 1, before 2: "map" has to handle 1,000 rows/s at 5,000 a task, all operators are 0.20 slots\' work: 1 slot'}              | ${[1]}
  ${'it is as it should'} | ${700}  | ${['--max', '8']} | ${'has 2 slots, and is left alone: "map" has to handle 1,000 rows/s at 700 a task, all operators are 1.43 slots\' work: 2 slots'}                  | ${[]}
`('$what', async ({ perTask, flags, text, to }) => {
  const { env, autoscale, rescaled } = await scene(perTask);
  expect(await autoscale(...flags)).toBe(0);
  expect(env.stdout.text).toBe(`job "words" ${text}\n`);
  expect(rescaled).toEqual(to);
});

test('a job that began again between the looks is not measured, and left alone', async () => {
  const { env, autoscale, rescaled } = await scene(400, [1, 2]);
  expect(await autoscale('--max', '8', '--json')).toBe(0);
  expect(JSON.parse(env.stdout.text)).toMatchObject({
    ...{ name: 'words', slots: null, recommended: null, rescaled: null },
    why: 'it had no tasks that ran all the time',
  });
  expect(rescaled).toEqual([]);
});

test.each`
  what                   | flags                             | code
  ${'no bound'}          | ${[]}                             | ${'ARGUMENT_MISSING'}
  ${'bounds that cross'} | ${['--min', '4', '--max', '2']}   | ${'FLAG_VALUE'}
  ${'no slots'}          | ${['--max', '0']}                 | ${'FLAG_VALUE'}
  ${'no time'}           | ${['--dry-run', '--for', 'long']} | ${'FLAG_VALUE'}
`('refused before anything is asked: $what', async ({ flags, code }) => {
  const { autoscale, coordinator } = await scene(400);
  await expect(autoscale(...flags)).rejects.toMatchObject({ info: { code } });
  expect(coordinator.calls).toEqual([]);
});
