/**
 * The ndjson bench: what the bids of each auction add up to, from lines of NDJSON, as CSV by auction.
 *
 * Expectation before the first figure: 1 GB is 5.6 million lines. The kernel reads two of seven members
 * at some 2 GB/s and thread, the groups cost 10 ns a line, so two threads need 0.3 s, and the start
 * 0.3 s. DuckDB's own parser reads 0.5 GB/s and thread: 1 s, and 0.1 s for its start.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { cacheFolder } from './bench-cache.ts';
import type { BenchCase } from './bench-case.ts';
import { contestantsOf } from './contestants.ts';
import { makeBids } from './make-bids.ts';
import { readSumAnswer, type SumAnswer, sumDifferenceOf } from './sum-answer.ts';

const sizes = { '1GB': 1 << 30, '256MB': 1 << 28, '64MB': 1 << 26 } as const;

export const ndjsonBench: BenchCase<SumAnswer> = {
  name: 'ndjson',
  sizes: Object.keys(sizes),
  contestants: contestantsOf({
    bench: 'ndjson',
    extension: 'csv',
    job: 'bench/jobs/ndjson.ts',
    jobFlags: (data, out) => ['--input', data, '--output', out],
  }),
  prepare(size, say) {
    const path = join(cacheFolder, `bids-${size.toLowerCase()}.ndjson`);
    if (!existsSync(path)) {
      say(`Making ${size} of bids as NDJSON (once, about 20 seconds a gigabyte) …`);
      mkdirSync(cacheFolder, { recursive: true });
      makeBids(path, sizes[size as keyof typeof sizes]);
    }
    return { path, sizeBytes: statSync(path).size, description: 'of NDJSON' };
  },
  expectedAnswer: () => undefined,
  readAnswer: readSumAnswer,
  differenceOf: sumDifferenceOf,
  answerText: ({ auctions, bids }) =>
    `${formatCount(bids)} bids in ${formatCount(auctions)} auctions`,
};
