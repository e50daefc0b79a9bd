/**
 * All connectors by the name that a plan gives them. Plans are plain data and travel; this is where
 * they find code again, in the coordinator and in every slot thread.
 */
import type { Connector } from '../engine/contracts/connector.ts';
import { filesConnector } from './filesystem/files-connector.ts';
import { generatorConnector } from './generator/generator-connector.ts';
import { kafkaConnector } from './kafka/kafka-connector.ts';
import { consoleConnector, memoryConnector } from './program/program-connectors.ts';

export const connectors: ReadonlyMap<string, Connector> = new Map(
  [filesConnector, generatorConnector, memoryConnector, consoleConnector, kafkaConnector].map(
    (connector) => [connector.name, connector],
  ),
);
