/** The benches, by the name that `npm run bench` takes. */
import type { BenchCase } from './bench-case.ts';
import { expressionsBench } from './expressions.ts';
import { groupbyBenches } from './groupby.ts';
import { ndjsonBench } from './ndjson.ts';
import { shuffleBench } from './shuffle.ts';
import { sortBenches } from './sort.ts';
import { sortRecordsBench } from './sort-records.ts';
import { streamBenches } from './streams.ts';
import { tpchBenches } from './tpch.ts';
import { wordcountBench } from './wordcount.ts';

export const benchCases: readonly BenchCase[] = [
  wordcountBench as BenchCase,
  ndjsonBench as BenchCase,
  expressionsBench as BenchCase,
  ...(groupbyBenches as readonly BenchCase[]),
  ...(sortBenches as readonly BenchCase[]),
  sortRecordsBench as BenchCase,
  shuffleBench as BenchCase,
  ...(streamBenches as readonly BenchCase[]),
  ...(tpchBenches as readonly BenchCase[]),
];
