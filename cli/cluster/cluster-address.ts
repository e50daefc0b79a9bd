/**
 * Which cluster a command is about: what `--cluster` says, else MILLRACE_CLUSTER of the environment. Several addresses are
 * those of its coordinators, of which one leads.
 *
 * Before: cli/control/control-command.ts. After: cli/cluster/cluster-client.ts.
 */
import type { Address } from '../../base/env/net.ts';
import { typedError } from '../../base/typed-error.ts';
import type { CliEnv } from '../cli-env.ts';

export const clusterFlag = {
  flag: '--cluster <host:port>',
  description: 'of a cluster: its coordinator, or several with commas (default MILLRACE_CLUSTER)',
} as const;

/** Null where there is none: what is meant runs on this machine. @throws FLAG_VALUE */
export function clusterOf(
  { variables }: Pick<CliEnv, 'variables'>,
  given: unknown,
): readonly Address[] | null {
  const [name, text] =
    given === undefined
      ? ['MILLRACE_CLUSTER', variables.MILLRACE_CLUSTER ?? '']
      : ['--cluster', String(given)];
  if (given === undefined && text === '') return null;
  const addresses = text.split(',').map((part) => part.trim());
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong === undefined) return addresses;
  throw typedError('FLAG_VALUE', `${name}: "${wrong}" is no address`, {
    hint: 'Write host:port of a coordinator, for example --cluster 127.0.0.1:7070.',
  });
}

/** @throws ARGUMENT_MISSING */
export function clusterNeeded(verb: string, addresses: readonly Address[] | null) {
  if (addresses !== null) return addresses;
  throw typedError('ARGUMENT_MISSING', `"millrace ${verb}" needs --cluster`, {
    hint: 'For example --cluster 127.0.0.1:7070, or MILLRACE_CLUSTER in the environment; millrace up starts a cluster on this machine.',
  });
}

function isAddress(text: string): boolean {
  if (/^(?:unix|memory):./.test(text)) return true;
  const port = Number(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/]+):(\d{1,5})$/.exec(text)?.[1] ?? 0);
  return port > 0 && port < 65_536;
}
