/**
 * The wordcount bench: the words of English text, counted, by count and then word, as CSV.
 *
 * Expectation before the first figure: 1 GB is 143 million words. The kernels tokenise and count at
 * about 20 ns a word on one thread, so two threads need 1.5 s and the start 0.2 s; Polars spends 24
 * CPU seconds and DuckDB 38, so 12 and 19 s on two idle cores.
 */
import { statSync } from 'node:fs';
import { formatCount } from '../base/units.ts';
import { type TextSize, textPath, textSizes } from './bench-cache.ts';
import type { BenchCase } from './bench-case.ts';
import { contestantsOf } from './contestants.ts';
import { prepareText } from './prepare.ts';
import { differenceOf, expectedAnswers, readAnswer, type WordAnswer } from './word-answer.ts';

export const wordcountBench: BenchCase<WordAnswer> = {
  name: 'wordcount',
  sizes: Object.keys(textSizes),
  contestants: contestantsOf({
    bench: 'wordcount',
    extension: 'csv',
    job: 'jobs/wordcount/job.ts',
    jobFlags: (text, out) => ['--input', text, '--output', out],
  }),
  prepare(size, say) {
    prepareText(size as TextSize, say);
    const path = textPath(size as TextSize);
    return { path, sizeBytes: statSync(path).size, description: 'of English text' };
  },
  expectedAnswer: (size) => expectedAnswers[size as TextSize],
  readAnswer,
  differenceOf,
  answerText: ({ total, distinct }) =>
    `${formatCount(total)} words, ${formatCount(distinct)} distinct`,
};
