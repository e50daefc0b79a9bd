/**
 * Inverted index: for each word the files that have it, those with most occurrences first. Two MapReduces,
 * the second reading what the first gives:
 *
 *     lines ─▶ (word, file) → occurrences ─▶ word → files, sorted by occurrences ─▶ a row per word
 *
 * The second leaves sorting to the engine (`order`), so its reduce holds no more files than it keeps. Words
 * of the stop list are counted and left out; the list is a side file, read whole by every task.
 */
import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

const count = t.int64({ js: 'number' });
const Occurrences = t.struct({ word: t.utf8(), file: t.utf8(), count });

const sumOf = (counts: Iterable<number>): number => {
  let sum = 0;
  for (const one of counts) sum += one;
  return sum;
};

/** Stop lists by the text they were read from: a task asks for each word. */
const stopLists = new Map<string, ReadonlySet<string>>();

function stopListOf(list: string): ReadonlySet<string> {
  const known = stopLists.get(list);
  if (known !== undefined) return known;
  const words = new Set(list.toLowerCase().split(/\s+/));
  stopLists.set(list, words);
  return words;
}

export default defineJob({
  name: 'inverted-index',
  params: {
    input: t.path().describe('a file, a folder or a glob of text'),
    output: t.path().default('index.ndjson').describe('the file to write: .ndjson or .parquet'),
    stopWords: t.path().optional().describe('a file of words to leave out'),
    top: count.default(10).describe('files to keep of each word'),
  },
  build: ({ read, params: { input, output, stopWords, top } }) =>
    read(
      files.source({ path: input, format: text({ pathColumn: 'file', invalidUtf8: 'replace' }) }),
    )
      .mapReduce(
        {
          key: t.utf8(),
          value: count,
          output: Occurrences,
          ...(stopWords !== undefined && { sideFiles: { stopWords } }),
          map: (line, emit, context) => {
            const stopList = stopListOf(stopWords ? context.sideFile('stopWords').text : '');
            for (const [found] of line.text.matchAll(/\p{L}+/gu)) {
              const word = found.toLowerCase();
              if (stopList.has(word)) context.count('stop words');
              else emit(`${word}\t${line.file}`, 1);
            }
          },
          combine: (_wordAndFile, counts) => sumOf(counts),
          reduce: (wordAndFile, counts) => {
            const border = wordAndFile.indexOf('\t');
            const [word, file] = [wordAndFile.slice(0, border), wordAndFile.slice(border + 1)];
            return [{ word, file, count: sumOf(counts) }];
          },
        },
        { name: 'count' },
      )
      .mapReduce(
        {
          key: t.utf8(),
          value: t.struct({ file: t.utf8(), count }),
          output: t.struct({ word: t.utf8(), fileCount: count, files: t.list(t.utf8()) }),
          map: ({ word, file, count: occurrences }, emit) =>
            emit(word, { file, count: occurrences }),
          order: ({ value }) => [value.field('count').desc(), value.field('file').asc()],
          reduce: (word, found, context) => {
            context.count('words');
            const kept: string[] = [];
            let fileCount = 0;
            for (const { file } of found) if (++fileCount <= top) kept.push(file);
            return [{ word, fileCount, files: kept }];
          },
        },
        { name: 'index' },
      )
      .orderBy((row) => row.word.asc())
      .writeTo(files.sink({ path: output })),
});
