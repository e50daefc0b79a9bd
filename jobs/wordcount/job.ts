/**
 * Word count: how often each word occurs in a file, a folder or a glob of text.
 *
 * The words are found, counted and sorted by compiled loops: no JavaScript runs per line or word.
 * A word is a maximal run of the letters A to Z, in lower case.
 */
import { agg, defineJob, explode, t, words } from 'millrace';
import { files, text } from 'millrace/files';

export default defineJob({
  name: 'wordcount',
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
      .select((line) => ({ word: explode(words(line.text)) }))
      .keyBy((row) => row.word)
      .aggregate({ count: agg.count() })
      .orderBy((row) => [row.count.desc(), row.word.asc()])
      .limit(top)
      .writeTo(files.sink({ path: output })),
});
