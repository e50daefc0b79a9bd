/** Bids in a topic, and a job that counts them under faults to its end: what it counted, and what it should have. */
import { tempFolder } from '../temp-folder.ts';
import { FaultedJob } from './faulted-counts.ts';
import { type Bid, countsIn, countsOf, type FoundCount, sendBids } from './kafka-bids.ts';
import type { KafkaBroker } from './kafka-broker.ts';
import { testClient } from './kafka-clients.ts';

const startMs = 1_700_000_000_000;
const partitionCount = 3;
const windowMs = 1_000;
const rate = 2_000;
/** So that bids are there for all faults: the job runs a second or two between them. */
const bidsPerFault = 4_000;

export interface FaultedOutcome {
  readonly job: FaultedJob;
  readonly bidCount: number;
  readonly found: readonly FoundCount[];
  /** As `countsOf` has them. */
  readonly expected: readonly string[];
}

export async function runFaulted(
  broker: KafkaBroker,
  { faultCount, seed }: { readonly faultCount: number; readonly seed: number },
): Promise<FaultedOutcome> {
  const [from, to] = [`bids-${seed}`, `counts-${seed}`];
  const bids: Bid[] = Array.from({ length: faultCount * bidsPerFault }, (_, n) => {
    return { auction: 1_000 + ((n * 7919) % 37), price: n % 101, date_time: startMs + n * 10 };
  });
  const client = await testClient(broker.address);
  await client.createTopic(from, { partitionCount });
  await client.createTopic(to, { partitionCount: 2 });
  await sendBids(client, { topic: from, partitionCount }, bids);
  const job = new FaultedJob({ folder: tempFolder(), broker, client, from, to, seed, rate });
  await job.befall(faultCount);
  await job.finish();
  const reader = await testClient(broker.address);
  const found = await countsIn(reader, to, 'committed');
  return { job, bidCount: bids.length, found, expected: countsOf(bids, windowMs) };
}
