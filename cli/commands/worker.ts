/**
 * `millrace worker`: offers slots of this machine to a cluster, until it is told to stop. The process is the worker's supervisor;
 * jobs run in processes of their own below it.
 *
 * Before: cli/main.ts. After: worker/supervisor/supervisor.ts, cli/cluster/process-launcher.ts.
 */
import { hostname } from 'node:os';
import { anyPortOf, isOnThisHost } from '../../base/env/socket-address.ts';
import { TypedError, toWire } from '../../base/typed-error.ts';
import type { SupervisorChange } from '../../worker/supervisor/supervisor.ts';
import type { CliEnv } from '../cli-env.ts';
import { configFlags } from '../config/config-keys.ts';
import { readTls } from '../config/configured-client.ts';
import { type ControlCommand, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';

const options: ControlCommand = {
  verb: 'worker',
  description: 'Offers slots of this machine to a cluster, until it is stopped.',
  words: [],
  flags: configFlags('worker'),
  examples: [
    'millrace worker --coordinator 127.0.0.1:7070 --slots 2 --data worker-1',
    'millrace worker --coordinator 127.0.0.1:7070,127.0.0.1:7071',
  ],
  notes:
    'It may start before the coordinator: it asks until one answers. SIGTERM and Ctrl-C say goodbye to the coordinator first, and jobs ' +
    'with checkpoints go on elsewhere. Two workers of one machine need a folder each.',
};

export async function workerCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [{ readConfig }, { createRealEnv }, { createProcessLauncher }, { startSupervisor }] =
    await Promise.all([
      import('../config/read-config.ts'),
      import('../../base/env/real-env.ts'),
      import('../cluster/process-launcher.ts'),
      import('../../worker/supervisor/supervisor.ts'),
    ]);
  const { worker, tls: files } = await readConfig(env, { role: 'worker', flags: request.flags });
  const tls = await readTls(env, files);
  const { slots, memoryBytes, coordinator: coordinators, listen: address, data: dataDir } = worker;
  const workerId = worker.name ?? nameOf(process.pid);
  const stopped = Promise.withResolvers<unknown>();
  const onChange = changeTeller(env, {
    ...{ workerId, slots, coordinators, isJson: request.isJson },
    fail: stopped.resolve,
  });
  const interrupt = onInterrupt(env, () => stopped.resolve(null));
  const launcher = createProcessLauncher(env, { slots, tls });
  try {
    const supervisor = await startSupervisor(createRealEnv({ events: env.isDebug, tls }), {
      ...{ workerId, address, coordinators, slots, memoryBytes, dataDir, launcher, onChange },
      ...(!isOnThisHost(address) && { executorListen: anyPortOf(address) }),
    });
    const error = await stopped.promise;
    env.stderr.write(`worker ${workerId}: stopping\n`);
    await supervisor.stop();
    if (error !== null) throw error;
    return exitCodes.done;
  } finally {
    await launcher.close();
    interrupt.stop();
  }
}

/** By host and process, in letters that names may have. */
function nameOf(pid: number): string {
  const host = hostname().split('.')[0] ?? '';
  return `${host.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${pid}`;
}

interface Telling {
  readonly workerId: string;
  readonly slots: number;
  readonly coordinators: readonly string[];
  readonly isJson: boolean;
  /** The worker can't go on. */
  readonly fail: (error: unknown) => void;
}

/** Says what a person has to know, and each of it once. */
export function changeTeller(
  { stdout, stderr }: Pick<CliEnv, 'stdout' | 'stderr'>,
  { workerId, slots, coordinators, isJson, fail }: Telling,
): (change: SupervisorChange) => void {
  let told = '';
  const say = (text: string) => {
    if (text !== told) stderr.write(`worker ${workerId}: ${text}\n`);
    told = text;
  };
  return (change) => {
    switch (change.kind) {
      case 'joined':
        say(`${slots} ${slots === 1 ? 'slot' : 'slots'}, registered with ${change.coordinator}`);
        if (isJson)
          stdout.write(
            `${JSON.stringify({ worker: workerId, slots, coordinator: change.coordinator })}\n`,
          );
        return;
      case 'ended':
        say(`${endings[change.reason]}; what ran here was ended`);
        return;
      case 'refused':
        say('a worker of that name is there, or was a moment ago: asking again');
        return;
      case 'notJoined':
        if (isForGood(change.error)) fail(change.error);
        else
          say(
            `no coordinator at ${coordinators.join(', ')}: asking again (${reasonOf(change.error)})`,
          );
    }
  };
}

const endings = {
  expired: 'no coordinator has answered for too long',
  fenced: 'the coordinator has given this worker up',
  replaced: 'the coordinator has given this worker up',
} as const;

/** Another version, say: asking again is no help. */
function isForGood(error: unknown): boolean {
  return error instanceof TypedError && error.info.kind === 'user';
}

function reasonOf(error: unknown): string {
  const { message, cause } = toWire(error);
  return cause?.message ?? message;
}
