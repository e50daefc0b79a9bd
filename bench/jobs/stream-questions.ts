/**
 * Runs the questions of the nexmark bench, or that of windows, in one process on slots that stay, each three times,
 * and writes their answers and the seconds of the fastest run: stream-questions.ts DATA OUT THREADS BENCH FORMAT.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openSlots } from 'millrace/run';

const [input = '', out = '', threads = '2', bench = '', format = 'parquet'] = process.argv.slice(2);
const job = new URL(`../../jobs/${bench}/job.ts`, import.meta.url);
const nexmark = ['q1', 'q2', 'q4', 'q5', 'q7', 'q8', 'q11'];
const questions = bench === 'nexmark' ? nexmark : ['windows'];
const runs = 3;

mkdirSync(out, { recursive: true });
const slots = openSlots({ parallelism: Number(threads), memory: '4GB' });
const seconds: Record<string, number> = {};
for (const question of questions) {
  const asked = bench === 'nexmark' ? { query: question } : { size: '10s' };
  const folder = resolve(join(out, question));
  mkdirSync(folder, { recursive: true });
  // Parquet, as DuckDB writes it.
  const output = join(folder, 'answer.parquet');
  const params = { ...asked, input: `${resolve(input)}/`, format, output };
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await slots.run(job, { params, overwrite: true });
    fastest = Math.min(fastest, (performance.now() - start) / 1000);
  }
  seconds[question] = fastest;
}
await slots.close();
writeFileSync(join(out, 'seconds.json'), JSON.stringify(seconds));
