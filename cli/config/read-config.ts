/**
 * Reads the configuration: flags before the environment before the file before defaults, key by key. Each layer is checked as a
 * whole, so that a mistake is told where it was made, also where another layer has a better value.
 *
 *     flags         --slots 2                       of the command's own keys
 *     environment   MILLRACE_WORKER_SLOTS=2         empty is not set
 *     file          millrace.config.json            --config or MILLRACE_CONFIG name another
 *     defaults      one for each core
 *
 * Before: cli/config/config-keys.ts. After: cli/config/config-schema.ts.
 */

import { typedError } from '../../base/typed-error.ts';
import type { CliEnv } from '../cli-env.ts';
import { slotBytesMax, slotBytesMin } from '../engine-flags.ts';
import type { Config, Setting, TlsFiles } from './config.ts';
import { configDefaults } from './config-defaults.ts';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { fileIssue, flagIssue, unknownVariable, variableIssue } from './config-issue.ts';
import {
  type ConfigKey,
  type ConfigRole,
  configKeyNames,
  flagOf,
  variableOf,
} from './config-keys.ts';
import { checkLayer } from './config-schema.ts';

/** By name, as commander has them: a text, or true for a flag that takes none. */
export type GivenFlags = Readonly<Record<string, string | true | undefined>>;

export type ReadsConfigFrom = Pick<
  CliEnv,
  'variables' | 'workingFolder' | 'memoryBytes' | 'process'
>;

type Value = string | number | readonly string[];

interface Found {
  readonly value: Value;
  readonly origin: string;
}

/**
 * The configuration for a command of this role.
 *
 * @param flags - Those that `configFlags(role)` has declared; others are left alone.
 * @throws CONFIG_FILE, CONFIG_INCOMPLETE, CONFIG_KEY_NOT_FOUND, CONFIG_VALUE, FLAG_VALUE
 */
export async function readConfig(
  env: ReadsConfigFrom,
  { role, flags }: { readonly role: ConfigRole; readonly flags: GivenFlags },
): Promise<Config> {
  const named = flags.config ?? env.variables.MILLRACE_CONFIG;
  const file = await readConfigFile(
    env,
    typeof named === 'string' && named !== '' ? named : undefined,
  );
  const layers = [
    flagLayer(env, flags, role),
    variableLayer(env),
    ...(file === null ? [] : [fileLayer(file)]),
  ];
  const found = (key: ConfigKey) => layers.find((layer) => layer.has(key))?.get(key);
  return configOf(env, found);
}

function configOf(env: ReadsConfigFrom, found: (key: ConfigKey) => Found | undefined): Config {
  const given = <T extends Value>(key: ConfigKey) => found(key)?.value as T | undefined;
  const defaults = configDefaults(env, {
    slots: given<number>('worker.slots'),
    hasEtcd: found('coordinator.etcd') !== undefined,
  });
  const settings: Setting[] = configKeyNames.map((key) => {
    const { value, origin } = found(key) ?? { value: defaults[key], origin: 'default' };
    return { key, value, origin };
  });
  const settingOf = (key: ConfigKey) =>
    settings.find((setting) => setting.key === key)?.value ?? null;
  const text = (key: ConfigKey) => settingOf(key) as string;
  const texts = (key: ConfigKey) => settingOf(key) as readonly string[];
  const config: Config = {
    coordinator: {
      listen: text('coordinator.listen'),
      data: text('coordinator.data'),
      name: text('coordinator.name'),
      metadata: text('coordinator.metadata') as 'file' | 'etcd',
      etcd: texts('coordinator.etcd') ?? [],
    },
    worker: {
      coordinator: texts('worker.coordinator'),
      listen: text('worker.listen'),
      data: text('worker.data'),
      name: text('worker.name'),
      slots: settingOf('worker.slots') as number,
      memoryBytes: settingOf('worker.memory') as number,
    },
    cluster: texts('cluster'),
    tls: tlsOf(text),
    settings,
  };
  return checkedTogether(config);
}

function tlsOf(text: (key: ConfigKey) => string | null): TlsFiles | null {
  const files = {
    authority: text('tls.authority'),
    certificate: text('tls.certificate'),
    key: text('tls.key'),
  };
  const names = Object.keys(files) as (keyof TlsFiles)[];
  const missing = names.filter((one) => files[one] === null);
  if (missing.length === names.length) return null;
  if (missing.length === 0) return files as TlsFiles;
  throw typedError(
    'CONFIG_INCOMPLETE',
    `tls needs ${missing.map((one) => `"${one}"`).join(' and ')}, too`,
    {
      hint: 'Give all of tls.authority, tls.certificate and tls.key, or none of them for plain connections on this host.',
    },
  );
}

