/**
 * What the configuration says of the cluster that commands talk to, as variables of the environment: those are what the commands
 * read. Where there is neither a file nor a variable for TLS nothing is loaded, so commands about this machine start as fast as ever.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-address.ts, cli/config/read-config.ts.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TlsCertificates } from '../../base/env/tls-certificates.ts';
import type { CliEnv } from '../cli-env.ts';
import type { TlsFiles } from './config.ts';
import { configFileName } from './config-file-name.ts';
import { type ConfigKey, variableOf } from './config-keys.ts';

/** The same surroundings, with the variables that the configuration comes to. @throws as readConfig does */
export async function configuredClient(env: CliEnv): Promise<CliEnv> {
  const { variables } = env;
  const isSet = (name: string) => (variables[name] ?? '') !== '';
  const hasFile =
    isSet('MILLRACE_CONFIG') || existsSync(resolve(env.workingFolder, configFileName));
  if (!hasFile && !tlsKeys.some((key) => isSet(variableOf(key)))) return env;
  const { readConfig } = await import('./read-config.ts');
  const { cluster, tls } = await readConfig(env, { role: 'client', flags: {} });
  const found: Partial<Record<ConfigKey, string>> = {
    ...(cluster !== null && { cluster: cluster.join(',') }),
    ...(tls !== null && {
      ...{ 'tls.authority': tls.authority, 'tls.certificate': tls.certificate },
      'tls.key': tls.key,
    }),
  };
  const entries = Object.entries(found) as [ConfigKey, string][];
  const more = Object.fromEntries(entries.map(([key, value]) => [variableOf(key), value]));
  return { ...env, variables: { ...variables, ...more } };
}

/** Of surroundings that `configuredClient` has made; null for plain connections. */
export function clientTls({ variables }: Pick<CliEnv, 'variables'>): TlsFiles | null {
  const [authority = '', certificate = '', key = ''] = tlsKeys.map(
    (one) => variables[variableOf(one)],
  );
  return key === '' ? null : { authority, certificate, key };
}

/** Undefined for plain connections. @throws TLS_CERTIFICATE, TLS_FILE */
export async function readTls(
  { clock }: Pick<CliEnv, 'clock'>,
  files: TlsFiles | null,
): Promise<TlsCertificates | undefined> {
  if (files === null) return undefined;
  const { readTlsCertificates } = await import('../../base/env/tls-certificates.ts');
  return readTlsCertificates(files, clock.wall());
}

const tlsKeys = ['tls.authority', 'tls.certificate', 'tls.key'] as const satisfies ConfigKey[];
