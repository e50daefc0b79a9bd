/**
 * `millrace schedules`: the jobs of a cluster that begin at times: when next, and what came of the time before.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-client.ts.
 */
import {
  clientMethods,
  type SchedulesAnswer,
  type ScheduleView,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { onCluster } from '../cluster/on-cluster.ts';
import { showList } from '../cluster/show-list.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'schedules',
  description: 'Shows the jobs of a cluster that begin at times.',
  words: [],
  isOfCluster: true,
  examples: [
    'millrace schedules --cluster 127.0.0.1:7070',
    'millrace schedules --cluster 127.0.0.1:7070 --json',
  ],
};

const columns = [
  ...[{ title: 'schedule' }, { title: 'job' }, { title: 'times' }, { title: 'zone' }],
  ...[{ title: 'next' }, { title: 'last job' }, { title: 'left out' }],
];

export async function schedulesCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const call = { method: clientMethods.schedules, isRepeatable: true };
  const { schedules } = await onCluster({ verb: 'schedules', request, reach }, (cluster) =>
    cluster.ask<SchedulesAnswer>(call),
  );
  showList(env, request.isJson, {
    ...{ name: 'schedules', items: schedules, jsonOf: scheduleJson, columns, cellsOf },
    none: 'the cluster has no schedule',
  });
  return exitCodes.done;
}

/** A schedule as the commands print it. */
export function scheduleJson({ nextMs, fired, skipped, ...rest }: ScheduleView): object {
  return {
    ...rest,
    next: nextMs === null ? null : timeText(nextMs),
    fired: fired === null ? null : { due: timeText(fired.dueMs), job: fired.jobId },
    skipped: skipped === null ? null : { due: timeText(skipped.dueMs), reason: skipped.reason },
  };
}

/** Times of schedules are whole seconds. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function cellsOf(schedule: ScheduleView): string[] {
  const { name, jobName, cron, timeZone, nextMs, fired, skipped } = schedule;
  const isNewest = skipped !== null && skipped.dueMs > (fired?.dueMs ?? 0);
  return [
    ...[name, jobName, cron, timeZone, nextMs === null ? 'never' : timeText(nextMs)],
    ...[fired?.jobId ?? '', isNewest ? `${timeText(skipped.dueMs)}: ${skipped.reason}` : ''],
  ];
}