/** What no key can say alone. */
function checkedTogether(config: Config): Config {
  const { coordinator, worker, settings } = config;
  const originOf = (key: ConfigKey) => settings.find((one) => one.key === key)?.origin;
  if (coordinator.metadata === 'etcd' && coordinator.etcd.length === 0) {
    throw typedError('CONFIG_INCOMPLETE', 'metadata is in etcd, and no address of etcd is given', {
      hint: 'Give coordinator.etcd as well: --etcd http://127.0.0.1:2379, for example.',
    });
  }
  const leastBytes = worker.slots * slotBytesMin;
  if (worker.memoryBytes < leastBytes) {
    const leastText = `${leastBytes / 1024 ** 2}MB`;
    throw typedError(
      'CONFIG_VALUE',
      `worker.memory (${originOf('worker.memory')}) is too little for ${worker.slots} slots`,
      {
        hint: `The size is for all slots together, at least 32MB each: give ${leastText} or more, or fewer slots.`,
      },
    );
  }
  const memoryBytes = Math.min(worker.memoryBytes, worker.slots * slotBytesMax);
  return { ...config, worker: { ...worker, memoryBytes } };
}

function flagLayer(env: ReadsConfigFrom, flags: GivenFlags, role: ConfigRole) {
  const texts = new Map<ConfigKey, string>();
  for (const key of configKeyNames) {
    const flag = flagOf(key, role);
    const value = flag === null ? undefined : flags[camelCaseOf(flag)];
    if (typeof value === 'string') texts.set(key, value);
  }
  return textLayer(texts, {
    folder: env.workingFolder,
    originOf: (key) => flagOf(key, role) ?? key,
    issueOf: (key) => flagIssue(flagOf(key, role) ?? key, key, texts.get(key) ?? ''),
  });
}

function variableLayer(env: ReadsConfigFrom) {
  const unknown = unknownVariable(Object.keys(env.variables));
  if (unknown !== null) throw unknown;
  const texts = new Map<ConfigKey, string>();
  for (const key of configKeyNames) {
    const value = env.variables[variableOf(key)];
    if (value !== undefined && value !== '') texts.set(key, value);
  }
  return textLayer(texts, {
    folder: env.workingFolder,
    originOf: variableOf,
    issueOf: (key) => variableIssue(variableOf(key), key, texts.get(key) ?? ''),
  });
}

function textLayer(
  texts: ReadonlyMap<ConfigKey, string>,
  about: {
    readonly folder: string;
    readonly originOf: (key: ConfigKey) => string;
    readonly issueOf: (key: ConfigKey) => Error;
  },
): ReadonlyMap<ConfigKey, Found> {
  const check = checkLayer(treeOf(texts), about.folder);
  if (check.issue !== null) throw about.issueOf(keyOf(check.issue.path));
  return foundIn(check.values, about.originOf);
}

function fileLayer(file: ConfigFile): ReadonlyMap<ConfigKey, Found> {
  const check = checkLayer(file.tree, file.folder);
  if (check.issue !== null) throw fileIssue(file, check.issue);
  return foundIn(check.values, (key) => `${file.name}:${file.places.get(key)?.line ?? 1}`);
}

function foundIn(values: object, originOf: (key: ConfigKey) => string) {
  const found = new Map<ConfigKey, Found>();
  for (const key of configKeyNames) {
    const value = valueAt(values, key);
    if (value !== undefined) found.set(key, { value: value as Value, origin: originOf(key) });
  }
  return found;
}

function valueAt(values: object, key: ConfigKey): unknown {
  let value: unknown = values;
  for (const part of key.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return value;
}

function treeOf(texts: ReadonlyMap<ConfigKey, string>): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [key, text] of texts) {
    const [section = '', last] = key.split('.');
    if (last === undefined) tree[section] = text;
    else tree[section] = { ...(tree[section] as object | undefined), [last]: text };
  }
  return tree;
}

/** The key that a path of the schema is in: a list's element belongs to its list. */
function keyOf(path: readonly string[]): ConfigKey {
  const [section = '', last = ''] = path;
  return (section === 'cluster' ? section : `${section}.${last}`) as ConfigKey;
}

/** `--tls-key` → `tlsKey`, as commander has it. */
function camelCaseOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
