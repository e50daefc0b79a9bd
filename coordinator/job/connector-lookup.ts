/** Connectors by name, for those parts of a job that the coordinator owns. */
import { typedError } from '../../base/typed-error.ts';
import type { Connector } from '../../engine/contracts/connector.ts';

/** @throws PLAN_NO_CONNECTOR */
export type ConnectorLookup = (name: string) => Connector;

export function connectorLookup(connectors: ReadonlyMap<string, Connector>): ConnectorLookup {
  return (name) => {
    const connector = connectors.get(name);
    if (connector === undefined) throw noPart(name, 'connector');
    return connector;
  };
}

export function noPart(connector: string, part: string) {
  return typedError('PLAN_NO_CONNECTOR', `connector "${connector}" has no ${part} here`, {
    hint: 'Use a connector of this version, or update the coordinator and its workers together.',
  });
}
