/**
 * `millrace unschedule NAME`: a job begins at times no more; what it has begun goes on.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-client.ts.
 */
import { clientMethods, type ScheduleView } from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { onCluster } from '../cluster/on-cluster.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { scheduleJson } from './schedules.ts';

const options: ControlCommand = {
  verb: 'unschedule',
  description: 'Has a job of a cluster begin at times no more. What it has begun goes on.',
  words: ['NAME'],
  isOfCluster: true,
  examples: ['millrace unschedule nightly --cluster 127.0.0.1:7070'],
};

export async function unscheduleCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [name = ''] = request.words;
  const call = { method: clientMethods.removeSchedule, body: { name } };
  const schedule = await onCluster({ verb: 'unschedule', request, reach }, (cluster) =>
    cluster.ask<ScheduleView>(call),
  );
  if (request.isJson) env.stdout.write(`${JSON.stringify(scheduleJson(schedule))}\n`);
  else env.stderr.write(`schedule "${name}" is no more\n`);
  return exitCodes.done;
}
