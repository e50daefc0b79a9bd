/**
 * The connector `generator`: Nexmark's events as a source. Its splits are ranges of event numbers, and
 * a row is a function of its event's number and the seed, so the rows are the same however they are
 * shared out.
 *
 * Before: connectors/generator.ts · After: connectors/generator/nexmark-reader.ts
 */
import type { Connector } from '../../engine/contracts/connector.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { nexmarkFields } from './nexmark-fields.ts';
import {
  eventBytesOf,
  type NexmarkOptions,
  nexmarkOptionsOf,
  splitOfEvents,
  splitOfLane,
} from './nexmark-options.ts';
import { NexmarkReader } from './nexmark-reader.ts';

const splitsPerTask = 16;
/** 50,000 events take some 5 ms to make; fewer cost more to hand out. */
const splitEventsMin = 50_000;
const splitEventsMax = 4_000_000;
/** How long one lane has the events of a given rate, before the next has its turn. */
const chunkMs = 10;

export const generatorConnector: Connector = {
  name: 'generator',
  isReplayable: true,
  enumerator: (options) => ({
    discover: (parallelism) => {
      const nexmark = nexmarkOptionsOf(options);
      return Promise.resolve({
        splits: splitsOf(nexmark, parallelism),
        sizeBytes: nexmark.isEndless ? 0 : eventBytesOf(nexmark.kind, nexmark.events),
        inputCount: 1,
      });
    },
  }),
  reader: (options, context) => {
    const nexmark = nexmarkOptionsOf(options);
    return new NexmarkReader(nexmark, Object.keys(nexmarkFields[nexmark.kind]), context);
  },
};

function splitsOf({ kind, events, rate }: NexmarkOptions, parallelism: number): Split[] {
  if (rate !== undefined) return lanesOf({ kind, events, rate }, parallelism);
  const wanted = Math.ceil(events / (parallelism * splitsPerTask));
  const size = Math.min(Math.max(wanted, splitEventsMin), splitEventsMax);
  const splits: Split[] = [];
  for (let from = 0; from < events; from += size) {
    splits.push(splitOfEvents(kind, { from, to: Math.min(from + size, events) }));
  }
  return splits;
}

/** A lane for each task: all of them have events of about the same time, at their part of the rate. */
function lanesOf(
  { kind, events, rate }: { kind: NexmarkOptions['kind']; events: number; rate: number },
  parallelism: number,
): Split[] {
  const wanted = Math.ceil((rate * chunkMs) / 1_000);
  const chunkSize = Math.min(Math.max(wanted, 1), Math.max(1, Math.ceil(events / parallelism)));
  return Array.from({ length: parallelism }, (_, lane) =>
    splitOfLane(kind, { from: 0, to: events, lane, laneCount: parallelism, chunkSize, rate }),
  );
}
