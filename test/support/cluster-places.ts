/** Processes of a cluster on hosts of their own: where each runs and listens, and the certificates it shows. */
import { join } from 'node:path';
import { prepareAuthority, type TlsRole } from '../../cli/up/private-authority.ts';
import { HostNetwork } from './host-network.ts';

export interface ClusterPlaces {
  /** Of the host that a process is on, by its name. */
  addressOf(name: string): string;
  /** The command that runs a command there. */
  within(name: string): readonly string[];
  /** Variables that name the files of a role. */
  certificates(role: TlsRole): Readonly<Record<string, string>>;
}

export interface HostedPlaces extends ClusterPlaces {
  readonly network: HostNetwork;
  hostOf(name: string): number;
}

/** A host for each name, until the test ends; all of one private authority. */
export function placeOnHosts(folder: string, names: readonly string[]): HostedPlaces {
  const network = HostNetwork.forTest(names.length);
  const hostOf = (name: string) => names.indexOf(name) + 1;
  const addressOf = (name: string) => network.addressOf(hostOf(name));
  const files = prepareAuthority({
    ...{ folder: join(folder, 'tls'), nowMs: Date.now(), hosts: names.map(addressOf) },
  });
  return {
    ...{ network, hostOf, addressOf },
    within: (name) => network.within(hostOf(name)),
    certificates: (role) => ({
      MILLRACE_TLS_AUTHORITY: files[role].authority,
      MILLRACE_TLS_CERTIFICATE: files[role].certificate,
      MILLRACE_TLS_KEY: files[role].key,
    }),
  };
}
