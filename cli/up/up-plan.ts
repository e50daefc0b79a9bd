/** Which processes `millrace up` starts, with which flags: workers by the cores of the machine, each with a folder of its own. */
import { join } from 'node:path';
import { anyPortOf } from '../../base/env/socket-address.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Config, TlsFiles } from '../config/config.ts';
import { memoryBytesOf } from '../engine-flags.ts';
import type { ClusterRole } from './local-cluster.ts';
import type { TlsRole } from './private-authority.ts';

export interface UpPlan {
  readonly coordinator: ClusterRole;
  readonly workers: readonly ClusterRole[];
  readonly slots: number;
}

export interface UpPlanRequest {
  readonly cores: number;
  readonly memoryBytes: number;
  /** What was asked for; undefined: by cores. */
  readonly workers: number | undefined;
  readonly config: Pick<Config, 'coordinator' | 'worker' | 'settings'>;
  /** Absolute. */
  readonly data: string;
  /** By role; null for plain connections. */
  readonly tls: Readonly<Record<TlsRole, TlsFiles>> | null;
}

const workersMax = 64;
/** Where a machine has them: losing one worker is not losing all. */
const workersMin = 2;
const coresOfWorker = 4;

/** @throws FLAG_VALUE */
export function parseWorkers(text: string | true | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d+$/.test(String(text)) ? Number(text) : 0;
  if (count >= 1 && count <= workersMax) return count;
  throw typedError(
    'FLAG_VALUE',
    `--workers: "${text}" is not a whole number from 1 to ${workersMax}`,
    {
      hint: 'Write --workers 2, for example; each worker has --slots of its own.',
    },
  );
}

export function planUp({ cores, memoryBytes, workers, config, data, tls }: UpPlanRequest): UpPlan {
  const isGiven = (key: string) =>
    config.settings.some((one) => one.key === key && one.origin !== 'default');
  const count = workers ?? workersByCores(cores);
  const slots = isGiven('worker.slots')
    ? config.worker.slots
    : Math.max(1, Math.floor(cores / count));
  const bytes = isGiven('worker.memory')
    ? config.worker.memoryBytes
    : memoryBytesOf(undefined, slots, { memoryBytes: memoryBytes / count });
  const { listen } = config.coordinator;
  const coordinator = roleOf('coordinator', data, () => [
    ...['coordinator', '--listen', listen, '--data', join(data, 'coordinator')],
    ...tlsFlags(tls?.coordinator),
  ]);
  const worker = (name: string) =>
    roleOf(name, data, (address) => [
      ...['worker', '--coordinator', address, '--listen', anyPortOf(listen)],
      ...['--data', join(data, name), '--name', name],
      ...['--slots', String(slots), '--memory', String(bytes)],
      ...tlsFlags(tls?.worker),
    ]);
  const names = Array.from({ length: count }, (_, index) => `worker-${index + 1}`);
  return { coordinator, workers: names.map(worker), slots };
}

export function workersByCores(cores: number): number {
  return Math.min(cores, workersMax, Math.max(workersMin, Math.round(cores / coresOfWorker)));
}

function roleOf(
  name: string,
  data: string,
  args: (address: string) => readonly string[],
): ClusterRole {
  return {
    name,
    args: (address) => [...args(address), '--json'],
    logFile: join(data, 'logs', `${name}.log`),
  };
}

function tlsFlags(files: TlsFiles | undefined): string[] {
  if (files === undefined) return [];
  const { authority, certificate, key } = files;
  return ['--tls-authority', authority, '--tls-certificate', certificate, '--tls-key', key];
}
