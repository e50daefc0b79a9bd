/**
 * The connectors `memory` and `console`: rows between a job and the program that runs it in its own
 * process. A plan carries their names only; the rows go through rings that the program attaches
 * (cli/program-ends.ts), so any count of them fits, and a slow side is felt by the other.
 */
import type { Connector } from '../../engine/contracts/connector.ts';
import type { SinkCommitter } from '../../engine/contracts/sink.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { nameIn } from './program-options.ts';
import { ProgramReader } from './program-reader.ts';
import { ProgramWriter } from './program-writer.ts';

/** What is written is with the program at once: there is nothing to make visible, or to remove. */
const committer: SinkCommitter = {
  prepare: async () => null,
  commit: async () => undefined,
  abort: async () => undefined,
};

export const memoryConnector: Connector = {
  name: 'memory',
  usesProgram: true,
  enumerator: (options) => ({
    discover: async () => ({ splits: [wholeSplit(nameIn(options))], sizeBytes: 0, inputCount: 1 }),
  }),
  reader: (options, context) => new ProgramReader(options, context),
  committer: () => committer,
  writer: (options, _prepared, context) => new ProgramWriter(options, context),
};

export const consoleConnector: Connector = {
  name: 'console',
  usesProgram: true,
  committer: () => committer,
  writer: (options, _prepared, context) => new ProgramWriter(options, context),
};

/** One split, for a ring has one reader. */
function wholeSplit(name: string): Split {
  return { id: name, sizeBytes: 0, payload: null };
}
