/**
 * Goal: whatever dies, is cut off or is late, every acknowledged byte is on every node that the namenode counts; runs replay exactly;
 * and the judges would have noticed planted mistakes.
 */
import { expect, test } from 'vitest';
import { runBlockWrites } from '../../simulation/blocks/write-scenario.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import { blockWritePlants } from './block-write-plants.ts';

const seedCount = 30;
/** A mistake may show late. */
const plantSeedCount = 150;

test(`${seedCount} seeds pass, and every tenth is the same again`, async () => {
  const counts: Record<string, number> = {};
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const verdict = runBlockWrites({ seed });
      const hint = `npm run simulate -- --scenario block-writes --seed ${seed}`;
      expect(verdict.failure, hint).toBeNull();
      if (seed % 10 === 0) expect(runBlockWrites({ seed })).toEqual(verdict);
      for (const [name, count] of Object.entries(verdict.counts)) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    }
  });
  // The runs are worth something: every outcome came to pass.
  expect(counts.flushed).toBeGreaterThan(5 * seedCount);
  expect(counts.synced).toBeGreaterThan(5 * seedCount);
  expect(counts.closed).toBeGreaterThan(5 * seedCount);
  expect(counts.recovered).toBeGreaterThan(seedCount);
  expect(counts.leasesRecovered).toBeGreaterThan(seedCount / 4);
  expect(counts.abandoned).toBeGreaterThan(seedCount);
  expect(counts.lost).toBeGreaterThan(seedCount / 10);
});

test.each(Object.keys(blockWritePlants))(
  'planted mistake is found and replayed: %s',
  async (name) => {
    const plant = blockWritePlants[name] ?? {};
    await inMacrotask(() => {
      for (let seed = 0; seed < plantSeedCount; seed++) {
        const { failure, traceHash } = runBlockWrites({ seed, plant });
        if (failure === null) continue;
        expect(runBlockWrites({ seed, plant })).toMatchObject({ failure, traceHash });
        return;
      }
      expect.unreachable(`no seed below ${plantSeedCount} found "${name}"`);
    });
  },
);
