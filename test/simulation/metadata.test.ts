/**
 * Goal: what coordinators ask of one metadata log is linearizable under crashes, cuts, pauses and broken disks; runs
 * replay exactly; and the checker would have noticed eight planted mistakes.
 */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { runMetadata } from '../../simulation/metadata-scenario.ts';
import { metadataPlants } from './metadata-plants.ts';

const seedCount = 40;
/** A mistake may show late. */
const plantSeedCount = 150;

test(`${seedCount} seeds pass, and every tenth is the same again`, async () => {
  const counts: Record<string, number> = {};
  await inMacrotask(() => {
    for (let seed = 0; seed < seedCount; seed++) {
      const verdict = runMetadata({ seed });
      const hint = `npm run simulate -- --scenario metadata --seed ${seed}`;
      expect(verdict.failure, hint).toBeNull();
      if (seed % 10 === 0) expect(runMetadata({ seed })).toEqual(verdict);
      for (const [name, count] of Object.entries(verdict.counts)) {
        counts[name] = (counts[name] ?? 0) + count;
      }
    }
  });
  // The runs are worth something: every outcome came to pass.
  expect(counts.ok).toBeGreaterThan(50 * seedCount);
  expect(counts.conflict).toBeGreaterThan(10 * seedCount);
  expect(counts.fenced).toBeGreaterThan(seedCount);
  expect(counts.unknown).toBeGreaterThan(seedCount);
  expect(counts.compacted).toBeGreaterThan(3 * seedCount);
});

test.each(Object.keys(metadataPlants))(
  'planted mistake is found and replayed: %s',
  async (name) => {
    const plant = metadataPlants[name] ?? {};
    await inMacrotask(() => {
      for (let seed = 0; seed < seedCount; seed++) {
        const { failure, traceHash } = runMetadata({ seed, plant });
        if (failure === null) continue;
        expect(runMetadata({ seed, plant })).toMatchObject({ failure, traceHash });
        return;
      }
      expect.unreachable(`no seed below ${plantSeedCount} found "${name}"`);
    });
  },
);
