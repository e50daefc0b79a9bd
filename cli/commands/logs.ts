/**
 * `millrace logs JOB`: what the functions of a job of a cluster have printed, on all of its workers; with `--follow` also what
 * they print from now on, until the job has ended. Of several workers each line has its worker in front.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-client.ts.
 */
import {
  clientMethods,
  type LogsAnswer,
  type LogsRequest,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import type { ClusterClient } from '../cluster/cluster-client.ts';
import { hasClusterJobEnded } from '../cluster/cluster-reached.ts';
import { onCluster } from '../cluster/on-cluster.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'logs',
  description: 'Shows what a job of a cluster has printed.',
  words: ['JOB'],
  flags: [{ flag: '--follow', description: 'go on with what it prints, until it has ended' }],
  isOfCluster: true,
  examples: [
    'millrace logs wordcount --cluster 127.0.0.1:7070',
    'millrace logs wordcount-1f2e3d4c --cluster 127.0.0.1:7070 --follow',
  ],
  notes:
    'JOB is its name or its id, as millrace list shows them; one that has ended is known by its id. Shown is the end of what each ' +
    'worker has, in the order in which it was printed there.',
};

const lookEveryMs = 500;

export async function logsCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [job = ''] = request.words;
  const isFollowed = request.flags.follow === true;
  await onCluster({ verb: 'logs', request, reach }, async (cluster, client) => {
    for await (const { parts } of answers(cluster, { job, isFollowed, timers: client.timers })) {
      if (request.isJson) env.stdout.write(`${JSON.stringify({ parts })}\n`);
      else env.stdout.write(linesOf(parts));
    }
  });
  return exitCodes.done;
}

interface Followed {
  readonly job: string;
  readonly isFollowed: boolean;
  readonly timers: { sleep(ms: number): Promise<void> };
}

async function* answers(
  cluster: ClusterClient,
  { job, isFollowed, timers }: Followed,
): AsyncGenerator<LogsAnswer> {
  let from: LogsRequest['from'] = {};
  while (true) {
    const body: LogsRequest = { job, from };
    const call = { method: clientMethods.logs, body, isRepeatable: true };
    const answer = await cluster.ask<LogsAnswer>(call);
    yield answer;
    if (!isFollowed) return;
    // Nothing came: it may be because nothing will.
    if (answer.parts.length === 0 && (await hasClusterJobEnded(cluster, job))) return;
    from = answer.next;
    await timers.sleep(lookEveryMs);
  }
}

/** With the worker in front of each line where there are several. */
function linesOf(parts: LogsAnswer['parts']): string {
  const isOne = parts.length === 1;
  const texts = parts.map(({ workerId, text }) => {
    const whole = text.endsWith('\n') ? text : `${text}\n`;
    return isOne ? whole : whole.replace(/^(?=.)/gm, `${workerId} │ `);
  });
  return texts.join('');
}
