/**
 * Small word counts for simulated runs: text drawn by chance, the job over it in one of several forms, and
 * a plain reference of what must come out. One form is a graph with two outputs; one joins the words with their
 * counts, which another source gives, and counts again.
 *
 * Whatever cuts text into pieces is tiny here: a split is a few lines and a buffer some hundred bytes,
 * so that a kilobyte of text has all the borders that a terabyte has.
 */
import type { Rng } from '../base/env/rng.ts';
import { files, text } from '../connectors/files.ts';
import { FileEnumerator } from '../connectors/filesystem/file-enumerator.ts';
import type { FileSinkOptions, FileSourceOptions } from '../connectors/filesystem/file-options.ts';
import { type FileRange, rangesOf, splitOf } from '../connectors/filesystem/file-range.ts';
import { FileSinkWriter } from '../connectors/filesystem/file-sink-writer.ts';
import { filesConnector } from '../connectors/filesystem/files-connector.ts';
import { targetOf } from '../connectors/filesystem/sink-target.ts';
import type { InvalidUtf8 } from '../connectors/formats/text-lines.ts';
import { createTextReader } from '../connectors/formats/text-reader.ts';
import {
  agg,
  type Column,
  defineJob,
  explode,
  type JobDefinition,
  type Stream,
  t,
  words,
} from '../engine/api/index.ts';
import type { Connector } from '../engine/contracts/connector.ts';
import type { SplitEnumerator } from '../engine/contracts/source.ts';

/** `join` is not drawn but asked for. */
export type WordForm = 'columns' | 'flatMap' | 'mapReduce' | 'graph' | 'join';

/** What a file must hold in the end, and how many rows that is. */
export interface WordOutput {
  readonly path: string;
  readonly expected: string;
  readonly rowCount: number;
}

export interface WordJob {
  readonly definition: JobDefinition;
  readonly form: WordForm;
  /** Path → content. */
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  readonly outputs: readonly WordOutput[];
  /** How often the inputs are read. */
  readonly readCount: number;
  readonly connectors: ReadonlyMap<string, Connector>;
}

export const inputFolder = '/node/in';
export const outputFolder = '/node/out';
const rarePath = `${outputFolder}/rare.csv`;
const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const separators = [' ', ' ', ' ', ', ', '\t', ' 42 ', '-', ' é ', ' 漢字 '];

/** @param wanted - In place of a form that is drawn. */
export function drawWordJob(rng: Rng, wanted?: WordForm): WordJob {
  const inputs = drawInputs(rng);
  const drawn = oneOf(rng, ['columns', 'flatMap', 'mapReduce', 'graph'] as const);
  const form = wanted ?? drawn;
  const format = oneOf(rng, ['csv', 'ndjson'] as const);
  const top = rng.int(0, 3) === 0 ? rng.int(1, 20) : undefined;
  const path = `${outputFolder}/words.${format}`;
  const connector = smallPieces(rng);
  return {
    definition: definitionOf(form, path, top) as unknown as JobDefinition,
    form,
    inputs,
    outputs: outputsOf(form, path, countedWords(inputs), top),
    readCount: form === 'join' ? 2 : 1,
    connectors: new Map([[connector.name, connector]]),
  };
}

function drawInputs(rng: Rng): Map<string, Uint8Array> {
  const vocabulary = Array.from({ length: rng.int(1, 120) }, () => drawWord(rng));
  const fileCount = rng.int(1, 6);
  const inputs = new Map<string, Uint8Array>();
  for (let index = 0; index < fileCount; index++) {
    const lineCount = rng.int(0, 10) === 0 ? 0 : Math.floor(rng.float() ** 3 * 120) + 1;
    const wordsMax = rng.int(0, 3) === 0 ? 60 : 10;
    let content = '';
    for (let line = 0; line < lineCount; line++) {
      const wordCount = rng.int(0, wordsMax);
      for (let word = 0; word < wordCount; word++) {
        content += oneOf(rng, vocabulary) + oneOf(rng, separators);
      }
      content += rng.int(0, 8) === 0 ? '\r\n' : '\n';
    }
    if (rng.int(0, 3) === 0) content = content.trimEnd();
    inputs.set(`${inputFolder}/text-${index}.txt`, new TextEncoder().encode(content));
  }
  return inputs;
}

/** Words of up to 8 bytes lie in their view and others elsewhere, so both are drawn. */
function drawWord(rng: Rng): string {
  const length = rng.int(0, 12) === 0 ? rng.int(9, 80) : rng.int(1, 10);
  return Array.from({ length }, () => letters[rng.int(0, letters.length)]).join('');
}

