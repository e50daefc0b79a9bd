/**
 * `millrace up`: a cluster on this machine, of a coordinator and workers, each a process of its own; until Ctrl-C or `millrace down`.
 * Off this host it makes an authority of its own, and all connections are TLS.
 *
 * Before: cli/main.ts. After: cli/up/up-plan.ts, cli/up/local-cluster.ts.
 */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { toDiskError } from '../../base/env/disk-error.ts';
import { processIdentityOf } from '../../base/env/real-process.ts';
import { isOnThisHost, parseHostAddress } from '../../base/env/socket-address.ts';
import { toWire, typedError } from '../../base/typed-error.ts';
import type { CliEnv } from '../cli-env.ts';
import type { Config, TlsFiles } from '../config/config.ts';
import { configFlags } from '../config/config-keys.ts';
import {
  type ControlCommand,
  type ControlRequest,
  readControlCommand,
} from '../control/control-command.ts';
import { shortPath } from '../error-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { type StartChild, startChild } from '../up/child-process.ts';
import { LocalCluster } from '../up/local-cluster.ts';
import { prepareAuthority, writePrivateFile } from '../up/private-authority.ts';
import { endProcesses } from '../up/processes.ts';
import { readyJson, readyText } from '../up/ready-text.ts';
import { removeUpFile, takeUpFile, type UpState, writeUpFile } from '../up/up-file.ts';
import { parseWorkers, planUp, type UpPlan } from '../up/up-plan.ts';

export const dataFlag = {
  flag: '--data <folder>',
  description: 'folder of the cluster (default millrace-data)',
};
const dataDefault = 'millrace-data';
/** Children of a process that was killed end by themselves within ten seconds. */
const leftEndWithinMs = 12_000;

const options: ControlCommand = {
  verb: 'up',
  description: 'Starts a cluster on this machine, and runs it until it is ended.',
  words: [],
  flags: [
    { flag: '--workers <count>', description: 'workers to start (default by cores)' },
    dataFlag,
    { flag: '--tls', description: 'TLS on this host, too, with an authority of its own' },
    { flag: '--detach', description: 'come back when it is ready; millrace down ends it' },
    ...configFlags('up'),
  ],
  examples: [
    'millrace up',
    'millrace up --workers 2 --slots 2 --data cluster-1',
    'millrace up --detach',
  ],
  notes:
    'A process that ends is started again. Ctrl-C, SIGTERM and millrace down end all of it. Where --listen is not on this host, connections are TLS: certificates are in DATA/tls.',
};

export async function upCommand(
  env: CliEnv,
  args: readonly string[],
  start: StartChild = startChild,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  if (request.flags.detach === true) {
    const { upDetached } = await import('../up/detached.ts');
    return await upDetached(env, { args, data: dataOf(env, request), isJson: request.isJson });
  }
  const { readConfig } = await import('../config/read-config.ts');
  const config = await readConfig(env, { role: 'up', flags: request.flags });
  const workers = parseWorkers(request.flags.workers);
  const data = dataOf(env, request);
  const left = takeFolder(env, data);
  try {
    await endProcesses(env, left, leftEndWithinMs);
    const tls = authorityOf(env, { config, data, isWanted: request.flags.tls === true });
    const { process, memoryBytes } = env;
    const plan = planUp({ cores: process.cores, memoryBytes, workers, config, data, tls });
    return await runCluster(env, {
      plan,
      start,
      data,
      config,
      request,
      clientFiles: tls?.client ?? null,
    });
  } finally {
    removeUpFile(data);
  }
}

export function dataOf(
  { workingFolder }: Pick<CliEnv, 'workingFolder'>,
  { flags }: ControlRequest,
) {
  return resolve(workingFolder, String(flags.data ?? dataDefault));
}

/** Makes the folder this process's own; answers with what another one has left. @throws CLUSTER_IS_UP */
function takeFolder(env: CliEnv, data: string): UpState['processes'] {
  const taken = takeUpFile(env, data, { ...ownState(env), address: null, processes: [] });
  if (taken.isOwn) return taken.left;
  const { address, pid } = taken.by;
  const where = address === null ? 'is starting' : `is up at ${address}`;
  throw typedError(
    'CLUSTER_IS_UP',
    `the cluster of "${shortPath(data, env.workingFolder)}" ${where}, process ${pid}`,
    {
      hint: 'Use it, end it with millrace down, or start another one with another --data and --listen.',
      details: { pid },
    },
  );
}

