/** Processes of a cluster that another process has started: waited for, and ended, but never another one of the same number. */
import { systemCodeOf } from '../../base/env/disk-error.ts';
import { typedError } from '../../base/typed-error.ts';
import type { CliEnv } from '../cli-env.ts';

export interface KnownProcess {
  readonly name: string;
  readonly pid: number;
  readonly identity: string;
}

type ProcessEnv = Pick<CliEnv, 'clock' | 'timers' | 'process'>;

const lookEveryMs = 50;
/** What was killed is gone at once, or hangs in the system. */
const killedWithinMs = 5_000;

/** Those that have not ended by then. */
async function awaitEnd(
  env: ProcessEnv,
  processes: readonly KnownProcess[],
  withinMs: number,
): Promise<readonly KnownProcess[]> {
  const untilMs = env.clock.mono() + withinMs;
  while (true) {
    const left = processes.filter(({ identity }) => !env.process.hasEnded(identity));
    if (left.length === 0 || env.clock.mono() >= untilMs) return left;
    await env.timers.sleep(lookEveryMs);
  }
}

/** Waits for processes to end by themselves, and kills those that do not. @throws CLUSTER_NOT_ENDED */
export async function endProcesses(
  env: ProcessEnv,
  processes: readonly KnownProcess[],
  withinMs: number,
): Promise<void> {
  const left = await awaitEnd(env, processes, withinMs);
  for (const one of left) signalProcess(env, one, 'SIGKILL');
  const [stuck] = await awaitEnd(env, left, killedWithinMs);
  if (stuck !== undefined) throw notEndedError(stuck, 'it was killed, and is still there');
}

/** @throws CLUSTER_NOT_ENDED */
export function signalProcess(
  env: Pick<CliEnv, 'process'>,
  one: KnownProcess,
  signal: 'SIGTERM' | 'SIGKILL',
): void {
  if (hostOf(one.identity) !== hostOf(env.process.identity)) {
    throw notEndedError(one, 'it was started on another host, or in another container');
  }
  // Without its start nobody can tell it from a later one of the same number.
  if (one.identity.endsWith('_0'))
    throw notEndedError(one, 'this system does not say when it began');
  if (env.process.hasEnded(one.identity)) return;
  try {
    process.kill(one.pid, signal);
  } catch (error) {
    if (systemCodeOf(error) === 'ESRCH') return;
    throw notEndedError(one, systemCodeOf(error));
  }
}

/** Without process and start. */
function hostOf(identity: string): string {
  return identity.replace(/_\d+_\d+$/, '');
}

function notEndedError({ name, pid }: KnownProcess, reason: string) {
  return typedError('CLUSTER_NOT_ENDED', `process ${pid} (${name}) can not be ended: ${reason}`, {
    hint: 'End it by Ctrl-C in its terminal, or where it was started, as the user who started it.',
    details: { pid },
  });
}
