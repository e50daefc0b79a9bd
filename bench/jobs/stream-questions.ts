/**
 * Runs the questions of the nexmark bench, or that of windows, in one process on slots that stay, each three times,
 * and writes their answers and the seconds of the fastest run: stream-questions.ts DATA OUT THREADS BENCH FORMAT [sums].
 * With `sums` only the sums over the answers, as the other engines' scripts have them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openSlots } from 'millrace/run';

const [input = '', out = '', threads = '2', bench = '', format = 'parquet', sums] =
  process.argv.slice(2);
const isSummed = sums === 'sums';
const path = isSummed ? './summed-answers.ts' : `../../jobs/${bench}/job.ts`;
const job = new URL(path, import.meta.url);
const nexmark = ['q1', 'q2', 'q4', 'q5', 'q7', 'q8', 'q11'];
const questions = bench === 'nexmark' ? nexmark : ['windows'];
const runs = 3;

mkdirSync(out, { recursive: true });
const slots = openSlots({ parallelism: Number(threads), memory: '4GB' });
const seconds: Record<string, number> = {};
const found: Record<string, readonly number[]> = {};
for (const question of questions) {
  const asked = bench === 'nexmark' || isSummed ? { query: question } : { size: '10s' };
  const folder = resolve(join(out, question));
  mkdirSync(folder, { recursive: true });
  // Parquet, as DuckDB writes it.
  const output = join(folder, isSummed ? 'sums.ndjson' : 'answer.parquet');
  const params = { ...asked, input: `${resolve(input)}/`, format, output };
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await slots.run(job, { params, overwrite: true });
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
  }
  seconds[question] = fastest;
  if (isSummed) found[question] = Object.values(JSON.parse(readFileSync(output, 'utf8')));
}
await slots.close();
writeFileSync(join(out, 'seconds.json'), JSON.stringify(seconds));
if (isSummed) writeFileSync(join(out, 'sums.json'), JSON.stringify(found));
