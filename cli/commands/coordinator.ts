/**
 * `millrace coordinator`: the coordinator of a cluster, until a signal ends it. Jobs go on without it for as long as their workers'
 * leases last; what the next one has to know is on disk, or in etcd.
 *
 * Before: cli/main.ts. After: cli/cluster/start-coordinator.ts.
 */
import { hostname } from 'node:os';
import type { CliEnv } from '../cli-env.ts';
import { configFlags } from '../config/config-keys.ts';
import { readTls } from '../config/configured-client.ts';
import { type ControlCommand, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';

const options: ControlCommand = {
  verb: 'coordinator',
  description: 'Runs the coordinator of a cluster, until it is ended.',
  words: [],
  flags: configFlags('coordinator'),
  examples: [
    'millrace coordinator --listen 127.0.0.1:7070 --data millrace-data/coordinator',
    'millrace coordinator --listen 127.0.0.1:7071 --data shared/ --etcd http://127.0.0.1:2379',
  ],
  notes:
    'Workers and clients reach it where it listens. With --etcd several of one cluster may run, with one --data between them: one leads, and ' +
    'another takes over within 5 s of its end. millrace config shows where each value comes from.',
};

export async function coordinatorCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { readConfig } = await import('../config/read-config.ts');
  const config = await readConfig(env, { role: 'coordinator', flags: request.flags });
  const { listen, data, etcd } = config.coordinator;
  const tls = await readTls(env, config.tls);
  const name = config.coordinator.name ?? `${hostname()}-${listen}`;
  const say = (text: string) => env.stderr.write(`coordinator ${name}: ${text}\n`);
  const { startCoordinatorProcess } = await import('../cluster/start-coordinator.ts');
  const { createRealEnv } = await import('../../base/env/real-env.ts');
  const role = await startCoordinatorProcess(createRealEnv({ events: env.isDebug, tls }), {
    ...{ name, listen, data, etcd },
    onLeading: (term) => say(term === null ? 'does not lead any more' : `leads, term ${term}`),
  });
  say(`listens on ${role.address}`);
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ status: 'listening', name, address: role.address })}\n`);
  }
  await new Promise<void>((resolve) => {
    const interrupt = onInterrupt(env, () => {
      say('ends');
      void role.stop().finally(() => {
        interrupt.stop();
        resolve();
      });
    });
  });
  return exitCodes.done;
}
