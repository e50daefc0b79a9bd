/**
 * `millrace schedule NAME --cron TIMES -- FILE …`: what follows `--` is what `millrace submit` takes; the cluster keeps it, and
 * runs it at each of the times as a job of its own.
 *
 * Before: cli/main.ts. After: cli/cluster/read-submission.ts, cli/cluster/send-job.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import {
  clientMethods,
  type ScheduleView,
  type SetScheduleRequest,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { clusterNeeded, clusterOf } from '../cluster/cluster-address.ts';
import {
  type ControlCommand,
  type ControlRequest,
  type Reach,
  readControlCommand,
  realReach,
} from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { scheduleJson, timeText } from './schedules.ts';

const options: ControlCommand = {
  verb: 'schedule',
  description:
    'Has a job begin at times, on a cluster. What follows -- is what millrace submit takes.',
  words: ['NAME'],
  flags: [
    {
      flag: '--cron <times>',
      description: 'minute, hour, day, month and weekday; with a sixth in front, seconds',
    },
    { flag: '--time-zone <zone>', description: 'such as Europe/Vienna (default UTC)' },
    {
      flag: '--missed <once|skip>',
      description:
        'of times that no coordinator was there for: the last one, or none (default once)',
    },
    {
      flag: '--overlap <skip|allow>',
      description: 'while the job of an earlier time runs (default skip)',
    },
  ],
  isOfCluster: true,
  examples: [
    'millrace schedule nightly --cron "0 3 * * *" --cluster 127.0.0.1:7070 -- job.ts --input in.txt --output out.csv --overwrite',
    'millrace schedule hourly --cron "0 * * * *" --time-zone Europe/Vienna -- job.ts --input in.txt',
  ],
  notes:
    'The job is kept as it is now; the same NAME replaces it. Each time writes the same output: a folder of files needs --overwrite.',
};

export async function scheduleCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const at = args.indexOf('--');
  const request = readControlCommand(env, at === -1 ? args : args.slice(0, at), options);
  if (request === null) return exitCodes.done;
  const wanted = wantedOf(request);
  if (at === -1) throw noJobError();
  const { checkPrepared, readSubmission, submissionFor } = await import(
    '../cluster/read-submission.ts'
  );
  const prepared = await readSubmission(env, args.slice(at + 1));
  if (prepared === null) return exitCodes.done;
  const { engine } = prepared.request;
  if (engine.wait === true) throw waitError();
  const given = engine.cluster === undefined ? request.cluster : clusterOf(env, engine.cluster);
  const addresses = clusterNeeded('schedule', given);
  checkPrepared(env, prepared);
  const { env: client } = reach ?? (await realReach(request));
  const { withCluster } = await import('../cluster/cluster-client.ts');
  const { askWithBundle } = await import('../cluster/send-job.ts');
  const schedule = await withCluster(client, addresses, async (cluster) => {
    const body: SetScheduleRequest = { ...wanted, job: await submissionFor(cluster, prepared) };
    const call = { method: clientMethods.setSchedule, body, isRepeatable: true };
    return await askWithBundle<ScheduleView>(cluster, prepared.bundle, call);
  });
  if (request.isJson || prepared.request.isJson) {
    env.stdout.write(`${JSON.stringify(scheduleJson(schedule))}\n`);
  } else tell(env, schedule);
  return exitCodes.done;
}

function tell({ stderr }: CliEnv, { name, jobName, nextMs }: ScheduleView): void {
  const next = nextMs === null ? 'has no more times' : `begins next at ${timeText(nextMs)}`;
  stderr.write(
    `schedule "${name}": job "${jobName}" ${next}; millrace unschedule ${name} ends that\n`,
  );
}

/** @throws ARGUMENT_MISSING, FLAG_VALUE */
function wantedOf({ words, flags }: ControlRequest): Omit<SetScheduleRequest, 'job'> {
  const [name = ''] = words;
  const { cron, timeZone = 'UTC', missed = 'once', overlap = 'skip' } = flags;
  if (typeof cron !== 'string') {
    throw typedError('ARGUMENT_MISSING', '"millrace schedule" needs --cron', {
      hint: 'For example --cron "0 3 * * *", each day at three; quote it.',
    });
  }
  return {
    ...{ name, cron, timeZone: String(timeZone) },
    missed: choiceOf('missed', missed, ['once', 'skip']),
    overlap: choiceOf('overlap', overlap, ['skip', 'allow']),
  };
}

function choiceOf<T extends string>(flag: string, given: unknown, choices: readonly T[]): T {
  const found = choices.find((one) => one === given);
  if (found !== undefined) return found;
  throw typedError('FLAG_VALUE', `--${flag}: "${given}" is not ${choices.join(' or ')}`, {
    hint: `Write --${flag} ${choices[0]}.`,
  });
}

function noJobError() {
  return typedError('ARGUMENT_MISSING', '"millrace schedule" needs a job behind --', {
    hint: `For example: ${options.examples[1]}.`,
  });
}

function waitError() {
  return typedError('FLAG_VALUE', '--wait: nobody waits for a job that begins at times', {
    hint: 'Leave it out; millrace schedules shows which jobs have begun.',
  });
}
