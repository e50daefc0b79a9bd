/**
 * Goal: a job in its steady state allocates per batch, never per row: NDJSON, filter, projection, groups, sink.
 *
 * What V8's sampler counts is compared between a short and a long run of the same job, so that what starting
 * and ending costs falls out. By sampling the number is right by some percent; the bound is three times it.
 */
import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AllocationSampler } from '../../../bench/micro/allocation-sampler.ts';
import { bidsJob, writeBids } from '../../../bench/micro/heap-job.ts';
import { openInOneThread } from '../../../bench/micro/one-thread.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const rowsPerFile = 250_000;
/** Bytes of the heap per row; an object per row would be 24 at least. */
const bytesPerRowMax = 4;

async function allocatedBy(folder: string): Promise<number> {
  const job = await openInOneThread(
    bidsJob({ input: folder, output: join(folder, '../out.ndjson') }),
  );
  const sampler = new AllocationSampler();
  sampler.start();
  job.run();
  const { bytes } = sampler.stop();
  await job.close();
  return bytes;
}

/** A folder in which one file of bids is so often. */
function bidsFolder(root: string, name: string, copies: number): string {
  const folder = join(root, name);
  mkdirSync(folder);
  writeBids(join(folder, '0.ndjson'), rowsPerFile, 'few');
  for (let copy = 1; copy < copies; copy++) {
    linkSync(join(folder, '0.ndjson'), join(folder, `${copy}.ndjson`));
  }
  return folder;
}

test('a whole job allocates some bytes of JavaScript heap per row, for its batches', async () => {
  const root = tempFolder();
  const [short, long] = [bidsFolder(root, 'short', 2), bidsFolder(root, 'long', 6)];
  await allocatedBy(long); // Compiles what runs.
  const perRow = ((await allocatedBy(long)) - (await allocatedBy(short))) / (4 * rowsPerFile);
  expect(perRow).toBeLessThan(bytesPerRowMax);
});
