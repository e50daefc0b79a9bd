/**
 * What a whole job allocates on JavaScript's heap: `npm run bench:heap`. No test: it prints; the bound is
 * tested in test/engine/task/task-heap.test.ts.
 *
 * Expectation: nothing per row. A batch of 8,192 rows is some objects per operator, a frozen array of columns,
 * closures of the reader: 2 to 4 KB, so below half a megabyte per million rows.
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AllocationSampler } from './allocation-sampler.ts';
import { bidsJob, writeBids } from './heap-job.ts';
import { openInOneThread } from './one-thread.ts';

/** The file is read so often: functions are compiled for good after some hundred batches. */
const copies = 8;
const folder = mkdtempSync(join(tmpdir(), 'millrace-heap-'));
try {
  for (const shape of ['few', 'many'] as const) {
    const input = join(folder, shape);
    mkdirSync(input);
    writeBids(join(input, '0.ndjson'), 1_000_000, shape);
    for (let copy = 1; copy < copies; copy++) {
      linkSync(join(input, '0.ndjson'), join(input, `${copy}.ndjson`));
    }
    const logical = bidsJob({ input, output: join(folder, 'out.ndjson') });
    const measure = async () => {
      const job = await openInOneThread(logical);
      const sampler = new AllocationSampler();
      sampler.start();
      job.run();
      const found = sampler.stop();
      await job.close();
      return found;
    };
    await measure(); // The first run compiles.
    const { bytes, sites } = await measure();
    process.stdout.write(`${shape} keys: ${(bytes / 1e6 / copies).toFixed(2)} MB a million rows\n`);
    for (const { site, bytes: own } of sites.slice(0, 15)) {
      process.stdout.write(`  ${(own / 1e6 / copies).toFixed(3).padStart(7)} MB  ${site}\n`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
