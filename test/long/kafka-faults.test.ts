/**
 * Goal: a hundred faults of jobs from a topic to a topic, exactly once, in four lives: processes that are killed, stopped and woken up beside
 * their successors, a broker that ends and comes back; every count audited by window and auction.
 */
import { loadavg } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditCounts, nothingWrong } from '../support/kafka/count-audit.ts';
import { runFaulted } from '../support/kafka/faulted-run.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';

const faultCount = 25;

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

test.each([1, 2, 3, 4])(
  'seed %i: twenty-five faults, and every window is counted once',
  async (seed) => {
    const startMs = performance.now();
    const { job, bidCount, found, expected } = await runFaulted(broker, { faultCount, seed });
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    // For docs/reliability.md.
    process.stdout.write(
      `${JSON.stringify({ ...job.counts, lost: job.lostCount, restarted: job.endedCount, bidCount })} ` +
        `${expected.length} counts, ${seconds} s, load ${loadavg().map(Math.round).join(' ')}\n`,
    );
    expect(auditCounts(found, expected)).toEqual(nothingWrong);
    expect(job.faultCount).toBeGreaterThanOrEqual(faultCount - 3);
  },
);
