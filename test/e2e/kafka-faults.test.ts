/**
 * Goal: windows from a topic to a topic are counted exactly once while processes are killed, stopped and woken up beside
 * their successors, and the broker ends and comes back: a fault of each kind, every count audited by window and auction.
 * A hundred of them: `test/long/kafka-faults.test.ts`.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditCounts, nothingWrong } from '../support/kafka/count-audit.ts';
import { faultKinds } from '../support/kafka/faulted-counts.ts';
import { runFaulted } from '../support/kafka/faulted-run.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';

const faultCount = faultKinds.length;

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

test(`${faultCount} faults, and every window is counted once`, { timeout: 600_000 }, async () => {
  const { job, found, expected } = await runFaulted(broker, { faultCount, seed: 1 });
  expect(auditCounts(found, expected)).toEqual(nothingWrong);
  // Otherwise it would have shown nothing.
  expect(job.faultCount).toBeGreaterThanOrEqual(faultCount - 2);
});
