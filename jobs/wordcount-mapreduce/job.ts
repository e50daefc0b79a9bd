/**
 * Word count as MapReduce: the same result as jobs/wordcount, written with plain functions.
 *
 * `map` emits a pair per word, `combine` adds up the counts where they were made, so that few pairs
 * travel, and `reduce` gives a row per word. Any JavaScript may stand in the three.
 */
import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

const sumOf = (counts: Iterable<number>): number => {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
};

export default defineJob({
  name: 'wordcount-mapreduce',
  params: {
    input: t.path().describe('a file, a folder or a glob of text'),
    output: t.path().default('wordcount.csv').describe('the file to write: .csv or .ndjson'),
    top: t.int64({ js: 'number' }).optional().describe('keep the most frequent words only'),
    invalidUtf8: t
      .utf8()
      .choices('fail', 'replace')
      .default('fail')
      .describe('what to do with bytes that are not UTF-8'),
  },
  build: ({ read, params: { input, output, top, invalidUtf8 } }) =>
    read(files.source({ path: input, format: text({ invalidUtf8 }) }))
      .mapReduce({
        key: t.utf8(),
        value: t.int64({ js: 'number' }),
        output: t.struct({ word: t.utf8(), count: t.int64({ js: 'number' }) }),
        map: (line, emit) => {
          for (const word of line.text.match(/[A-Za-z]+/g) ?? []) emit(word.toLowerCase(), 1);
        },
        combine: (_word, counts) => sumOf(counts),
        reduce: (word, counts) => [{ word, count: sumOf(counts) }],
      })
      .orderBy((row) => [row.count.desc(), row.word.asc()])
      .limit(top)
      .writeTo(files.sink({ path: output })),
});
