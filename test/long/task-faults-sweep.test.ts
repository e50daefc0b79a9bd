/** Goal: every task of sixty jobs × everything that can befall it, in rings and in files, and once more later on. */
import { test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { checkMatrix, expectRight, taskFaultKinds, taskPlaces } from '../support/task-matrix.ts';

const seeds = Array.from({ length: 30 }, (_, index) => 100 + index);
const jobs = seeds.flatMap((seed) => [
  { seed, shuffle: 'disk' as const },
  { seed, shuffle: 'memory' as const },
]);

test.each(jobs)('seed $seed, shuffle in $shuffle', async (job) => {
  await inMacrotask(() => void checkMatrix(job));
});

test.each(jobs)('seed $seed, shuffle in $shuffle: the second attempt is hit, too', async (job) => {
  await inMacrotask(() => {
    for (const place of taskPlaces(job)) {
      for (const what of taskFaultKinds) {
        expectRight(job, [
          { kind: 'taskFault', ...place, attempt: 1, what: 'failsBefore' },
          { kind: 'taskFault', ...place, attempt: 2, what },
        ]);
      }
    }
  });
});
