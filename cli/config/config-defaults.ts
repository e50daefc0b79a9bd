/** What the configuration is where nobody has said anything. */
import { resolve } from 'node:path';
import type { CliEnv } from '../cli-env.ts';
import { memoryBytesOf } from '../engine-flags.ts';
import type { Setting } from './config.ts';
import type { ConfigKey } from './config-keys.ts';

/** The port of coordinators. */
const coordinatorAddressDefault = '127.0.0.1:7070';
const slotsMax = 128;

/** @param given - What some defaults follow from. */
export function configDefaults(
  env: Pick<CliEnv, 'workingFolder' | 'memoryBytes' | 'process'>,
  given: { readonly slots: number | undefined; readonly hasEtcd: boolean },
): Readonly<Record<ConfigKey, Setting['value']>> {
  const slots = given.slots ?? Math.min(env.process.cores, slotsMax);
  const folder = (name: string) => resolve(env.workingFolder, 'millrace-data', name);
  return {
    'coordinator.listen': coordinatorAddressDefault,
    'coordinator.data': folder('coordinator'),
    'coordinator.name': null,
    'coordinator.metadata': given.hasEtcd ? 'etcd' : 'file',
    'coordinator.etcd': null,
    'worker.coordinator': [coordinatorAddressDefault],
    'worker.listen': '127.0.0.1:0',
    'worker.data': folder('worker'),
    'worker.name': null,
    'worker.slots': slots,
    'worker.memory': memoryBytesOf(undefined, slots, env),
    cluster: null,
    'tls.authority': null,
    'tls.certificate': null,
    'tls.key': null,
  };
}
