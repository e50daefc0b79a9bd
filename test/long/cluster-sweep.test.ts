/** Goal: membership and the metadata log hold under far more seeds than every run of the tests can afford. */
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { scenarios } from '../../simulation/scenarios.ts';

test.each([
  ['membership', 10_000],
  ['metadata', 1_500],
])('%s holds under %i seeds', async (name, seedCount) => {
  const run = scenarios[name];
  for (let from = 0; from < seedCount; from += 100) {
    await inMacrotask(() => {
      for (let seed = from; seed < from + 100; seed++) {
        const failure = run?.({ seed }).failure;
        expect(failure, `npm run simulate -- --scenario ${name} --seed ${seed}`).toBeNull();
      }
    });
  }
});