function definitionOf(form: WordForm, output: string, top: number | undefined) {
  const sumOf = (counts: Iterable<number>): number => {
    let sum = 0;
    for (const count of counts) sum += count;
    return sum;
  };
  return defineJob({
    name: `simulated-${form}`,
    params: {},
    build: ({ read }) => {
      const lines = read(files.source({ path: inputFolder, format: text() }));
      const sink = files.sink({ path: output });
      if (form === 'mapReduce') {
        return lines
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
          .writeTo(sink);
      }
      if (form === 'graph') return graphOf(lines, output, top);
      const found =
        form !== 'flatMap'
          ? lines.select((line) => ({ word: explode(words(line.text)) }))
          : lines.flatMap(t.struct({ word: t.utf8() }), (line) =>
              (line.text.match(/[A-Za-z]+/g) ?? []).map((word) => ({ word: word.toLowerCase() })),
            );
      const isJoin = form === 'join';
      const again = isJoin ? read(files.source({ path: inputFolder, format: text() })) : null;
      const counted = again === null ? found : withPartners(found, again);
      return counted
        .keyBy((row) => row.word)
        .aggregate({ count: agg.count() })
        .orderBy((row) => [row.count.desc(), row.word.asc()])
        .limit(top)
        .writeTo(sink);
    },
  });
}

/** The same words, each of which finds the one of that name among those that are counted. */
function withPartners(
  found: Stream<{ word: Column<'utf8'> }>,
  lines: Stream<{ text: Column<'utf8'> }>,
) {
  const all = lines
    .select((line) => ({ partner: explode(words(line.text)) }))
    .keyBy((row) => row.partner)
    .aggregate({ seen: agg.count() });
  return found
    .join(all, { on: (one, other) => one.word.eq(other.partner) })
    .select((row) => ({ word: row.word }));
}

/** A stream that parts and meets again, and ends in two files: the counts, and the words that are rare. */
function graphOf(lines: Stream<{ text: Column<'utf8'> }>, output: string, top: number | undefined) {
  const found = lines.select((line) => ({ word: explode(words(line.text)) }));
  const counted = found
    .where((row) => row.word.lt('n'))
    .union(found.where((row) => row.word.ge('n')))
    .keyBy((row) => row.word)
    .aggregate({ count: agg.count() });
  const rare = counted.where((row) => row.count.lt(3));
  return [
    counted
      .orderBy((row) => [row.count.desc(), row.word.asc()])
      .limit(top)
      .writeTo(files.sink({ path: output })),
    rare.orderBy((row) => row.word.asc()).writeTo(files.sink({ path: rarePath })),
  ];
}

/** The same counts in plain JavaScript: the reference. */
function countedWords(inputs: ReadonlyMap<string, Uint8Array>): readonly Count[] {
  const counts = new Map<string, number>();
  for (const content of inputs.values()) {
    for (const [run] of new TextDecoder().decode(content).matchAll(/[A-Za-z]+/g)) {
      const word = run.toLowerCase();
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
}

type Count = readonly [word: string, count: number];

function outputsOf(
  form: WordForm,
  path: string,
  counts: readonly Count[],
  top: number | undefined,
): WordOutput[] {
  const main = outputOf(path, counts.slice(0, top));
  if (form !== 'graph') return [main];
  const rare = counts.filter(([, count]) => count < 3).sort(([a], [b]) => (a < b ? -1 : 1));
  return [main, outputOf(rarePath, rare)];
}

function outputOf(path: string, rows: readonly Count[]): WordOutput {
  const isCsv = path.endsWith('.csv');
  const lines = rows.map(([word, count]) =>
    isCsv ? `${word},${count}\n` : `${JSON.stringify({ word, count })}\n`,
  );
  const expected = (isCsv ? 'word,count\n' : '') + lines.join('');
  return { path, expected, rowCount: rows.length };
}

/** The files connector with small splits and buffers. */
function smallPieces(rng: Rng): Connector {
  const splitBytes = 2 ** rng.int(5, 12);
  const bufferBytes = 2 ** rng.int(6, 14);
  const writeBytes = 2 ** rng.int(6, 14);
  return {
    ...filesConnector,
    enumerator: (options, context) =>
      inSmallSplits(
        new FileEnumerator(options as unknown as FileSourceOptions, context),
        splitBytes,
      ),
    reader: (options, context) => {
      const { invalidUtf8 } = (options as unknown as FileSourceOptions).format;
      return createTextReader({ invalidUtf8: invalidUtf8 as InvalidUtf8, bufferBytes }, context);
    },
    writer: (options, prepared, context) => {
      const { format } = options as unknown as FileSinkOptions;
      const target = targetOf(prepared);
      return new FileSinkWriter({ format, target, bufferBytes: writeBytes }, context);
    },
  };
}

function inSmallSplits(enumerator: SplitEnumerator, splitBytes: number): SplitEnumerator {
  return {
    async discover(parallelism) {
      const found = await enumerator.discover(parallelism);
      const ranges = found.splits.flatMap(({ payload }) => rangesOf(payload));
      const splits = ranges.flatMap((range) => piecesOf(range, splitBytes));
      return { ...found, splits: splits.map((range) => splitOf([range])) };
    },
  };
}

/** At most 16 pieces of a range: a run is small. */
function piecesOf(range: FileRange, splitBytes: number): FileRange[] {
  const stepBytes = Math.max(splitBytes, Math.ceil((range.end - range.start) / 16));
  const pieces: FileRange[] = [];
  for (let start = range.start; start < range.end; start += stepBytes) {
    pieces.push({ ...range, start, end: Math.min(start + stepBytes, range.end) });
  }
  return pieces;
}

function oneOf<T>(rng: Rng, values: readonly T[]): T {
  return values[rng.int(0, values.length)] as T;
}
