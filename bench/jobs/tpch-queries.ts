/**
 * Runs all queries of jobs/tpch in one process on slots that stay, each three times, and writes their answers
 * and the seconds of the fastest run: tpch-queries.ts DATA OUT THREADS.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openSlots } from 'millrace/run';

const [input = '', out = '', threads = '2'] = process.argv.slice(2);
const job = new URL('../../jobs/tpch/job.ts', import.meta.url);
const runs = 3;

mkdirSync(out, { recursive: true });
const slots = openSlots({ parallelism: Number(threads), memory: '4GB' });
const seconds: Record<string, number> = {};
for (let number = 1; number <= 22; number++) {
  const query = `h${number}`;
  const params = { query, input: resolve(input), output: resolve(join(out, `${query}.csv`)) };
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await slots.run(job, { params, overwrite: true });
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
  }
  seconds[query] = fastest;
}
await slots.close();
writeFileSync(join(out, 'seconds.json'), JSON.stringify(seconds));