function ownState(env: CliEnv) {
  return { identity: env.process.identity, pid: process.pid };
}

/** Null for plain connections, or where the configuration has certificates. */
function authorityOf(
  env: CliEnv,
  about: { readonly config: Config; readonly data: string; readonly isWanted: boolean },
) {
  const { config, data, isWanted } = about;
  const { listen } = config.coordinator;
  const folder = join(data, 'tls');
  const { tls: given } = config;
  // A client's configuration, as `up` has made it, is no wish for other certificates.
  const isGiven = given !== null && given.authority !== join(folder, 'authority.pem');
  if (isGiven || (given === null && !isWanted && isOnThisHost(listen))) return null;
  const target = parseHostAddress(listen);
  const own = ['localhost', '127.0.0.1', '::1', hostname()];
  const hosts = [...new Set('path' in target ? own : [...own, target.host])];
  try {
    return prepareAuthority({ folder, hosts, nowMs: env.clock.wall() });
  } catch (error) {
    throw toDiskError(error, data);
  }
}

interface UpRun {
  readonly plan: UpPlan;
  readonly start: StartChild;
  readonly data: string;
  readonly config: Config;
  readonly request: ControlRequest;
  /** What clients show, where the cluster has an authority of its own. */
  readonly clientFiles: TlsFiles | null;
}

async function runCluster(env: CliEnv, run: UpRun): Promise<ExitCode> {
  const { plan, start, data, config } = run;
  const startedAtMs = env.clock.mono();
  const asked = Promise.withResolvers<void>();
  const interrupt = onInterrupt(env, () => asked.resolve());
  const say = (text: string) => env.stderr.write(`${text}\n`);
  const note = () => {
    const processes = cluster.processes.map((one) => ({
      ...one,
      identity: processIdentityOf(one.pid),
    }));
    writeUpFile(data, { ...ownState(env), address: cluster.address, processes });
  };
  const cluster: LocalCluster = new LocalCluster(env, {
    ...{ coordinator: plan.coordinator, workers: plan.workers, listen: config.coordinator.listen },
    ...{ startChild: start, say, onChange: () => noteOrSay(note, say) },
  });
  try {
    makeFolder(join(data, 'logs'));
    const started = cluster.start();
    await Promise.race([started, asked.promise]);
    if (!interrupt.isRequested) {
      note();
      writeClientFile(run, cluster.address);
      tellReady(env, run, { cluster, readyMs: env.clock.mono() - startedAtMs });
      await asked.promise;
    }
    say('the cluster is ending');
    // A start that is ended fails, which is no news.
    started.catch(() => undefined);
    return exitCodes.done;
  } finally {
    await cluster.end();
    interrupt.stop();
  }
}

/** A disk that is full costs what is noted, not the cluster: down then waits less well, and no more. */
function noteOrSay(note: () => void, say: (text: string) => void): void {
  try {
    note();
  } catch (error) {
    say(`which processes there are could not be noted: ${toWire(error).message}`);
  }
}

function clientFileOf(data: string): string {
  return join(data, 'tls', 'client.json');
}

/** A configuration with which commands reach the cluster. */
function writeClientFile({ data, clientFiles: tls }: UpRun, cluster: string): void {
  if (tls === null) return;
  writePrivateFile(clientFileOf(data), `${JSON.stringify({ cluster, tls }, null, 2)}\n`);
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw toDiskError(error, path);
  }
}

function tellReady(
  env: CliEnv,
  { plan, data, request, clientFiles }: UpRun,
  { cluster, readyMs }: { readonly cluster: LocalCluster; readonly readyMs: number },
): void {
  const { address, processes } = cluster;
  const ready = {
    ...{ address, processes, readyMs, data },
    ...{ workers: plan.workers.length, slots: plan.slots },
  };
  if (request.isJson) env.stdout.write(readyJson(ready));
  else {
    const folder = shortPath(data, env.workingFolder);
    const isDefault = folder === dataDefault;
    const clientFile = clientFiles === null ? null : clientFileOf(data);
    env.stderr.write(readyText(ready, { folder, isDefault, clientFile }));
  }
}
