/** Who speaks another version of the cluster's protocol is refused before anything else is said. */
import { typedError } from '../../base/typed-error.ts';
import { clusterVersion } from '../protocol/members.ts';

/** @throws CLUSTER_VERSION */
export function assertKnownVersion(version: number): void {
  if (version === clusterVersion) return;
  const [older, newer] = version < clusterVersion ? ['caller', 'cluster'] : ['cluster', 'caller'];
  const message = `the cluster speaks version ${clusterVersion} of its protocol, the caller ${version}`;
  throw typedError('CLUSTER_VERSION', message, {
    hint: `Use one version of Millrace: the ${older} is older than the ${newer}.`,
  });
}
