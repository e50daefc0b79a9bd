/**
 * Finds the jobs that run on this machine, and asks them. Each socket in the user's folder is asked who it is; one
 * that nobody listens at is what a process left that was killed, and is removed.
 *
 *     folder ──▶ sockets ──describe──▶ running │ silent: a process that does not answer │ dead: removed
 *
 * Before: cli/commands/list.ts. After: cli/control/job-socket.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { createRpcClient } from '../../base/rpc/client.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { codeOf, TypedError, typedError } from '../../base/typed-error.ts';
import { type JobDescription, jobMethods } from '../../coordinator/protocol/jobs.ts';
import { type FoundSocket, findSockets, type JobPlaces, removeSocket } from './job-folder.ts';

/** A process that has not said within this who it is does something else. */
const describeDeadlineMs = 2_000;
/** How long a job may take to go: a thread in a loop of the user's is ended after 5 s, and all else is quick. */
const endWaitMs = 30_000;
const endLookEveryMs = 50;
const endLookDeadlineMs = 10_000;

export type ClientEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'rng' | 'secrets'>;

/** A job that runs, or whose process does not answer. */
export interface RunningJob {
  readonly socket: FoundSocket;
  /** Null when the process does not answer. */
  readonly description: JobDescription | null;
}

/** All jobs of this user on this machine, the oldest first. */
export async function listJobs(env: ClientEnv, places: JobPlaces): Promise<RunningJob[]> {
  const found = await Promise.all(findSockets(places).map((socket) => describe(env, socket)));
  const sinceOf = ({ description }: RunningJob) => description?.sinceMs ?? 0;
  return found.flatMap((job) => job ?? []).sort((a, b) => sinceOf(a) - sinceOf(b));
}

/** Removes the sockets that processes left which were killed; a process that is only silent keeps its own. */
export async function removeStaleSockets(
  { net }: Pick<ClientEnv, 'net'>,
  places: JobPlaces,
): Promise<void> {
  const probe = async ({ path }: FoundSocket): Promise<void> => {
    try {
      (await net.connect(`unix:${path}`, describeDeadlineMs)).close();
    } catch (error) {
      if (isDead(error)) removeSocket(path);
    }
  };
  await Promise.all(findSockets(places).map(probe));
}

/**
 * The job of that id, or the only one of that name.
 *
 * @throws JOB_NOT_RUNNING, JOB_AMBIGUOUS
 */
export async function findJob(env: ClientEnv, places: JobPlaces, wanted: string) {
  const jobs = await listJobs(env, places);
  const known = jobs.flatMap(({ socket, description }) =>
    description === null ? [] : [{ socket, description }],
  );
  const byId = known.find(({ description }) => description.id === wanted);
  if (byId !== undefined) return byId;
  const byName = known.filter(({ description }) => description.name === wanted);
  const [only] = byName;
  if (only === undefined) throw notRunning(wanted, jobs);
  if (byName.length > 1) throw ambiguous(wanted, byName);
  return only;
}

/**
 * Asks a job.
 *
 * @throws JOB_NOT_RUNNING when it has ended meanwhile, JOB_NOT_ANSWERING, and what the job answers with.
 */
export async function askJob<T>(
  env: ClientEnv,
  { path }: FoundSocket,
  call: { readonly method: string; readonly body?: unknown; readonly deadlineMs: number },
): Promise<T> {
  const client = createRpcClient(env, { address: `unix:${path}` });
  const { method, body = null, deadlineMs } = call;
  try {
    return (await client.call(method, body as JsonValue, { deadlineMs })) as T;
  } catch (error) {
    if (codeOf(error) === 'RPC_DISCONNECTED') throw endedMeanwhile(error);
    if (codeOf(error) === 'RPC_DEADLINE') throw notAnswering(deadlineMs, error);
    throw error;
  } finally {
    client.close();
  }
}

/** Whether the job has gone, with its socket, before a deadline. */
export async function hasEnded(env: ClientEnv, socket: FoundSocket): Promise<boolean> {
  const endsAtMs = env.clock.mono() + endWaitMs;
  while (env.clock.mono() < endsAtMs) {
    try {
      const call = { method: jobMethods.describe, deadlineMs: endLookDeadlineMs };
      await askJob<JobDescription>(env, socket, call);
    } catch (error) {
      if (codeOf(error) === 'JOB_NOT_RUNNING') return true;
      throw error;
    }
    await env.timers.sleep(endLookEveryMs);
  }
  return false;
}

/** Null when nobody listens any more; the socket is removed then. */
async function describe(env: ClientEnv, socket: FoundSocket): Promise<RunningJob | null> {
  try {
    const call = { method: jobMethods.describe, deadlineMs: describeDeadlineMs };
    return { socket, description: await askJob<JobDescription>(env, socket, call) };
  } catch (error) {
    if (isDead(error)) {
      removeSocket(socket.path);
      return null;
    }
    // It ends just now, and took its socket with it.
    if (codeOf(error) === 'JOB_NOT_RUNNING') return null;
    return { socket, description: null };
  }
}

/** Whether the system says that nobody listens, which it does at once. */
function isDead(error: unknown): boolean {
  if (!(error instanceof TypedError)) return false;
  return error.info.details?.systemCode === 'ECONNREFUSED' || isDead(error.cause);
}

function endedMeanwhile(cause: unknown): TypedError {
  return typedError('JOB_NOT_RUNNING', 'the job has ended while it was asked', {
    hint: 'Its own millrace run says how it ended; millrace list shows what runs now.',
    cause,
  });
}

function notAnswering(deadlineMs: number, cause: unknown): TypedError {
  return typedError('JOB_NOT_ANSWERING', `the job did not answer within ${deadlineMs} ms`, {
    hint: 'Its process is stopped, or busy with something else: look at it with the tools of the system.',
    retryable: true,
    cause,
  });
}

function notRunning(wanted: string, jobs: readonly RunningJob[]): TypedError {
  const names = jobs.flatMap(({ description }) => (description ? [textOf(description)] : []));
  const hint =
    names.length === 0
      ? 'No job of this user runs on this machine: start it with millrace run.'
      : `What runs: ${names.join(', ')}. millrace list says more.`;
  return typedError('JOB_NOT_RUNNING', `no job "${wanted}" runs on this machine`, { hint });
}

function ambiguous(
  wanted: string,
  jobs: readonly { readonly description: JobDescription }[],
): TypedError {
  const ids = jobs.map(({ description: { id, pid } }) => `"${id}" (process ${pid})`);
  const message = `${jobs.length} jobs named "${wanted}" run on this machine`;
  return typedError('JOB_AMBIGUOUS', message, { hint: `Name one by its id: ${ids.join(', ')}.` });
}

function textOf({ name, id }: JobDescription): string {
  return id === null ? `"${name}"` : `"${name}" (${id})`;
}
